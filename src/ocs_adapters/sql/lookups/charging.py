"""Chargeable events in SQL."""

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql.drivers import Driver
from ocs_adapters.sql.lookups import naming
from ocs_adapters.sql.lookups.asking import Asked, Known, ask, many
from ocs_adapters.sql.lookups.items import ask_item
from ocs_adapters.sql.lookups.naming import EVENT
from ocs_core.ports import AdjustmentsOf, ChargeableEventWithId, TakenEvents

_ADJUSTMENTS = EVENT.select().where(EVENT.table.c.original_ref_id == bindparam("original")).order_by(EVENT.key)


@ask.register
def _event(lookup: ChargeableEventWithId, driver: Driver) -> Asked | Known:
    return ask_item(naming.Named.by(EVENT, {"ref_id": lookup.ref_id}), driver)


@ask.register
def _adjustments(lookup: AdjustmentsOf, driver: Driver) -> Asked | Known:
    if lookup.ref_id is None:
        return Known(())
    return Asked(_ADJUSTMENTS, {"original": lookup.ref_id}, many(EVENT, driver))


@ask.register
def _taken(lookup: TakenEvents, driver: Driver) -> Asked | Known:
    if not lookup.external_ids:
        return Known(frozenset())
    bound = {"external_ids": driver.bind_list(lookup.external_ids)}
    return Asked(_events_with(driver), bound, lambda rows: frozenset(row[0] for row in rows))


@functools.cache
def _events_with(driver: Driver) -> Any:
    column = EVENT.table.c.external_id
    return sa.select(column).where(driver.one_of(column, "external_ids"))
