"""The pure rules of the collection balance and of its trigger (domain: section 4). No adapter decides any of this.

Everything is asked as of an instant T. What carries no date (an account's state, the configuration, which account a
payment belongs to) is taken as it is now.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.frozen import frozen_mappings
from ocs_core.ledger import Ledger, LedgerAccount, LedgerDocument, LedgerPayment, OpenLedger
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
    NOT_YET_SENT = "NOT_YET_SENT"


class LineKind(StrEnum):
    DOCUMENT = "DOCUMENT"
    PAYMENT = "PAYMENT"


# Python 3.11 takes as long to look up a member of an enumeration as to do all else that is done for an item.
_COUNTS, _CANCELLED, _NOTHING_OPEN = Reason.COUNTS, Reason.CANCELLED, Reason.NOTHING_OPEN
_OTHER_CURRENCY = Reason.OTHER_CURRENCY
_DOCUMENT, _PAYMENT, _AR = LineKind.DOCUMENT, LineKind.PAYMENT, DueAmountType.AR
_IN, _PROMISE = PaymentType.IN, PaymentType.PROMISE_TO_PAY


class Counted(NamedTuple):
    """An item of a ledger at T, a document or a payment: what was open of it and what it contributed, in millionths, and why."""

    kind: LineKind
    item: Any
    open_amount: int
    contribution: int
    reason: Reason


@attrs.frozen(field_transformer=frozen_mappings)
class Balance:
    """A payer's balance: millionths of the account's currency, positive where the payer owes.

    `other_currencies`: what stayed out of it, being in another currency, signed alike.
    """

    balance: int
    oldest_due_date: dt.date | None
    other_currencies: Mapping[str, int]


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


class Shortage(NamedTuple):
    """From when on too little is open of an item, and how little then, in millionths."""

    at: dt.datetime
    open_amount: int


def first_shortage(
    stored_open: int, settlements: Iterable[Settlement], since: dt.datetime, amount: int
) -> Shortage | None:
    """When less than `amount` millionths are open of an item for the first time from `since` on; None where it fits at every
    instant. Asked with the item's settlements that took effect, or were cancelled, after `since`, at least.

    Nothing is used twice, as of whatever instant: so a settlement may take effect from `since` on (domain: section 3).
    """
    changes: defaultdict[dt.datetime, int] = defaultdict(int)
    touching = list(settlements)
    for settlement in touching:
        begins, ends = settlement.effective_at, settlement.cancelled_at
        if ends is not None and ends <= begins:
            continue
        if begins > since:
            changes[begins] -= settlement.amount
        if ends is not None and ends > since:
            changes[ends] += settlement.amount
    opened = open_at(stored_open, touching, since)
    for at, change in ((since, 0), *sorted(changes.items())):
        opened += change
        if opened < amount:
            return Shortage(at, opened)
    return None


def document_counts(
    document: LedgerDocument,
    open_amount: int,
    account: LedgerAccount,
    configuration: Configuration,
    as_of: dt.datetime,
    today: dt.date,
) -> Reason:
    """Whether a document counts at T (`today` is T's day in the payer's zone)."""
    if (closed := document_is_closed(document, open_amount, as_of)) is not None:
        return closed
    document_type = configuration.document_types.get(document.document_type)
    if document_type is None or not document_type.collection_relevant:
        return Reason.NOT_COLLECTION_RELEVANT
    if document.currency != account.currency:
        return _OTHER_CURRENCY
    return document_is_due(document, today)


def document_is_closed(document: LedgerDocument, open_amount: int, as_of: dt.datetime) -> Reason | None:
    """Why nothing of a document is open at T, for whatever balance; None where something is."""
    if _cancelled_by(document.cancelled, document.cancelled_at, as_of):
        return _CANCELLED
    return _NOTHING_OPEN if open_amount == 0 else None


def document_is_due(document: LedgerDocument, today: dt.date) -> Reason:
    """Whether what is open of a document is due: a receivable after its due day, a liability from its issue on."""
    if document.document_issued_date > today:
        return Reason.NOT_YET_ISSUED
    if document.due_amount_type == _AR and document.document_due_date >= today:
        return Reason.NOT_YET_DUE
    return _COUNTS


def payment_counts(
    payment: LedgerPayment, remaining: int, account: LedgerAccount, configuration: Configuration, as_of: dt.datetime
) -> Reason:
    """Whether a payment of this account counts at T. A promise never does: it is no money."""
    if (closed := payment_is_closed(payment, remaining, as_of)) is not None:
        return closed
    if payment.payment_type == _PROMISE:
        return Reason.NOT_INCOMING
    setting = configuration.payment_types.get(payment.payment_type)
    if setting is None or not setting.collection_relevant:
        return Reason.NOT_COLLECTION_RELEVANT
    if payment.currency != account.currency:
        return _OTHER_CURRENCY
    return payment_has_moved(payment, as_of)


def payment_is_closed(payment: LedgerPayment, remaining: int, as_of: dt.datetime) -> Reason | None:
    """Why nothing remains of a payment at T, for whatever balance; None where something does."""
    if _cancelled_by(payment.cancelled, payment.cancelled_at, as_of):
        return _CANCELLED
    return _NOTHING_OPEN if remaining <= 0 else None


def payment_has_moved(payment: LedgerPayment, as_of: dt.datetime) -> Reason:
    """Whether a payment has come by T, or an outgoing one gone; one without a date has."""
    is_incoming = payment.payment_type == _IN
    moved = payment.payment_date_received if is_incoming else payment.payment_date_sent
    if moved is None or moved <= as_of:
        return _COUNTS
    return Reason.NOT_YET_RECEIVED if is_incoming else Reason.NOT_YET_SENT


def _cancelled_by(cancelled: bool, cancelled_at: dt.datetime | None, instant: dt.datetime) -> bool:
    return cancelled and (cancelled_at is None or cancelled_at <= instant)


def count_items(ledger: OpenLedger, configuration: Configuration, as_of: dt.datetime) -> Iterator[Counted]:
    """Every item of a ledger with what it contributes to the balance at T: documents first, each in the ledger's order."""
    count = _Counting(ledger, configuration, as_of)
    for document, amount, reason in count.documents():
        signed = amount if document.due_amount_type == _AR else -amount
        yield Counted(_DOCUMENT, document, amount, signed if reason is _COUNTS else 0, reason)
    for payment, amount, reason in count.payments():
        signed = -amount if payment.payment_type == _IN else amount
        yield Counted(_PAYMENT, payment, amount, signed if reason is _COUNTS else 0, reason)


