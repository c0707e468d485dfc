"""The open balance of a payer: all that is open as of an instant T, due or not (domain: section 7; ADR 5 where it is silent).

What is open at T, and since when an item exists, is decided by the rules of the collection balance; its choice of types is
not: whatever is open is told, and every currency by itself.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import attrs

from ocs_core.collection import (
    LineKind,
    Reason,
    document_is_closed,
    document_is_due,
    open_at,
    payment_has_moved,
    payment_is_closed,
    settlements_by_item,
)
from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.ledger import Ledger
from ocs_core.money import within_range


class Figure(StrEnum):
    """What an open item adds to: receivables past their due day or not yet, what the provider owes, money not used, or sent."""

    DUE = "DUE"
    FUTURE = "FUTURE"
    LIABLE = "LIABLE"
    OVERPAYMENT = "OVERPAYMENT"
    SENT_BACK = "SENT_BACK"


@attrs.frozen(kw_only=True)
class OpenLine:
    """One document or payment: what is open of it, in millionths of its currency, and the figure of that currency it adds to.

    Without a figure it adds to none, and `reason` says why; of a `FUTURE` item the reason is `NOT_YET_DUE`.
    """

    kind: LineKind
    ref_id: UUID
    number: str
    document_type: str | None
    currency: str
    open_amount: int
    figure: Figure | None
    reason: Reason


@attrs.frozen(kw_only=True)
class OpenFigures:
    """What is open in one currency, in millionths: `receivable` is `due` and `future` together; the open balance is that and
    `sent_back` less `liable` and `overpayment`, positive where the payer owes.
    """

    currency: str
    open_balance: int
    receivable: int
    due: int
    future: int
    liable: int
    overpayment: int
    sent_back: int


@attrs.frozen(kw_only=True)
class OpenFiguresOfType(OpenFigures):
    """The figures of the documents of one type; where it is null, those of the payments, which have none."""

    document_type: str | None


@attrs.frozen(kw_only=True)
class OpenBalance:
    """A payer's open balance at `as_of`. `figures` are in the account's currency; `other_currencies` has those in which
    something is open. Of each currency, `by_type` adds up to its figures, and so do the lines.
    """

    as_of: dt.datetime
    figures: OpenFigures
    other_currencies: tuple[OpenFigures, ...]
    by_type: tuple[OpenFiguresOfType, ...]
    lines: tuple[OpenLine, ...]


class _Found(NamedTuple):
    """A document or payment at T: what is open of it, in millionths, and the figure it adds to, or why to none."""

    kind: LineKind
    item: Any
    document_type: str | None
    open_amount: int
    figure: Figure | None
    reason: Reason


_Sums = Mapping[tuple[str, str | None, Figure], int]
"""Amounts by currency, document type and figure."""


def open_balance(
    ledger: Ledger, configuration: Configuration, as_of: dt.datetime, *, with_lines: bool = True
) -> OpenBalance:
    """What is open of a payer at T, in every currency and of every type, with a line for every item of the ledger.

    `with_lines`: otherwise there are none; `open_lines` makes those of a part. Raises `AmountOutOfRange` where a figure does not
    fit 64 bits.
    """
    sums: Counter[tuple[str, str | None, Figure]] = Counter()
    for found in _items(ledger, configuration, as_of):
        if found.figure is not None:
            sums[found.item.currency, found.document_type, found.figure] += found.open_amount
    own = ledger.account.currency
    groups = sorted({(currency, of_type) for currency, of_type, _ in sums}, key=lambda of: (of[0], of[1] or ""))
    others = sorted({currency for currency, _ in groups} - {own})
    return OpenBalance(
        as_of=as_of,
        figures=_of_currency(sums, own),
        other_currencies=tuple(_of_currency(sums, currency) for currency in others),
        by_type=tuple(_of_type(sums, currency, of_type) for currency, of_type in groups),
        lines=open_lines(ledger, configuration, as_of) if with_lines else (),
    )


def open_lines(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> tuple[OpenLine, ...]:
    """A line for every item of a ledger, or of a part of one, at T."""
    return tuple(map(_line, _items(ledger, configuration, as_of)))


def _items(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> Iterator[_Found]:
    today = day_of(as_of, configuration.zone_of(ledger.account.account_type))
    touching = settlements_by_item(ledger.settlements)
    for document in ledger.documents:
        amount = open_at(document.due_amount, touching.get(document.ref_id, ()), as_of)
        yield _of_document(document, amount, as_of, today)
    for payment in ledger.payments:
        yield _of_payment(payment, open_at(payment.remaining_amount, touching.get(payment.ref_id, ()), as_of), as_of)


def _of_document(document: Document, open_amount: int, as_of: dt.datetime, today: dt.date) -> _Found:
    reason = document_is_closed(document, open_amount, as_of) or document_is_due(document, today)
    figure = None
    if reason is Reason.COUNTS:
        figure = Figure.DUE if document.due_amount_type is DueAmountType.AR else Figure.LIABLE
    elif reason is Reason.NOT_YET_DUE:
        figure = Figure.FUTURE
    return _Found(LineKind.DOCUMENT, document, document.document_type, open_amount, figure, reason)


def _of_payment(payment: Payment, remaining: int, as_of: dt.datetime) -> _Found:
    """Money received counts for the payer, money sent against it; what is only promised is no money."""
    reason = payment_is_closed(payment, remaining, as_of)
    if reason is None:
        is_promised = payment.payment_type is PaymentType.PROMISE_TO_PAY
        reason = Reason.NOT_INCOMING if is_promised else payment_has_moved(payment, as_of)
    moved = Figure.OVERPAYMENT if payment.payment_type is PaymentType.IN else Figure.SENT_BACK
    return _Found(LineKind.PAYMENT, payment, None, remaining, moved if reason is Reason.COUNTS else None, reason)


def _line(found: _Found) -> OpenLine:
    kind, item, document_type, open_amount, figure, reason = found
    return OpenLine(
        kind=kind,
        ref_id=item.ref_id,
        number=item.document_no if kind is LineKind.DOCUMENT else item.payment_no,
        document_type=document_type,
        currency=item.currency,
        open_amount=open_amount,
        figure=figure,
        reason=reason,
    )


def _of_currency(sums: _Sums, currency: str) -> OpenFigures:
    adding: Counter[Figure] = Counter()
    for (of_currency, _, figure), amount in sums.items():
        if of_currency == currency:
            adding[figure] += amount
    return OpenFigures(currency=currency, **_figures(adding))


def _of_type(sums: _Sums, currency: str, document_type: str | None) -> OpenFiguresOfType:
    adding = {figure: sums.get((currency, document_type, figure), 0) for figure in Figure}
    return OpenFiguresOfType(currency=currency, document_type=document_type, **_figures(Counter(adding)))


def _figures(adding: Counter[Figure]) -> dict[str, int]:
    """The figures of one currency, by name."""
    receivable = adding[Figure.DUE] + adding[Figure.FUTURE]
    figures = {
        "open_balance": receivable + adding[Figure.SENT_BACK] - adding[Figure.LIABLE] - adding[Figure.OVERPAYMENT],
        "receivable": receivable,
        "due": adding[Figure.DUE],
        "future": adding[Figure.FUTURE],
        "liable": adding[Figure.LIABLE],
        "overpayment": adding[Figure.OVERPAYMENT],
        "sent_back": adding[Figure.SENT_BACK],
    }
    return {name: within_range(amount) for name, amount in figures.items()}
