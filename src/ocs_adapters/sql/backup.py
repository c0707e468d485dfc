"""A copy of an SQLite database that others write to meanwhile: all of it, as of one instant."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ocs_adapters.sql.connecting import make_private
from ocs_adapters.sql.database import Database, is_missing
from ocs_core.errors import OcsError

PAGES_AT_ONCE = 1000


def back_up(
    database: Database, target: Path, on_progress: Callable[[int, int], object] = lambda done, total: None
) -> None:
    """Copy a database to a file that is not there yet, telling how many pages of how many are copied.

    To copy the file itself would leave out what its log holds. Raises `OcsError`, and leaves nothing behind then.
    """
    if database.file is None:
        raise OcsError("Only a file of SQLite is backed up like this; PostgreSQL has pg_dump, and pg_basebackup.")
    if is_missing(database):
        raise OcsError(f"There is no {database.file}.")
    if target.exists():
        raise OcsError(f"{target} is there already; give another name.")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    make_private(partial)
    try:
        _copy(database, partial, on_progress)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(database: Database, partial: Path, on_progress: Callable[[int, int], object]) -> None:
    with database.transaction(writing=False) as reading, closing(sqlite3.connect(partial)) as copy:
        reading.connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # the instant that is copied
        reading.connection.backup(
            copy, pages=PAGES_AT_ONCE, progress=lambda _, left, total: on_progress(total - left, total)
        )
