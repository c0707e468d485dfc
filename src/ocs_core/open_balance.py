"""The open balance of a payer: all that is open as of an instant T, due or not (domain: section 7; ADR 5 where it is silent).

What is open at T, and since when an item exists, is decided by the rules of the collection balance; its choice of types is
not: whatever is open is told, and every currency by itself.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
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


def open_balance(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> OpenBalance:
    """What is open of a payer at T, in every currency and of every type, with a line for every item of the ledger.

    Raises `AmountOutOfRange` where a figure does not fit 64 bits.
    """
    today = day_of(as_of, configuration.zone_of(ledger.account.account_type))
    touching = settlements_by_item(ledger.settlements)

    def at(stored_open: int, ref_id: UUID) -> int:
        return open_at(stored_open, touching.get(ref_id, ()), as_of)

    lines = (
        *(_of_document(d, at(d.due_amount, d.ref_id), as_of, today) for d in ledger.documents),
        *(_of_payment(p, at(p.remaining_amount, p.ref_id), as_of) for p in ledger.payments),
    )
    counting = [line for line in lines if line.figure is not None]
    own = ledger.account.currency
    others = sorted({line.currency for line in counting} - {own})
    groups = sorted({(line.currency, line.document_type) for line in counting}, key=lambda of: (of[0], of[1] or ""))

    def of(currency: str) -> OpenFigures:
        return OpenFigures(currency=currency, **_sums(ln for ln in counting if ln.currency == currency))

    return OpenBalance(
        as_of=as_of,
        figures=of(own),
        other_currencies=tuple(map(of, others)),
        by_type=tuple(
            OpenFiguresOfType(
                currency=currency,
                document_type=document_type,
                **_sums(ln for ln in counting if (ln.currency, ln.document_type) == (currency, document_type)),
            )
            for currency, document_type in groups
        ),
        lines=lines,
    )


def _of_document(document: Document, open_amount: int, as_of: dt.datetime, today: dt.date) -> OpenLine:
    reason = document_is_closed(document, open_amount, as_of) or document_is_due(document, today)
    figure = None
    if reason is Reason.COUNTS:
        figure = Figure.DUE if document.due_amount_type is DueAmountType.AR else Figure.LIABLE
    elif reason is Reason.NOT_YET_DUE:
        figure = Figure.FUTURE
    return OpenLine(
        kind=LineKind.DOCUMENT,
        ref_id=document.ref_id,
        number=document.document_no,
        document_type=document.document_type,
        currency=document.currency,
        open_amount=open_amount,
        figure=figure,
        reason=reason,
    )


def _of_payment(payment: Payment, remaining: int, as_of: dt.datetime) -> OpenLine:
    """Money received counts for the payer, money sent against it; what is only promised is no money."""
    reason = payment_is_closed(payment, remaining, as_of)
    if reason is None:
        is_promised = payment.payment_type is PaymentType.PROMISE_TO_PAY
        reason = Reason.NOT_INCOMING if is_promised else payment_has_moved(payment, as_of)
    moved = Figure.OVERPAYMENT if payment.payment_type is PaymentType.IN else Figure.SENT_BACK
    return OpenLine(
        kind=LineKind.PAYMENT,
        ref_id=payment.ref_id,
        number=payment.payment_no,
        document_type=None,
        currency=payment.currency,
        open_amount=remaining,
        figure=moved if reason is Reason.COUNTS else None,
        reason=reason,
    )


def _sums(lines: Iterable[OpenLine]) -> dict[str, int]:
    """The figures that lines of one currency add up to, by name."""
    adding: Counter[Figure | None] = Counter()
    for line in lines:
        adding[line.figure] += line.open_amount
    receivable = adding[Figure.DUE] + adding[Figure.FUTURE]
    sums = {
        "open_balance": receivable + adding[Figure.SENT_BACK] - adding[Figure.LIABLE] - adding[Figure.OVERPAYMENT],
        "receivable": receivable,
        "due": adding[Figure.DUE],
        "future": adding[Figure.FUTURE],
        "liable": adding[Figure.LIABLE],
        "overpayment": adding[Figure.OVERPAYMENT],
        "sent_back": adding[Figure.SENT_BACK],
    }
    return {name: within_range(amount) for name, amount in sums.items()}
