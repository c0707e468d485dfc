"""`ocs consume`: those who read the streaming platform; `ocs dead-letters`: the messages that they could not deal with."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from cyclopts import App, Parameter

from ocs_adapters.bootstrap import consumers, notifications
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, Refused, read_settings, until_terminated
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.gaps import NotedGap, told, way_out
from ocs_adapters.consumers.notifications.deliveries import State
from ocs_adapters.consumers.processor import PASSING, Processor
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database
from ocs_core.errors import OcsError

KindName = Annotated[str, Parameter(help=f"One of: {', '.join(consumers.KINDS)}.")]


app = App(name="consume", help="Read the streaming platform, and make something of its messages.")


@app.command
def finance(*, from_beginning: Flag = False, once: Flag = False) -> int:
    """Keep every entity as it is now, in the database of OCS_FINANCE_URL, for ocs finance to show figures of.

    Runs until interrupted or terminated; at the end, the batch in hand is finished. Several may run at once.

    Args:
        from_beginning: Forget what was kept, and make it anew from the oldest message there is.
        once: Deal with what is there, and end: with 1 where messages were forgotten before they were read.
    """
    return _consume("finance", from_beginning=from_beginning, once=once)


@app.command
def warehouse(*, from_beginning: Flag = False, once: Flag = False) -> int:
    """Keep every message, in Parquet files in the folder of OCS_WAREHOUSE_FOLDER, for ocs warehouse to answer questions.

    Runs until interrupted or terminated; at the end, the batch in hand is finished. One process at a time has the folder.

    Args:
        from_beginning: Remove what was kept, and keep anew everything that is still published.
        once: Deal with what is there, and end: with 1 where messages were forgotten before they were read.
    """
    return _consume("warehouse", from_beginning=from_beginning, once=once)


@app.command(name="notifications")
def notifications_(*, from_beginning: Flag = False, once: Flag = False) -> int:
    """Deliver notifications to the recipients of OCS_RECIPIENTS_FILE, by webhook or e-mail (OCS_SMTP_URL, OCS_MAIL_FROM).

    Every delivery is kept in the database of OCS_NOTIFICATIONS_URL for audit; ocs deliveries shows them. A delivery that
    fails is tried again for a day and a half. Runs until interrupted or terminated; at the end, what is under way is
    finished. Several may run at once.

    Args:
        from_beginning: Read again from the oldest message there is: a new recipient is told of what it missed, no
            longer ago than OCS_DELIVERIES_KEEP_DAYS, and nobody is told of anything twice.
        once: Deal with what is there, try each delivery that is due once, and end: with 1 where messages were
            forgotten before they were read.
    """
    return _deliver(from_beginning=from_beginning, once=once)


@app.command
def status(*, json: Json = False) -> int:
    """Show of each consumer how many messages it set aside, and what was forgotten by the platform before it was given it.
    Ends with 1 where anything was."""
    found = [(kind.tables.name, *_state_of(kind)) for kind in consumers.KINDS.values()]
    gaps = [
        (name, n.met_at, n.gap.topic, n.gap.partition, n.gap.expected, n.gap.begins, told(n.gap))
        for name, _, noted in found
        for n in noted
    ]
    states = [(name, dead is not None, dead, len(noted)) for name, dead, noted in found]
    columns = ["consumer", "met", "topic", "partition ", "expected ", "begins ", "what happened"]
    say.several(
        json=json,
        consumers=say.Table(["consumer", "has read", "dead letters ", "gaps "], states),
        gaps=say.Table(columns, gaps, "Messages that were lost to them", none="") if gaps or json else [],
    )
    for name, _, noted in found:
        if noted:
            say.warn(way_out(name))
    return 1 if gaps else 0


@app.command(name="seen-to")
def seen_to(kind: KindName, /) -> None:
    """Say that what a consumer was never given was seen to: ocs consume status does not show it any more."""
    with _database(kind) as (found_kind, database):
        print(f"{consumers.gaps(found_kind, database).forget()} gaps of {kind} were seen to.")


letters = App(name="dead-letters", help="Messages that a consumer could not deal with: show them, and decide on them.")


@letters.command(name="list")
def list_(kind: KindName, /, *, json: Json = False) -> None:
    """Show a consumer's dead letters, the oldest first, each with the reason."""
    with _database(kind) as (found_kind, database):
        found = consumers.inbox(found_kind, database).dead_letters()
    rows = [(d.ref_id, d.message.headers.get("ce_type"), d.set_aside_at, d.reason) for d in found]
    title = f"{len(found)} dead letters of {kind}."
    say.table(["id", "type", "set aside", "reason"], rows, json=json, title=title, none="")


@letters.command
def show(kind: KindName, ref_id: str, /, *, json: Json = False) -> None:
    """Show everything of a dead letter: when and why it was set aside, topic, key, headers and value.

    Args:
        ref_id: Its id, as ocs dead-letters list shows it.
    """
    with _database(kind) as (found_kind, database):
        letter = consumers.inbox(found_kind, database).dead_letter(_id(ref_id))
    if letter is None:
        raise Refused(f"There is no dead letter {ref_id}; ocs dead-letters list {kind} shows them.")
    message = letter.message
    lines = [
        ("set aside", letter.set_aside_at),
        ("reason", letter.reason),
        ("topic", message.topic),
        ("key", message.key),
        *message.headers.items(),
    ]
    say.record([*lines, ("value", message.value.decode(errors="backslashreplace"))], json=json)


