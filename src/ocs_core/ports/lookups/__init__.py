"""What a use-case looks up before it decides: one class for each look-up, whose parameter is the type of the answer.

All are asked at once, so that a store can answer in one round trip. What will be changed is read **exclusively**; the account
a rule leans on is read under a **shared** lock, so that it cannot be deactivated before the commit.
"""

from typing import Any

from ocs_core.ports.lookups.accounts import AccountNamed, AccountsNamed, OwnerOf, PayerOf, PayersOf
from ocs_core.ports.lookups.charging import AdjustmentsOf, ChargeableEventWithId, TakenEvents
from ocs_core.ports.lookups.items import DocumentNamed, PaymentNamed
from ocs_core.ports.lookups.lookup import Found, Lookup
from ocs_core.ports.lookups.numbers import DOCUMENT_NUMBERS, PAYMENT_NUMBERS, NextNumber, Series
from ocs_core.ports.lookups.settlements import (
    LiveSettlements,
    SettlementsAfter,
    SettlementWithId,
    SourceOf,
    TargetOf,
)
from ocs_core.ports.lookups.taken import Taken, Unique

LOOKUPS: tuple[type[Lookup[Any]], ...] = (
    Taken,
    AccountNamed,
    PayerOf,
    PaymentNamed,
    SourceOf,
    DocumentNamed,
    TargetOf,
    SettlementWithId,
    LiveSettlements,
    SettlementsAfter,
    ChargeableEventWithId,
    AdjustmentsOf,
    OwnerOf,
    AccountsNamed,
    PayersOf,
    TakenEvents,
    NextNumber,
)
"""Every look-up, in the order in which a store takes their locks, whatever it is asked together: so nobody waits in a circle."""

__all__ = [
    "DOCUMENT_NUMBERS",
    "LOOKUPS",
    "PAYMENT_NUMBERS",
    "AccountNamed",
    "AccountsNamed",
    "AdjustmentsOf",
    "ChargeableEventWithId",
    "DocumentNamed",
    "Found",
    "LiveSettlements",
    "Lookup",
    "NextNumber",
    "OwnerOf",
    "PayerOf",
    "PayersOf",
    "PaymentNamed",
    "Series",
    "SettlementWithId",
    "SettlementsAfter",
    "SourceOf",
    "Taken",
    "TakenEvents",
    "TargetOf",
    "Unique",
]
