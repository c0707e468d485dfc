"""The open balance: what it adds up to, what moves it, and what it has to do with the collection balance."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.collection import LineKind, Reason, collection_balance
from ocs_core.entities.configuration import AccountType, DocumentType, PaymentTypeSetting
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import AmountOutOfRange
from ocs_core.ledger import Ledger
from ocs_core.money import MAX_AMOUNT
from ocs_core.open_balance import Figure, OpenBalance, OpenFigures, OpenLine, open_balance
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_settlement, an_account
from ocs_core.testkit.examples import NOW, UNIT, configuration
from ocs_core.testkit.strategies import ledgers

from .scene import DAY

TODAY = NOW.date()
SECOND = dt.timedelta(seconds=1)
ACCOUNT = an_account(1)
CONFIGURATION = configuration()
EVERY_TYPE_COUNTS = configuration(DocumentType(code="deposit", collection_relevant=True))
SUMS = ("open_balance", "receivable", "due", "future", "liable", "overpayment", "sent_back")
OVERDUE: dict[str, Any] = {"document_issued_date": TODAY - 60 * DAY, "document_due_date": TODAY - 30 * DAY}
CREDIT: dict[str, Any] = {"document_type": "creditNote", "due_amount_type": DueAmountType.LIABILITY}
moments = st.integers(-70 * 24, 70 * 24).map(lambda hours: NOW + dt.timedelta(hours=hours))


def every_currency(balance: OpenBalance) -> tuple[OpenFigures, ...]:
    return (balance.figures, *balance.other_currencies)


def sums(figures: OpenFigures) -> dict[str, int]:
    return {name: getattr(figures, name) for name in SUMS}


def added_up(lines: Iterable[OpenLine]) -> dict[str, int]:
    """The definition of every figure, written down once more."""
    of = dict.fromkeys(Figure, 0)
    for line in lines:
        if line.figure is not None:
            of[line.figure] += line.open_amount
    owed, owing = (Figure.DUE, Figure.FUTURE, Figure.SENT_BACK), (Figure.LIABLE, Figure.OVERPAYMENT)
    return {
        "open_balance": sum(of[figure] for figure in owed) - sum(of[figure] for figure in owing),
        "receivable": of[Figure.DUE] + of[Figure.FUTURE],
        "due": of[Figure.DUE],
        "future": of[Figure.FUTURE],
        "liable": of[Figure.LIABLE],
        "overpayment": of[Figure.OVERPAYMENT],
        "sent_back": of[Figure.SENT_BACK],
    }


@given(ledgers(), moments)
def test_the_sums_of_the_lines_are_the_figures_of_every_currency(ledger: Ledger, instant: dt.datetime) -> None:
    balance = open_balance(ledger, CONFIGURATION, instant)

    for figures in every_currency(balance):
        assert sums(figures) == added_up(ln for ln in balance.lines if ln.currency == figures.currency)


@given(ledgers(), moments)
def test_the_figures_by_type_add_up_to_those_of_every_currency(ledger: Ledger, instant: dt.datetime) -> None:
    balance = open_balance(ledger, CONFIGURATION, instant)

    for figures in every_currency(balance):
        of_currency = [each for each in balance.by_type if each.currency == figures.currency]
        assert sums(figures) == {name: sum(getattr(each, name) for each in of_currency) for name in SUMS}
    assert len({(each.currency, each.document_type) for each in balance.by_type}) == len(balance.by_type)


@given(ledgers(), moments)
def test_nothing_that_is_open_is_dropped(ledger: Ledger, instant: dt.datetime) -> None:
    balance = open_balance(ledger, CONFIGURATION, instant)

    told = {figures.currency for figures in every_currency(balance)}
    assert [line.ref_id for line in balance.lines] == [i.ref_id for i in (*ledger.documents, *ledger.payments)]
    for line in balance.lines:
        assert (line.figure is not None) == (line.reason in {Reason.COUNTS, Reason.NOT_YET_DUE})
        assert line.figure is None or line.currency in told
    assert balance.figures.currency == ledger.account.currency
    assert balance.as_of == instant


@given(ledgers(), moments)
def test_where_every_type_is_relevant_the_due_part_is_the_collection_balance(
    ledger: Ledger, instant: dt.datetime
) -> None:
    figures = open_balance(ledger, EVERY_TYPE_COUNTS, instant).figures
    collected = collection_balance(ledger, EVERY_TYPE_COUNTS, instant)

    assert figures.open_balance - figures.future == collected.balance


@given(ledgers(currencies=("EUR",)), moments)
def test_an_item_that_collection_counts_is_open_for_the_same_reason(ledger: Ledger, instant: dt.datetime) -> None:
    """The two balances differ in the types they are about, not in what is open, issued, due or received."""
    told = {ln.ref_id: ln.reason for ln in open_balance(ledger, EVERY_TYPE_COUNTS, instant).lines}

    assert told == {ln.ref_id: ln.reason for ln in collection_balance(ledger, EVERY_TYPE_COUNTS, instant).lines}


@given(ledgers(), moments)
def test_what_collection_is_configured_to_leave_out_is_open_all_the_same(ledger: Ledger, instant: dt.datetime) -> None:
    nothing_counts = configuration(
        *(DocumentType(code=code, collection_relevant=False) for code in CONFIGURATION.document_types),
        PaymentTypeSetting(code=PaymentType.IN, collection_relevant=False),
    )

    assert open_balance(ledger, nothing_counts, instant) == open_balance(ledger, CONFIGURATION, instant)


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
    one, two = (open_balance(each, CONFIGURATION, instant) for each in (ledger, other))

    assert (one.figures, one.other_currencies, one.by_type) == (two.figures, two.other_currencies, two.by_type)
    assert sorted(one.lines, key=lambda line: line.ref_id) == sorted(two.lines, key=lambda line: line.ref_id)


@given(ledgers(), moments, st.integers(1, 10**9), st.sampled_from(["EUR", "USD", "JPY"]))
def test_a_payment_that_comes_changes_the_overpayment_of_its_currency_alone(
    ledger: Ledger, instant: dt.datetime, amount: int, currency: str
) -> None:
    come = a_payment(900, ledger.account, amount, currency=currency, payment_date_received=instant)
    before, after = (
        {figures.currency: sums(figures) for figures in every_currency(open_balance(each, CONFIGURATION, instant))}
        for each in (ledger, attrs.evolve(ledger, payments=(*ledger.payments, come)))
    )

    changed = before.get(currency) or dict.fromkeys(SUMS, 0)
    changed |= {
        "overpayment": changed["overpayment"] + amount,
        "open_balance": changed["open_balance"] - amount,
    }
    assert after == before | {currency: changed}


@given(ledgers(), moments)
def test_time_alone_takes_what_is_not_yet_due_to_what_is_due(ledger: Ledger, instant: dt.datetime) -> None:
    """A document falls due by itself, and what falls due stays so."""
    documents = tuple(d for d in ledger.documents if d.document_issued_date <= instant.date() and not d.cancelled)
    still = attrs.evolve(ledger, documents=documents, payments=(), settlements=())
    now, later = (open_balance(still, CONFIGURATION, at).figures for at in (instant, instant + 31 * DAY))

    assert now.receivable == later.receivable == later.due
    assert now.due <= later.due
    assert later.future == 0


def ledger_of(*items: Document | Payment | Settlement) -> Ledger:
    return Ledger(
        account=ACCOUNT,
        payer=a_payer(ACCOUNT),
        documents=tuple(i for i in items if isinstance(i, Document)),
        payments=tuple(i for i in items if isinstance(i, Payment)),
        settlements=tuple(i for i in items if isinstance(i, Settlement)),
    )


@pytest.mark.parametrize(
    ("item", "figure", "reason"),
    [
        (a_document(2, ACCOUNT, document_issued_date=TODAY), Figure.FUTURE, Reason.NOT_YET_DUE),
        (a_document(2, ACCOUNT, document_due_date=TODAY), Figure.FUTURE, Reason.NOT_YET_DUE),
        (a_document(2, ACCOUNT, **OVERDUE), Figure.DUE, Reason.COUNTS),
        (a_document(2, ACCOUNT, **OVERDUE | {"document_due_date": TODAY - DAY}), Figure.DUE, Reason.COUNTS),
        (a_document(2, ACCOUNT, document_type="deposit", **OVERDUE), Figure.DUE, Reason.COUNTS),
        (a_document(2, ACCOUNT, document_type="gone", **OVERDUE), Figure.DUE, Reason.COUNTS),
        (a_document(2, ACCOUNT, currency="USD", **OVERDUE), Figure.DUE, Reason.COUNTS),
        (a_document(2, ACCOUNT, due_amount=1, **OVERDUE), Figure.DUE, Reason.COUNTS),
        (a_document(2, ACCOUNT, due_amount=0, **OVERDUE), None, Reason.NOTHING_OPEN),
        (a_document(2, ACCOUNT, document_issued_date=TODAY + DAY), None, Reason.NOT_YET_ISSUED),
        (a_document(2, ACCOUNT, cancelled=True, cancelled_at=NOW), None, Reason.CANCELLED),
        (a_document(2, ACCOUNT, cancelled=True, cancelled_at=NOW + SECOND), Figure.FUTURE, Reason.NOT_YET_DUE),
        (a_document(2, ACCOUNT, **CREDIT), Figure.LIABLE, Reason.COUNTS),
        (a_document(2, ACCOUNT, document_issued_date=TODAY + DAY, **CREDIT), None, Reason.NOT_YET_ISSUED),
        (a_payment(2, ACCOUNT), Figure.OVERPAYMENT, Reason.COUNTS),
        (a_payment(2, ACCOUNT, currency="USD"), Figure.OVERPAYMENT, Reason.COUNTS),
        (a_payment(2, ACCOUNT, payment_date_received=None), Figure.OVERPAYMENT, Reason.COUNTS),
        (a_payment(2, ACCOUNT, payment_date_received=NOW + SECOND), None, Reason.NOT_YET_RECEIVED),
        (a_payment(2, ACCOUNT, remaining_amount=0), None, Reason.NOTHING_OPEN),
        (a_payment(2, ACCOUNT, payment_type=PaymentType.OUT), Figure.SENT_BACK, Reason.COUNTS),
        (a_payment(2, ACCOUNT, payment_type=PaymentType.PROMISE_TO_PAY), None, Reason.NOT_INCOMING),
        (a_payment(2, ACCOUNT, cancelled=True, cancelled_at=NOW), None, Reason.CANCELLED),
    ],
)
def test_every_item_adds_to_one_figure_or_says_why_to_none(
    item: Document | Payment, figure: Figure | None, reason: Reason
) -> None:
    (line,) = open_balance(ledger_of(item), CONFIGURATION, NOW).lines

    assert (line.figure, line.reason) == (figure, reason)


def test_a_line_says_what_it_is_of() -> None:
    document, payment = open_balance(ledger_of(a_document(2, ACCOUNT), a_payment(3, ACCOUNT)), CONFIGURATION, NOW).lines

    assert (document.kind, document.number, document.document_type) == (LineKind.DOCUMENT, "D-2", "genericInvoice")
    assert (payment.kind, payment.number, payment.document_type) == (LineKind.PAYMENT, "P-3", None)


def test_the_figures_of_a_payer_with_one_of_everything() -> None:
    ledger = ledger_of(
        a_document(2, ACCOUNT, 100 * UNIT, **OVERDUE),
        a_document(3, ACCOUNT, 40 * UNIT),
        a_document(4, ACCOUNT, 7 * UNIT, document_type="deposit"),
        a_document(5, ACCOUNT, 30 * UNIT, **CREDIT),
        a_payment(6, ACCOUNT, 20 * UNIT),
        a_document(7, ACCOUNT, 9 * UNIT, currency="USD", **OVERDUE),
        a_document(8, ACCOUNT, 1 * UNIT, document_type="0"),
        a_payment(9, ACCOUNT, 5 * UNIT, payment_type=PaymentType.OUT, payment_date_sent=NOW),
        a_payment(10, ACCOUNT, 6 * UNIT, payment_type=PaymentType.OUT, payment_date_sent=NOW + SECOND),
    )
    balance = open_balance(ledger, CONFIGURATION, NOW)

    def figures(*amounts: int) -> dict[str, int]:
        return {name: amount * UNIT for name, amount in zip(SUMS, amounts, strict=True)}

    assert sums(balance.figures) == figures(103, 148, 100, 48, 30, 20, 5)
    assert [(f.currency, sums(f)) for f in balance.other_currencies] == [("USD", figures(9, 9, 9, 0, 0, 0, 0))]
    assert [(f.currency, f.document_type, sums(f)) for f in balance.by_type] == [
        ("EUR", None, figures(-15, 0, 0, 0, 0, 20, 5)),
        ("EUR", "0", figures(1, 1, 0, 1, 0, 0, 0)),
        ("EUR", "creditNote", figures(-30, 0, 0, 0, 30, 0, 0)),
        ("EUR", "deposit", figures(7, 7, 0, 7, 0, 0, 0)),
        ("EUR", "genericInvoice", figures(140, 140, 100, 40, 0, 0, 0)),
        ("USD", "genericInvoice", figures(9, 9, 9, 0, 0, 0, 0)),
    ]


def test_what_was_settled_later_was_open_before() -> None:
    payment = a_payment(2, ACCOUNT, 40 * UNIT, remaining_amount=0, payment_date_received=NOW - DAY)
    document = a_document(3, ACCOUNT, due_amount=60 * UNIT, **OVERDUE)
    ledger = ledger_of(payment, document, a_settlement(4, payment, document, 40 * UNIT))
    now, before = (open_balance(ledger, CONFIGURATION, at).figures for at in (NOW, NOW - SECOND))

    assert (now.due, now.overpayment) == (60 * UNIT, 0)
    assert (before.due, before.overpayment) == (100 * UNIT, 40 * UNIT)


def test_today_is_that_of_the_payers_zone() -> None:
    ledger = ledger_of(a_document(2, ACCOUNT, document_due_date=TODAY))
    late, there = NOW.replace(hour=22), configuration(AccountType(code="payer", zone="Europe/Madrid"))

    assert open_balance(ledger, CONFIGURATION, late).figures.due == 0
    assert open_balance(ledger, there, late).figures.due == 100 * UNIT


def test_a_figure_beyond_64_bits_is_refused_although_the_balance_fits() -> None:
    most, one = a_document(2, ACCOUNT, MAX_AMOUNT, **OVERDUE), a_document(3, ACCOUNT, 1)
    paid = a_payment(4, ACCOUNT, MAX_AMOUNT)

    assert open_balance(ledger_of(most, paid), CONFIGURATION, NOW).figures.open_balance == 0
    with pytest.raises(AmountOutOfRange):
        open_balance(ledger_of(most, one, paid), CONFIGURATION, NOW)


def test_a_payer_without_anything_has_zeros() -> None:
    balance = open_balance(ledger_of(), CONFIGURATION, NOW)

    assert balance == OpenBalance(
        as_of=NOW,
        figures=OpenFigures(currency="EUR", **dict.fromkeys(SUMS, 0)),
        other_currencies=(),
        by_type=(),
        lines=(),
    )
