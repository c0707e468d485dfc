"""A company in a database, and everything that is measured on it."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from tests.contract.company import PAYERS, T, account, tidy

from bench.collection import limit, loop
from bench.collection.ours import TRANSACTION, Measured, ours
from ocs_adapters.bootstrap import Platform
from ocs_adapters.sql import tables
from ocs_core.entities.configuration import CollectionSetting, Notify

SAMPLE = 2_000
"""So many payers are enough to know how fast a loop is."""
CALCULABLE = "SELECT count(*) FROM accounts WHERE state <> 'DEACTIVATED'"
ONE_IN_TWENTY = """
UPDATE payers SET collection_balance = collection_balance + 1 WHERE account_ref_id IN (
    SELECT ref_id FROM accounts WHERE substr(external_id, length(external_id) - 1) IN ('01', '21', '41', '61', '81')
)
"""


@attrs.frozen
class Who:
    """Ours with so many workers, the limit with so many connections, or something else."""

    name: str
    at_once: int = 1

    def __str__(self) -> str:
        unit = {"ours": ", {} worker", "limit": ", {} connection"}.get(self.name, "").format(self.at_once)
        return f"{self.name}{unit}{'s' * (self.at_once > 1)}"


OURS, LIMIT, FEW, LOOP = Who("ours"), Who("limit"), Who("ours, 1 in 20 changed"), Who("ORM, account by account")
Contenders = dict[Who, Callable[[], Measured]]


@attrs.frozen
class Bench:
    """A company of so many payers, in the database at `url`."""

    made: Platform
    url: str
    payers: int
    calculated: int = attrs.field(init=False)
    """How many of the payers a run calculates."""

    @calculated.default
    def _count(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql(CALCULABLE).scalar_one())

    @property
    def engine(self) -> sa.Engine:
        return self.made.database.engine

    def whole_runs(self) -> Contenders:
        """Those that calculate every payer, and leave the same behind."""
        found: Contenders = {Who("ours", n): functools.partial(ours, self.url, n) for n in self._workers()}
        if self.made.database.driver.name == "sqlite":
            return found | {LIMIT: self._limit_on_sqlite}
        everybody, halves = (limit.EVERYBODY,), self._halves()
        return found | {Who("limit", len(of)): functools.partial(self._limit, of) for of in (everybody, halves)}

    def contenders(self) -> Contenders:
        """Everybody. The loop is known on PostgreSQL only: its tables speak of ids and instants."""
        loop = {LOOP: self._loop} if self.made.database.driver.name == "postgresql" else {}
        return {**self.whole_runs(), FEW: self._few_changed, **loop}

    def _workers(self) -> tuple[int, ...]:
        """SQLite has one writer at a time."""
        return (1,) if self.made.database.driver.name == "sqlite" else (1, 2)

    def reset(self) -> None:
        """Payers as before the first run, in a table without a dead row, and nothing in the outbox."""
        self.empty(tables.payers, tables.outbox, tables.process_runs, tables.run_slices)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(PAYERS)
        tidy(self.engine, tables.payers)

    def empty(self, *emptied: sa.Table) -> None:
        with self.engine.begin() as connection:
            for table in emptied:
                truncate = sa.text(f"TRUNCATE {table.name}")
                connection.execute(truncate if connection.dialect.name == "postgresql" else table.delete())

    def _loop(self) -> Measured:
        accounts = [account(n) for n in range(1, self.payers, max(self.payers // SAMPLE, 1))]
        began = time.perf_counter()
        loop.run(self.engine, accounts, T)
        return Measured(len(accounts), time.perf_counter() - began)

    def _few_changed(self) -> Measured:
        """A run when one payer in twenty changed since the last, and nobody else is told of."""
        ours(self.url, 1)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(ONE_IN_TWENTY)
        self.empty(tables.outbox, tables.process_runs, tables.run_slices)
        tidy(self.engine, tables.payers)
        self.made.configure([CollectionSetting(notify=Notify.CHANGED)])
        measured = ours(self.url, 1)
        self.made.configure([CollectionSetting()])
        return measured

    def _limit(self, ranges: Sequence[tuple[str, str]]) -> Measured:
        told = self._told()
        began = time.perf_counter()
        limit.on_postgres(self.url, ranges, **told)
        return Measured(self.calculated, time.perf_counter() - began)

    def _limit_on_sqlite(self) -> Measured:
        began = time.perf_counter()
        limit.on_sqlite(str(self.engine.url.database), **self._told())
        return Measured(self.calculated, time.perf_counter() - began)

    def _told(self) -> dict[str, Any]:
        return {"as_of": T, "now": self.made.services.clock(), "transaction_id": TRANSACTION}

    def _halves(self) -> tuple[tuple[str, str], tuple[str, str]]:
        last, first = (str(account(self.payers // 2 + n)) for n in (0, 1))
        lowest, highest = limit.EVERYBODY
        return (lowest, last), (first, highest)
