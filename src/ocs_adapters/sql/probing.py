"""Whether commands can be performed on a database: asked of the database itself, at next to no cost."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg import errors

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call, driver
from ocs_core.errors import StoreBusy, StoreUnavailable

READ_ONLY = "The database takes no writes: it is read-only, or a copy of another"
FULL = "The database takes no writes: there is no room left"
NO_ANSWER = "The database does not answer"

_REQUESTS = tables.requests
# It inserts nothing, and is refused where nothing may be inserted.
_NOTHING = sa.insert(_REQUESTS).from_select(
    [column.name for column in _REQUESTS.columns], sa.select(*_REQUESTS.columns).where(sa.false())
)
_ROOM = 64_000
"""Bytes that are more than a table's last page has left."""


def why_not(database: Database, *, thoroughly: bool = False) -> str | None:
    """Why no command can be performed, as a sentence without its full stop; None where they can.

    `thoroughly`: it is written and taken back, which also finds a disk that is full.
    """
    try:
        with database.transaction(writing=False) as transaction, _impatiently(transaction):
            transaction.run([Call(_NOTHING)])
            if thoroughly:
                _write(transaction)
    except StoreBusy:
        return None  # others write
    except StoreUnavailable as error:
        return _sentence(error.__cause__)
    return None


@contextmanager
def _impatiently(transaction: Transaction) -> Iterator[None]:
    """Who is kept waiting has seen enough: others write."""
    is_sqlite = transaction.driver.name == "sqlite"
    transaction.connection.execute("PRAGMA busy_timeout = 0" if is_sqlite else "SET LOCAL lock_timeout = '1s'")
    try:
        yield
    finally:
        if is_sqlite:
            transaction.connection.execute(f"PRAGMA busy_timeout = {driver.LOCK_SECONDS * 1000}")


def _write(transaction: Transaction) -> None:
    """Ask for room on the disk: SQLite does when something is committed, PostgreSQL when a table grows."""
    if transaction.driver.name == "sqlite":
        (version,) = transaction.connection.execute("PRAGMA user_version").fetchone()
        transaction.connection.execute(f"PRAGMA user_version = {version}")
        transaction.connection.execute("COMMIT")
    else:
        transaction.connection.execute(
            "INSERT INTO requests (application, request_id, operation, digest, ref_ids, performed_at, answer) "
            "VALUES ('', %s, '', '', '', now(), %s)",
            [secrets.token_hex(16), secrets.token_hex(_ROOM)],
        )


def _sentence(cause: BaseException | None) -> str:
    if isinstance(cause, errors.ReadOnlySqlTransaction) or _is_of_sqlite(cause, sqlite3.SQLITE_READONLY):
        return READ_ONLY
    if isinstance(cause, errors.DiskFull) or _is_of_sqlite(cause, sqlite3.SQLITE_FULL):
        return FULL
    return NO_ANSWER


def _is_of_sqlite(error: BaseException | None, code: int) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF == code
