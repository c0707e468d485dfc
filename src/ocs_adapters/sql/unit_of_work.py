"""One transaction of the store in SQL."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.serial import encode_answer
from ocs_adapters.sql import tables
from ocs_adapters.sql.balances import keep_balances
from ocs_adapters.sql.configuration import ConfigurationCache
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Copy
from ocs_adapters.sql.gone_through import gone_through
from ocs_adapters.sql.lookups import find
from ocs_adapters.sql.numbers import draw
from ocs_adapters.sql.outbox import outbox_columns
from ocs_adapters.sql.rows import Rows, rows_of
from ocs_adapters.sql.slices import ledgers_of_slice, plan_of
from ocs_core.entities.account import Payer
from ocs_core.entities.process import GoneThrough, ProcessRun, RunSlice
from ocs_core.errors import Conflict
from ocs_core.ledger import OpenLedger
from ocs_core.messages import Message, TopicNames
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Found, Lookup, PayerBalance, Series, SlicePlan, SliceWanted

_RUN = rows_of(ProcessRun)
_RUNNING = (
    _RUN.select()
    .where(_RUN.table.c.process == sa.bindparam("process"), _RUN.table.c.state == sa.literal_column("'RUNNING'"))
    .order_by(_RUN.table.c.ref_id)
    .with_for_update(of=_RUN.table)
)
_CLOCK = sa.select(sa.func.clock_timestamp())
_ONE_RUN = _RUN.select().where(_RUN.key == sa.bindparam("run"))
_SLICE = rows_of(RunSlice)
_SLICES = _SLICE.select().where(_SLICE.table.c.run_ref_id == sa.bindparam("run")).order_by(_SLICE.table.c.number)
_FREE_SLICES = _SLICES.where(~_SLICE.table.c.done).with_for_update(skip_locked=True)
_NEXT_SLICE = _FREE_SLICES.limit(1)
_THIS_SLICE = _FREE_SLICES.where(_SLICE.table.c.number == sa.bindparam("number"))
_SLICES_LEFT = (
    sa.select(_SLICE.table.c.number)
    .where(_SLICE.table.c.run_ref_id == sa.bindparam("run"), ~_SLICE.table.c.done)
    .order_by(_SLICE.table.c.number)
)

T = TypeVar("T")
MESSAGES_AT_ONCE = 2000


@attrs.define
class SqlUnitOfWork:
    """Reads at once; what is written waits for `flush`, of messages only so many as memory should hold."""

    _transaction: Transaction
    _cache: ConfigurationCache
    _topics: TopicNames
    _has_clock: bool
    _inserts: dict[sa.Table, list[Mapping[str, Any]]] = attrs.field(factory=lambda: defaultdict(list))
    _saved: dict[type, list[Any]] = attrs.field(factory=lambda: defaultdict(list))
    _messages: list[Message] = attrs.field(factory=list)
    has_published: bool = attrs.field(default=False, init=False)

    def now(self) -> dt.datetime | None:
        if not self._has_clock or self._transaction.driver.name == "sqlite":
            return None  # SQLite goes by the machine's
        (((now,),),) = self._transaction.run([Call(_CLOCK)])
        return cast(dt.datetime, now).astimezone(dt.UTC)

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        return find(self._transaction, self._cache, lookups, key)

    def add(self, entity: E) -> E:
        rows = rows_of(type(entity))
        self._inserts[rows.table].append(rows.write(entity))
        return entity

    def save(self, entity: E) -> E:
        saved = attrs.evolve(entity, version=entity.version + 1)
        self._saved[type(entity)].append(saved)
        return saved

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        return draw(self._transaction, series, count)

    def publish(self, message: Message) -> None:
        self.has_published = True
        self._messages.append(message)
        if len(self._messages) >= MESSAGES_AT_ONCE:
            self._transaction.run(self._transaction.driver.insert({}, self._outbox()))

    def remember(self, performed: Performed) -> None:
        self._inserts[tables.requests].append(
            {
                "application": performed.key.application,
                "request_id": performed.key.request_id,
                "operation": performed.operation,
                "digest": performed.digest,
                "ref_ids": msgspec.json.encode(performed.ref_ids).decode(),
                "performed_at": performed.performed_at,
                "answer": encode_answer(performed.answer).decode() if performed.answer else None,
            }
        )

    def ledgers(self, wanted: SliceWanted) -> Iterator[OpenLedger]:
        return ledgers_of_slice(self._transaction, wanted)

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        return keep_balances(self._transaction, found, as_of, calculated_at)

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        return gone_through(self._transaction, process, wanted)

    def plan_slices(self, accounts: tuple[UUID, ...], size: int) -> SlicePlan:
        return plan_of(self._transaction, accounts, size)

    def take_slice(self, run_ref_id: UUID, number: int | None = None) -> RunSlice | None:
        named = Call(_NEXT_SLICE, {"run": run_ref_id})
        if number is not None:
            named = Call(_THIS_SLICE, {"run": run_ref_id, "number": number})
        return next(iter(self._read(_SLICE, named)), None)

    def slices_left(self, run_ref_id: UUID) -> Sequence[int]:
        (rows,) = self._transaction.run([Call(_SLICES_LEFT, {"run": run_ref_id})])
        return [number for (number,) in rows]

    def slices(self, run_ref_id: UUID) -> Sequence[RunSlice]:
        return self._read(_SLICE, Call(_SLICES, {"run": run_ref_id}))

    def runs(self, process: str) -> Sequence[ProcessRun]:
        return self._read(_RUN, Call(_RUNNING, {"process": process}))

    def run(self, ref_id: UUID) -> ProcessRun | None:
        return next(iter(self._read(_RUN, Call(_ONE_RUN, {"run": ref_id}))), None)

    def flush(self, *, commit: bool) -> None:
        """Send what waits. Where a version is named, the answer is looked at before the commit is sent."""
        updates: list[Call | Copy] = [self._update(cls, saved) for cls, saved in self._saved.items()]
        inserts = self._transaction.driver.insert(self._inserts, self._outbox())
        answers = self._transaction.run([*updates, *inserts], commit=commit and not updates)
        for (cls, saved), touched in zip(self._saved.items(), answers, strict=False):
            if touched != len(saved):
                raise Conflict(f"a version of {rows_of(cls).table.name}")
        if commit and updates:
            self._transaction.run([], commit=True)

    def _update(self, cls: type, saved: Sequence[Any]) -> Call:
        rows: Rows[Any] = rows_of(cls)
        key_and_version = {
            "key_read": [entity.ref_id for entity in saved],
            "version_read": [entity.version - 1 for entity in saved],
        }
        return self._transaction.driver.update(rows.table, rows.columns_to_update(saved) | key_and_version)

    def _outbox(self) -> dict[sa.Table, dict[str, list[Any]]]:
        """The messages that wait, which do so no longer."""
        columns = outbox_columns(self._messages, self._topics)
        self._messages.clear()
        return {tables.outbox: columns}

    def _read(self, kind: Rows[T], call: Call) -> list[T]:
        (rows,) = self._transaction.run([call])
        return list(map(kind.reader(self._transaction.driver), rows))
