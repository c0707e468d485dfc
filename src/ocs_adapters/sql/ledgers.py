"""One payer's whole ledger from SQL. A run reads no more than it needs: see `slices`."""

import functools
from typing import Any
from uuid import UUID

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
