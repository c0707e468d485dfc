"""Ledgers from SQL: what a balance at T can depend on, and no more. Which item counts is decided by the core alone."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Driver
from ocs_adapters.sql.rows import rows_of
from ocs_core.collection import Ledger
from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.ports import SliceWanted

_ACCOUNT, _PAYER, _DOCUMENT = rows_of(Account), rows_of(Payer), rows_of(Document)
_PAYMENT, _SETTLEMENT = rows_of(Payment), rows_of(Settlement)
_MOVED = tables.payments.alias("moved")
_OPEN = {Document: sa.text("documents.due_amount <> 0"), Payment: sa.text("payments.remaining_amount <> 0")}


@functools.cache
def _payers(driver: Any, limited_to_accounts: bool, after: bool) -> Any:
    """Accounts with their payers, in the order of their keys."""
    conditions = _calculable(driver, limited_to_accounts)
    if after:
        conditions.append(_ACCOUNT.key > bindparam("after"))
    source = _ACCOUNT.source.join(_PAYER.table, _PAYER.key == _ACCOUNT.key)
    payer_columns = [_PAYER.table.c[f.column] for f in _PAYER.fields if f.name != "account"]
    external_id = _ACCOUNT.table.c.external_id.label("payer_external_id")
    return (
        sa.select(*_ACCOUNT.columns, _PAYER.key, external_id, *payer_columns)
        .select_from(source)
        .where(*conditions)
        .order_by(_ACCOUNT.key)
        .limit(bindparam("limit"))
    )


def _calculable(driver: Driver, limited_to_accounts: bool) -> list[Any]:
    conditions = [_ACCOUNT.table.c.state != AccountState.DEACTIVATED.value]
    if limited_to_accounts:
        conditions.append(driver.one_of(_ACCOUNT.key, "accounts"))
    return conditions


@functools.cache
def _count(driver: Any, limited_to_accounts: bool) -> Any:
    source = _ACCOUNT.table.join(_PAYER.table, _PAYER.key == _ACCOUNT.key)
    return sa.select(sa.func.count()).select_from(source).where(*_calculable(driver, limited_to_accounts))


def to_calculate(driver: Driver, accounts: tuple[UUID, ...]) -> Call:
    """How many payers a run over these accounts (none named: all) calculates."""
    return Call(_count(driver, bool(accounts)), {"accounts": driver.bind_list(accounts)} if accounts else {})


@functools.cache
def _open_items(cls: Any, driver: Any) -> Any:
    """Items that are open now, through their partial index."""
    rows = rows_of(cls)
    return rows.select().where(driver.one_of(rows.table.c.account_ref_id, "accounts"), _OPEN[cls])


@functools.cache
def _items_touched(cls: Any, driver: Any) -> Any:
    """Items that a settlement touched after T, open or not."""
    rows = rows_of(cls)
    return rows.select().where(driver.one_of(rows.key, "items"))


@functools.cache
def _settlements_after(driver: Any) -> Any:
    table = _SETTLEMENT.table
    after = sa.or_(table.c.effective_at > bindparam("as_of"), table.c.cancelled_at > bindparam("as_of"))
    return _SETTLEMENT.select().where(driver.one_of(table.c.account_ref_id, "accounts"), after)


def _settlements_elsewhere(belongs: Any, *conditions: Any) -> Any:
    """What payments had settled, and gave back, on another account before they came to the one where they belong now."""
    table = _SETTLEMENT.table
    source = _SETTLEMENT.source.join(_MOVED, _MOVED.c.ref_id == table.c.source_ref_id)
    elsewhere = (belongs, _MOVED.c.account_ref_id != table.c.account_ref_id, *conditions)
    return sa.select(*_SETTLEMENT.columns).select_from(source).where(*elsewhere)


@functools.cache
def _settlements_elsewhere_after(driver: Any) -> Any:
    """Only cancelled ones let a payment go, and of these there are few."""
    cancelled_after = _SETTLEMENT.table.c.cancelled_at > bindparam("as_of")
    return _settlements_elsewhere(driver.one_of(_MOVED.c.account_ref_id, "accounts"), cancelled_after)


_ALL_SETTLEMENTS_ELSEWHERE = _settlements_elsewhere(_MOVED.c.account_ref_id == bindparam("account"))


@functools.cache
def _all_of_account(cls: Any) -> Any:
    rows = rows_of(cls)
    return rows.select().where(rows.table.c.account_ref_id == bindparam("account")).order_by(rows.key)


def ledgers_of_slice(transaction: Transaction, wanted: SliceWanted) -> Sequence[Ledger]:
    """The payers of a slice with their open items, and those that were touched after T."""
    driver = transaction.driver
    query = _payers(driver, bool(wanted.accounts), wanted.after is not None)
    parameters = {"after": wanted.after, "limit": wanted.limit, "accounts": driver.bind_list(wanted.accounts)}
    (rows,) = transaction.run([Call(query, parameters)])
    read_account, read_payer = _ACCOUNT.reader(driver), _PAYER.reader(driver)
    width = _ACCOUNT.width()
    payers = [(read_account(row[:width]), read_payer(row[width:])) for row in rows]
    of_slice = {"accounts": driver.bind_list([account.ref_id for account, _ in payers])}
    after = of_slice | {"as_of": wanted.as_of}
    documents, payments, settlements, elsewhere = transaction.run(
        [
            Call(_open_items(Document, driver), of_slice),
            Call(_open_items(Payment, driver), of_slice),
            Call(_settlements_after(driver), after),
            Call(_settlements_elsewhere_after(driver), after),
        ]
    )
    touching = [_SETTLEMENT.reader(driver)(row) for row in settlements + elsewhere]
    items = {"items": driver.bind_list(list({i for s in touching for i in (s.source_ref_id, s.target_ref_id)}))}
    if touching:
        more = transaction.run([Call(_items_touched(cls, driver), items) for cls in (Document, Payment)])
        documents, payments = documents + more[0], payments + more[1]
    return _put_together(
        payers,
        map(_DOCUMENT.reader(driver), documents),
        map(_PAYMENT.reader(driver), payments),
        touching,
    )


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
    return _put_together(
        [(_ACCOUNT.reader(driver)(accounts[0]), _PAYER.reader(driver)(payers[0]))],
        map(_DOCUMENT.reader(driver), documents),
        map(_PAYMENT.reader(driver), payments),
        map(_SETTLEMENT.reader(driver), settlements + elsewhere),
    )[0]


def _put_together(
    payers: Sequence[tuple[Account, Payer]],
    documents: Iterable[Document],
    payments: Iterable[Payment],
    settlements: Iterable[Settlement],
) -> list[Ledger]:
    of: dict[type, defaultdict[UUID, dict[UUID, Any]]] = {
        cls: defaultdict(dict) for cls in (Document, Payment, Settlement)
    }
    account_of: dict[UUID, UUID] = {}
    for items in (documents, payments):
        for item in items:
            if item.account is not None:
                of[type(item)][item.account.ref_id][item.ref_id] = item
                account_of[item.ref_id] = item.account.ref_id
    for settlement in settlements:  # goes where its items are now: a payment may have moved since
        for side in (settlement.source_ref_id, settlement.target_ref_id):
            if side in account_of:
                of[Settlement][account_of[side]][settlement.ref_id] = settlement
    return [
        Ledger(
            account=account,
            payer=payer,
            documents=tuple(of[Document][account.ref_id].values()),
            payments=tuple(of[Payment][account.ref_id].values()),
            settlements=tuple(of[Settlement][account.ref_id].values()),
        )
        for account, payer in payers
    ]
