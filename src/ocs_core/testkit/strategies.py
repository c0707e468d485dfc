"""Hypothesis strategies for the domain's values: amounts, text that hurts, days, zones, and whole ledgers."""

import datetime as dt
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from hypothesis import strategies as st

from ocs_core.collection import Ledger
from ocs_core.entities.account import Account, Payer
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.money import MAX_AMOUNT, MIN_AMOUNT, minor_unit
from ocs_core.testkit.fakes import NOW

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
EDGES = (0, 1, -1, 10_000, 2**53, 2**53 + 1, MAX_AMOUNT, MAX_AMOUNT - 1, MIN_AMOUNT, MIN_AMOUNT + 1)
ZONES = (
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Niue",
)
"""Far east and far west, half and quarter hours, clocks that change at midnight, by half an hour, or around Ramadan."""

amounts = st.integers(MIN_AMOUNT, MAX_AMOUNT) | st.sampled_from(EDGES)
"""Millionths over the whole 64-bit range."""
positive_amounts = st.integers(1, MAX_AMOUNT) | st.sampled_from([e for e in EDGES if e > 0])
tax_rates = st.sampled_from([0, 1, 400, 2100, 10_000, 100_000]) | st.integers(0, 100_000)
"""Basis points."""
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(dt.date(2000, 1, 2), dt.date(2999, 12, 30))
"""Since 2000: none of `ZONES` has skipped a whole day since."""
instants = st.integers(0, 31_556_736_000 * 1_000_000).map(lambda n: EPOCH + dt.timedelta(microseconds=n))
"""In UTC, from 2000 to the end of 2999."""

texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=255) | st.sampled_from(
    [
        "'; DROP TABLE payments;--",
        "Ω≈ç√",
        "👩‍👩‍👧",
        "e\u0301",
        "\u202etxt.exe",
        "\ufeffbom",
        "\u2028",
        "%s{0}${x}",
        "null",
        "é" * 255,
    ]
)
"""Text that is allowed and hurts: combining marks, right-to-left overrides, quotes, what looks like something else."""
forbidden_texts = st.builds(
    "{}{}{}".format,
    st.text(max_size=5),
    st.sampled_from(["\0", "\n", "\t", "\x1b", "\x7f", "\x85", "\ud800", "\udfff"]),
    st.text(max_size=5),
)
"""Text with a control character or a lone surrogate in it."""


@st.composite
def payable_amounts(draw: st.DrawFn, minor_digits: int = 2, most: int = 10**12) -> int:
    """Positive amounts in whole minor units."""
    unit = minor_unit(minor_digits)
    return draw(st.integers(1, most // unit)) * unit


@st.composite
def ledgers(draw: st.DrawFn, currencies: tuple[str, ...] = ("EUR", "USD")) -> Ledger:
    """The account, in EUR, of the example's company, with documents and payments and a history of settlements between
    them, some of them cancelled again. What the items say is open is what the history says; all of it lies within
    60 days of `NOW`, before and after.
    """
    ids = (UUID(int=7 << 76 | 2 << 62 | n) for n in range(1, 1000))
    moments = st.integers(-60 * 24, 60 * 24).map(lambda hours: NOW + dt.timedelta(hours=hours))
    account = Account(ref_id=next(ids), external_id="A-1", account_type="payer", currency="EUR")
    account = attrs.evolve(account, payer_account=account.ref)

    def document() -> Document:
        amount, issued = draw(payable_amounts()), draw(moments).date()
        cancelled_at = draw(st.none() | moments)
        kind = draw(st.sampled_from(["genericInvoice", "creditNote", "deposit"]))
        return Document(
            ref_id=(ref_id := next(ids)),
            document_no=f"D{ref_id.int & 0xFFFF}",
            document_type=kind,
            account=account.ref,
            currency=draw(st.sampled_from(currencies)),
            document_issued_date=issued,
            document_tax_date=issued,
            document_due_date=issued + dt.timedelta(days=draw(st.integers(0, 30))),
            total_amount=amount,
            total_amount_tax=0,
            total_amount_net=amount,
            due_amount=amount,
            due_amount_type=DueAmountType.LIABILITY if kind == "creditNote" else DueAmountType.AR,
            cancelled=cancelled_at is not None,
            cancelled_at=cancelled_at,
        )

    def payment() -> Payment:
        amount, cancelled_at = draw(payable_amounts()), draw(st.none() | moments)
        return Payment(
            ref_id=(ref_id := next(ids)),
            payment_no=f"P{ref_id.int & 0xFFFF}",
            payment_type=draw(st.sampled_from(PaymentType)),
            payment_method="bankTransfer",
            payment_amount=amount,
            remaining_amount=amount,
            currency=draw(st.sampled_from(currencies)),
            payment_date_received=draw(moments),
            account=account.ref,
            cancelled=cancelled_at is not None,
            cancelled_at=cancelled_at,
        )

    documents = {d.ref_id: d for d in (document() for _ in range(draw(st.integers(0, 4))))}
    payments = {p.ref_id: p for p in (payment() for _ in range(draw(st.integers(0, 3))))}
    settlements = []
    for _ in range(draw(st.integers(0, 6)) if documents and payments else 0):
        source, target = draw(st.sampled_from(list(payments.values()))), draw(st.sampled_from(list(documents.values())))
        most = min(source.remaining_amount, target.due_amount)
        if most == 0 or source.currency != target.currency:
            continue
        amount, effective_at = draw(st.integers(1, most)), draw(moments)
        cancelled_after = draw(st.none() | st.integers(0, 90))
        cancelled_at = None if cancelled_after is None else effective_at + dt.timedelta(days=cancelled_after)
        settlements.append(
            Settlement(
                ref_id=next(ids),
                account=account.ref,
                source=SettlementSide.PAYMENT_IN,
                source_ref_id=source.ref_id,
                target=SettlementSide(f"DOCUMENT_{target.due_amount_type}"),
                target_ref_id=target.ref_id,
                amount=amount,
                currency=target.currency,
                effective_at=effective_at,
                created_at=effective_at,
                created_by="tests",
                cancelled=cancelled_at is not None,
                cancelled_at=cancelled_at,
            )
        )
        if cancelled_at is None:
            payments[source.ref_id] = attrs.evolve(source, remaining_amount=source.remaining_amount - amount)
            documents[target.ref_id] = attrs.evolve(target, due_amount=target.due_amount - amount)
    return Ledger(
        account=account,
        payer=Payer(account=account.ref),
        documents=tuple(documents.values()),
        payments=tuple(payments.values()),
        settlements=tuple(settlements),
    )
