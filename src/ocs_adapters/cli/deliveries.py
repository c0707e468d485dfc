"""`ocs deliveries`: what became of every notification, recipient by recipient."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from cyclopts import App, Parameter
from cyclopts.validators import Number

from ocs_adapters.bootstrap import consumers, notifications
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Json, Refused, read_settings
from ocs_adapters.consumers.notifications.audit import Attempt, Audit, Record
from ocs_adapters.consumers.notifications.deliveries import State
from ocs_core.messages import format_instant

app = App(name="deliveries", help="Notifications on their way to recipients: show what became of them, and try again.")


@app.command(name="list")
def list_(
    *,
    state: Annotated[Literal["waiting", "delivered", "failed"] | None, Parameter(metavar="STATE")] = None,
    recipient: Annotated[str | None, Parameter(metavar="RECIPIENT")] = None,
    limit: Annotated[int, Parameter(metavar="NUMBER", validator=Number(gte=1))] = 50,
    json: Json = False,
) -> None:
    """Show the newest deliveries, the newest first.

    Args:
        state: Only those that wait for their first or another attempt, were delivered, or failed for good.
        recipient: Only those to this recipient.
        limit: How many to show at the most.
    """
    with _audit() as audit:
        records = audit.records(limit, State(state.upper()) if state else None, recipient)
    rows = [(r.ref_id, r.recipient, r.code, _state(r), r.attempts, _told(r.last)) for r in records]
    say.table(["id", "recipient", "code", "state", "attempts ", "last told"], rows, json=json)


@app.command
def show(ref_id: str, /, *, json: Json = False) -> None:
    """Show everything that is known of a delivery: the notification, and how every attempt ended.

    Args:
        ref_id: Its id, as ocs deliveries list shows it; a recipient of webhooks knows it as the webhook-id.
    """
    with _audit() as audit:
        found = audit.record(_id(ref_id))
    if found is None:
        raise Refused(f"There is no delivery {ref_id}; ocs deliveries list shows them.")
    record, attempts = found
    tried = say.Table(["attempt ", "begun", "ended", "told"], [_attempt(attempt) for attempt in attempts])
    say.several(json=json, delivery=say.Record(_fields(record)), attempts=tried)


@app.command
def retry(ref_id: str, /) -> None:
    """Let a delivery that failed be tried again, and one that waits be due now.

    Args:
        ref_id: Its id, as ocs deliveries list shows it, or ALL.
    """
    with _audit() as audit:
        changed = audit.retry() if ref_id == "ALL" else _retry(audit, _id(ref_id))
    print(f"{changed} {'delivery is' if changed == 1 else 'deliveries are'} due now.")


def _retry(audit: Audit, ref_id: UUID) -> int:
    if changed := audit.retry(ref_id):
        return changed
    match audit.record(ref_id):
        case None:
            raise Refused(f"There is no delivery {ref_id}; ocs deliveries list shows them.")
        case (record, _) if record.state is State.DELIVERED:
            raise Refused(f"{ref_id} was delivered; nobody is told twice.")
        case _:
            raise Refused(f"{ref_id} is under way; see how that ends first.")


@contextmanager
def _audit() -> Iterator[Audit]:
    kind = consumers.KINDS["notifications"]
    with consumers.database_of(kind, read_settings()) as database:
        if not kind.tables.are_in(database):
            raise Refused("notifications has read nothing yet; run: ocs consume notifications")
        yield notifications.audit(database)


def _fields(record: Record) -> list[tuple[str, Any]]:
    return [
        ("id", record.ref_id),
        ("recipient", record.recipient),
        ("code", record.code),
        ("message", record.ce_id),
        ("occurred", record.occurred_at),
        ("kept", record.kept_at),
        ("state", _state(record)),
        ("value", record.value),
    ]


def _state(record: Record) -> str:
    match record.state:
        case State.DELIVERED if record.delivered_at:
            return f"delivered {format_instant(record.delivered_at)}"
        case State.WAITING:
            return f"waiting, due {format_instant(record.due_at)}"
        case _:
            return record.state.value.lower()


def _attempt(attempt: Attempt) -> tuple[Any, ...]:
    return attempt.number, attempt.begun_at, attempt.ended_at, _told(attempt)


def _told(attempt: Attempt | None) -> str:
    if attempt is None:
        return ""
    if attempt.ended_at is None:
        return "under way, or cut off"
    return " ".join(str(part) for part in (attempt.status, attempt.told) if part is not None)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(f"{text} is not the id of a delivery; ocs deliveries list shows them.") from None
