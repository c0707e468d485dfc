"""How far a consumer has read, and what it was never given because the platform forgot it first."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql

from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import reader
from ocs_core.messages import format_instant
from ocs_core.ports import Clock, Gap

log: Any = structlog.get_logger()


def told(gap: Gap) -> str:
    """A gap as a sentence."""
    at = f"{gap.topic}, partition {gap.partition}, was to be read on at offset {gap.expected}"
    if gap.is_made_anew:
        return f"{at}, and it ends before that: the topic was made anew. It is read from its beginning, {gap.begins}."
    return (
        f"{at}, and begins at {gap.begins}: up to {gap.begins - gap.expected} messages had expired and were not read."
    )


def way_out(consumer: str) -> str:
    """What an operator does about a gap."""
    rebuilt = f"ocs consume {consumer} --from-beginning builds it from what is still there"
    return f"ocs reconcile --republish publishes what finance lacks once more, for everybody who reads; {rebuilt}."


@attrs.frozen(kw_only=True)
class NotedGap:
    """A gap, and when it was met."""

    gap: Gap
    met_at: dt.datetime

    def __str__(self) -> str:
        return f"{format_instant(self.met_at)}: {told(self.gap)}"


@attrs.frozen(eq=False)
class SqlPositions:
    """The offsets at which a consumer goes on, noted in its database: they outlast what the platform keeps of them."""

    database: Database
    tables: ConsumerTables

    def known(self) -> Mapping[tuple[str, int], int]:
        (rows,) = self.database.read(Call(sa.select(self.tables.positions)))
        return {(topic, partition): int(offset) for topic, partition, offset in rows}

    def note(self, positions: Mapping[tuple[str, int], int]) -> None:
        self._keep(positions, forward_only=True)

    def reset(self, positions: Mapping[tuple[str, int], int]) -> None:
        self._keep(positions, forward_only=False)

    def _keep(self, positions: Mapping[tuple[str, int], int], *, forward_only: bool) -> None:
        if positions:
            table = self.tables.positions
            rows = [{"topic": t, "partition": p, "next_offset": offset} for (t, p), offset in sorted(positions.items())]
            self.database.write(Call(_upsert(table, table.c.next_offset, forward_only=forward_only), rows))


@attrs.frozen(eq=False)
class Gaps:
    """What a consumer was never given, until an operator has seen to it."""

    database: Database
    tables: ConsumerTables
    clock: Clock

    def note(self, gap: Gap) -> None:
        """Keep a gap that was met, and say it in the log. The same one may be met again."""
        log.error("messages were lost to this consumer", consumer=self.tables.name, gap=told(gap), way_out=self.way_out)
        table = self.tables.gaps
        row = {"topic": gap.topic, "partition": gap.partition, "expected": gap.expected, "begins": gap.begins}
        self.database.write(Call(_upsert(table, table.c.begins), {**row, "met_at": self.clock()}))

    def all(self) -> Sequence[NotedGap]:
        """Those that nobody has seen to, the oldest first."""
        table = self.tables.gaps
        (rows,) = self.database.read(Call(sa.select(table).order_by(table.c.met_at, table.c.topic, table.c.partition)))
        return list(map(reader(NotedGap, self.database.driver), rows))

    def forget(self) -> int:
        """All of them were seen to; gives how many it were."""
        (forgotten,) = self.database.write(Call(sa.delete(self.tables.gaps)))
        return int(forgotten)

    @property
    def way_out(self) -> str:
        return way_out(self.tables.name)


def _upsert(table: sa.Table, changing: "sa.Column[Any]", *, forward_only: bool = False) -> Any:
    insert = postgresql.insert(table).values({c.name: sa.bindparam(c.name) for c in table.columns})
    new = insert.excluded[changing.name]
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={changing.name: new},
        where=new > changing if forward_only else None,
    )
