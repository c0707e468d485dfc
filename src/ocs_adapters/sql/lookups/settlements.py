"""Settlements in SQL, and what they are between."""

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql.drivers import Driver
from ocs_adapters.sql.lookups import naming
from ocs_adapters.sql.lookups.asking import Asked, Known, ask, many, one
from ocs_adapters.sql.lookups.items import ask_item
from ocs_adapters.sql.lookups.naming import DOCUMENT, PAYMENT, SETTLEMENT
from ocs_core.ports import LiveSettlements, SettlementsAfter, SettlementWithId, SourceOf, TargetOf

Items = tuple[tuple[Any, tuple[str, ...]], ...]


def _with_id(lookup: SettlementWithId) -> naming.Named | None:
    return naming.Named.by(SETTLEMENT, {"ref_id": lookup.ref_id})


@ask.register
def _settlement(lookup: SettlementWithId, driver: Driver) -> Asked | Known:
    return ask_item(_with_id(lookup), driver)


@ask.register
def _source(lookup: SourceOf, driver: Driver) -> Asked | Known:
    return _side(PAYMENT, "source_ref_id", lookup.settlement, driver)


@ask.register
def _target(lookup: TargetOf, driver: Driver) -> Asked | Known:
    return _side(DOCUMENT, "target_ref_id", lookup.settlement, driver)


def _side(rows: Any, column: str, of: SettlementWithId, driver: Driver) -> Asked | Known:
    named = _with_id(of)
    return Asked(_item_of(rows, named.names, column), named.values, one(rows, driver)) if named else Known(None)


@functools.cache
def _item_of(rows: Any, names: tuple[str, ...], column: str) -> Any:
    """What a settlement refers to by that column, which never changes."""
    ref = naming.column_of(SETTLEMENT, names, column)
    return rows.select().where(rows.key == ref).with_for_update(of=rows.table)


@ask.register
def _live(lookup: LiveSettlements, driver: Driver) -> Asked | Known:
    named = _named(lookup)
    if not named:
        return Known(())
    return Asked(_live_between(_shape(named)), _values(named), many(SETTLEMENT, driver))


@functools.cache
def _live_between(items: Items) -> Any:
    """Settlements that touch every one of the items."""
    table = SETTLEMENT.table
    refs = [naming.column_of(rows, names, "ref_id") for rows, names in items]
    touching = [sa.or_(table.c.source_ref_id == ref, table.c.target_ref_id == ref) for ref in refs]
    sought = SETTLEMENT.select().where(~table.c.cancelled, *touching).order_by(SETTLEMENT.key)
    return sought.with_for_update(of=table)


@ask.register
def _after(lookup: SettlementsAfter, driver: Driver) -> Asked | Known:
    named = _named(lookup)
    if not named:
        return Known(())
    parameters = {**_values(named), "settlements_after": lookup.instant}
    return Asked(_changed_after(_shape(named)), parameters, many(SETTLEMENT, driver))


@functools.cache
def _changed_after(items: Items) -> Any:
    """Settlements that touch one of the items, live or cancelled, and took effect or were cancelled after an instant."""
    table = SETTLEMENT.table
    after: Any = bindparam("settlements_after")
    refs = [naming.column_of(rows, names, "ref_id") for rows, names in items]
    touching = [column == ref for ref in refs for column in (table.c.source_ref_id, table.c.target_ref_id)]
    changed = sa.or_(table.c.effective_at > after, table.c.cancelled_at > after)
    return SETTLEMENT.select().where(sa.or_(*touching), changed)


def _named(lookup: LiveSettlements | SettlementsAfter) -> list[naming.Named]:
    return [item for item in (naming.payment(lookup.payment), naming.document(lookup.document)) if item]


def _shape(named: list[naming.Named]) -> Items:
    return tuple((item.rows, item.names) for item in named)


def _values(named: list[naming.Named]) -> dict[str, Any]:
    return {name: value for item in named for name, value in item.values.items()}
