"""What the machine does: random use-cases, sensible and senseless, on what there is."""

import datetime as dt
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from ocs_core.entities.account import AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import RequestRejected
from ocs_core.form import UNSET
from ocs_core.testkit.examples import UNIT
from ocs_core.testkit.stateful.beside import Beside, outcome_of
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance
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
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest
from ocs_core.usecases.update_payer import UpdatePayer, UpdatePayerRequest

amounts = st.sampled_from([1, 3, 7, 50]).map(lambda units: units * UNIT)
numbers = st.none() | st.integers(0, 5).map("N-{}".format)
which = st.integers(0, 10**6)
"""Stands for one of the entities that there are."""


class Commands(Beside):
    """Every use-case as a rule of the machine."""

    def some_payment_for(self, document: Document, number: int) -> Payment | None:
        """More often than not one that may pay the document."""
        payments = list(self.reference.entities[Payment].values())
        fitting = [p for p in payments if p.account in {None, document.account} and p.currency == document.currency]
        found = fitting if fitting and number % 4 else payments
        return found[number % len(found)] if found else None

    @initialize()
    def a_payer_who_owes_and_pays(self) -> None:
        self.create_account("payer", None, None, AccountState.ACTIVE)
        self.create_any_document(0, "genericInvoice", 50 * UNIT, 30, None, "EUR")
        self.register_payment(0, PaymentType.IN, 50 * UNIT, None, "EUR")

    @rule(hours=st.integers(1, 24 * 40))
    def time_passes(self, hours: int) -> None:
        for desk in (self.desk, self.other):
            desk.clock.advance(hours=hours)

    @rule(
        account_type=st.sampled_from(["payer", "payer", "technical"]),
        parent=st.none() | which,
        external_id=numbers,
        state=st.sampled_from([AccountState.ACTIVE, AccountState.ACTIVE, AccountState.INACTIVE]),
    )
    def create_account(
        self, account_type: str, parent: int | None, external_id: str | None, state: AccountState
    ) -> None:
        above = self.account(parent) if parent is not None else None
        request = CreateAccountRequest(
            **self.common(),
            account_type=account_type,
            currency="EUR",
            parent=above,
            external_id=external_id,
            state=state,
        )
        self.perform(CreateAccount, request)

    @rule(account=which, state=st.sampled_from(AccountState))
    def update_account_state(self, account: int, state: AccountState) -> None:
        request = UpdateAccountStateRequest(**self.common(), account=self.account(account), state=state)
        self.perform(UpdateAccountState, request)

    @rule(
        account=st.none() | which,
        kind=st.sampled_from([PaymentType.IN, PaymentType.IN, PaymentType.IN, PaymentType.OUT]),
        amount=amounts,
        number=numbers,
        currency=st.sampled_from(["EUR", "EUR", "USD"]),
        hours=st.integers(0, 100),
    )
    def register_payment(
        self, account: int | None, kind: PaymentType, amount: int, number: str | None, currency: str, hours: int = 0
    ) -> None:
        moved = self.desk.clock() - dt.timedelta(hours=hours)
        request = RegisterPaymentRequest(
            **self.common(),
            account=self.account(account) if account is not None else None,
            payment_type=kind,
            external_payment_no=number,
            payment_amount=amount,
            currency=currency,
            payment_method="cash",
            payment_date_received=moved,
            payment_date_sent=moved,
        )
        self.perform(RegisterPayment, request)

    @rule(payment=which, account=which)
    def identify_payment_in(self, payment: int, account: int) -> None:
        if found := self.some(Payment, payment):
            request = IdentifyPaymentInRequest(
                **self.common(), account=self.account(account), payment_ref_id=found.ref_id
            )
            self.perform(IdentifyPaymentIn, request)

    @rule(
        account=which,
        document_type=st.sampled_from(["genericInvoice", "genericInvoice", "creditNote", "deposit"]),
        amount=amounts,
        days=st.integers(0, 60),
        number=numbers,
        currency=st.sampled_from(["EUR", "EUR", "USD"]),
    )
    def create_any_document(
        self, account: int, document_type: str, amount: int, days: int, number: str | None, currency: str
    ) -> None:
        request = CreateAnyDocumentRequest(
            **self.common(),
            account=self.account(account),
            document_type=document_type,
            external_document_no=number,
            document_issued_date=self.desk.clock().date() - dt.timedelta(days=days),
            currency=currency,
            amount=amount,
            tax_included=True,
            tax="vat21",
        )
        self.perform(CreateAnyDocument, request)

    @rule(payment=which, document=which, amount=amounts, hours=st.none() | st.integers(0, 100))
    def assign_payment_in_to_document(self, payment: int, document: int, amount: int, hours: int | None) -> None:
        target = self.some(Document, document)
        source = self.some_payment_for(target, payment) if target else None
        if source:
            request = AssignPaymentInToDocumentRequest(
                **self.common(),
                payment_ref_id=source.ref_id,
                document_ref_id=target.ref_id,
                amount=amount,
                currency=target.currency,
                effective_date=None if hours is None else self.desk.clock() - dt.timedelta(hours=hours),
            )
            self.perform(AssignPaymentInToDocument, request)

    @rule(payment=which, document=which)
    def cancel_payment_in_assignment(self, payment: int, document: int) -> None:
        settlement = self.some(Settlement, payment)
        source = settlement.source_ref_id if settlement else _ref_id(self.some(Payment, payment))
        target = settlement.target_ref_id if settlement else _ref_id(self.some(Document, document))
        request = CancelPaymentInAssignmentRequest(
            **self.common(), payment_ref_id=source, document_ref_id=target, reason="mistake"
        )
        self.perform(CancelPaymentInAssignment, request)

    @rule(payment=which)
    def cancel_payment_in_identification(self, payment: int) -> None:
        ref_id = _ref_id(self.some(Payment, payment))
        request = CancelPaymentInIdentificationRequest(**self.common(), payment_ref_id=ref_id, reason="mistake")
        self.perform(CancelPaymentInIdentification, request)

    @rule(payment=which)
    def cancel_payment(self, payment: int) -> None:
        number = self.some(Payment, payment).external_payment_no or "none"
        request = CancelPaymentRequest(**self.common(), external_payment_no=number, reason="mistake")
        self.perform(CancelPayment, request)

    @rule(document=which)
    def cancel_document(self, document: int) -> None:
        number = self.some(Document, document).document_no
        request = CancelDocumentRequest(**self.common(), document_no=number, reason="mistake")
        self.perform(CancelDocument, request)

    @rule(
        account=which,
        method=st.sampled_from(["cash", None, UNSET]),
        iban=st.sampled_from(["DE1", None, UNSET]),
        excluded=st.sampled_from([True, False, UNSET]),
        offset=st.sampled_from([30, None, UNSET]),
    )
    def update_payer(self, account: int, method: Any, iban: Any, excluded: Any, offset: Any) -> None:
        request = UpdatePayerRequest(
            **self.common(),
            account=self.account(account),
            payment_method=method,
            iban=iban,
            invoicing_excluded=excluded,
            due_date_offset=offset,
        )
        self.perform(UpdatePayer, request)

    @rule(account=which, charge=amounts, tax=st.integers(0, 10**7), rate=st.sampled_from([0, 2100]))
    def feed_chargeable_events(self, account: int, charge: int, tax: int, rate: int) -> None:
        fed = ChargeableEventFed(
            account=self.account(account),
            event_type="call",
            event_date=self.desk.clock(),
            charge=charge,
            tax=tax,
            charge_with_tax=charge + tax,
            currency="EUR",
            tax_rate=rate,
        )
        self.perform(FeedChargeableEvents, FeedChargeableEventsRequest(**self.common(), events=(fed,)))

    @rule(charge=which, kind=st.sampled_from(ChargeType), amount=st.integers(1, 10**7), included=st.booleans())
    def adjust_chargeable_event(self, charge: int, kind: ChargeType, amount: int, included: bool) -> None:
        if found := self.some(ChargeableEvent, charge):
            request = AdjustChargeableEventRequest(
                **self.common(),
                chargeable_event_ref_id=found.ref_id,
                charge_type=kind,
                charge_adjustment=amount,
                currency="EUR",
                tax_included=included,
            )
            self.perform(AdjustChargeableEvent, request)

    @rule(account=which, excluded=st.booleans(), days=st.none() | st.integers(1, 9))
    def update_invoicing_flag(self, account: int, excluded: bool, days: int | None) -> None:
        end = None if days is None else self.desk.clock() + dt.timedelta(days=days)
        request = UpdateInvoicingFlagRequest(
            **self.common(), account=self.account(account), invoicing_excluded=excluded, invoicing_excluded_to=end
        )
        self.perform(UpdateInvoicingFlag, request)

    @rule(account=which, offset=st.none() | st.integers(0, 30), kind=st.none() | st.just("deposit"))
    def update_due_date_offset(self, account: int, offset: int | None, kind: str | None) -> None:
        request = UpdateDueDateOffsetRequest(
            **self.common(), account=self.account(account), due_date_offset=offset, document_type=kind
        )
        self.perform(UpdateDueDateOffset, request)

    @precondition(lambda self: self.runs)
    @rule(ago=st.none() | st.integers(0, 20), dry_run=st.booleans(), limit=st.integers(1, 3))
    def calculate_collection_balance(self, ago: int | None, dry_run: bool, limit: int) -> None:
        as_of = None if ago is None else self.desk.clock() - dt.timedelta(days=ago)
        answer = self.perform(
            StartCollectionRun, StartCollectionRunRequest(**self.common(), as_of=as_of, dry_run=dry_run)
        )
        if answer is not None:
            run: Any = answer.steps[0].object
            expected, found = (desk.finish(run.ref_id, limit) for desk in (self.desk, self.other))
            assert found == expected, "the run ended otherwise than the reference's"

    @precondition(lambda self: self.runs)
    @rule(dry_run=st.booleans(), limit=st.integers(1, 3))
    def cancel_process_run(self, dry_run: bool, limit: int) -> None:
        answer = self.perform(StartCollectionRun, StartCollectionRunRequest(**self.common(), dry_run=dry_run))
        if answer is not None:
            ref_id = _ref_id(answer.steps[0].object)
            for desk in (self.desk, self.other):
                CalculateCollectionBalance(desk.run_store, clock=desk.clock)(ref_id, limit)
            self.perform(CancelProcessRun, CancelProcessRunRequest(**self.common(), ref_id=ref_id))

    @precondition(lambda self: self.performed)
    @rule(which=which)
    def repeat_an_earlier_request(self, which: int) -> None:
        use_case, request = self.performed[which % len(self.performed)]
        before = len(self.reference.outbox)
        for desk in (self.desk, self.other):
            answer = outcome_of(desk, use_case, request)
            assert isinstance(answer, RequestRejected) or answer.replayed
        assert len(self.reference.outbox) == before


def _ref_id(entity: Any) -> UUID:
    return entity.ref_id  # type: ignore[no-any-return]
