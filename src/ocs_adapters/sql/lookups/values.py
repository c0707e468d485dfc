"""Values that are taken, and numbers, in SQL."""

import functools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.drivers import Driver
from ocs_adapters.sql.lookups.asking import Asked, Known, ask, truth, value
from ocs_adapters.sql.numbers import DRAW, sequence_of
from ocs_core.ports import NextNumber, Taken


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


@ask.register
def _taken(lookup: Taken, driver: Driver) -> Asked | Known:
    if lookup.value is None:
        return Known(False)
    return Asked(_TAKEN[lookup.what], {lookup.what: lookup.value}, truth, joins=True)


@ask.register
def _next_number(lookup: NextNumber, driver: Driver) -> Asked | Known:
    sequence = sequence_of(lookup.series, driver)
    if sequence is None:
        return Asked(DRAW, {"series": lookup.series.name, "count": 1}, value)
    return Asked(_next_of(sequence), {}, value, joins=True)


@functools.cache
def _next_of(sequence: sa.Sequence) -> Any:
    return sa.select(sequence.next_value().label("number"))
