"""Of the entities, as messages tell them, what the figures are made from."""

import datetime as dt
from uuid import UUID

import msgspec

from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import PaymentType


class _Told(msgspec.Struct, rename="camel"):
    """Part of an entity as messages tell it; what is not asked for is passed over."""


class HeldRef(_Told):
    ref_id: UUID


class HeldAccount(_Told):
    account_type: str
    currency: str


class HeldDocument(_Told):
    ref_id: UUID
    account: HeldRef
    document_no: str
    document_type: str
    currency: str
    document_issued_date: dt.date
    document_due_date: dt.date
    due_amount: int
    due_amount_type: DueAmountType
    cancelled: bool
    cancelled_at: dt.datetime | None


class HeldPayment(_Told):
    ref_id: UUID
    account: HeldRef | None
    payment_no: str
    payment_type: PaymentType
    payment_method: str
    payment_amount: int
    currency: str
    remaining_amount: int
    payment_date_received: dt.datetime | None
    payment_date_sent: dt.datetime | None
    cancelled: bool
    cancelled_at: dt.datetime | None


class HeldSettlement(_Told):
    ref_id: UUID
    source_ref_id: UUID
    target_ref_id: UUID
    amount: int
    effective_at: dt.datetime
    cancelled: bool
    cancelled_at: dt.datetime | None
