"""Settlements, the monetary transactions between a source and a target (domain: section 3)."""

import datetime as dt
from enum import StrEnum
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef


class SettlementSide(StrEnum):
    DOCUMENT_AR = "DOCUMENT_AR"
    DOCUMENT_LIABILITY = "DOCUMENT_LIABILITY"
    PAYMENT_IN = "PAYMENT_IN"
    PAYMENT_OUT = "PAYMENT_OUT"


@attrs.frozen(kw_only=True)
class Settlement:
    """An amount (millionths) that the source pays towards the target, in effect from `effective_at`; both sit on `account`."""

    ref_id: UUID
    account: AccountRef
    source: SettlementSide
    source_ref_id: UUID
    target: SettlementSide
    target_ref_id: UUID
    amount: int
    currency: str
    effective_at: dt.datetime
    created_at: dt.datetime
    created_by: str
    cancelled: bool = False
    cancel_reason: str | None = None
    cancelled_at: dt.datetime | None = None
    version: int = 1

    @property
    def monetary_transaction_ref_id(self) -> UUID:
        """Its `ref_id`, as commands name it."""
        return self.ref_id

    @property
    def transaction_amount(self) -> int:
        """Its `amount`, as the product's documentation names it."""
        return self.amount

    @property
    def transaction_created_date(self) -> dt.datetime:
        """Its `created_at`, as the product's documentation names it."""
        return self.created_at

    def is_in_effect_at(self, instant: dt.datetime) -> bool:
        """In effect from `effective_at` until it is cancelled."""
        return self.effective_at <= instant and not (self.cancelled_at is not None and self.cancelled_at <= instant)
