"""Values that are taken, and numbers, in SQL."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.drivers import Driver
from ocs_adapters.sql.lookups.asking import Asked, Known, ask, truth, value
from ocs_core.ports import PAYMENT_NUMBERS, NextNumber, Taken


def _exists(column: Any, name: str, *conditions: Any) -> Any:
    return sa.select(sa.exists().where(column == bindparam(name), *conditions).label(name))


_TAKEN: Mapping[str, Any] = {
    "external_account_id": _exists(tables.accounts.c.external_id, "external_account_id"),
    "external_payment_no": _exists(
        tables.payments.c.external_payment_no,
        "external_payment_no",
        tables.payments.c.payment_type == sa.literal_column("'IN'"),
    ),
    "external_document_no": _exists(tables.documents.c.external_document_no, "external_document_no"),
}
_SEQUENCE = sa.select(tables.payment_numbers.next_value().label("number"))
_DRAW = (
    sa.update(tables.series)
    .where(tables.series.c.name == bindparam("series"))
    .values(last=tables.series.c.last + 1)
    .returning(tables.series.c.last)
)


@ask.register
def _taken(lookup: Taken, driver: Driver) -> Asked | Known:
    if lookup.value is None:
        return Known(False)
    return Asked(_TAKEN[lookup.what], {lookup.what: lookup.value}, truth, joins=True)


@ask.register
def _next_number(lookup: NextNumber, driver: Driver) -> Asked | Known:
    if lookup.series == PAYMENT_NUMBERS and driver.name == "postgresql":
        return Asked(_SEQUENCE, {}, value, joins=True)
    return Asked(_DRAW, {"series": lookup.series.name}, value)
