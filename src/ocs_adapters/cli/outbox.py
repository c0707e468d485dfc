"""`ocs outbox`: what waits to be published, and what to do with a message that cannot be."""

from uuid import UUID

from cyclopts import App

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, Refused, opened
from ocs_core.messages import format_instant
from ocs_core.ports import MOST_COUNTED

app = App(name="outbox", help="Messages that wait to be published: show them, and decide on those that are held.")


@app.command
def status(*, json: Json = False) -> None:
    """Show how much waits, since when, and every message that is held with the reason.

    A message is held when the streaming platform refuses it for good; those of its key behind it stand still.
    """
    with opened() as platform:
        backlog, held = platform.outbox.backlog(), platform.outbox.held()
    since = f", the oldest since {format_instant(backlog.oldest)}" if backlog.oldest else ""
    more = " or more" if backlog.rows == MOST_COUNTED else ""
    title = f"{backlog.rows}{more} in the outbox{since}; {len(held)} held."
    rows = [(h.row.ref_id, h.row.headers["ce_type"], h.row.key, h.reason) for h in held]
    table = say.Table(["id", "type", "key", "held because"], rows, title, none="")
    say.several(json=json, waiting=backlog.rows, oldest=backlog.oldest, held=table)


@app.command
def retry(*ref_ids: str, all: Flag = False) -> int:
    """Let held messages be published again, each in its place before those that stand still behind it. Ends with 1 where
    one that was named is not held; the others wait again nevertheless.

    Args:
        ref_ids: The messages' ids, as ocs outbox status shows them.
        all: Every message that is held.
    """
    if bool(ref_ids) == all:
        raise Refused("Give the ids of messages, or --all; ocs outbox status shows those that are held.")
    named = {_id(text) for text in ref_ids}
    with opened() as platform:
        held = {each.row.ref_id for each in platform.outbox.held()} if named else set()
        released = platform.outbox.release(named if named else None)
    for ref_id in sorted(named - held):
        say.warn(f"No message {ref_id} is held; ocs outbox status shows those that are.")
    print(f"{released} {'message waits' if released == 1 else 'messages wait'} to be published again.")
    return 1 if named - held else 0


@app.command
def discard(ref_id: str, /) -> None:
    """Forget a held message: nobody will ever be told. Those behind it are published.

    Args:
        ref_id: The message's id, as ocs outbox status shows it.
    """
    named = _id(ref_id)
    with opened() as platform:
        if not platform.outbox.discard([named]):
            raise Refused(f"No message {ref_id} is held; ocs outbox status shows those that are.")
    print(f"{ref_id} was forgotten.")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(f"{text} is not the id of a message; ocs outbox status shows them.") from None
