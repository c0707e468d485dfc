"""Documents: invoices, credits, deposits (domain: section 3)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef
from ocs_core.frozen import frozen_mappings


class DueAmountType(StrEnum):
    """AR: the payer owes. LIABILITY: the provider owes."""

    AR = "AR"
    LIABILITY = "LIABILITY"


class DocumentState(StrEnum):
    OPEN = "OPEN"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    SETTLED = "SETTLED"
    CANCELLED = "CANCELLED"


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Document:
    """A document with amounts in millionths, all positive; the direction is the due amount type.

    `total_amount` is without tax and `total_amount_net` **with** tax: the field's own odd names.
    `total_amount_net == total_amount + total_amount_tax + rounding_compensation`, in whole minor units, and
    `0 <= due_amount <= total_amount_net` is what is still open. `customer`, `payment_method` and `delivery_method` are as
    they were on the day it was created; the billing period has both its days in it.
    """

    code: ClassVar[str] = "document"

    ref_id: UUID
    document_no: str
    external_document_no: str | None = None
    document_type: str
    document_source: str | None = None
    account: AccountRef
    currency: str
    document_issued_date: dt.date
    document_tax_date: dt.date
    document_due_date: dt.date
    total_amount: int
    total_amount_tax: int
    total_amount_net: int
    rounding_compensation: int = 0
    due_amount: int
    due_amount_type: DueAmountType
    payment_ref1: str | None = None
    payment_ref2: str | None = None
    payment_ref3: str | None = None
    document_code: str | None = None
    document_name: str | None = None
    customer: str | None = None
    payment_method: str | None = None
    delivery_method: str | None = None
    billing_period_start: dt.date | None = None
    billing_period_end: dt.date | None = None
    custom_attributes: Mapping[str, str] | None = None
    cancelled: bool = False
    cancel_reason: str | None = None
    cancelled_at: dt.datetime | None = None
    version: int = 1

    @property
    def recommended_payment_date(self) -> dt.date:
        """The last day on which a payment is in time."""
        return self.document_due_date

    @property
    def total_invoiced(self) -> int:
        """What the payer is charged in all, with tax, in millionths."""
        return self.total_amount_net

    @property
    def state(self) -> DocumentState:
        if self.cancelled:
            return DocumentState.CANCELLED
        if self.due_amount == 0:
            return DocumentState.SETTLED
        return DocumentState.OPEN if self.due_amount == self.total_amount_net else DocumentState.PARTIALLY_PAID


@attrs.frozen(kw_only=True)
class DocumentName:
    """How a caller names a document: by its id, by one of its numbers, or by several, which must then all be its own."""

    ref_id: UUID | None = None
    document_no: str | None = None
    external_document_no: str | None = None

    def is_of(self, document: Document) -> bool:
        return (
            self.ref_id in {None, document.ref_id}
            and self.document_no in {None, document.document_no}
            and self.external_document_no in {None, document.external_document_no}
        )
