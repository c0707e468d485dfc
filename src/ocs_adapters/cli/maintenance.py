"""`ocs maintenance`: what an operator does now and then."""

import datetime as dt

from cyclopts import App

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Flag
from ocs_adapters.sql.retention import Retention
from ocs_core.messages import format_instant


def join(commands: Commands) -> None:
    app = App(name="maintenance", help="Keep the database in order: forget what is old.")
    commands.app.command(app)

    @app.command
    def prune(*, dry_run: Flag = False) -> None:
        """Forget what is older than the settings say, and show how much of each table that was.

        OCS_ANSWERS_KEEP_DAYS (90 if not set): answers of performed commands. A command that comes again later is refused
        with the ids of what it touched, and still not performed twice.

        OCS_EVENTS_KEEP_DAYS (for ever if not set): published messages in the event log, read or not.

        OCS_RUNS_KEEP_DAYS (for ever if not set): runs that have ended, but for the latest that stored balances.

        A relay does the same in the background. Commands go on meanwhile; cut off, it is completed by the next.

        Args:
            dry_run: Only show how much would be forgotten.
        """
        with commands.opened() as platform:
            now = platform.services.clock()
            rows = [_row(kept, kept.cut_off(now), dry_run) for kept in platform.retentions]
        columns = [
            "table",
            "what",
            "setting",
            "days ",
            "older than",
            "would be forgotten " if dry_run else "forgotten ",
        ]
        say.table(columns, rows)


def _row(kept: Retention, cut_off: dt.datetime | None, dry_run: bool) -> list[object]:
    of_table = [kept.prunable.table.name, kept.prunable.what, f"OCS_{kept.prunable.setting.upper()}"]
    if cut_off is None:
        return [*of_table, "for ever", None, 0]
    number = kept.count(cut_off) if dry_run else _forget(kept, cut_off)
    return [*of_table, kept.days, format_instant(cut_off), number]


def _forget(kept: Retention, cut_off: dt.datetime) -> int:
    with say.progress() as bar:
        task = bar.add_task(kept.prunable.what, total=kept.count(cut_off))
        return kept.forget(cut_off, lambda forgotten: bar.advance(task, forgotten))
