"""The pure rules of the collection balance and of its trigger (domain: section 4). No adapter decides any of this.

Everything is asked as of an instant T. What carries no date (an account's state, the configuration, which account a
payment belongs to) is taken as it is now.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from ocs_core.entities.account import Account, Payer
from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.money import within_range


class Reason(StrEnum):
    """Why a document or payment counts or not; where several apply, the first of this list is told."""

    COUNTS = "COUNTS"
    CANCELLED = "CANCELLED"
    NOTHING_OPEN = "NOTHING_OPEN"
    NOT_COLLECTION_RELEVANT = "NOT_COLLECTION_RELEVANT"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    NOT_YET_ISSUED = "NOT_YET_ISSUED"
    NOT_YET_DUE = "NOT_YET_DUE"
    NOT_INCOMING = "NOT_INCOMING"
    NOT_YET_RECEIVED = "NOT_YET_RECEIVED"


class LineKind(StrEnum):
    DOCUMENT = "DOCUMENT"
    PAYMENT = "PAYMENT"


@attrs.frozen(kw_only=True)
class Ledger:
    """What a store fetches of one payer for a balance at T: at least every item that is open now, or was touched by a
    settlement that took effect or was cancelled after T, or was itself cancelled after T; and those settlements.
    """

    account: Account
    payer: Payer
    documents: tuple[Document, ...] = ()
    payments: tuple[Payment, ...] = ()
    settlements: tuple[Settlement, ...] = ()


@attrs.frozen(kw_only=True)
class Line:
    """One item of an explained balance. Amounts in millionths; `contribution` is signed and 0 unless it COUNTS."""

    kind: LineKind
    ref_id: UUID
    number: str
    currency: str
    open_amount: int
    contribution: int
    reason: Reason


@attrs.frozen(kw_only=True)
class CollectionBalance:
    """A payer's balance at `as_of`: `balance` millionths, positive where the payer owes; the lines' sum is the balance."""

    as_of: dt.datetime
    balance: int
    oldest_due_date: dt.date | None
    lines: tuple[Line, ...]


def open_at(stored_open: int, settlements: Iterable[Settlement], instant: dt.datetime) -> int:
    """What was open of an item at an instant, in millionths, from what is open now and the item's settlements."""
    opened = stored_open
    for settlement in settlements:
        if not settlement.cancelled and settlement.effective_at > instant:
            opened += settlement.amount
        elif settlement.cancelled_at is not None and settlement.cancelled_at > instant >= settlement.effective_at:
            opened -= settlement.amount
    return opened


def document_counts(
    document: Document,
    open_amount: int,
    account: Account,
    configuration: Configuration,
    as_of: dt.datetime,
    today: dt.date,
) -> Reason:
    """Whether a document counts at T (`today` is T's day in the payer's zone)."""
    document_type = configuration.document_types.get(document.document_type)
    if _cancelled_by(document.cancelled, document.cancelled_at, as_of):
        return Reason.CANCELLED
    if open_amount == 0:
        return Reason.NOTHING_OPEN
    if document_type is None or not document_type.collection_relevant:
        return Reason.NOT_COLLECTION_RELEVANT
    if document.currency != account.currency:
        return Reason.OTHER_CURRENCY
    if document.document_issued_date > today:
        return Reason.NOT_YET_ISSUED
    if document.due_amount_type is DueAmountType.AR and document.document_due_date >= today:
        return Reason.NOT_YET_DUE
    return Reason.COUNTS


def payment_counts(
    payment: Payment, remaining: int, account: Account, configuration: Configuration, as_of: dt.datetime
) -> Reason:
    """Whether a payment of this account counts at T."""
    setting = configuration.payment_types.get(payment.payment_type)
    if _cancelled_by(payment.cancelled, payment.cancelled_at, as_of):
        return Reason.CANCELLED
    if remaining <= 0:
        return Reason.NOTHING_OPEN
    if setting is None or not setting.collection_relevant:
        return Reason.NOT_COLLECTION_RELEVANT if payment.payment_type is PaymentType.IN else Reason.NOT_INCOMING
    if payment.currency != account.currency:
        return Reason.OTHER_CURRENCY
    if payment.payment_date_received is not None and payment.payment_date_received > as_of:
        return Reason.NOT_YET_RECEIVED
    return Reason.COUNTS


def _cancelled_by(cancelled: bool, cancelled_at: dt.datetime | None, instant: dt.datetime) -> bool:
    return cancelled and (cancelled_at is None or cancelled_at <= instant)


def collection_balance(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """Due invoices less liabilities and overpayments at T, with a line for every item of the ledger.

    Raises `AmountOutOfRange` where the balance does not fit 64 bits.
    """
    today = day_of(as_of, configuration.zone_of(ledger.account.account_type))
    touching = _by_item(ledger.settlements)
    lines: list[Line] = []
    oldest: dt.date | None = None
    for document in ledger.documents:
        amount = open_at(document.due_amount, touching.get(document.ref_id, ()), as_of)
        reason = document_counts(document, amount, ledger.account, configuration, as_of, today)
        is_receivable = document.due_amount_type is DueAmountType.AR
        contribution = (amount if is_receivable else -amount) if reason is Reason.COUNTS else 0
        if contribution and is_receivable and (oldest is None or document.document_due_date < oldest):
            oldest = document.document_due_date
        lines.append(
            Line(
                kind=LineKind.DOCUMENT,
                ref_id=document.ref_id,
                number=document.document_no,
                currency=document.currency,
                open_amount=amount,
                contribution=contribution,
                reason=reason,
            )
        )
    for payment in ledger.payments:
        amount = open_at(payment.remaining_amount, touching.get(payment.ref_id, ()), as_of)
        reason = payment_counts(payment, amount, ledger.account, configuration, as_of)
        lines.append(
            Line(
                kind=LineKind.PAYMENT,
                ref_id=payment.ref_id,
                number=payment.payment_no,
                currency=payment.currency,
                open_amount=amount,
                contribution=-amount if reason is Reason.COUNTS else 0,
                reason=reason,
            )
        )
    balance = within_range(sum(line.contribution for line in lines))
    return CollectionBalance(as_of=as_of, balance=balance, oldest_due_date=oldest, lines=tuple(lines))


def _by_item(settlements: Iterable[Settlement]) -> Mapping[UUID, list[Settlement]]:
    touching: defaultdict[UUID, list[Settlement]] = defaultdict(list)
    for settlement in settlements:
        touching[settlement.source_ref_id].append(settlement)
        touching[settlement.target_ref_id].append(settlement)
    return touching


def should_start(
    balance: int,
    oldest_due_date: dt.date | None,
    configuration: Configuration,
    currency: str,
    as_of: dt.datetime,
    zone: ZoneInfo,
) -> bool:
    """Whether collection is due: the balance is above the currency's threshold and old enough."""
    if oldest_due_date is None or balance <= configuration.threshold(currency):
        return False
    return (day_of(as_of, zone) - oldest_due_date).days >= configuration.collection.grace_days
