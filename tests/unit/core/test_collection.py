"""The pure rules of the collection balance, against an independent reading of the domain."""

import datetime as dt
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.collection import (
    CollectionBalance,
    Line,
    LineKind,
    Reason,
    Shortage,
    collection_balance,
    first_shortage,
    open_at,
    should_start,
)
from ocs_core.entities.account import Account, Payer
from ocs_core.entities.configuration import (
    AccountType,
    CollectionSetting,
    CollectionThreshold,
    Configuration,
    DocumentType,
    PaymentTypeSetting,
)
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.errors import AmountOutOfRange
from ocs_core.ledger import Ledger
from ocs_core.money import MAX_AMOUNT
from ocs_core.testkit.examples import NOW, UNIT, configuration
from ocs_core.testkit.strategies import ledgers

from .scene import DAY, NOTHING

TODAY = NOW.date()
CONFIGURATION = configuration()
moments = st.integers(-70 * 24, 70 * 24).map(lambda hours: NOW + dt.timedelta(hours=hours))
SECOND = dt.timedelta(seconds=1)


def in_effect(settlement: Settlement, instant: dt.datetime) -> bool:
    """The plain reading: a settlement exists from `effective_at`, its cancellation from its time."""
    begun = settlement.effective_at <= instant
    ended = settlement.cancelled and settlement.cancelled_at is not None and settlement.cancelled_at <= instant
    return begun and not ended


def replayed(item: Document | Payment, ledger: Ledger, instant: dt.datetime) -> int:
    """What was open of an item, told from its whole amount and its whole history, not from what is open now."""
    whole = item.total_amount_net if isinstance(item, Document) else item.payment_amount
    return whole - sum(
        s.amount
        for s in ledger.settlements
        if item.ref_id in {s.source_ref_id, s.target_ref_id} and in_effect(s, instant)
    )


def replayed_balance(ledger: Ledger, instant: dt.datetime) -> int:
    """The domain's sentence on the balance, written down once more; all in UTC and with the example's configuration."""
    today, balance = instant.date(), 0
    for item in (*ledger.documents, *ledger.payments):
        amount = replayed(item, ledger, instant)
        if item.currency != "EUR" or (item.cancelled and item.cancelled_at and item.cancelled_at <= instant):
            continue
        match item:
            case Document(document_type="genericInvoice"):
                past_due = item.document_issued_date <= today and item.document_due_date < today
                balance += amount if past_due else 0
            case Document(document_type="creditNote"):
                balance -= amount if item.document_issued_date <= today else 0
            case Payment(payment_type=PaymentType.IN, payment_date_received=dt.datetime() as received):
                balance -= amount if amount > 0 and received <= instant else 0
            case Payment(payment_type=PaymentType.OUT, payment_date_sent=dt.datetime() as sent):
                balance += amount if amount > 0 and sent <= instant else 0
    return balance


@given(ledgers(), moments)
def test_what_was_open_is_what_a_replay_of_the_history_says(ledger: Ledger, instant: dt.datetime) -> None:
    for item in (*ledger.documents, *ledger.payments):
        stored = item.due_amount if isinstance(item, Document) else item.remaining_amount
        touching = [s for s in ledger.settlements if item.ref_id in {s.source_ref_id, s.target_ref_id}]
        assert open_at(stored, touching, instant) == replayed(item, ledger, instant)


@given(ledgers(), moments, st.integers(0, 10**12))
def test_a_shortage_is_the_first_instant_at_which_an_amount_does_not_fit(
    ledger: Ledger, since: dt.datetime, amount: int
) -> None:
    for item in (*ledger.documents, *ledger.payments):
        stored = item.due_amount if isinstance(item, Document) else item.remaining_amount
        touching = [s for s in ledger.settlements if item.ref_id in {s.source_ref_id, s.target_ref_id}]
        instants = {at for s in touching for at in (s.effective_at, s.cancelled_at) if at and at > since}
        short = [at for at in sorted({since, *instants}) if replayed(item, ledger, at) < amount]
        told = first_shortage(stored, touching, since, amount)
        assert told == (Shortage(short[0], replayed(item, ledger, short[0])) if short else None)


