"""Making what an invoice of a ledger still lacks, through the use-cases, within the transaction of its store."""

import datetime as dt
from collections.abc import Iterator
from typing import TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.configuration import Configuration, start_of_day
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment
from ocs_core.messages import PaymentDocuments, Response
from ocs_core.ports import Clock, Ids, Store
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.perform import Caller, R, UseCase, W
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.take_over_receivables import Invoice, Terms

CALLER = Caller("import-receivables")
SOURCE = "import"


@attrs.frozen(kw_only=True)
class Making:
    """Makes what one invoice still lacks."""

    invoice: Invoice
    ref_id: UUID
    """Of the take-over."""
    store: Store
    terms: Terms
    configuration: Configuration
    clock: Clock
    ids: Ids

    def account(self) -> Account:
        terms, customer = self.terms, self.invoice.customer
        request = CreateAccountRequest(
            request_id=f"{self.ref_id}/account/{self.invoice.line}",
            external_id=customer,
            customer=customer,
            account_type=terms.account_type,
            currency=self.invoice.currency,
        )
        return _made(Account, self._perform(CreateAccount, request))

    def document(self, account: Account) -> Document:
        terms, invoice = self.terms, self.invoice
        request = CreateAnyDocumentRequest(
            request_id=f"{self.ref_id}/document/{invoice.line}",
            account=AccountName(ref_id=account.ref_id),
            document_type=terms.credit_type if invoice.credit else terms.document_type,
            document_source=SOURCE,
            external_document_no=invoice.number,
            document_issued_date=invoice.issued,
            document_due_date=invoice.due,
            currency=invoice.currency,
            amount=invoice.amount,
            tax_included=True,
            tax=invoice.tax,
            due_amount_type=DueAmountType.LIABILITY if invoice.credit else DueAmountType.AR,
        )
        return _made(Document, self._perform(CreateAnyDocument, request))

    def payment(self, account: Account, amount: int, number: str) -> Payment:
        request = RegisterPaymentRequest(
            request_id=f"{self.ref_id}/payment/{self.invoice.line}",
            account=AccountName(ref_id=account.ref_id),
            external_payment_no=number,
            payment_amount=amount,
            currency=self.invoice.currency,
            payment_method=self.terms.payment_method,
            payment_date_received=self._received(account),
        )
        return _made(Payment, self._perform(RegisterPayment, request))

    def assignment(self, payment: Payment, document: Document, amount: int) -> UUID:
        """The id of the settlement, in effect from the receipt; of a payment that somebody took off before, from now."""
        is_untouched = payment.version == 1
        request = AssignPaymentInToDocumentRequest(
            request_id=f"{self.ref_id}/assignment/{self.invoice.line}",
            payment_ref_id=payment.ref_id,
            document_ref_id=document.ref_id,
            amount=amount,
            currency=self.invoice.currency,
            effective_date=payment.payment_date_received if is_untouched else None,
        )
        return _made(PaymentDocuments, self._perform(AssignPaymentInToDocument, request)).monetary_transaction.ref_id

    def _received(self, account: Account) -> dt.datetime:
        zone = self.configuration.zone_of(account.account_type)
        return start_of_day(self.invoice.settled or self.terms.as_of, zone)

    def _perform(self, use_case: type[UseCase[R, W]], request: R) -> Response:
        performed = use_case(self.store, clock=self.clock, ids=self.ids, notifies=self.terms.notify)
        return performed(request, caller=CALLER)


M = TypeVar("M", Account, Document, Payment, PaymentDocuments)


def _made(cls: type[M], answer: Response) -> M:
    return next(_objects(cls, answer))


def _objects(cls: type[M], answer: Response) -> Iterator[M]:
    return (step.object for step in answer.steps if isinstance(step.object, cls))
