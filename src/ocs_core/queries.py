"""What people search for and look at (domain: section 6, reads). Nothing here changes anything."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

import attrs

from ocs_core.configuring import Use
from ocs_core.entities.account import Account, AccountName, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document, DocumentState
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.process import ProcessRun, RunFailure
from ocs_core.entities.settlement import Settlement
from ocs_core.form import Amount, Code, ExternalId, Form, Label, Moment, Whole
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage

V = TypeVar("V", covariant=True)


@attrs.frozen(kw_only=True)
class Search(Form):
    """What every list can be narrowed by. The newest come first; `cursor` is the `ref_id` after which a page begins."""

    limit: Annotated[int, Whole(1, 200)] = 50
    cursor: UUID | None = None


@attrs.frozen(kw_only=True)
class AccountSearch(Search):
    """Accounts; `account_*` name one, `external_id` too."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    external_id: ExternalId | None = None
    account_type: Code | None = None
    customer: Label | None = None
    state: AccountState | None = None


@attrs.frozen(kw_only=True)
class PaymentSearch(Search):
    """Payments: dates are of receipt, `date_to` exclusive; amounts in millionths, both ends included; `payment_ref` is any
    of the three references."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    amount_from: Amount | None = None
    amount_to: Amount | None = None
    payment_ref: Label | None = None
    payment_no: Code | None = None
    external_payment_no: ExternalId | None = None
    payment_type: PaymentType | None = None
    identified: bool | None = None
    cancelled: bool | None = None


@attrs.frozen(kw_only=True)
class DocumentSearch(Search):
    """Documents: dates are of issue, `date_to` exclusive; amounts are totals with tax, in millionths, both ends included."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    amount_from: Amount | None = None
    amount_to: Amount | None = None
    payment_ref: Label | None = None
    document_no: Code | None = None
    external_document_no: ExternalId | None = None
    document_type: Code | None = None
    state: DocumentState | None = None


@attrs.frozen(kw_only=True)
class ChargeableEventSearch(Search):
    """Chargeable events: dates are of the event, `date_to` exclusive; amounts are charges with tax, in millionths."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    amount_from: Amount | None = None
    amount_to: Amount | None = None
    ref_id: UUID | None = None
    event_type: Label | None = None
    invoiced: bool | None = None
    original_ref_id: UUID | None = None


@attrs.frozen(kw_only=True)
class ProcessRunSearch(Search):
    """Runs of processes, all of them."""


@attrs.frozen
class Page(Generic[V]):
    """One page of a list, newest first; `next` is the cursor of the following page, None at the end."""

    items: tuple[V, ...]
    next: UUID | None = None

    @classmethod
    def of(cls, found: Sequence[V], limit: int) -> "Page[V]":
        """A page of at most `limit` items, where one more was asked for to know whether there are more."""
        items = tuple(found[:limit])
        return cls(items, items[-1].ref_id if len(found) > limit else None)  # type: ignore[attr-defined]


class Queries(Protocol):
    """The reading side of a store. Every method sees one snapshot."""

    def accounts(self, search: AccountSearch) -> Page[Account]: ...

    def payments(self, search: PaymentSearch) -> Page[Payment]: ...

    def documents(self, search: DocumentSearch) -> Page[Document]: ...

    def chargeable_events(self, search: ChargeableEventSearch) -> Page[ChargeableEvent]: ...

    def configuration(self) -> Configuration: ...

    def is_used(self, use: Use) -> bool:
        """Whether anything is kept that goes by this entry of the configuration."""

    def account(self, named: AccountName) -> Account | None: ...

    def payer(self, account_ref_id: UUID) -> Payer | None:
        """What is kept of a payer itself, without looking at what it has; None where there is no such payer."""

    def ledger(self, account_ref_id: UUID) -> Ledger | None:
        """A payer with **all** its documents, payments and settlements; None where there is no such payer."""

    def settlements(self, document_ref_id: UUID) -> Sequence[Settlement]:
        """What settles a document, or is settled by it, as of now: those that were cancelled are left out; by ref_id."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        """What `lines_page` of the whole ledger gives: the `limit` items behind `cursor`, and all settlements that touch them. It
        costs what the page has, whatever the payer has; None where there is no such payer."""

    def runs(self, search: ProcessRunSearch) -> Page[ProcessRun]:
        """Runs as far as they are, dry ones and those that are over included."""

    def run(self, ref_id: UUID) -> ProcessRun | None: ...

    def running(self) -> Sequence[ProcessRun]:
        """The runs that were begun and are not done."""

    def failures(self, run_ref_id: UUID) -> Sequence[RunFailure]:
        """All payers that a run could not calculate, by account; none where there is no such run."""