@letters.command
def retry(kind: KindName, ref_id: str, /) -> int:
    """Let the consumer deal with a dead letter again. Ends with 1 where one stays what it is.

    Args:
        ref_id: Its id, as ocs dead-letters list shows it, or ALL.
    """
    with _processor(kind) as processor:
        named = [d.ref_id for d in processor.inbox.dead_letters()] if ref_id == "ALL" else [_id(ref_id)]
        failures = [failure for each in named if (failure := _failure(processor, each))]
    for failure in failures:
        say.warn(failure)
    print(f"{len(named) - len(failures)} of {len(named)} dead letters were dealt with.")
    return 1 if failures else 0


@letters.command
def discard(kind: KindName, ref_id: str, /) -> None:
    """Forget a dead letter: nothing will ever be made of it.

    Args:
        ref_id: Its id, as ocs dead-letters list shows it.
    """
    with _database(kind) as (found_kind, database):
        if not consumers.inbox(found_kind, database).discard(_id(ref_id)):
            raise Refused(f"There is no dead letter {ref_id}; ocs dead-letters list {kind} shows them.")
    print(f"{ref_id} was forgotten.")


def _consume(name: str, *, from_beginning: bool, once: bool) -> int:
    kind, settings = consumers.KINDS[name], read_settings()
    if not once:
        until_terminated()
    with consumers.consumer(kind, settings, from_beginning=from_beginning) as consumer:
        if once:
            _drain(consumer, settings)
        else:
            work(consumer, f"Reading as {name}.")
        return _lost(kind, consumer)


def _drain(consumer: Consumer[Processor], settings: Settings) -> None:
    """Deal with what is there. Where that is nothing, the reason may be that nobody publishes."""
    messages = consumer.drain()
    print(f"{messages} messages.")
    if not messages and (waiting := consumers.unpublished(settings)):
        verb = "message waits" if waiting == 1 else "messages wait"
        say.warn(f"{waiting} {verb} in the outbox, unpublished; ocs serve or ocs relay publishes them.")


def _lost(kind: consumers.Kind, consumer: Consumer[Processor]) -> int:
    """Say which messages this consumer was never given; 1 where it met any just now."""
    gaps = consumers.gaps(kind, consumer.processor.inbox.database)
    if noted := gaps.all():
        for each in noted:
            say.warn(str(each))
        say.warn(f"{gaps.way_out} ocs consume seen-to {kind.tables.name} says that it was seen to.")
    return 1 if consumer.gaps else 0


def _deliver(*, from_beginning: bool, once: bool) -> int:
    settings = read_settings()
    notifications.recipients(settings)  # what is wrong with them is told before anything is forgotten
    kind = consumers.KINDS["notifications"]
    if not once:
        until_terminated()
    with (
        consumers.consumer(kind, settings, from_beginning=from_beginning) as consumer,
        notifications.sender(settings, consumer.processor.inbox.database) as sender,
    ):
        if once:
            _drain(consumer, settings)
            tried = sender.once()
            waiting = notifications.audit(consumer.processor.inbox.database).waiting()
            print(f"{tried[State.DELIVERED]} delivered, {waiting} waiting, {tried[State.FAILED]} failed.")
        else:
            with sender.working():
                work(consumer, "Reading as notifications.")
        return _lost(kind, consumer)


def work(consumer: Consumer[Any], begins: str) -> None:
    """Say that it begins, and let a consumer work until this process is to end: in a thread of its own, since what interrupts
    the process must not interrupt a transaction."""
    print(begins, flush=True)
    stop = threading.Event()
    worker = threading.Thread(target=consumer.work, args=(stop,), name="consumer")
    worker.start()
    try:
        worker.join()
    finally:
        stop.set()
        worker.join()


def _state_of(kind: consumers.Kind) -> tuple[int | None, Sequence[NotedGap]]:
    """How many dead letters a consumer has, None where it has read nothing, and its gaps."""
    with consumers.database_of(kind, read_settings()) as database:
        if not kind.tables.are_in(database):
            return None, ()
        return len(consumers.inbox(kind, database).dead_letters()), consumers.gaps(kind, database).all()


def _failure(processor: Processor, ref_id: UUID) -> str | None:
    try:
        processor.retry(ref_id)
    except PASSING:
        raise
    except OcsError as error:
        return str(error)
    return None


@contextmanager
def _database(name: str) -> Iterator[tuple[consumers.Kind, Database]]:
    settings = read_settings()
    if name not in consumers.KINDS:
        raise Refused(f"There is no consumer {name}; give one of {', '.join(consumers.KINDS)}.")
    kind = consumers.KINDS[name]
    with consumers.database_of(kind, settings) as database:
        if not kind.tables.are_in(database):
            raise Refused(f"{name} has read nothing yet; run: ocs consume {name}")
        yield kind, database


@contextmanager
def _processor(name: str) -> Iterator[Processor]:
    settings = read_settings()
    with (
        _database(name) as (kind, database),
        kind.alone(settings),
        consumers.processor(kind, settings, database) as processor,
    ):
        yield processor


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(f"{text} is not the id of a dead letter; ocs dead-letters list shows them.") from None