@given(ledgers(), moments)
def test_a_settlement_says_itself_whether_it_is_in_effect(ledger: Ledger, instant: dt.datetime) -> None:
    for settlement in ledger.settlements:
        assert settlement.is_in_effect_at(instant) == in_effect(settlement, instant)


@given(ledgers(), moments)
def test_the_balance_is_what_the_domain_says(ledger: Ledger, instant: dt.datetime) -> None:
    calculated = collection_balance(ledger, CONFIGURATION, instant)

    assert calculated.balance == replayed_balance(ledger, instant)
    assert calculated.as_of == instant


@given(ledgers(), moments)
def test_the_lines_sum_is_the_balance(ledger: Ledger, instant: dt.datetime) -> None:
    calculated = collection_balance(ledger, CONFIGURATION, instant)

    assert sum(line.contribution for line in calculated.lines) == calculated.balance
    assert [line.ref_id for line in calculated.lines] == [i.ref_id for i in (*ledger.documents, *ledger.payments)]
    for line in calculated.lines:
        assert (line.reason is Reason.COUNTS) == (line.contribution != 0)
        assert abs(line.contribution) in {0, abs(line.open_amount)}


@given(ledgers(), moments)
def test_the_oldest_due_date_is_that_of_the_invoices_that_count(ledger: Ledger, instant: dt.datetime) -> None:
    calculated = collection_balance(ledger, CONFIGURATION, instant)

    counting = {line.ref_id for line in calculated.lines if line.reason is Reason.COUNTS}
    due = [d.document_due_date for d in ledger.documents if d.ref_id in counting and d.due_amount_type == "AR"]
    assert calculated.oldest_due_date == min(due, default=None)


