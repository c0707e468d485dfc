"""The store in SQL. Lookups are asked for at once; writes are collected, and flushed together with the commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from ocs_adapters.sql.bell import Bell
from ocs_adapters.sql.configuration import ConfigurationCache
from ocs_adapters.sql.conflicts import translated
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Driver, driver_for
from ocs_adapters.sql.run_work import SqlRunWork
from ocs_adapters.sql.urls import file_of
from ocs_core.messages import TopicNames


def _is_a_target(_: Any, __: Any, value: Any) -> None:
    if not isinstance(value, Database | sa.Connection):
        raise TypeError(
            f"SqlStore was given {type(value).__name__}; give it a Database, which connect(URL) opens, or a Connection that is "
            "in a transaction of yours"
        )


@attrs.define(eq=False)
class SqlStore:
    """A store over a `Database`, or within the caller's own transaction.

    Over a `Database`, each unit of work is a transaction of its own. Given an SQLAlchemy `Connection` in a transaction,
    units of work join it as savepoints and never commit: what they did stands or falls with the caller's commit.
    `default_zone` is the system's zone where the configuration names none. `has_clock`: a storing run is started only by a
    clock that agrees with PostgreSQL's.
    """

    _target: Database | sa.Connection = attrs.field(validator=_is_a_target)
    topics: TopicNames = attrs.field(factory=TopicNames)
    default_zone: str = "UTC"
    has_clock: bool = attrs.field(default=False, kw_only=True)
    _configuration: ConfigurationCache = attrs.field(
        default=attrs.Factory(lambda store: ConfigurationCache(store.default_zone), takes_self=True), init=False
    )
    _bell: Bell | None = attrs.field(init=False)

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[SqlRunWork]:
        if isinstance(self._target, Database):
            with self._target.transaction(snapshot=snapshot) as transaction:
                uow = SqlRunWork(transaction, self._configuration, self.topics, self.has_clock)
                yield uow
                uow.flush(commit=True)
            if uow.has_published and self._bell:
                self._bell.ring()
        else:
            with _savepoint(self._target) as transaction:
                uow = SqlRunWork(transaction, self._configuration, self.topics, self.has_clock)
                yield uow
                uow.flush(commit=False)

    @_bell.default
    def _bell_of_the_target(self) -> Bell | None:
        return Bell(self._target) if isinstance(self._target, Database) else None


@contextmanager
def _savepoint(connection: sa.Connection) -> Iterator[Transaction]:
    if not connection.in_transaction():
        raise RuntimeError("begin a transaction on the connection first: this store joins it and never commits")
    driver: Driver = driver_for(connection.dialect.name)
    raw: Any = connection.connection.driver_connection
    file = file_of(connection.engine.url)
    with translated(file):
        driver.join(raw)
    try:
        with translated(file):
            yield Transaction(raw, driver)
    except BaseException:
        raw.execute("ROLLBACK TO SAVEPOINT ocs")
        raw.execute("RELEASE SAVEPOINT ocs")
        raise
    driver.leave(raw)
