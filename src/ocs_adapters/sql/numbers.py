"""Numbers of a series: one that may have gaps is a sequence on PostgreSQL; any other is a row, held by who draws of it."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Driver
from ocs_core.ports import PAYMENT_NUMBERS, Series

_SEQUENCES: Mapping[Series, sa.Sequence] = {PAYMENT_NUMBERS: tables.payment_numbers}
_COUNT: Any = bindparam("count", type_=sa.BigInteger())
DRAW = (
    sa.update(tables.series)
    .where(tables.series.c.name == bindparam("series"))
    .values(last=tables.series.c.last + _COUNT)
    .returning(tables.series.c.last)
)
"""The last of so many numbers, all of them this transaction's."""


def sequence_of(series: Series, driver: Driver) -> sa.Sequence | None:
    """Where the series is one of the database's own."""
    return _SEQUENCES.get(series) if driver.name == "postgresql" else None


@functools.cache
def _next_of(sequence: sa.Sequence) -> Any:
    several = sa.func.generate_series(1, _COUNT).table_valued("number")
    return sa.select(sequence.next_value()).select_from(several)


def draw(transaction: Transaction, series: Series, count: int) -> Sequence[int]:
    """The next numbers of a series."""
    sequence = sequence_of(series, transaction.driver)
    if sequence is not None:
        (rows,) = transaction.run([Call(_next_of(sequence), {"count": count})])
        return [number for (number,) in rows]
    (((last,),),) = transaction.run([Call(DRAW, {"series": series.name, "count": count})])
    return range(last - count + 1, last + 1)
