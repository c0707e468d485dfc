"""Take-overs of files in SQL, within the transaction that takes them over."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.rows import Rows, rows_of
from ocs_core.ports import TakenRow, TakeOver

T = TypeVar("T", TakeOver, TakenRow)
_FILES, _ROWS = rows_of(TakeOver), rows_of(TakenRow)
_FILE, _ROW = _FILES.table, _ROWS.table
_INSERT_FILE, _INSERT_ROW = (
    sa.insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    for table in (_FILE, _ROW)
)
_UPDATE_FILE = (
    sa.update(_FILE)
    .where(_FILE.c.ref_id == bindparam("this"))
    .values({name: bindparam(name) for name in ("state", "through", "created", "ended_at")})
)
_ONE = _FILES.select().where(_FILE.c.ref_id == bindparam("this")).with_for_update()
_ALL = _FILES.select().order_by(_FILE.c.ref_id.desc())
_OF_FILE = _ALL.where(_FILE.c.digest == bindparam("digest"))
_LAST_ROWS = (
    _ROWS.select()
    .where(_ROW.c.take_over_ref_id == bindparam("this"), _ROW.c.line <= bindparam("through"))
    .order_by(_ROW.c.line.desc())
    .limit(bindparam("many", type_=sa.Integer()))
)


_HELD = sa.select(tables.accounts.c.ref_id).where(tables.accounts.c.ref_id == bindparam("account")).with_for_update()


def _one_on_it(column: Any, *conditions: Any) -> Any:
    return sa.select(sa.literal(1)).where(column == bindparam("account"), *conditions).limit(1)


_CANCELLABLE = (tables.documents, tables.payments, tables.settlements)
_OTHERS = (
    *(
        _one_on_it(table.c.account_ref_id, table.c.cancel_reason.is_distinct_from(bindparam("reason")))
        for table in _CANCELLABLE
    ),
    _one_on_it(tables.chargeable_events.c.account_ref_id),
    _one_on_it(tables.accounts.c.parent_ref_id),
)


@attrs.frozen
class SqlTakeOvers:
    transaction: Transaction

    def begin(self, take_over: TakeOver) -> None:
        self.transaction.run([Call(_INSERT_FILE, _FILES.write(take_over))])

    def keep(self, take_over: TakeOver) -> None:
        row = _FILES.write(take_over)
        changed = {name: row[name] for name in ("state", "through", "created", "ended_at")}
        self.transaction.run([Call(_UPDATE_FILE, {"this": take_over.ref_id, **changed})])

    def locked(self, ref_id: UUID) -> TakeOver | None:
        return next(iter(self._read(_FILES, Call(_ONE, {"this": ref_id}))), None)

    def of_file(self, digest: str) -> Sequence[TakeOver]:
        return self._read(_FILES, Call(_OF_FILE, {"digest": digest}))

    def all(self) -> Sequence[TakeOver]:
        return self._read(_FILES, Call(_ALL))

    def add_rows(self, rows: Sequence[TakenRow]) -> None:
        self.transaction.run([Call(_INSERT_ROW, _ROWS.write(row)) for row in rows])

    def last_rows(self, ref_id: UUID, through: int, limit: int) -> Sequence[TakenRow]:
        return self._read(_ROWS, Call(_LAST_ROWS, {"this": ref_id, "through": through, "many": limit}))

    def is_used(self, account_ref_id: UUID, reason: str) -> bool:
        named = {"account": account_ref_id}
        self.transaction.run([Call(_HELD, named)])
        return any(self.transaction.run([Call(query, {**named, "reason": reason}) for query in _OTHERS]))

    def _read(self, kind: Rows[T], call: Call) -> list[T]:
        (rows,) = self.transaction.run([call])
        read: Any = kind.reader(self.transaction.driver)
        return list(map(read, rows))
