"""Accounts and payers (domain: section 3)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import attrs

from ocs_core.form import ExternalId, Form
from ocs_core.frozen import frozen_mappings


class AccountState(StrEnum):
    """INACTIVE → ACTIVE ↔ SUSPENDED → DEACTIVATED and ACTIVE → DEACTIVATED; nothing leaves DEACTIVATED."""

    INACTIVE = "INACTIVE"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DEACTIVATED = "DEACTIVATED"

    def may_become(self, state: "AccountState") -> bool:
        return state is self or state in _TRANSITIONS[self]


_TRANSITIONS: Mapping[AccountState, frozenset[AccountState]] = {
    AccountState.INACTIVE: frozenset({AccountState.ACTIVE}),
    AccountState.ACTIVE: frozenset({AccountState.SUSPENDED, AccountState.DEACTIVATED}),
    AccountState.SUSPENDED: frozenset({AccountState.ACTIVE, AccountState.DEACTIVATED}),
    AccountState.DEACTIVATED: frozenset(),
}


@attrs.frozen
class AccountRef:
    """How anything points at an account: always both ids."""

    ref_id: UUID
    external_id: str | None = None


@attrs.frozen(kw_only=True)
class Account:
    """A customer's account. Its currency and type never change.

    `payer_account` is the payment responsible account that answers for it: itself, or its nearest responsible ancestor,
    or none. It is fixed at creation, since a parent never changes.
    """

    code: ClassVar[str] = "account"

    ref_id: UUID
    external_id: str | None = None
    account_type: str
    currency: str
    customer: str | None = None
    parent: AccountRef | None = None
    payer_account: AccountRef | None = None
    segment: str | None = None
    bill_cycle: str | None = None
    custom_name: str | None = None
    state: AccountState = AccountState.ACTIVE
    version: int = 1

    @property
    def own_payer(self) -> AccountRef | None:
        """Its payer, keyed by the account itself; None where an ancestor pays, or nobody."""
        return self.payer_account if self.payer_account == self.ref else None

    @property
    def ref(self) -> AccountRef:
        return AccountRef(self.ref_id, self.external_id)


@attrs.frozen(kw_only=True)
class AccountName(Form):
    """How a caller names an account: by either id, or by both, which must then agree."""

    ref_id: UUID | None = None
    external_id: ExternalId | None = None

    @property
    def is_given(self) -> bool:
        return self.ref_id is not None or self.external_id is not None

    def agrees_with(self, account: Account) -> bool:
        return self.external_id in {None, account.external_id}


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Payer:
    """The revenue-management side of a payment responsible account, created with it and keyed by it.

    A change is immediate and never touches documents that exist. Offsets are in days; `collection_balance` is in
    millionths of the account's currency, positive where the payer owes; `collection_balance_as_of` is the T of the run that
    changed it last, `collection_balance_calculated_at` when that run did. `account_type` is its account's, which never
    changes; None only in an answer that an earlier release kept.
    """

    code: ClassVar[str] = "payer"

    account: AccountRef
    account_type: str | None = None
    payment_method: str | None = None
    delivery_method: str | None = None
    invoicing_excluded: bool = False
    invoicing_excluded_to: dt.datetime | None = None
    due_date_offset: int | None = None
    due_date_offsets: Mapping[str, int] = attrs.field(factory=dict)
    bank_account_name: str | None = None
    bank_account_number: str | None = None
    bank_number_code: str | None = None
    iban: str | None = None
    bic: str | None = None
    bank_account_number_direct_debit: str | None = None
    bank_number_code_direct_debit: str | None = None
    bank_account_number_direct_debit_provider: str | None = None
    bank_number_code_direct_debit_provider: str | None = None
    payment_ref1: str | None = None
    payment_ref2: str | None = None
    payment_ref3: str | None = None
    collection_balance: int | None = None
    oldest_due_date: dt.date | None = None
    in_collection: bool = False
    collection_balance_as_of: dt.datetime | None = None
    collection_balance_calculated_at: dt.datetime | None = None
    version: int = 1

    @property
    def ref_id(self) -> UUID:
        return self.account.ref_id

    def is_invoicing_excluded_at(self, instant: dt.datetime) -> bool:
        return self.invoicing_excluded and (self.invoicing_excluded_to is None or instant < self.invoicing_excluded_to)
