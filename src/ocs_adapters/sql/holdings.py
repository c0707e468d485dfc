"""What the database holds of every entity, as business transactions tell it; and telling it once more."""

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa

from ocs_adapters.serial import plain
from ocs_adapters.serial.digest import digest
from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.outbox import outbox_columns
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Account, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentHistory
from ocs_core.entities.settlement import Settlement
from ocs_core.messages import (
    BUSINESS_TRANSACTIONS,
    DocumentPayments,
    Message,
    PaymentDocuments,
    TopicNames,
    key_of,
    link_of,
)
from ocs_core.ports import Clock, Ids

PAGE = 2000


@attrs.frozen(kw_only=True)
class Holding:
    """That somebody holds an entity in this version, and a digest of what they hold; `told_at`: the `ce_time` of the message
    that told them, where they keep it."""

    code: str
    ref_id: UUID
    version: int
    digest: bytes
    told_at: dt.datetime | None = attrs.field(default=None, eq=False)


@attrs.frozen
class _Told:
    """How entities of a class are told: as which payload."""

    cls: Any
    payload: Callable[[Any], Any] = lambda entity: entity


_TOLD: Mapping[str, _Told] = {
    **{cls.code: _Told(cls) for cls in (Account, Payer, Payment, PaymentHistory, Document, ChargeableEvent)},
    PaymentDocuments.code: _Told(Settlement, functools.partial(link_of, PaymentDocuments)),
    DocumentPayments.code: _Told(Settlement, functools.partial(link_of, DocumentPayments)),
}
CODES = tuple(sorted(BUSINESS_TRANSACTIONS))


@functools.cache
def _page(cls: Any) -> Any:
    rows = rows_of(cls)
    return rows.select().where(rows.key > sa.bindparam("after", type_=rows.key.type)).order_by(rows.key).limit(PAGE)


@functools.cache
def _one(cls: Any) -> Any:
    rows = rows_of(cls)
    return rows.select().where(rows.key == sa.bindparam("one")).with_for_update(of=rows.table)


def holdings(database: Database, code: str) -> Iterator[Holding]:
    """What the database holds of the entities of a code, in the order of their ids, page by page as it is then."""
    told, after = _TOLD[code], UUID(int=0)
    read = rows_of(told.cls).reader(database.driver)
    while True:
        (rows,) = database.read(Call(_page(told.cls), {"after": after}))
        for row in rows:
            entity = read(row)
            after = entity.ref_id
            yield Holding(code=code, ref_id=after, version=entity.version, digest=digest(plain(told.payload(entity))))
        if len(rows) < PAGE:
            return


@attrs.frozen
class Republish:
    """Publishes entities again as they are: a new message about the same version."""

    database: Database
    topics: TopicNames
    clock: Clock
    ids: Ids

    def __call__(self, code: str, ref_id: UUID, transaction_id: str) -> bool:
        """Put a message about an entity into the outbox; False when there is no such entity.

        The entity is locked meanwhile: a change of it is announced before this message, or behind it.
        """
        told = _TOLD[code]
        with self.database.transaction() as transaction:
            entity = self._locked(transaction, told.cls, ref_id)
            if entity is None:
                return False
            payload = told.payload(entity)
            message = Message(
                ref_id=self.ids(),
                key=key_of(payload, self._payment_of(transaction, entity)),
                subject=ref_id,
                transaction_id=transaction_id,
                occurred_at=self.clock(),
                payload=payload,
            )
            columns = outbox_columns([message], self.topics)
            transaction.run(self.database.driver.insert({}, {tables.outbox: columns}), commit=True)
        return True

    def _payment_of(self, transaction: Transaction, entity: Any) -> Payment | None:
        is_history = isinstance(entity, PaymentHistory)
        return self._locked(transaction, Payment, entity.payment_ref_id) if is_history else None

    def _locked(self, transaction: Transaction, cls: Any, ref_id: UUID) -> Any:
        (rows,) = transaction.run([Call(_one(cls), {"one": ref_id})])
        return rows_of(cls).reader(self.database.driver)(rows[0]) if rows else None