@given(ledgers(), moments, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(ledger: Ledger, instant: dt.datetime, random: Any) -> None:
    def shuffled(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(rows, len(rows)))

    other = attrs.evolve(
        ledger,
        documents=shuffled(ledger.documents),
        payments=shuffled(ledger.payments),
        settlements=shuffled(ledger.settlements),
    )

    assert told(collection_balance(other, CONFIGURATION, instant)) == told(
        collection_balance(ledger, CONFIGURATION, instant)
    )


def told(calculated: CollectionBalance) -> tuple[int, dt.date | None, list[Line]]:
    return calculated.balance, calculated.oldest_due_date, sorted(calculated.lines, key=lambda line: line.ref_id)


def narrowed(ledger: Ledger, instant: dt.datetime) -> Ledger:
    """What an adapter has to fetch: open items, those cancelled after T, those that a settlement touched after T."""

    def after(moment: dt.datetime | None) -> bool:
        return moment is not None and moment > instant

    settlements = tuple(s for s in ledger.settlements if after(s.effective_at) or after(s.cancelled_at))
    touched = {ref for s in settlements for ref in (s.source_ref_id, s.target_ref_id)}
    return attrs.evolve(
        ledger,
        documents=tuple(d for d in ledger.documents if d.due_amount or d.ref_id in touched or after(d.cancelled_at)),
        payments=tuple(
            p for p in ledger.payments if p.remaining_amount or p.ref_id in touched or after(p.cancelled_at)
        ),
        settlements=settlements,
    )


@given(ledgers(), moments)
def test_items_settled_by_then_and_not_touched_since_do_not_matter(ledger: Ledger, instant: dt.datetime) -> None:
    less = collection_balance(narrowed(ledger, instant), CONFIGURATION, instant)
    whole = collection_balance(ledger, CONFIGURATION, instant)

    assert (less.balance, less.oldest_due_date) == (whole.balance, whole.oldest_due_date)


@given(ledgers(), ledgers(currencies=("USD", "JPY")), moments)
def test_items_in_other_currencies_never_change_the_balance(
    ledger: Ledger, foreign: Ledger, instant: dt.datetime
) -> None:
    both = attrs.evolve(
        ledger,
        documents=ledger.documents + tuple(attrs.evolve(d, ref_id=shifted(d.ref_id)) for d in foreign.documents),
        payments=ledger.payments + tuple(attrs.evolve(p, ref_id=shifted(p.ref_id)) for p in foreign.payments),
    )

    without, with_them = (collection_balance(each, CONFIGURATION, instant) for each in (ledger, both))

    assert (with_them.balance, with_them.oldest_due_date) == (without.balance, without.oldest_due_date)
    assert len(with_them.lines) == len(both.documents) + len(both.payments)


def shifted(ref_id: UUID) -> UUID:
    return UUID(int=ref_id.int + 1_000_000)


ACCOUNT = Account(ref_id=NOTHING, external_id="A-1", account_type="payer", currency="EUR")


def document(**changes: Any) -> Document:
    """An invoice over 100 that was due yesterday."""
    fields = {
        "ref_id": UUID(int=1),
        "document_no": "D1",
        "document_type": "genericInvoice",
        "account": ACCOUNT.ref,
        "currency": "EUR",
        "document_issued_date": TODAY - 15 * DAY,
        "document_tax_date": TODAY - 15 * DAY,
        "document_due_date": TODAY - DAY,
        "total_amount": 100 * UNIT,
        "total_amount_tax": 0,
        "total_amount_net": 100 * UNIT,
        "due_amount": 100 * UNIT,
        "due_amount_type": DueAmountType.AR,
    }
    return Document(**fields | changes)


def payment(**changes: Any) -> Payment:
    """An incoming payment of 40, received an hour ago."""
    fields = {
        "ref_id": UUID(int=2),
        "payment_no": "P1",
        "payment_method": "cash",
        "payment_amount": 40 * UNIT,
        "remaining_amount": 40 * UNIT,
        "currency": "EUR",
        "payment_date_received": NOW - dt.timedelta(hours=1),
        "account": ACCOUNT.ref,
    }
    return Payment(**fields | changes)


def settlement(**changes: Any) -> Settlement:
    """100 of the invoice, paid yesterday."""
    fields = {
        "ref_id": UUID(int=3),
        "account": ACCOUNT.ref,
        "source": SettlementSide.PAYMENT_IN,
        "source_ref_id": UUID(int=2),
        "target": SettlementSide.DOCUMENT_AR,
        "target_ref_id": UUID(int=1),
        "amount": 100 * UNIT,
        "currency": "EUR",
        "effective_at": NOW - DAY,
        "created_at": NOW - DAY,
        "created_by": "tests",
    }
    return Settlement(**fields | changes)


def calculated(
    *items: Document | Payment | Settlement, settings: Configuration = CONFIGURATION, as_of: dt.datetime = NOW
) -> CollectionBalance:
    ledger = Ledger(
        account=ACCOUNT,
        payer=Payer(account=ACCOUNT.ref),
        documents=tuple(i for i in items if isinstance(i, Document)),
        payments=tuple(i for i in items if isinstance(i, Payment)),
        settlements=tuple(i for i in items if isinstance(i, Settlement)),
    )
    return collection_balance(ledger, settings, as_of)


@pytest.mark.parametrize(
    ("item", "reason", "contribution"),
    [
        (document(), Reason.COUNTS, 100),
        (document(document_due_date=TODAY), Reason.NOT_YET_DUE, 0),
        (document(document_issued_date=TODAY + DAY, document_due_date=TODAY - DAY), Reason.NOT_YET_ISSUED, 0),
        (document(cancelled=True, cancelled_at=NOW), Reason.CANCELLED, 0),
        (document(cancelled=True, cancelled_at=None), Reason.CANCELLED, 0),
        (document(cancelled=True, cancelled_at=NOW + SECOND), Reason.COUNTS, 100),
        (document(due_amount=0), Reason.NOTHING_OPEN, 0),
        (document(document_type="deposit"), Reason.NOT_COLLECTION_RELEVANT, 0),
        (document(document_type="gone"), Reason.NOT_COLLECTION_RELEVANT, 0),
        (document(currency="USD"), Reason.OTHER_CURRENCY, 0),
        (document(document_type="creditNote", due_amount_type="LIABILITY"), Reason.COUNTS, -100),
        (
            document(document_type="creditNote", due_amount_type="LIABILITY", document_due_date=TODAY + DAY),
            Reason.COUNTS,
            -100,
        ),
        (
            document(document_type="creditNote", due_amount_type="LIABILITY", document_issued_date=TODAY + DAY),
            Reason.NOT_YET_ISSUED,
            0,
        ),
        (payment(), Reason.COUNTS, -40),
        (payment(payment_date_received=NOW), Reason.COUNTS, -40),
        (payment(payment_date_received=NOW + SECOND), Reason.NOT_YET_RECEIVED, 0),
        (payment(payment_type=PaymentType.OUT), Reason.COUNTS, 40),
        (payment(payment_type=PaymentType.OUT, payment_date_sent=NOW), Reason.COUNTS, 40),
        (payment(payment_type=PaymentType.OUT, payment_date_sent=NOW + SECOND), Reason.NOT_YET_SENT, 0),
        (payment(payment_type=PaymentType.PROMISE_TO_PAY), Reason.NOT_INCOMING, 0),
        (payment(remaining_amount=0), Reason.NOTHING_OPEN, 0),
        (payment(remaining_amount=-1), Reason.NOTHING_OPEN, 0),
        (payment(currency="USD"), Reason.OTHER_CURRENCY, 0),
        (payment(cancelled=True, cancelled_at=NOW), Reason.CANCELLED, 0),
        (payment(cancelled=True, cancelled_at=NOW + SECOND), Reason.COUNTS, -40),
    ],
)
def test_every_item_counts_or_says_why_not(item: Document | Payment, reason: Reason, contribution: int) -> None:
    found = calculated(item)

    (line,) = found.lines
    assert (line.reason, line.contribution) == (reason, contribution * UNIT)
    assert found.balance == contribution * UNIT
    assert line.kind is (LineKind.DOCUMENT if isinstance(item, Document) else LineKind.PAYMENT)


def test_the_smallest_amount_that_is_open_counts() -> None:
    assert calculated(payment(remaining_amount=1)).balance == -1
    assert calculated(document(due_amount=1)).balance == 1


def test_a_line_carries_the_number_of_its_item() -> None:
    assert [line.number for line in calculated(document(), payment()).lines] == ["D1", "P1"]


def test_a_payment_type_that_is_not_relevant_does_not_count() -> None:
    settings = configuration(PaymentTypeSetting(code=PaymentType.IN, collection_relevant=False))

    assert calculated(payment(), settings=settings).lines[0].reason is Reason.NOT_COLLECTION_RELEVANT


def test_of_several_reasons_the_first_of_the_list_is_told() -> None:
    everything_wrong = document(
        document_type="deposit",
        currency="USD",
        due_amount=0,
        document_issued_date=TODAY + DAY,
        cancelled=True,
        cancelled_at=NOW,
    )
    reasons = []
    for repair in (
        {},
        {"cancelled": False},
        {"due_amount": UNIT},
        {"document_type": "genericInvoice"},
        {"currency": "EUR"},
        {"document_issued_date": TODAY, "document_due_date": TODAY},
    ):
        everything_wrong = attrs.evolve(everything_wrong, **repair)
        reasons.append(calculated(everything_wrong).lines[0].reason)

    assert reasons == [
        Reason.CANCELLED,
        Reason.NOTHING_OPEN,
        Reason.NOT_COLLECTION_RELEVANT,
        Reason.OTHER_CURRENCY,
        Reason.NOT_YET_ISSUED,
        Reason.NOT_YET_DUE,
    ]


@pytest.mark.parametrize(
    ("as_of", "opened"),
    [
        (NOW - DAY - SECOND, 100),
        (NOW - DAY, 0),
        (NOW - SECOND, 0),
        (NOW, 0),
    ],
)
def test_a_settlement_counts_from_its_instant_on(as_of: dt.datetime, opened: int) -> None:
    assert open_at(0, [settlement()], as_of) == opened * UNIT


@pytest.mark.parametrize(
    ("as_of", "opened"),
    [(NOW - DAY - SECOND, 100), (NOW - DAY, 0), (NOW - SECOND, 0), (NOW, 100), (NOW + DAY, 100)],
)
def test_a_cancelled_settlement_counts_until_its_cancellation(as_of: dt.datetime, opened: int) -> None:
    cancelled = settlement(cancelled=True, cancelled_at=NOW)

    assert open_at(100 * UNIT, [cancelled], as_of) == opened * UNIT


def test_today_is_that_of_the_payers_zone() -> None:
    """At ten in the evening in UTC it is tomorrow already where the payer lives."""
    due_today, late = document(document_due_date=TODAY), NOW.replace(hour=22)
    settings = configuration(AccountType(code="payer", zone="Europe/Madrid"))

    assert calculated(due_today, as_of=late).lines[0].reason is Reason.NOT_YET_DUE
    assert calculated(due_today, settings=settings, as_of=late).lines[0].reason is Reason.COUNTS


def test_a_balance_beyond_64_bits_is_refused() -> None:
    huge = [document(ref_id=UUID(int=n), due_amount=MAX_AMOUNT) for n in (1, 2)]

    assert calculated(huge[0]).balance == MAX_AMOUNT
    with pytest.raises(AmountOutOfRange):
        calculated(*huge)


def test_what_passes_64_bits_on_the_way_is_no_failure() -> None:
    huge = [document(ref_id=UUID(int=n), due_amount=MAX_AMOUNT) for n in (1, 2)]
    paid = payment(payment_amount=MAX_AMOUNT, remaining_amount=MAX_AMOUNT)

    assert calculated(*huge, paid).balance == MAX_AMOUNT


UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("balance", "threshold", "starts"),
    [(1, 0, True), (0, 0, False), (-1, 0, False), (100, 100, False), (101, 100, True), (MAX_AMOUNT, MAX_AMOUNT, False)],
)
def test_collection_starts_above_the_threshold_not_at_it(balance: int, threshold: int, starts: bool) -> None:
    settings = Configuration.of(CollectionThreshold(code="EUR", threshold=threshold))

    assert should_start(balance, TODAY - DAY, settings, "EUR", NOW, UTC) is starts


