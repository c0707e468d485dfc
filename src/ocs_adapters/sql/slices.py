"""The slices of a run from SQL: how payers are divided, and of each what a balance at T can depend on, and no more.

Which item counts is decided by the core alone.
"""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Driver, Row
from ocs_adapters.sql.ledgers import MOVED, settlements_elsewhere
from ocs_adapters.sql.reading import reader, value_reader
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import AccountRef, AccountState
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import OpenLedger
from ocs_core.ports import SlicePlan, SliceWanted


class _Payer(NamedTuple):
    """An account, and what was found of its payer last."""

    ref_id: UUID
    external_id: str | None
    account_type: str
    currency: str
    collection_balance: int | None
    oldest_due_date: dt.date | None
    in_collection: bool
    collection_balance_as_of: dt.datetime | None

    @property
    def ref(self) -> AccountRef:
        return AccountRef(self.ref_id, self.external_id)


class _Document(NamedTuple):
    account_ref_id: UUID
    ref_id: UUID
    document_type: str
    currency: str
    due_amount: int
    due_amount_type: Any
    document_issued_date: dt.date
    document_due_date: dt.date
    cancelled: bool
    cancelled_at: dt.datetime | None


class _Payment(NamedTuple):
    account_ref_id: UUID
    ref_id: UUID
    payment_type: Any
    currency: str
    remaining_amount: int
    payment_date_received: dt.datetime | None
    payment_date_sent: dt.datetime | None
    cancelled: bool
    cancelled_at: dt.datetime | None


class _OpenLedger(NamedTuple):
    account: _Payer
    payer: _Payer
    documents: Iterable[_Document]
    payments: Iterable[_Payment]
    settlements: Sequence[Settlement]


_SETTLEMENT = rows_of(Settlement)
_OPEN = {Document: sa.text("documents.due_amount <> 0"), Payment: sa.text("payments.remaining_amount <> 0")}
_ACCOUNTS, _PAYERS = tables.accounts, tables.payers
_BOTH = _ACCOUNTS.join(_PAYERS, _PAYERS.c.account_ref_id == _ACCOUNTS.c.ref_id)
_OF_PAYER = [(_ACCOUNTS if name in _ACCOUNTS.c else _PAYERS).c[name] for name in _Payer._fields]


@functools.cache
def _payers(driver: Any, limited_to_accounts: bool, after: bool, through: bool) -> Any:
    """Accounts with what was found of their payers, in the order of their keys."""
    conditions = _calculable(driver, limited_to_accounts)
    if after:
        conditions.append(_ACCOUNTS.c.ref_id > bindparam("after"))
    if through:
        conditions.append(_ACCOUNTS.c.ref_id <= bindparam("through"))
    return (
        sa.select(*_OF_PAYER)
        .select_from(_BOTH)
        .where(*conditions)
        .order_by(_ACCOUNTS.c.ref_id)
        .limit(bindparam("limit"))
    )


def _calculable(driver: Driver, limited_to_accounts: bool) -> list[Any]:
    conditions: list[Any] = [_ACCOUNTS.c.state != AccountState.DEACTIVATED.value]
    if limited_to_accounts:
        conditions.append(driver.one_of(_ACCOUNTS.c.ref_id, "accounts"))
    return conditions


@functools.cache
def _numbered(driver: Any, limited_to_accounts: bool) -> Any:
    number = sa.func.row_number().over(order_by=_ACCOUNTS.c.ref_id).label("number")
    conditions = _calculable(driver, limited_to_accounts)
    return sa.select(_ACCOUNTS.c.ref_id, number).select_from(_BOTH).where(*conditions).subquery()


@functools.cache
def _count(driver: Any, limited_to_accounts: bool) -> Any:
    return sa.select(sa.func.count()).select_from(_BOTH).where(*_calculable(driver, limited_to_accounts))


@functools.cache
def _ends(driver: Any, limited_to_accounts: bool) -> Any:
    numbered = _numbered(driver, limited_to_accounts)
    ends = numbered.c.number % bindparam("size", type_=sa.BigInteger()) == 0
    return sa.select(numbered.c.ref_id).where(ends).order_by(numbered.c.number)


