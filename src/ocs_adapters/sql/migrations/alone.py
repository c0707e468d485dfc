"""A connection that alone migrates: whoever comes meanwhile waits, and finds it done."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
import structlog

from ocs_adapters.sql.drivers.postgres import finds_pooler
from ocs_core.errors import OcsError

LOCK = 7243
"""Of PostgreSQL's advisory locks."""
POLL_SECONDS = 0.2
ENCODING = "UTF8"
_TRY_LOCK = sa.text(f"SELECT pg_try_advisory_lock({LOCK})")

log: Any = structlog.get_logger()


class SchemaRefused(OcsError):
    """The schema was not changed, or only in part: the database holds what it should not, is not there, or is not fit."""


@contextmanager
def alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection to migrate on: on SQLite in a transaction, on PostgreSQL without one. Raises `SchemaRefused`."""
    make = _alone_on_sqlite if engine.dialect.name == "sqlite" else _alone_on_postgres
    with make(engine) as connection:
        yield connection


@contextmanager
def _alone_on_sqlite(engine: sa.Engine) -> Iterator[sa.Connection]:
    # A new file is taken into its mode by who comes first; to connect to it then waits, too, for as long as that one works.
    made: list[sa.Connection] = []
    _wait_for(lambda: _is_free(lambda: made.append(engine.connect())))
    with made[0] as connection:
        _wait_for(lambda: _is_free(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE")))
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _is_free(call: Callable[[], object]) -> bool:
    try:
        call()
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


@contextmanager
def _alone_on_postgres(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Nothing waits within a transaction: its snapshot would keep an index from ever being made beside others."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _refuse_pooler(connection)
        refuse_encoding(connection)
        connection.detach()  # what is set here must serve nobody else, and its end lets the lock go
        connection.exec_driver_sql("SET lock_timeout = 0; SET statement_timeout = 0")
        _wait_for(lambda: bool(connection.scalar(_TRY_LOCK)))
        yield connection


def _refuse_pooler(connection: sa.Connection) -> None:
    if finds_pooler(connection.connection.driver_connection):
        raise SchemaRefused(
            "A pooler such as pgbouncer is between this and PostgreSQL, and a migration locks for longer than a transaction; "
            "nothing was changed. Give ocs migrate the server's own address in OCS_DATABASE_URL."
        )


def refuse_encoding(connection: sa.Connection) -> None:
    """Raises `SchemaRefused` where a database cannot keep every name that people have."""
    found = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if found != ENCODING:
        raise SchemaRefused(
            f"The database's encoding is {found}, which cannot keep everybody's name, and nothing was changed; "
            f"make another: CREATE DATABASE … ENCODING '{ENCODING}' TEMPLATE template0."
        )


def _wait_for(begins: Any) -> None:
    told = False
    while not begins():
        if not told:
            log.info("somebody else migrates or writes; waiting until that is done")
            told = True
        time.sleep(POLL_SECONDS)
