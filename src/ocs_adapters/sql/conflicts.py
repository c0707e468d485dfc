"""What a database's error means to the core: somebody was faster, or the store is not there."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import errors

from ocs_adapters.telling import told
from ocs_core.errors import Conflict, StoreBusy, StoreTooSlow, StoreUnavailable

_FASTER = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected)
_FILE_TROUBLE = {
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}
_TOO_MUCH = (errors.ProgramLimitExceeded, errors.StatementTooComplex, errors.TooManyColumns, errors.TooManyArguments)
"""Operational by name, but what is asked for is at fault, whenever it is asked for."""
_NOT_OURS = (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege)
"""The database is there, and is not what it should be."""
_POOLER = (errors.DuplicatePreparedStatement, errors.InvalidSqlStatementName)
"""A statement that was prepared on one connection of the server's, and is wanted on another."""


def held(file: Path | None) -> str:
    """The sentence for what others hold, without its full stop."""
    return "others hold what this needs for too long" + (f": {file}" if file else "")


@contextmanager
def translated(file: Path | None = None) -> Iterator[None]:
    """Raise `Conflict`, `StoreBusy` or `StoreUnavailable` in the place of the driver's errors that mean it; others pass.

    `file`: of an SQLite database, which is named then.
    """
    try:
        yield
    except _FASTER as error:
        raise Conflict(error.diag.constraint_name or type(error).__name__) from error
    except errors.LockNotAvailable as error:
        raise StoreBusy(held(file)) from error
    except errors.QueryCanceled as error:
        raise StoreTooSlow(f"PostgreSQL ended a statement: {_said(error)}") from error
    except _TOO_MUCH:
        raise
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise StoreUnavailable(f"PostgreSQL does not answer: {_said(error)}") from error
    except _POOLER as error:
        raise StoreUnavailable(
            "a pooler is between this connection and PostgreSQL: make the engine with connect_args={'prepare_threshold': None}"
        ) from error
    except _NOT_OURS as error:
        raise StoreUnavailable(f"PostgreSQL cannot be worked on: {_said(error)}") from error
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode not in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
            raise
        raise Conflict(str(error)) from error
    except sqlite3.DatabaseError as error:
        primary_code = error.sqlite_errorcode & 0xFF
        if primary_code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StoreBusy(held(file)) from error
        if primary_code in _FILE_TROUBLE:
            raise StoreUnavailable(f"the database {file or ''} cannot be used: {_said(error)}") from error
        raise
    except sa.exc.DBAPIError as error:  # the pool's own attempts to connect
        raise StoreUnavailable(f"the database does not answer: {_said(error.orig or error)}") from error
    except sa.exc.TimeoutError as error:
        raise StoreBusy("all connections to the database are in use") from error


def _said(error: BaseException) -> str:
    """What the database says, which goes into logs: nothing of the data that it says it of."""
    return told(error).partition(": ")[2] or type(error).__name__
