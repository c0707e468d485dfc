"""Hypothesis strategies for whole ledgers: an account with a consistent history."""

import datetime as dt
from uuid import UUID

import attrs
from hypothesis import strategies as st

from ocs_core.entities.account import Account, Payer
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.ledger import Ledger
from ocs_core.testkit.fakes import NOW
from ocs_core.testkit.strategies.values import payable_amounts


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
        kind, moved = draw(st.sampled_from(PaymentType)), draw(moments)
        return Payment(
            ref_id=(ref_id := next(ids)),
            payment_no=f"P{ref_id.int & 0xFFFF}",
            payment_type=kind,
            payment_method="bankTransfer",
            payment_amount=amount,
            remaining_amount=amount,
            currency=draw(st.sampled_from(currencies)),
            payment_date_received=moved if kind is PaymentType.IN else None,
            payment_date_sent=moved if kind is PaymentType.OUT else None,
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
        payer=Payer(account=account.ref, account_type=account.account_type),
        documents=tuple(documents.values()),
        payments=tuple(payments.values()),
        settlements=tuple(settlements),
    )
