"""The finance system's figures: what is open of all payers, by the core's own rules, and payments day by day. Amounts in
millionths; days as `KeepFinance` was told."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

import attrs
import sqlalchemy as sa

from ocs_adapters.consumers.finance.held import HeldPayment
from ocs_adapters.consumers.finance.ledgers import Holdings, holdings_since
from ocs_adapters.consumers.finance.tables import payments
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import value_reader
from ocs_adapters.sql.tables.columns import Instant
from ocs_core.collection import Reason, open_at, payment_has_moved, payment_is_closed, settlements_by_item
from ocs_core.entities.configuration import Configuration, as_instant, day_of
from ocs_core.entities.payment import PaymentType
from ocs_core.ledger import Ledger
from ocs_core.open_balance import Figure, open_balance

AGES = (0, 30, 60, 90)
"""Days: 0 to 30, 31 to 60, 61 to 90, more."""
NOT_YET = "not due"
UNDATED = "undated"
OPEN_BALANCE = "openBalance"

_WHAT = (payments.c.day, payments.c.payment_type, payments.c.payment_method, payments.c.currency)
_PAYMENTS = (
    sa.select(*_WHAT, sa.func.count(), sa.func.sum(payments.c.amount))
    .where(
        payments.c.day.between(sa.bindparam("first"), sa.bindparam("last")) | payments.c.day.is_(None),
        sa.not_(payments.c.cancelled) | (payments.c.cancelled_at > sa.bindparam("instant", type_=Instant)),
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


@attrs.frozen(order=True)
class OfFigure:
    """What a figure adds to the open balances of all payers in a currency: negative where the provider owes. The figure
    `openBalance` is the sum of the others."""

    currency: str
    figure: str
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


@attrs.frozen(kw_only=True)
class OpenItems:
    """What was open: receivables by the days since they were due, incoming payments without an account by the days since they
    came, and the figures that the open balances of all payers are made of."""

    receivables: Sequence[OfAge]
    unidentified: Sequence[OfAge]
    balances: Sequence[OfFigure]


@attrs.frozen(kw_only=True)
class Figures:
    """What the finance system knows at `now`; the configuration says where it is which day."""

    database: Database
    configuration: Configuration
    now: dt.datetime

    def open_items(self, day: dt.date | None = None) -> OpenItems:
        """What was open at the end of a day, where each payer is; without a day, what is now."""
        found = _Adding()
        for held in holdings_since(self.database, self._since(day)):
            if held.is_nobodys:
                found.unidentified += self._unidentified(held, day)
            else:
                self._add_balance(held, day, found)
        return found.items()

    def payments(self, first: dt.date, last: dt.date) -> Sequence[OfDay]:
        """Payments from one day to another, both included, by day, type and method; those left out that were cancelled by the
        end of it. Those that have neither been received nor sent have no day, and are told of too."""
        instant = as_instant(last, self.configuration.zone, self.now)
        (rows,) = self.database.read(Call(_PAYMENTS, {"first": first, "last": last, "instant": instant}))
        read_day = value_reader(dt.date, self.database.driver)
        return [
            OfDay(read_day(day), kind, method, currency, int(count), int(amount))
            for day, kind, method, currency, count, amount in rows
        ]

    def _since(self, day: dt.date | None) -> dt.datetime:
        """No payer's end of that day is earlier."""
        zones = {self.configuration.zone, *map(self.configuration.zone_of, self.configuration.account_types)}
        return min(self._instant(day, zone) for zone in zones)

    def _instant(self, day: dt.date | None, zone: ZoneInfo) -> dt.datetime:
        return self.now if day is None else min(self.now, as_instant(day, zone, self.now))

    def _add_balance(self, held: Holdings, day: dt.date | None, found: "_Adding") -> None:
        zone = self.configuration.zone_of(held.account.account_type)
        instant = self._instant(day, zone)
        # Of each thing there is as much as the rules ask of it.
        view = open_balance(cast(Ledger, held), self.configuration, instant)
        due_days = {document.ref_id: document.document_due_date for document in held.documents}
        today = day_of(instant, zone)
        for line in view.lines:
            if line.figure is None:
                continue
            found.add(line.currency, line.figure, line.open_amount)
            if line.figure in {Figure.DUE, Figure.FUTURE}:
                age = (today - due_days[line.ref_id]).days if line.figure is Figure.DUE else -1
                found.receivables.append((line.currency, age, line.open_amount))

    def _unidentified(self, held: Holdings, day: dt.date | None) -> Iterator[tuple[str, int | None, int]]:
        zone = self.configuration.zone
        instant, touching = self._instant(day, zone), settlements_by_item(cast(Any, held.settlements))
        for payment in held.payments:
            remaining = open_at(payment.remaining_amount, touching.get(payment.ref_id, ()), instant)
            if _is_unidentified(payment, remaining, instant):
                received = payment.payment_date_received
                age = None if received is None else (day_of(instant, zone) - day_of(received, zone)).days
                yield payment.currency, age, remaining


def _is_unidentified(payment: HeldPayment, remaining: int, instant: dt.datetime) -> bool:
    if payment.payment_type is not PaymentType.IN or payment_is_closed(payment, remaining, instant) is not None:
        return False
    return payment_has_moved(payment, instant) is Reason.COUNTS


@attrs.define
class _Adding:
    receivables: list[tuple[str, int | None, int]] = attrs.field(factory=list)
    unidentified: list[tuple[str, int | None, int]] = attrs.field(factory=list)
    _figures: dict[tuple[str, str], list[int]] = attrs.field(factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, currency: str, figure: Figure, amount: int) -> None:
        signed = -amount if figure in {Figure.LIABLE, Figure.OVERPAYMENT} else amount
        for name in (figure.value, OPEN_BALANCE):
            of_figure = self._figures[currency, name]
            of_figure[0] += 1
            of_figure[1] += signed

    def items(self) -> OpenItems:
        order = [*(figure.value for figure in Figure), OPEN_BALANCE]
        ranked = sorted(self._figures, key=lambda of: (of[0], order.index(of[1])))
        return OpenItems(
            receivables=by_age(self.receivables),
            unidentified=by_age(self.unidentified),
            balances=[OfFigure(currency, figure, *self._figures[currency, figure]) for currency, figure in ranked],
        )


def by_age(items: Iterable[tuple[str, int | None, int]]) -> Sequence[OfAge]:
    """Sums of (currency, days, amount), per currency and age, the youngest first; negative days: not due, None: undated."""
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for currency, days, amount in items:
        of_age = sums[currency, len(AGES) if days is None else _rank(days)]
        of_age[0] += 1
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
