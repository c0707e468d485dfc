"""A company in a database, and everything that is measured on it."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from tests.contract.company import PAYERS, T, account, tidy

from bench.collection import limit, loop
from bench.collection.ours import TRANSACTION, Measured, ours, supported_workers
from ocs_adapters.bootstrap import Platform
from ocs_adapters.sql import tables
from ocs_core.entities.configuration import CollectionSetting

SAMPLE = 2_000
"""So many payers are enough to know how fast a loop is."""
ONE_IN_TWENTY = """
UPDATE payers SET collection_balance = collection_balance + 1 WHERE account_ref_id IN (
    SELECT ref_id FROM accounts WHERE substr(external_id, length(external_id) - 1) IN ('01', '21', '41', '61', '81')
)
"""


@attrs.frozen
class Who:
    """Ours with so many workers, or the limit with so many connections."""

    name: str
    at_once: int

    def __str__(self) -> str:
        unit = "worker" if self.name == "ours" else "connection"
        return f"{self.name}, {self.at_once} {unit}{'s' * (self.at_once > 1)}"


@attrs.frozen
class Bench:
    made: Platform
    url: str
    payers: int

    @property
    def engine(self) -> sa.Engine:
        return self.made.database.engine

    def contenders(self) -> dict["Who", Callable[[], Measured]]:
        found = {Who("ours", n): functools.partial(ours, self.url, n) for n in supported_workers()}
        if self.made.database.driver.name == "sqlite":
            return found | {Who("limit", 1): self._limit_on_sqlite}
        everybody, halves = (limit.EVERYBODY,), self._halves()
        limits = {Who("limit", len(ranges)): functools.partial(self._limit, ranges) for ranges in (everybody, halves)}
        return found | limits

    def reset(self) -> None:
        """Payers as before the first run, in a table without a dead row, and nothing in the outbox."""
        self.empty(tables.payers, tables.outbox, tables.process_runs)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(PAYERS)
        tidy(self.engine, tables.payers)

    def empty(self, *emptied: sa.Table) -> None:
        with self.engine.begin() as connection:
            for table in emptied:
                truncate = sa.text(f"TRUNCATE {table.name}")
                connection.execute(truncate if connection.dialect.name == "postgresql" else table.delete())

    def loop(self) -> float:
        """Payers a second of the loop."""
        accounts = [account(n) for n in range(1, self.payers, max(self.payers // SAMPLE, 1))]
        began = time.perf_counter()
        loop.run(self.engine, accounts, T)
        return len(accounts) / (time.perf_counter() - began)

    def few_changed(self) -> float | None:
        """Payers a second where one in twenty changed and only what changed is told; None where that cannot be asked for."""
        if "notify" not in attrs.fields_dict(CollectionSetting):
            return None
        self.reset()
        ours(self.url, 1)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(ONE_IN_TWENTY)
        self.empty(tables.outbox, tables.process_runs)
        tidy(self.engine, tables.payers)
        options: dict[str, Any] = {"notify": "changed"}
        self.made.configure([CollectionSetting(**options)])
        measured = ours(self.url, 1)
        self.made.configure([CollectionSetting()])
        return self.payers / measured.seconds

    def _limit(self, ranges: Sequence[tuple[str, str]]) -> Measured:
        url, told = self.url, self._told()
        began = time.perf_counter()
        limit.on_postgres(url, ranges, **told)
        return Measured(time.perf_counter() - began)

    def _limit_on_sqlite(self) -> Measured:
        began = time.perf_counter()
        limit.on_sqlite(str(self.engine.url.database), **self._told())
        return Measured(time.perf_counter() - began)

    def _told(self) -> dict[str, Any]:
        return {"as_of": T, "now": self.made.services.clock(), "transaction_id": TRANSACTION}

    def _halves(self) -> tuple[tuple[str, str], tuple[str, str]]:
        last, first = (str(account(self.payers // 2 + n)) for n in (0, 1))
        lowest, highest = limit.EVERYBODY
        return (lowest, last), (first, highest)
