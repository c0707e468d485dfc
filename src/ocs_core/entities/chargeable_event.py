"""Chargeable events and their adjustments (domain: section 3)."""

import datetime as dt
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef


class ChargeType(StrEnum):
    """CREDIT lowers what the payer is charged, DEBIT raises it."""

    CREDIT = "CREDIT"
    DEBIT = "DEBIT"


class ChargeableEventKind(StrEnum):
    CHARGE = "CHARGE"
    CREDIT = "CREDIT"
    DEBIT = "DEBIT"


@attrs.frozen(kw_only=True)
class ChargeableEvent:
    """Something to charge for, in millionths; `charge + tax == charge_with_tax`; `tax_rate` in basis points.

    An adjustment is a new event that points at the original (`original_ref_id`), which stays as it was; a CREDIT is
    negative, a DEBIT positive. `invoiced_document_ref_id` is null while the event is not invoiced.
    """

    code: ClassVar[str] = "chargeableEvent"

    ref_id: UUID
    external_id: str | None = None
    account: AccountRef
    event_type: str
    event_date: dt.datetime
    charge: int
    tax: int
    charge_with_tax: int
    currency: str
    tax_rate: int
    invoiced_document_ref_id: UUID | None = None
    original_ref_id: UUID | None = None
    kind: ChargeableEventKind = ChargeableEventKind.CHARGE
    version: int = 1

    @property
    def is_adjustment(self) -> bool:
        return self.original_ref_id is not None
