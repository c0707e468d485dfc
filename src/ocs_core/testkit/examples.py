"""A small company to try things on: its master data, and a desk that performs commands on any store.

desk = Desk(MemoryStore(configuration()))
payer = desk.account("A-1")
desk.payment(account=payer, amount=50 * UNIT)
"""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import (
    AccountType,
    Configuration,
    Currency,
    DocumentCategory,
    DocumentType,
    NotificationSetting,
    PaymentMethod,
    PaymentTypeSetting,
    Reason,
    Tax,
    TaxRateFrom,
)
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.memory import MemoryIds
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart, Response
from ocs_core.money import MILLIONTHS as UNIT
from ocs_core.ports import Ids, RunStore, Store
from ocs_core.testkit.fakes import NOW, SettableClock
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceFailed
from ocs_core.usecases.cancel_document import CancelDocument, CancelDocumentRequest
from ocs_core.usecases.cancel_payment import CancelPayment, CancelPaymentRequest
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment, CancelPaymentInAssignmentRequest
from ocs_core.usecases.cancel_payment_in_identification import (
    CancelPaymentInIdentification,
    CancelPaymentInIdentificationRequest,
)
from ocs_core.usecases.cancel_process_run import CancelProcessRun, CancelProcessRunRequest
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.feed_chargeable_events import (
    ChargeableEventFed,
    FeedChargeableEvents,
    FeedChargeableEventsRequest,
)
from ocs_core.usecases.perform import OwnRule, R, UseCase, W
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from ocs_core.usecases.update_payer import UpdatePayer, UpdatePayerRequest

T = TypeVar("T")


def configuration(*more: object) -> Configuration:
    """The example's master data, with `more` entries added or put in the place of those with the same code."""
    return Configuration.of(
        Currency(code="EUR", name="Euro", symbol="€", minor_digits=2),
        Currency(code="USD", name="US dollar", symbol="$", minor_digits=2),
        Currency(code="JPY", name="Yen", symbol="¥", minor_digits=0),
        AccountType(code="payer", payment_responsible=True),
        AccountType(code="technical", payment_responsible=False),
        PaymentMethod(code="bankTransfer"),
        PaymentMethod(code="cash"),
        PaymentTypeSetting(code=PaymentType.IN, collection_relevant=True),
        PaymentTypeSetting(code=PaymentType.OUT),
        PaymentTypeSetting(code=PaymentType.PROMISE_TO_PAY),
        DocumentType(code="genericInvoice", due_amount_type=DueAmountType.AR),
        DocumentType(code="creditNote", due_amount_type=DueAmountType.LIABILITY),
        DocumentType(code="deposit", category=DocumentCategory.DEPOSIT, collection_relevant=False),
        Tax(code="vat21", rates=(TaxRateFrom(valid_from=dt.date(2000, 1, 1), rate=2100),)),
        Reason(code="mistake", kind="cancellation"),
        NotificationSetting(code=CollectionBalanceCalculated.code),
        NotificationSetting(code=CollectionStart.code),
        *more,
    )