def balance_of(ledger: OpenLedger, configuration: Configuration, as_of: dt.datetime) -> Balance:
    """Due invoices and what was sent back, less liabilities and overpayments, at T.

    Raises `AmountOutOfRange` where it does not fit 64 bits.
    """
    balance, oldest = 0, None
    others: dict[str, int] = {}
    count = _Counting(ledger, configuration, as_of)
    for document, amount, reason in count.documents():
        is_owed = document.due_amount_type == _AR
        if reason is _COUNTS:
            balance += amount if is_owed else -amount
            if is_owed and (oldest is None or document.document_due_date < oldest):
                oldest = document.document_due_date
        elif reason is _OTHER_CURRENCY:
            others[document.currency] = others.get(document.currency, 0) + (amount if is_owed else -amount)
    for payment, amount, reason in count.payments():
        if reason is _COUNTS:
            balance += -amount if payment.payment_type == _IN else amount
        elif reason is _OTHER_CURRENCY:
            signed = -amount if payment.payment_type == _IN else amount
            others[payment.currency] = others.get(payment.currency, 0) + signed
    return Balance(within_range(balance), oldest, others)


class _Counting:
    """The items of a ledger, each with what was open of it at T and whether it counts."""

    def __init__(self, ledger: OpenLedger, configuration: Configuration, as_of: dt.datetime) -> None:
        self.ledger, self.configuration, self.as_of = ledger, configuration, as_of
        self.touching = settlements_by_item(ledger.settlements) if ledger.settlements else {}

    def documents(self) -> Iterator[tuple[LedgerDocument, int, Reason]]:
        account, configuration, as_of, touching = self.ledger.account, self.configuration, self.as_of, self.touching
        today = day_of(as_of, configuration.zone_of(account.account_type))
        for document in self.ledger.documents:
            amount = document.due_amount
            if touching:
                amount = open_at(amount, touching.get(document.ref_id, ()), as_of)
            yield document, amount, document_counts(document, amount, account, configuration, as_of, today)

    def payments(self) -> Iterator[tuple[LedgerPayment, int, Reason]]:
        account, configuration, as_of, touching = self.ledger.account, self.configuration, self.as_of, self.touching
        for payment in self.ledger.payments:
            amount = payment.remaining_amount
            if touching:
                amount = open_at(amount, touching.get(payment.ref_id, ()), as_of)
            yield payment, amount, payment_counts(payment, amount, account, configuration, as_of)


def collection_balance(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """The same balance explained, with a line for every item of the ledger. Raises `AmountOutOfRange`."""
    found = balance_of(ledger, configuration, as_of)
    lines = balance_lines(ledger, configuration, as_of)
    return CollectionBalance(as_of=as_of, balance=found.balance, oldest_due_date=found.oldest_due_date, lines=lines)


def balance_lines(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> tuple[Line, ...]:
    """A line for every item of a ledger, or of a part of one, at T."""
    return tuple(_line(counted) for counted in count_items(ledger, configuration, as_of))


def _line(counted: Counted) -> Line:
    kind, item, amount, contribution, reason = counted
    return Line(
        kind=kind,
        ref_id=item.ref_id,
        number=item.document_no if kind is _DOCUMENT else item.payment_no,
        currency=item.currency,
        open_amount=amount,
        contribution=contribution,
        reason=reason,
    )


def settlements_by_item(settlements: Iterable[Settlement]) -> Mapping[UUID, Sequence[Settlement]]:
    """The settlements that touch each document and payment, by its ref_id."""
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
