"""Entities that the laws write straight into a store, past the use-cases: everyday values, overridden by keyword."""

import datetime as dt
from typing import Any
from uuid import UUID

from ocs_core.entities.account import Account, AccountRef, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import ProcessRun
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.messages import Message, PaymentReceived
from ocs_core.money import MILLIONTHS as UNIT
from ocs_core.testkit.fakes import NOW


def id_of(number: int) -> UUID:
    """Ids of version 7 that rise with the number."""
    return UUID(int=int(NOW.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number)


def an_account(number: int, **more: Any) -> Account:
    """A payer's account in EUR."""
    ref = AccountRef(id_of(number), more.pop("external_id", f"A-{number}"))
    fields: dict[str, Any] = {"account_type": "payer", "currency": "EUR", "payer_account": ref} | more
    return Account(ref_id=ref.ref_id, external_id=ref.external_id, **fields)


def a_payer(account: Account, **more: Any) -> Payer:
    return Payer(account=account.ref, account_type=account.account_type, **more)


def a_payment(number: int, account: Account | None = None, amount: int = 50 * UNIT, **more: Any) -> Payment:
    """An incoming payment received now; unidentified without an account."""
    fields: dict[str, Any] = {
        "payment_no": f"P-{number}",
        "payment_method": "cash",
        "payment_amount": amount,
        "remaining_amount": amount,
        "currency": "EUR",
        "payment_date_received": NOW,
        "account": account.ref if account else None,
    } | more
    return Payment(ref_id=id_of(number), **fields)


def a_document(number: int, account: Account, amount: int = 100 * UNIT, **more: Any) -> Document:
    """An invoice issued today, without tax."""
    day = more.get("document_issued_date", NOW.date())
    fields: dict[str, Any] = {
        "document_no": f"D-{number}",
        "document_type": "genericInvoice",
        "account": account.ref,
        "currency": "EUR",
        "document_issued_date": day,
        "document_tax_date": day,
        "document_due_date": day + dt.timedelta(days=14),
        "total_amount": amount,
        "total_amount_tax": 0,
        "total_amount_net": amount,
        "due_amount": amount,
        "due_amount_type": DueAmountType.AR,
    } | more
    return Document(ref_id=id_of(number), **fields)


def an_event(number: int, account: Account, charge: int = 10 * UNIT, **more: Any) -> ChargeableEvent:
    """A chargeable event of now, untaxed."""
    fields: dict[str, Any] = {
        "account": account.ref,
        "event_type": "call",
        "event_date": NOW,
        "charge": charge,
        "tax": 0,
        "charge_with_tax": charge,
        "currency": "EUR",
        "tax_rate": 0,
    } | more
    return ChargeableEvent(ref_id=id_of(number), **fields)


def a_settlement(number: int, payment: Payment, document: Document, amount: int, **more: Any) -> Settlement:
    """So much of a document, settled now by a payment."""
    fields: dict[str, Any] = {"effective_at": NOW, "created_at": NOW, "created_by": "contract"} | more
    return Settlement(
        ref_id=id_of(number),
        account=document.account,
        source=SettlementSide.PAYMENT_IN,
        source_ref_id=payment.ref_id,
        target=SettlementSide.DOCUMENT_AR,
        target_ref_id=document.ref_id,
        amount=amount,
        currency=document.currency,
        **fields,
    )


def a_run(number: int, **more: Any) -> ProcessRun:
    fields: dict[str, Any] = {"as_of": NOW, "started_at": NOW} | more
    return ProcessRun(ref_id=id_of(number), **fields)


def a_message(number: int, key: UUID, *, amount: int = 50 * UNIT, ref: str | None = None) -> Message:
    """A notification that a payment was received."""
    received = PaymentReceived(
        effective_date=NOW,
        account=AccountRef(key, "A-1"),
        payment_type=a_payment(number).payment_type,
        payment_amount=amount,
        currency="EUR",
        payment_date_received=NOW,
        payment_ref1=ref,
        payment_ref2=None,
        payment_ref3=None,
        channel_type=None,
    )
    return Message(
        ref_id=id_of(number),
        key=key,
        subject=key,
        transaction_id=f"transaction-{number}",
        occurred_at=NOW,
        payload=received,
    )
