"""A payer with what is known of it: whole, or as much as a balance asks for (domain: section 4)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountRef, Payer
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement


class LedgerAccount(Protocol):
    """What a balance asks of an account; an `Account` has it."""

    @property
    def ref_id(self) -> UUID: ...
    @property
    def external_id(self) -> str | None: ...
    @property
    def account_type(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def ref(self) -> AccountRef: ...


class LedgerPayer(Protocol):
    """What was found of a payer last; a `Payer` has it."""

    @property
    def collection_balance(self) -> int | None: ...
    @property
    def oldest_due_date(self) -> dt.date | None: ...
    @property
    def in_collection(self) -> bool: ...
    @property
    def collection_balance_as_of(self) -> dt.datetime | None: ...


class LedgerDocument(Protocol):
    """What a balance asks of a document; a `Document` has it."""

    @property
    def ref_id(self) -> UUID: ...
    @property
    def document_type(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def due_amount(self) -> int: ...
    @property
    def due_amount_type(self) -> DueAmountType: ...
    @property
    def document_issued_date(self) -> dt.date: ...
    @property
    def document_due_date(self) -> dt.date: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def cancelled_at(self) -> dt.datetime | None: ...


class LedgerPayment(Protocol):
    """What a balance asks of a payment; a `Payment` has it."""

    @property
    def ref_id(self) -> UUID: ...
    @property
    def payment_type(self) -> PaymentType: ...
    @property
    def currency(self) -> str: ...
    @property
    def remaining_amount(self) -> int: ...
    @property
    def payment_date_received(self) -> dt.datetime | None: ...
    @property
    def payment_date_sent(self) -> dt.datetime | None: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def cancelled_at(self) -> dt.datetime | None: ...


class OpenLedger(Protocol):
    """What a store fetches of one payer for a balance at T: at least every item that is open now, or was touched by a
    settlement that took effect or was cancelled after T, or was itself cancelled after T; and those settlements.

    A run sees millions: a store may give no more of each thing than the rules ask of it, and each item once, first the
    documents, then the payments, before the next ledger. A `Ledger` has all of it.
    """

    @property
    def account(self) -> LedgerAccount: ...
    @property
    def payer(self) -> LedgerPayer: ...
    @property
    def documents(self) -> Iterable[LedgerDocument]: ...
    @property
    def payments(self) -> Iterable[LedgerPayment]: ...
    @property
    def settlements(self) -> Sequence[Settlement]: ...


@attrs.frozen(kw_only=True)
class Ledger:
    """One payer with everything that there is of it, or with what an `OpenLedger` has at least."""

    account: Account
    payer: Payer
    documents: tuple[Document, ...] = ()
    payments: tuple[Payment, ...] = ()
    settlements: tuple[Settlement, ...] = ()