@attrs.define
class Desk:
    """Performs commands on a store, each under a request id of its own; what is not said is an everyday default.

    Whatever it is asked to make goes through the use-case, so it works on every store whose configuration is the example's.
    """

    store: Store
    clock: SettableClock = attrs.field(factory=SettableClock)
    ids: Ids = attrs.field(default=attrs.Factory(lambda desk: MemoryIds(desk.clock), takes_self=True))
    own_rules: Mapping[type, Sequence[OwnRule]] = attrs.field(factory=dict)
    """By use-case, what is judged beside the core's rules."""
    _requests: "itertools.count[int]" = attrs.field(factory=lambda: itertools.count(1), init=False)

    @property
    def run_store(self) -> RunStore:
        """The store, where runs can be performed on it."""
        return cast(RunStore, self.store)

    def request_id(self) -> str:
        return f"request-{next(self._requests)}"

    def perform(self, use_case: type[UseCase[R, W]], request: R) -> Response:
        own_rules = self.own_rules.get(use_case, ())
        return use_case(self.store, clock=self.clock, ids=self.ids, own_rules=own_rules)(request)

    def account(self, external_id: str | None = None, **more: Any) -> Account:
        """A new account: a payer in EUR unless said otherwise."""
        fields: dict[str, Any] = {"account_type": "payer", "currency": "EUR", "external_id": external_id} | more
        made = self.perform(CreateAccount, CreateAccountRequest(request_id=self.request_id(), **fields))
        return _of(Account, made)

    def payment(self, *, account: Account | None = None, amount: int = 50 * UNIT, **more: Any) -> Payment:
        """A payment received now by bank transfer; unidentified without an account."""
        fields: dict[str, Any] = {
            "account": named(account) if account else None,
            "payment_amount": amount,
            "currency": "EUR",
            "payment_method": "bankTransfer",
            "payment_date_received": self.clock(),
        } | more
        made = self.perform(RegisterPayment, RegisterPaymentRequest(request_id=self.request_id(), **fields))
        return _of(Payment, made)

    def document(self, *, account: Account, amount: int = 100 * UNIT, **more: Any) -> Document:
        """An invoice over an amount with its tax included, issued today."""
        fields: dict[str, Any] = {
            "account": named(account),
            "document_type": "genericInvoice",
            "currency": "EUR",
            "amount": amount,
            "tax_included": True,
        } | more
        made = self.perform(CreateAnyDocument, CreateAnyDocumentRequest(request_id=self.request_id(), **fields))
        return _of(Document, made)

    def event(self, *, account: Account, charge: int = 10 * UNIT, tax: int = 2_100_000, **more: Any) -> ChargeableEvent:
        """A chargeable event of today, taxed at 21 %."""
        fields: dict[str, Any] = {
            "account": named(account),
            "event_type": "call",
            "event_date": self.clock(),
            "charge": charge,
            "tax": tax,
            "charge_with_tax": charge + tax,
            "currency": "EUR",
            "tax_rate": 2100,
        } | more
        request = FeedChargeableEventsRequest(request_id=self.request_id(), events=(ChargeableEventFed(**fields),))
        return _of(ChargeableEvent, self.perform(FeedChargeableEvents, request))

    def assign(self, payment: Payment, document: Document, amount: int, **more: Any) -> Response:
        """Settle that much of a document by a payment."""
        request = AssignPaymentInToDocumentRequest(
            request_id=self.request_id(),
            payment_ref_id=payment.ref_id,
            document_ref_id=document.ref_id,
            amount=amount,
            currency=document.currency,
            **more,
        )
        return self.perform(AssignPaymentInToDocument, request)

    def cancel_assignment(self, payment: Payment, document: Document, **more: Any) -> Response:
        """Take back whatever a payment pays of a document."""
        request = CancelPaymentInAssignmentRequest(
            request_id=self.request_id(),
            payment_ref_id=payment.ref_id,
            document_ref_id=document.ref_id,
            reason="mistake",
            **more,
        )
        return self.perform(CancelPaymentInAssignment, request)

    def cancel_one(self, assignment: Settlement, **more: Any) -> Response:
        """Take back one assignment, by its id."""
        request = CancelPaymentInAssignmentRequest(
            request_id=self.request_id(), monetary_transaction_ref_id=assignment.ref_id, reason="mistake", **more
        )
        return self.perform(CancelPaymentInAssignment, request)

    def cancel_identification(self, payment: Payment, **more: Any) -> Payment:
        """Take an incoming payment from its account."""
        request = CancelPaymentInIdentificationRequest(
            request_id=self.request_id(), payment_ref_id=payment.ref_id, reason="mistake", **more
        )
        return _of(Payment, self.perform(CancelPaymentInIdentification, request))

    def cancel_payment(self, payment: Payment, **more: Any) -> Payment:
        """Cancel a payment that is not assigned."""
        request = CancelPaymentRequest(
            request_id=self.request_id(), payment_ref_id=payment.ref_id, reason="mistake", **more
        )
        return _of(Payment, self.perform(CancelPayment, request))

    def cancel_document(self, document: Document, **more: Any) -> Document:
        """Cancel a document that nothing is assigned to."""
        request = CancelDocumentRequest(
            request_id=self.request_id(), document_ref_id=document.ref_id, reason="mistake", **more
        )
        return _of(Document, self.perform(CancelDocument, request))

    def update_payer(self, account: Account, **changes: Any) -> Response:
        """Change something of a payer."""
        request = UpdatePayerRequest(request_id=self.request_id(), account=named(account), **changes)
        return self.perform(UpdatePayer, request)

    def start_run(self, **options: Any) -> ProcessRun:
        """Ask for a collection run; it is not calculated yet."""
        request = StartCollectionRunRequest(request_id=self.request_id(), **options)
        return _of(ProcessRun, self.perform(StartCollectionRun, request))

    def finish(self, run_ref_id: UUID, limit: int | None = None) -> ProcessRun:
        """Calculate what is left of a run, slice by slice."""
        calculate = CalculateCollectionBalance(self.run_store, clock=self.clock)
        while (run := calculate(run_ref_id, limit).run).state is RunState.RUNNING:
            pass
        return run

    def cancel_run(self, run_ref_id: UUID) -> ProcessRun:
        """End a run where it is."""
        request = CancelProcessRunRequest(request_id=self.request_id(), ref_id=run_ref_id)
        return _of(ProcessRun, self.perform(CancelProcessRun, request))

    def collect(self, limit: int | None = None, **options: Any) -> ProcessRun:
        """A whole collection run."""
        return self.finish(self.start_run(**options).ref_id, limit)

    def collect_but_one(self, **options: Any) -> ProcessRun:
        """A whole collection run, of which the first payer could not be calculated."""
        run = self.start_run(**options)
        calculate = CalculateCollectionBalance(self.run_store, clock=self.clock)
        with self.run_store.begin() as uow:
            first, *_ = uow.slices(run.ref_id)
        calculate.give_up_next(SliceFailed(first))
        return self.finish(run.ref_id)


def named(account: Account) -> AccountName:
    """The account as a request names it, by both ids."""
    return AccountName(ref_id=account.ref_id, external_id=account.external_id)


def _of(cls: type[T], response: Response) -> T:
    (first, *_) = response.steps
    assert isinstance(first.object, cls)
    return first.object


__all__ = ["NOW", "UNIT", "Desk", "configuration", "named"]
