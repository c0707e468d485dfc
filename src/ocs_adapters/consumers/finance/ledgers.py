"""What finance holds of payers, account by account, as the core's rules ask for it: every item that is open now or was at T."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.consumers.finance.held import HeldAccount, HeldDocument, HeldPayment, HeldSettlement
from ocs_adapters.consumers.finance.tables import IS_OPEN, documents, entities, payments, settlements
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.tables.columns import Instant


@attrs.frozen(kw_only=True)
class Holdings:
    """What is held of one account; where `is_nobodys`, of payments that belong to none. What was not told of the account
    itself yet is empty."""

    is_nobodys: bool
    account: HeldAccount
    documents: Sequence[HeldDocument]
    payments: Sequence[HeldPayment]
    settlements: Sequence[HeldSettlement]


_T = sa.bindparam("instant", type_=Instant)
_LATER = (settlements.c.effective_at > _T) | (settlements.c.cancelled_at > _T)
_SIDES = (settlements.c.source_ref_id, settlements.c.target_ref_id)


def _items(table: sa.Table, code: str) -> Any:
    """An index each finds what is open, what was cancelled since, and what settlements touched since."""
    open_then = sa.union(
        sa.select(table.c.ref_id).where(sa.text(IS_OPEN)),
        sa.select(table.c.ref_id).where(table.c.cancelled, table.c.cancelled_at > _T),
        *(sa.select(side).where(_LATER) for side in _SIDES),
    ).subquery()
    item, account = entities.alias(), entities.alias()
    return (
        sa.select(table.c.account_ref_id, sa.literal_column(f"'{code}'"), item.c.value, account.c.value)
        .join(open_then, open_then.c.ref_id == table.c.ref_id)
        .join(item, (item.c.code == sa.literal_column(f"'{code}'")) & (item.c.ref_id == table.c.ref_id))
        .outerjoin(
            account,
            (account.c.code == sa.literal_column("'account'")) & (account.c.ref_id == table.c.account_ref_id),
        )
    )


def _touching(table: sa.Table, side: "sa.Column[Any]") -> Any:
    """A settlement is told wherever its items belong now: a payment takes what it paid elsewhere along."""
    return (
        sa.select(table.c.account_ref_id, sa.literal_column("'settlement'"), settlements.c.value, sa.null())
        .join(settlements, side == table.c.ref_id)
        .where(_LATER)
    )


_HOLDINGS = sa.union_all(
    _items(documents, "document"),
    _items(payments, "payment"),
    *(_touching(table, side) for table in (documents, payments) for side in _SIDES),
).order_by(sa.literal_column("1"))
_KINDS = {"document": HeldDocument, "payment": HeldPayment, "settlement": HeldSettlement}
_decoders = {kind: msgspec.json.Decoder(held) for kind, held in _KINDS.items()}
_account = msgspec.json.Decoder(HeldAccount)


def holdings_since(database: Database, instant: dt.datetime) -> Iterator[Holdings]:
    """Of every account, and of none, what is open or was at that instant or a later one, as of one moment."""
    with database.transaction(snapshot=True, writing=False) as transaction:
        rows = transaction.stream(Call(_HOLDINGS, {"instant": instant}))
        for account, group in groupby(rows, key=lambda row: row[0]):
            yield _of_one(account is None, list(group))


def _of_one(is_nobodys: bool, rows: Sequence[Any]) -> Holdings:
    held: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    for _, kind, value, _ in rows:
        held[kind].append(_decoders[kind].decode(value))
    told = next((account for *_, account in rows if account is not None), None)
    return Holdings(
        is_nobodys=is_nobodys,
        account=HeldAccount(account_type="", currency="") if told is None else _account.decode(told),
        documents=held["document"],
        payments=held["payment"],
        settlements=list({settlement.ref_id: settlement for settlement in held["settlement"]}.values()),
    )
