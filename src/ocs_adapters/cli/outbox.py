"""`ocs outbox`: what waits to be published, and what to do with a message that cannot be."""

from collections.abc import Callable
from uuid import UUID

from cyclopts import App

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Json, Refused
from ocs_core.messages import format_instant
from ocs_core.ports import Outbox


def join(commands: Commands) -> None:
    app = App(name="outbox", help="Messages that wait to be published: show them, and decide on those that are held.")
    commands.app.command(app)

    @app.command
    def status(*, json: Json = False) -> None:
        """Show how much waits, since when, and every message that is held with the reason.

        A message is held when the streaming platform refuses it for good; those of its key behind it stand still.
        """
        with commands.opened() as platform:
            backlog, held = platform.outbox.backlog(), platform.outbox.held()
        since = f", the oldest since {format_instant(backlog.oldest)}" if backlog.oldest else ""
        title = f"{backlog.rows} in the outbox{since}; {backlog.held} held."
        rows = [(h.row.ref_id, h.row.headers["ce_type"], h.row.key, h.reason) for h in held]
        table = say.Table(["id", "type", "key", "held because"], rows, title, none="")
        say.several(json=json, waiting=backlog.rows, oldest=backlog.oldest, held=table)

    @app.command
    def retry(ref_id: str, /) -> None:
        """Let a held message be published again, in its place before those that stand still behind it.

        Args:
            ref_id: The message's id, as ocs outbox status shows it.
        """
        _decide(commands, ref_id, lambda outbox, named: outbox.release(named))
        print(f"{ref_id} waits to be published again.")

    @app.command
    def discard(ref_id: str, /) -> None:
        """Forget a held message: nobody will ever be told. Those behind it are published.

        Args:
            ref_id: The message's id, as ocs outbox status shows it.
        """
        _decide(commands, ref_id, lambda outbox, named: outbox.discard(named))
        print(f"{ref_id} was forgotten.")


def _decide(commands: Commands, ref_id: str, decide: Callable[[Outbox, UUID], bool]) -> None:
    try:
        named = UUID(ref_id)
    except ValueError:
        raise Refused(f"{ref_id} is not the id of a message; ocs outbox status shows them.") from None
    with commands.opened() as platform:
        if not decide(platform.outbox, named):
            raise Refused(f"No message {ref_id} is held; ocs outbox status shows those that are.")
