"""Payments and their history (domain: section 3)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef
from ocs_core.frozen import frozen_mappings


class PaymentType(StrEnum):
    IN = "IN"
    OUT = "OUT"
    PROMISE_TO_PAY = "PROMISE_TO_PAY"

    @property
    def history_prefix(self) -> str:
        """`PAYMENT_IN`, `PAYMENT_OUT`, `PROMISE_TO_PAY`: how operation codes of the history begin."""
        return self.value if self is PaymentType.PROMISE_TO_PAY else f"PAYMENT_{self.value}"


@attrs.frozen(kw_only=True)
class MoneyOrder:
    """To whom, and where, a payment by postal money order goes."""

    name: str
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None


@attrs.frozen(kw_only=True)
class Payment:
    """Money received, sent or promised; amounts in millionths. Identified is a property: it has an account or not."""

    code: ClassVar[str] = "payment"

    ref_id: UUID
    payment_no: str
    external_payment_no: str | None = None
    payment_type: PaymentType = PaymentType.IN
    payment_method: str
    payment_amount: int
    remaining_amount: int
    currency: str
    payment_date_received: dt.datetime | None = None
    payment_date_sent: dt.datetime | None = None
    payment_ref1: str | None = None
    payment_ref2: str | None = None
    payment_ref3: str | None = None
    bank_account_name: str | None = None
    bank_account_number: str | None = None
    bank_number_code: str | None = None
    iban: str | None = None
    bic: str | None = None
    bank_account_name_provider: str | None = None
    bank_account_number_provider: str | None = None
    bank_number_code_provider: str | None = None
    iban_provider: str | None = None
    bic_provider: str | None = None
    channel_type: str | None = None
    recipient_note: str | None = None
    payer_note: str | None = None
    description: str | None = None
    bank_account_transaction_id: str | None = None
    money_order: MoneyOrder | None = None
    account: AccountRef | None = None
    cancelled: bool = False
    cancel_reason: str | None = None
    cancelled_at: dt.datetime | None = None
    version: int = 1

    @property
    def identified(self) -> bool:
        return self.account is not None


class OperationType(StrEnum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class PaymentHistory:
    """One thing that happened to a payment; written once, never changed.

    `ref_document_ref_id` or `ref_payment_ref_id` is what it was settled with, or is no longer.
    """

    code: ClassVar[str] = "paymentHistory"

    ref_id: UUID
    operation_type: OperationType
    operation_code: str
    created_date: dt.datetime
    created_by: str
    operation_parameters: Mapping[str, str] = attrs.field(factory=dict)
    payment_type: PaymentType
    payment_ref_id: UUID
    effective_date: dt.datetime
    ref_payment_type: PaymentType | None = None
    ref_payment_ref_id: UUID | None = None
    ref_document_ref_id: UUID | None = None
    version: int = 1


@attrs.frozen(kw_only=True)
class PaymentName:
    """How a caller names a payment: by its id, by one of its numbers, or by several, which must then all be its own.

    An external number finds an incoming payment only: among others it is not unique.
    """

    ref_id: UUID | None = None
    payment_no: str | None = None
    external_payment_no: str | None = None

    def is_of(self, payment: Payment) -> bool:
        external_no = payment.external_payment_no if payment.payment_type is PaymentType.IN else None
        return (
            self.ref_id in {None, payment.ref_id}
            and self.payment_no in {None, payment.payment_no}
            and self.external_payment_no in {None, external_no}
        )