def plan_of(transaction: Transaction, accounts: tuple[UUID, ...], size: int) -> SlicePlan:
    """How a run over these accounts (none named: all) is cut into slices."""
    driver, limited = transaction.driver, bool(accounts)
    bound = {"accounts": driver.bind_list(accounts)} if limited else {}
    (((payers,),), ends) = transaction.run(
        [Call(_count(driver, limited), bound), Call(_ends(driver, limited), {**bound, "size": size})]
    )
    read = value_reader(UUID, driver)
    # The last slice has no end, even where it is full: those who come meanwhile belong to it.
    return SlicePlan(payers, [read(end) for (end,) in ends][: max((payers - 1) // size, 0)])


@functools.cache
def _open_items(cls: Any, kind: Any, driver: Any, limited_to_accounts: bool, after: bool) -> Any:
    """Items that are open now, through their partial index, in the order of their accounts."""
    table = rows_of(cls).table
    account = table.c.account_ref_id
    columns = [table.c[name] for name in kind._fields]
    of_slice = _of_slice(account, driver, limited_to_accounts, after)
    return sa.select(*columns).where(*of_slice, _OPEN[cls]).order_by(account)


@functools.cache
def _items_touched(cls: Any, kind: Any, driver: Any) -> Any:
    """Items that a settlement touched after T, open or not."""
    rows = rows_of(cls)
    columns = [rows.table.c[name] for name in kind._fields]
    return sa.select(*columns).where(driver.one_of(rows.key, "items"))


def _of_slice(account: Any, driver: Driver, limited_to_accounts: bool, after: bool) -> list[Any]:
    """The condition that something is of a slice's accounts: of a whole range, unless the run is limited to some."""
    if limited_to_accounts:
        return [driver.one_of(account, "accounts")]
    return [account <= bindparam("last")] + ([account > bindparam("after")] if after else [])


@functools.cache
def _settlements_after(name: str, driver: Any, limited_to_accounts: bool, after: bool) -> Any:
    """Settlements that took effect, or were cancelled, after T: each through an index of its own."""
    table = _SETTLEMENT.table
    of_slice = _of_slice(table.c.account_ref_id, driver, limited_to_accounts, after)
    return _SETTLEMENT.select().where(*of_slice, table.c[name] > bindparam("as_of"))


@functools.cache
def _settlements_elsewhere_after(driver: Any) -> Any:
    """Only cancelled ones let a payment go, and of these there are few."""
    cancelled_after = _SETTLEMENT.table.c.cancelled_at > bindparam("as_of")
    return settlements_elsewhere(driver.one_of(MOVED.c.account_ref_id, "accounts"), cancelled_after)


def ledgers_of_slice(transaction: Transaction, wanted: SliceWanted) -> Iterator[OpenLedger]:
    """The payers of a slice with their open items, and those that were touched after T."""
    driver, limited = transaction.driver, bool(wanted.accounts)
    after, through = wanted.after is not None, wanted.through is not None
    query = _payers(driver, limited, after, through)
    bounds = {"after": wanted.after, "through": wanted.through, "accounts": driver.bind_list(wanted.accounts)}
    (rows,) = transaction.run([Call(query, bounds | {"limit": wanted.limit})])
    if not rows:
        return
    payers = list(map(reader(_Payer, driver), rows))
    keys = driver.bind_list([payer.ref_id for payer in payers])
    of_slice = {"accounts": keys, "after": wanted.after, "last": payers[-1].ref_id, "as_of": wanted.as_of}
    effective, cancelled, elsewhere = transaction.run(
        [
            Call(_settlements_after("effective_at", driver, limited, after), of_slice),
            Call(_settlements_after("cancelled_at", driver, limited, after), of_slice),
            Call(_settlements_elsewhere_after(driver), of_slice),
        ]
    )
    touched = _touched(transaction, effective + cancelled + elsewhere)
    documents = transaction.stream(Call(_open_items(Document, _Document, driver, limited, after), of_slice))
    payments = transaction.stream(Call(_open_items(Payment, _Payment, driver, limited, after), of_slice))
    documents_of = _in_order(map(reader(_Document, driver), documents))
    payments_of = _in_order(map(reader(_Payment, driver), payments))
    for payer in payers:
        of_documents, of_payments, more = documents_of(payer), payments_of(payer), touched.get(payer.ref_id)
        if more is None:
            yield _OpenLedger(payer, payer, of_documents, of_payments, ())
        else:
            of_documents, of_payments = _together(of_documents, more.documents), _together(of_payments, more.payments)
            yield _OpenLedger(payer, payer, of_documents, of_payments, list(more.settlements.values()))


def _in_order(items: Iterable[Any]) -> Callable[[_Payer], Iterable[Any]]:
    """Items that come in the order of their accounts, asked for payer by payer in that order, each time for the last time:
    what is left of a payer's is passed over."""
    # Ids are compared as numbers, which takes a tenth of the time.
    groups = groupby(items, attrgetter("account_ref_id.int"))
    nothing: Any = (None, ())
    next_account, next_items = next(groups, nothing)

    def of(payer: _Payer) -> Iterable[Any]:
        nonlocal next_account, next_items
        account = payer.ref_id.int
        while next_account is not None and next_account < account:
            next_account, next_items = next(groups, nothing)
        return next_items if next_account == account else ()

    return of


@attrs.frozen
class _Touched:
    """What was settled of a payer, or taken back, after T: the items, and the settlements by their ids."""

    documents: list[_Document] = attrs.field(factory=list)
    payments: list[_Payment] = attrs.field(factory=list)
    settlements: dict[UUID, Settlement] = attrs.field(factory=dict)


def _touched(transaction: Transaction, rows: Sequence[Row]) -> Mapping[UUID, _Touched]:
    """By account. Settlements go where the items they touched are now: a payment may have moved since."""
    found: defaultdict[UUID, _Touched] = defaultdict(_Touched)
    if not rows:
        return found
    driver = transaction.driver
    settlements = {s.ref_id: s for s in map(_SETTLEMENT.reader(driver), rows)}.values()
    items = {"items": driver.bind_list(list({i for s in settlements for i in (s.source_ref_id, s.target_ref_id)}))}
    documents, payments = transaction.run(
        [Call(_items_touched(cls, kind, driver), items) for cls, kind in ((Document, _Document), (Payment, _Payment))]
    )
    account_of = {}
    for document in map(reader(_Document, driver), documents):
        found[document.account_ref_id].documents.append(document)
        account_of[document.ref_id] = document.account_ref_id
    for payment in map(reader(_Payment, driver), payments):
        found[payment.account_ref_id].payments.append(payment)
        account_of[payment.ref_id] = payment.account_ref_id
    for settlement in settlements:
        for side in (settlement.source_ref_id, settlement.target_ref_id):
            if side in account_of:
                found[account_of[side]].settlements[settlement.ref_id] = settlement
    return found


def _together(items: Iterable[Any], more: Iterable[Any]) -> Iterable[Any]:
    """Each of them once."""
    return list({item.ref_id: item for item in (*items, *more)}.values())
