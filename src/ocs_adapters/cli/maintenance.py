"""`ocs backup` and `ocs maintenance`: what an operator does now and then."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from ocs_adapters.bootstrap import consumers
from ocs_adapters.bootstrap.backup import backed_up
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, opened, read_settings
from ocs_adapters.sql.retention import Retention
from ocs_core.errors import OcsError

Whose = Annotated[Literal["system", "finance", "notifications"], Parameter(metavar="WHOSE")]
COLUMNS = ["table", "what", "setting", "days ", "older than"]


def backup(target: Path, /, *, of: Whose = "system") -> None:
    """Copy a database of SQLite to a file, as of one instant, while others go on writing to it.

    A copy of the file alone lacks what its log holds: committed commands would be missing. The copy is a database as it is:
    stop everything, put it where OCS_DATABASE_URL says, and start again. PostgreSQL has programs of its own for it, such as
    pg_dump.

    Args:
        target: The file to make, which must not be there yet; nobody else may read it.
        of: Whose database: the system's, or that of a consumer.
    """
    with say.progress() as bar:
        task = bar.add_task("pages", total=None)
        backed_up(read_settings(), of, target, lambda done, total: bar.update(task, completed=done, total=total))
    print(f"The database was copied to {target}.")


app = App(name="maintenance", help="Keep the databases in order: forget what is old.")


@app.command
def prune(*, dry_run: Flag = False, json: Json = False) -> int:
    """Forget what is older than the settings say, and show how much of each table that was.

    OCS_ANSWERS_KEEP_DAYS (90 if not set): answers of performed commands. A command that comes again later is refused
    with the ids of what it touched, and still not performed twice.

    OCS_EVENTS_KEEP_DAYS (for ever if not set): published messages in the event log, read or not.

    OCS_RUNS_KEEP_DAYS (for ever if not set): runs that have ended, but for the latest that stored balances.

    OCS_INBOX_KEEP_DAYS (30 if not set): which messages a consumer has dealt with. One that comes again later is dealt
    with a second time; give more than topics keep messages.

    OCS_DEAD_LETTERS_KEEP_DAYS (for ever if not set): messages that a consumer could not deal with.

    OCS_DELIVERIES_KEEP_DAYS (for ever if not set): deliveries of notifications that have ended, with their attempts. What
    happened longer ago is not delivered any more.

    A relay and each consumer do the same in the background. Commands and consumers go on meanwhile; cut off, it is
    completed by the next. A consumer that has read nothing has nothing to forget. Ends with 1 if a consumer's database
    cannot be used; the others are seen to.

    Args:
        dry_run: Only show how much would be forgotten.
    """
    failed = 0
    with opened() as platform:
        now = platform.services.clock()
        rows = [_row(kept, now, dry_run) for kept in platform.retentions]
    for name, kind in consumers.KINDS.items():
        try:
            with consumers.retentions_of(kind, platform.settings) as retentions:
                rows.extend(_row(kept, now, dry_run) for kept in retentions)
        except OcsError as error:
            say.warn(f"{name}: {error}")
            failed = 1
    say.table([*COLUMNS, "would be forgotten " if dry_run else "forgotten "], rows, json=json)
    return failed


def _row(kept: Retention, now: dt.datetime, dry_run: bool) -> list[object]:
    cut_off = kept.cut_off(now)
    of_table = [kept.prunable.table.name, kept.prunable.what, f"OCS_{kept.prunable.setting.upper()}"]
    if cut_off is None:
        return [*of_table, "for ever", None, 0]
    number = kept.count(cut_off) if dry_run else _forget(kept, cut_off)
    return [*of_table, kept.days, cut_off, number]


def _forget(kept: Retention, cut_off: dt.datetime) -> int:
    with say.progress() as bar:
        task = bar.add_task(kept.prunable.what, total=kept.count(cut_off))
        return kept.forget(cut_off, lambda forgotten: bar.advance(task, forgotten))
