"""One payer's ledger from SQL, whole, or a page of its lines. A run reads no more than it needs: see `slices`."""

import functools
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Account, Payer
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage, lines_page

_ACCOUNT, _PAYER, _DOCUMENT = rows_of(Account), rows_of(Payer), rows_of(Document)
_PAYMENT, _SETTLEMENT = rows_of(Payment), rows_of(Settlement)
MOVED = tables.payments.alias("moved")
"""Payments, wherever they belong by now."""


def settlements_elsewhere(belongs: Any, *conditions: Any) -> Any:
    """What payments had settled, and gave back, on another account before they came to the one where they belong now."""
    table = _SETTLEMENT.table
    source = _SETTLEMENT.source.join(MOVED, MOVED.c.ref_id == table.c.source_ref_id)
    elsewhere = (belongs, MOVED.c.account_ref_id != table.c.account_ref_id, *conditions)
    return sa.select(*_SETTLEMENT.columns).select_from(source).where(*elsewhere)


_ALL_SETTLEMENTS_ELSEWHERE = settlements_elsewhere(MOVED.c.account_ref_id == bindparam("account"))


@functools.cache
def _all_of_account(cls: Any) -> Any:
    rows = rows_of(cls)
    return rows.select().where(rows.table.c.account_ref_id == bindparam("account")).order_by(rows.key)


def ledger_of_account(transaction: Transaction, account_ref_id: UUID) -> Ledger | None:
    """One payer with everything it has."""
    driver = transaction.driver
    one = {"account": account_ref_id}
    accounts, payers, documents, payments, settlements, elsewhere = transaction.run(
        [
            Call(_ACCOUNT.select().where(_ACCOUNT.key == bindparam("account")), one),
            Call(_PAYER.select().where(_PAYER.key == bindparam("account")), one),
            *(Call(_all_of_account(cls), one) for cls in (Document, Payment, Settlement)),
            Call(_ALL_SETTLEMENTS_ELSEWHERE, one),
        ]
    )
    if not payers:
        return None
    touching = {s.ref_id: s for s in map(_SETTLEMENT.reader(driver), settlements + elsewhere)}
    of_documents = tuple(map(_DOCUMENT.reader(driver), documents))
    of_payments = tuple(map(_PAYMENT.reader(driver), payments))
    items = {d.ref_id for d in of_documents} | {p.ref_id for p in of_payments}
    return Ledger(
        account=_ACCOUNT.reader(driver)(accounts[0]),
        payer=_PAYER.reader(driver)(payers[0]),
        documents=of_documents,
        payments=of_payments,
        settlements=tuple(s for s in touching.values() if not items.isdisjoint({s.source_ref_id, s.target_ref_id})),
    )


_BEGINNING = UUID(int=0)
_ALL = 2**62
"""More rows than there can be: where no limit is given."""
_DOCUMENT_AT = sa.select(_DOCUMENT.key).where(
    _DOCUMENT.key == bindparam("cursor"), _DOCUMENT.table.c.account_ref_id == bindparam("account")
)


@functools.cache
def _behind(cls: Any) -> Any:
    return _all_of_account(cls).where(rows_of(cls).key > bindparam("behind")).limit(bindparam("limit"))


@functools.cache
def _touching(driver: Any, side: str) -> Any:
    return _SETTLEMENT.select().where(driver.one_of(_SETTLEMENT.table.c[side], "items"))


def lines_of_account(
    transaction: Transaction, account_ref_id: UUID, limit: int | None, cursor: UUID | None
) -> LinesPage | None:
    """A page of a payer's lines: of each kind no more items are read than it has place for and one, which tells whether more
    follow; then what was settled with those that it has."""
    driver = transaction.driver
    one = {"account": account_ref_id}
    accounts, payers, at_document = transaction.run(
        [
            Call(_ACCOUNT.select().where(_ACCOUNT.key == bindparam("account")), one),
            Call(_PAYER.select().where(_PAYER.key == bindparam("account")), one),
            Call(_DOCUMENT_AT, {**one, "cursor": cursor or _BEGINNING}),
        ]
    )
    if not payers:
        return None
    behind = {**one, "behind": cursor or _BEGINNING, "limit": _ALL if limit is None else limit + 1}
    if cursor is None or at_document:
        documents, payments = transaction.run(
            [Call(_behind(Document), behind), Call(_behind(Payment), {**behind, "behind": _BEGINNING})]
        )
    else:
        documents, (payments,) = [], transaction.run([Call(_behind(Payment), behind)])
    read = Ledger(
        account=_ACCOUNT.reader(driver)(accounts[0]),
        payer=_PAYER.reader(driver)(payers[0]),
        documents=tuple(map(_DOCUMENT.reader(driver), documents)),
        payments=tuple(map(_PAYMENT.reader(driver), payments)),
    )
    page = lines_page(read, limit, None)
    return attrs.evolve(page, part=attrs.evolve(page.part, settlements=_settlements_of(transaction, page.part)))


def _settlements_of(transaction: Transaction, part: Ledger) -> tuple[Settlement, ...]:
    """All that was settled with these items, on whatever account."""
    items = [*(document.ref_id for document in part.documents), *(payment.ref_id for payment in part.payments)]
    if not items:
        return ()
    driver = transaction.driver
    listed = {"items": driver.bind_list(items)}
    sides = transaction.run([Call(_touching(driver, f"{side}_ref_id"), listed) for side in ("source", "target")])
    read = _SETTLEMENT.reader(driver)
    return tuple({s.ref_id: s for rows in sides for s in map(read, rows)}.values())
