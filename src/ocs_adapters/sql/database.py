"""A database: its engine, its driver, and transactions on the driver's own connection."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy import event

from ocs_adapters.sql import connecting
from ocs_adapters.sql.conflicts import held, translated
from ocs_adapters.sql.drivers import Call, Copy, Driver, PostgresDriver, Row, SqliteDriver, driver, driver_for
from ocs_adapters.sql.urls import file_of, parsed
from ocs_core.errors import StoreBusy, StoreUnavailable

POOL = 24
"""Connections a process keeps at the most, unless it is told otherwise."""
POOL_SECONDS = 10
"""How long one of them is waited for."""
ASKED_FOR = {
    "client_encoding": "UTF8",
    "connect_timeout": 5,
    "keepalives_idle": driver.CUT_OFF["tcp_keepalives_idle"],
    "keepalives_interval": driver.CUT_OFF["tcp_keepalives_interval"],
    "keepalives_count": driver.CUT_OFF["tcp_keepalives_count"],
    "tcp_user_timeout": driver.CUT_OFF["tcp_user_timeout"],
}
"""Text as we read it, how long a server may take to accept a connection (seconds), and how soon one that is cut off is noticed;
where the URL does not say it."""


@attrs.frozen(eq=False)
class Database:
    """One database of SQLite or PostgreSQL, opened with `connect`."""

    engine: sa.Engine
    statement_seconds: int | None = None
    """How long PostgreSQL lets a statement take; any time if None."""
    driver: Driver = attrs.field(init=False)
    _writers: Any = attrs.field(init=False)

    @driver.default
    def _driver_of(self) -> Driver:
        return driver_for(self.engine.dialect.name)

    @_writers.default
    def _one_writer_of_sqlite(self) -> Any:
        # SQLite has one writer at a time: waiting at a lock is fair and quick, polling for the file is neither.
        return _Turns(self.file) if self.engine.dialect.name == "sqlite" else nullcontext()

    @property
    def file(self) -> Path | None:
        """The file that it is in, on SQLite."""
        return file_of(self.engine.url)

    def bounded(self, seconds: int | None) -> "Database":
        """The same database over the same connections, where a statement takes so long at the most. SQLite has no such limit."""
        return self if self.driver.name == "sqlite" else attrs.evolve(self, statement_seconds=seconds)

    def translated(self) -> AbstractContextManager[None]:
        """Raise `Conflict`, `StoreBusy` or `StoreUnavailable` in the place of the driver's errors that mean it."""
        return translated(self.file)

    @contextmanager
    def transaction(self, *, snapshot: bool = False, writing: bool = True) -> Iterator["Transaction"]:
        """A transaction of its own: rolled back unless it was committed, whatever happens in between."""
        with self._writers if writing else nullcontext():
            with self.translated():
                pooled = self.engine.raw_connection()
            transaction = Transaction(pooled.driver_connection, self.driver)
            try:
                with self.translated():
                    self.driver.begin(
                        transaction.connection, snapshot=snapshot, writing=writing, seconds=self.statement_seconds
                    )
                    yield transaction
            except StoreUnavailable as error:
                if isinstance(error.__cause__, errors.ReadOnlySqlTransaction):
                    self._find_another_server(pooled)
                raise
            finally:
                self._let_go(pooled)

    def read(self, *calls: Call) -> list[Any]:
        """The rows of these queries, as of one instant."""
        with self.transaction(snapshot=len(calls) > 1, writing=False) as transaction:
            return transaction.run(calls)

    def write(self, *calls: Call | Copy) -> list[Any]:
        """Run these statements in one transaction."""
        with self.transaction() as transaction:
            return transaction.run(calls, commit=True)

    def close(self) -> None:
        self.engine.dispose()

    def _find_another_server(self, pooled: Any) -> None:
        """Where the one that took writes has become a copy of another, connections made anew find that."""
        pooled.invalidate()
        self.engine.dispose()

    def _let_go(self, pooled: Any) -> None:
        """Give the connection back, rolled back. Where it cannot be, the server is gone: every connection is made anew."""
        try:
            if pooled.is_valid:
                pooled.driver_connection.rollback()
        except Exception:
            pooled.invalidate()
            self.engine.dispose()
        pooled.close()


@attrs.frozen
class _Turns:
    """A lock that is waited for as long as any other."""

    _file: Path | None
    _lock: Any = attrs.field(factory=threading.Lock, init=False)

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=driver.LOCK_SECONDS):
            raise StoreBusy(held(self._file))

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@attrs.frozen
class Transaction:
    """A driver's connection in a transaction."""

    connection: Any
    driver: Driver

    def run(self, calls: Sequence[Call | Copy], *, commit: bool = False) -> list[Any]:
        return self.driver.run(self.connection, calls, commit=commit)

    def stream(self, call: Call) -> Iterator[Row]:
        return self.driver.stream(self.connection, call)


def is_missing(database: Database) -> bool:
    """Whether it is a file that is not there yet; only to look into it would make one."""
    return database.file is not None and not database.file.exists()


def connect(url: str, *, pool: int = POOL) -> Database:
    """Open a database by its URL: `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://…` (psycopg 3), with so many
    connections at the most."""
    target = parsed(url)
    engine = _postgres(target, pool) if target.get_backend_name() == "postgresql" else _sqlite(target, pool)
    return Database(engine)


def _postgres(url: sa.URL, pool: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={name: value for name, value in ASKED_FOR.items() if name not in url.query},
        pool_size=pool,
        pool_timeout=POOL_SECONDS,
        max_overflow=0,
        pool_reset_on_return=None,
    )
    event.listen(engine, "do_connect", connecting.wait_for_room)
    event.listen(engine, "connect", lambda connection, _: PostgresDriver.prepare(connection))
    return engine


def _sqlite(url: sa.URL, pool: int) -> sa.Engine:
    file = file_of(url)
    # sqlite3's own handling of transactions is switched off: begin and commit are said, never guessed.
    engine = sa.create_engine(
        url,
        connect_args={"isolation_level": None, "check_same_thread": False},
        poolclass=sa.QueuePool if file else sa.StaticPool,
        pool_reset_on_return=None,
        **({"pool_size": pool, "pool_timeout": POOL_SECONDS, "max_overflow": 0} if file else {}),
    )
    if file:
        event.listen(engine, "do_connect", lambda *_: connecting.make_private(file))
    event.listen(engine, "connect", lambda connection, _: SqliteDriver.prepare(connection))
    return engine
