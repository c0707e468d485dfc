"""The finance system's figures, each from an index of its own. Amounts in millionths; days as `KeepFinance` was told."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from ocs_adapters.consumers.finance.tables import documents, payments
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call

AGES = (0, 30, 60, 90)
"""Days: 0 to 30, 31 to 60, 61 to 90, more."""
NOT_YET = "not due"
UNDATED = "undated"

_RECEIVABLE = (
    sa.select(documents.c.currency, documents.c.due_date, sa.func.count(), sa.func.sum(documents.c.due_amount))
    .where(sa.text("due_amount_type = 'AR' AND due_amount <> 0 AND NOT cancelled"))
    .group_by(documents.c.currency, documents.c.due_date)
)
_UNIDENTIFIED = (
    sa.select(payments.c.currency, payments.c.day, sa.func.count(), sa.func.sum(payments.c.amount))
    .where(sa.text("payment_type = 'IN' AND account_ref_id IS NULL AND NOT cancelled"))
    .group_by(payments.c.currency, payments.c.day)
)
_WHAT = (payments.c.day, payments.c.payment_type, payments.c.payment_method, payments.c.currency)
_PAYMENTS = (
    sa.select(*_WHAT, sa.func.count(), sa.func.sum(payments.c.amount))
    .where(
        payments.c.day.between(sa.bindparam("first"), sa.bindparam("last")) | payments.c.day.is_(None),
        sa.text("NOT cancelled"),
    )
    .group_by(*_WHAT)
    .order_by(*_WHAT)
)


@attrs.frozen(order=True)
class OfAge:
    """How many things of an age there are, and what they amount to."""

    currency: str
    age: str
    count: int
    amount: int


@attrs.frozen
class OfDay:
    """The payments of one day, by type and method."""

    day: dt.date | None
    payment_type: str
    payment_method: str
    currency: str
    count: int
    amount: int


@attrs.frozen
class Figures:
    """What the finance system knows about receivables and payments, as of now."""

    database: Database

    def ageing(self, today: dt.date) -> Sequence[OfAge]:
        """Open receivables by the days since they were due; what is not due yet apart."""
        return self._by_age(_RECEIVABLE, today)

    def unidentified(self, today: dt.date) -> Sequence[OfAge]:
        """Incoming payments that belong to no account, by the days since they were received."""
        return self._by_age(_UNIDENTIFIED, today)

    def payments(self, first: dt.date, last: dt.date) -> Sequence[OfDay]:
        """Payments from one day to another, both included, by day, type and method; cancelled ones left out.
        Those that have neither been received nor sent have no day, and are told of too."""
        (rows,) = self.database.read(Call(_PAYMENTS, {"first": first, "last": last}))
        to_day = self._to_day()
        return [
            OfDay(to_day(day), kind, method, currency, int(count), int(amount))
            for day, kind, method, currency, count, amount in rows
        ]

    def _by_age(self, statement: Any, today: dt.date) -> Sequence[OfAge]:
        (rows,) = self.database.read(Call(statement))
        to_day = self._to_day()
        return by_age(((currency, to_day(day), int(n), int(amount)) for currency, day, n, amount in rows), today)

    def _to_day(self) -> Any:
        decode = self.database.driver.decoder(dt.date) or (lambda day: day)
        return lambda day: None if day is None else decode(day)


def by_age(items: Iterable[tuple[str, dt.date | None, int, int]], today: dt.date) -> Sequence[OfAge]:
    """Sums of (currency, day, count, amount), per currency and age, the youngest first."""
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for currency, day, count, amount in items:
        of_age = sums[currency, len(AGES) if day is None else _rank((today - day).days)]
        of_age[0] += count
        of_age[1] += amount
    return [OfAge(currency, _label(rank), *sums[currency, rank]) for currency, rank in sorted(sums)]


def _rank(days: int) -> int:
    return -1 if days < 0 else sum(days > age for age in AGES[1:])


def _label(rank: int) -> str:
    if rank < 0:
        return NOT_YET
    if rank == len(AGES):
        return UNDATED
    first = AGES[rank] + (rank > 0)
    return f"{first}-{AGES[rank + 1]}" if rank + 1 < len(AGES) else f"{first}+"
