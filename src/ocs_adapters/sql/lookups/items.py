"""Payments and documents in SQL, held until the commit."""

import functools
from typing import Any

from ocs_adapters.sql.drivers import Driver
from ocs_adapters.sql.lookups import naming
from ocs_adapters.sql.lookups.asking import Asked, Known, ask, one
from ocs_core.ports import DocumentNamed, PaymentNamed


@ask.register
def _payment(lookup: PaymentNamed, driver: Driver) -> Asked | Known:
    return ask_item(naming.payment(lookup.name), driver)


@ask.register
def _document(lookup: DocumentNamed, driver: Driver) -> Asked | Known:
    return ask_item(naming.document(lookup.name), driver)


def ask_item(named: naming.Named | None, driver: Driver) -> Asked | Known:
    """The one item that is named, held until the commit."""
    if named is None:
        return Known(None)
    return Asked(_item(named.rows, named.names), named.values, one(named.rows, driver))


@functools.cache
def _item(rows: Any, names: tuple[str, ...]) -> Any:
    return rows.select().where(naming.is_named(rows, names, rows.table)).with_for_update(of=rows.table)
