"""Many accounts and their payers in SQL: those that are named by ref_id and those by external id in one query."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_adapters.sql.drivers import Driver, Row
from ocs_adapters.sql.lookups.accounts import PAYER
from ocs_adapters.sql.lookups.asking import Asked, Known, ask
from ocs_adapters.sql.lookups.naming import ACCOUNT, id_of
from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.ports import AccountsNamed, PayersOf


@ask.register
def _accounts(lookup: AccountsNamed, driver: Driver) -> Asked | Known:
    named = {name: id_of(name) for name in lookup.names if name.is_given}
    if not named:
        return Known({})
    reader = ACCOUNT.reader(driver)

    def read(rows: Sequence[Row]) -> Mapping[AccountName, Account]:
        accounts = list(map(reader, rows))
        by: dict[tuple[str, Any], Account] = {("ref_id", account.ref_id): account for account in accounts}
        by |= {("external_id", account.external_id): account for account in accounts}
        return {name: by[known_by] for name, known_by in named.items() if known_by in by}

    return Asked(_accounts_by(driver, _ids(named.values())), _bound(driver, named.values()), read)


@ask.register
def _payers(lookup: PayersOf, driver: Driver) -> Asked | Known:
    named = [id_of(name) for name in lookup.names if name.is_given]
    if not named:
        return Known({})
    reader = PAYER.reader(driver)

    def read(rows: Sequence[Row]) -> Mapping[UUID, Payer]:
        return {payer.ref_id: payer for payer in map(reader, rows)}

    return Asked(_payers_by(driver, _ids(named)), _bound(driver, named), read)


@functools.cache
def _accounts_by(driver: Driver, ids: tuple[str, ...]) -> Any:
    sought = ACCOUNT.select().where(_is_one_of(driver, ACCOUNT.table, ids)).order_by(ACCOUNT.key)
    return sought.with_for_update(read=True, of=ACCOUNT.table)


@functools.cache
def _payers_by(driver: Driver, ids: tuple[str, ...]) -> Any:
    table = tables.accounts.alias("named")
    return PAYER.select().where(PAYER.key.in_(sa.select(table.c.ref_id).where(_is_one_of(driver, table, ids))))


def _ids(named: Collection[tuple[str, Any]]) -> tuple[str, ...]:
    """By which columns accounts are named."""
    return tuple(sorted({by for by, _ in named}))


def _is_one_of(driver: Driver, table: Any, ids: tuple[str, ...]) -> Any:
    return sa.or_(*(driver.one_of(table.c[by], f"{by}s") for by in ids))


def _bound(driver: Driver, named: Collection[tuple[str, Any]]) -> Mapping[str, Any]:
    return {f"{by}s": driver.bind_list([value for of, value in named if of == by]) for by in _ids(named)}