def test_the_threshold_is_that_of_the_currency() -> None:
    settings = Configuration.of(CollectionThreshold(code="USD", threshold=100))

    assert should_start(50, TODAY - DAY, settings, "EUR", NOW, UTC)
    assert not should_start(50, TODAY - DAY, settings, "USD", NOW, UTC)


@given(st.integers(0, 60), st.integers(0, 60))
def test_collection_starts_when_the_grace_days_have_passed(grace: int, age: int) -> None:
    settings = Configuration.of(CollectionSetting(grace_days=grace))

    assert should_start(1, TODAY - age * DAY, settings, "EUR", NOW, UTC) is (age >= grace)


def test_without_an_invoice_that_is_due_collection_never_starts() -> None:
    assert not should_start(MAX_AMOUNT, None, CONFIGURATION, "EUR", NOW, UTC)


def test_the_grace_days_are_counted_in_the_payers_zone() -> None:
    settings = Configuration.of(CollectionSetting(grace_days=2))
    late = NOW.replace(hour=22)

    assert not should_start(1, TODAY - DAY, settings, "EUR", late, UTC)
    assert should_start(1, TODAY - DAY, settings, "EUR", late, ZoneInfo("Europe/Madrid"))


def test_a_type_that_becomes_relevant_counts_at_once() -> None:
    settings = configuration(DocumentType(code="deposit", collection_relevant=True))

    assert calculated(document(document_type="deposit"), settings=settings).balance == 100 * UNIT
