"""One transaction of a run in SQL: what a unit of work does, and what runs need beside it."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa

from ocs_adapters.sql.balances import keep_balances
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.gone_through import gone_through
from ocs_adapters.sql.rows import Rows, rows_of
from ocs_adapters.sql.slices import ledgers_of_slice, plan_of
from ocs_adapters.sql.unit_of_work import SqlUnitOfWork
from ocs_core.entities.account import Payer
from ocs_core.entities.process import GoneThrough, ProcessRun, RunSlice
from ocs_core.ledger import OpenLedger
from ocs_core.ports import PayerBalance, SlicePlan, SliceWanted

T = TypeVar("T")
_RUN = rows_of(ProcessRun)
_RUNNING = (
    _RUN.select()
    .where(_RUN.table.c.process == sa.bindparam("process"), _RUN.table.c.state == sa.literal_column("'RUNNING'"))
    .order_by(_RUN.table.c.ref_id)
    .with_for_update(of=_RUN.table)
)
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


@attrs.define
class SqlRunWork(SqlUnitOfWork):
    """Reads at once; what is written waits for `flush`, but for balances."""

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

    def _read(self, kind: Rows[T], call: Call) -> list[T]:
        (rows,) = self._transaction.run([call])
        return list(map(kind.reader(self._transaction.driver), rows))
