"""A database: its engine, its driver, and transactions on the driver's own connection."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy import event

from ocs_adapters.sql.conflicts import HELD, translated
from ocs_adapters.sql.drivers import Call, Copy, Driver, PostgresDriver, Row, SqliteDriver, driver, driver_for
from ocs_core.errors import StoreBusy

POOL = 24
"""Connections a process keeps at the most."""
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
    driver: Driver = attrs.field(init=False)
    _writers: Any = attrs.field(init=False)

    @driver.default
    def _driver_of(self) -> Driver:
        return driver_for(self.engine.dialect.name)

    @_writers.default
    def _one_writer_of_sqlite(self) -> Any:
        # SQLite has one writer at a time: waiting at a lock is fair and quick, polling for the file is neither.
        return _Turns() if self.engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def transaction(self, *, snapshot: bool = False, writing: bool = True) -> Iterator["Transaction"]:
        """A transaction of its own: rolled back unless it was committed, whatever happens in between."""
        with self._writers if writing else nullcontext():
            with translated():
                pooled = self.engine.raw_connection()
            transaction = Transaction(pooled.driver_connection, self.driver)
            try:
                with translated():
                    self.driver.begin(transaction.connection, snapshot=snapshot, writing=writing)
                    yield transaction
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

    def _let_go(self, pooled: Any) -> None:
        """Give the connection back, rolled back. Where it cannot be, the server is gone: every connection is made anew."""
        try:
            pooled.driver_connection.rollback()
        except Exception:
            pooled.invalidate()
            self.engine.dispose()
        pooled.close()


@attrs.frozen
class _Turns:
    """A lock that is waited for as long as any other."""

    _lock: Any = attrs.field(factory=threading.Lock, init=False)

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=driver.LOCK_SECONDS):
            raise StoreBusy(HELD)

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
    url = database.engine.url
    return url.get_backend_name() == "sqlite" and not _is_in_memory(url) and not Path(url.database or "").exists()


def _is_in_memory(url: sa.URL) -> bool:
    return url.database in {None, "", ":memory:"}


def connect(url: str) -> Database:
    """Open a database by its URL: `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://…` (psycopg 3)."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args={name: value for name, value in ASKED_FOR.items() if name not in parsed.query},
            pool_size=POOL,
            max_overflow=0,
            pool_reset_on_return=None,
        )
        event.listen(engine, "connect", lambda connection, _: PostgresDriver.prepare(connection))
    else:
        in_memory = _is_in_memory(parsed)
        # sqlite3's own handling of transactions is switched off: begin and commit are said, never guessed.
        engine = sa.create_engine(
            parsed,
            connect_args={"isolation_level": None, "check_same_thread": False},
            poolclass=sa.StaticPool if in_memory else sa.QueuePool,
            pool_reset_on_return=None,
            **({} if in_memory else {"pool_size": POOL, "max_overflow": 0}),
        )
        event.listen(engine, "connect", lambda connection, _: SqliteDriver.prepare(connection))
    return Database(engine)
