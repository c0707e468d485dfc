"""Accounts and payers in SQL."""

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.drivers import Driver
from ocs_adapters.sql.lookups import naming
from ocs_adapters.sql.lookups.asking import Asked, Known, ask, one
from ocs_adapters.sql.lookups.naming import ACCOUNT, id_of
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Payer
from ocs_core.ports import (
    AccountNamed,
    ChargeableEventWithId,
    DocumentNamed,
    OwnerOf,
    PayerOf,
    PaymentNamed,
    SettlementWithId,
)

PAYER = rows_of(Payer)


@ask.register
def _account(lookup: AccountNamed, driver: Driver) -> Asked | Known:
    if lookup.name is None or not lookup.name.is_given:
        return Known(None)
    by, value = id_of(lookup.name)
    return Asked(_account_by(by, lookup.exclusively), {"account": value}, one(ACCOUNT, driver), joins=True)


@functools.cache
def _account_by(by: str, exclusively: bool) -> Any:
    table = ACCOUNT.table
    return ACCOUNT.select().where(table.c[by] == bindparam("account")).with_for_update(read=not exclusively, of=table)


@ask.register
def _payer(lookup: PayerOf, driver: Driver) -> Asked | Known:
    if lookup.name is None or not lookup.name.is_given:
        return Known(None)
    by, value = id_of(lookup.name)
    return Asked(_payer_by(by, lookup.exclusively), {"payer_of": value}, one(PAYER, driver), joins=True)


@functools.cache
def _payer_by(by: str, exclusively: bool) -> Any:
    of: Any = bindparam("payer_of")
    named = tables.accounts.alias("named")
    by_external_id = sa.select(named.c.ref_id).where(named.c.external_id == of).scalar_subquery()
    query = PAYER.select().where(PAYER.key == (of if by == "ref_id" else by_external_id))
    return query.with_for_update(of=PAYER.table) if exclusively else query


@ask.register
def _owner(lookup: OwnerOf, driver: Driver) -> Asked | Known:
    item = _item(lookup)
    return Asked(_owner_of(item.rows, item.names), item.values, one(ACCOUNT, driver)) if item else Known(None)


def _item(lookup: OwnerOf) -> naming.Named | None:
    match lookup.item:
        case PaymentNamed(name):
            return naming.payment(name)
        case DocumentNamed(name):
            return naming.document(name)
        case SettlementWithId(ref_id):
            return naming.Named.by(naming.SETTLEMENT, {"ref_id": ref_id})
        case ChargeableEventWithId(ref_id):
            return naming.Named.by(naming.EVENT, {"ref_id": ref_id})


@functools.cache
def _owner_of(rows: Any, names: tuple[str, ...]) -> Any:
    account = naming.column_of(rows, names, "account_ref_id")
    return ACCOUNT.select().where(ACCOUNT.key == account).with_for_update(read=True, of=ACCOUNT.table)
