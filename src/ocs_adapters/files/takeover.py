"""Taking a ledger of receivables over, through the use-cases: accounts, documents, payments and their assignments.

Everything gets its ids from the ledger's own keys, and is looked for before it is made: the same file, a longer one or a
later day adds only what is new, and a run that was cut off is completed by the next.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import attrs

from ocs_adapters.files.differences import Contradiction, document_agrees, payment_agrees
from ocs_adapters.files.receivables import Invoice
from ocs_adapters.files.table import FileRefused, Problem
from ocs_adapters.files.terms import TakenOver, Terms, lacking
from ocs_core import rules
from ocs_core.entities.account import Account
from ocs_core.entities.configuration import Configuration, day_of, start_of_day
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.errors import RequestRejected
from ocs_core.messages import Response
from ocs_core.money import Money
from ocs_core.ports import AccountId, Clock, Ids, Store
from ocs_core.queries import DocumentSearch, PaymentSearch, Queries
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.perform import Caller, R, UseCase
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest

CALLER = Caller("import-receivables")
SOURCE = "import"
TOGETHER = 200
"""So many rows are kept together."""
T = TypeVar("T", Account, Document, Payment)


@attrs.define
class TakeOver:
    """`together` gives a store whose work is kept as a whole, or not at all."""

    queries: Queries
    together: Callable[[], AbstractContextManager[Store]]
    terms: Terms
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    configuration: Configuration = attrs.field(init=False)
    _accounts: dict[str, Account] = attrs.field(factory=dict, init=False)

    def __call__(self, invoices: Sequence[Invoice], on_rows: Callable[[int], None] = lambda rows: None) -> TakenOver:
        """Take every invoice over, some rows at a time, telling how many were kept. Raises `FileRefused`."""
        self.configuration = self.queries.configuration()
        if self.terms.as_of > day_of(self.clock(), self.configuration.zone):
            raise FileRefused(f"The day {self.terms.as_of} has not come yet; give --as-of a day that has.")
        if missing := lacking(self.configuration, self.terms):
            raise FileRefused(
                f"Not configured: {'; '.join(missing)}. Run: ocs configure FILE.toml (ocs configure --example prints one)"
            )
        whole = TakenOver()
        rows = iter(invoices)
        while some := list(itertools.islice(rows, TOGETHER)):
            taken = TakenOver()
            with self.together() as store:
                for invoice in some:
                    self._take(invoice, store, taken)
            whole.add(taken)
            on_rows(len(some))
        return whole

    def _take(self, invoice: Invoice, store: Store, taken: TakenOver) -> None:
        if invoice.issued > self.terms.as_of:
            taken.left_out += 1
            return
        try:
            document = self._stored_document(invoice)
            if document is not None:
                document_agrees(invoice, document, self.terms.currency)
                taken.unchanged["documents"] += 1
            else:
                currency = self.terms.currency  # before the account: a row that is refused leaves nothing
                rules.check(rules.amount_is_payable(self.configuration, invoice.amount, currency))
            account = self._account(invoice, store, taken)
            document = document or self._document(invoice, account, store, taken)
            self._settle(invoice, account, document, store, taken)
        except Contradiction as conflict:
            taken.conflicts.append(Problem(invoice.line, str(conflict)))
        except RequestRejected as rejected:
            reasons = "; ".join(f"{v.message} ({v.code})" for v in rejected.violations)
            taken.refused.append(Problem(invoice.line, f"invoice {invoice.number}: {reasons}"))

    def _account(self, invoice: Invoice, store: Store, taken: TakenOver) -> Account:
        if invoice.customer in self._accounts:
            return self._accounts[invoice.customer]
        account = self.queries.account(AccountId(external_id=invoice.customer))
        if account is None:
            request = CreateAccountRequest(
                request_id=f"account/{invoice.customer}",
                external_id=invoice.customer,
                customer=invoice.customer,
                account_type=self.terms.account_type,
                currency=self.terms.currency,
            )
            account = self._made(Account, self._perform(CreateAccount, request, store), "accounts", taken)
        elif account.currency != self.terms.currency:
            raise Contradiction(
                f"the account {invoice.customer} is in {account.currency}, not in {self.terms.currency}"
            )
        else:
            taken.unchanged["accounts"] += 1
        self._accounts[invoice.customer] = account
        return account

    def _document(self, invoice: Invoice, account: Account, store: Store, taken: TakenOver) -> Document:
        request = CreateAnyDocumentRequest(
            request_id=f"document/{invoice.number}",
            account=AccountId(ref_id=account.ref_id),
            document_type=self.terms.document_type,
            document_source=SOURCE,
            external_document_no=invoice.number,
            document_issued_date=invoice.issued,
            document_due_date=invoice.due,
            currency=self.terms.currency,
            amount=invoice.amount,
            tax_included=True,
            due_amount_type=DueAmountType.AR,
        )
        return self._made(Document, self._perform(CreateAnyDocument, request, store), "documents", taken)

    def _settle(self, invoice: Invoice, account: Account, document: Document, store: Store, taken: TakenOver) -> None:
        payment = self._stored_payment(invoice)
        zone = self.configuration.zone_of(account.account_type)
        if payment is not None:
            payment_agrees(invoice, account, payment, self.terms.currency, zone)
        if invoice.settled is None or invoice.settled > self.terms.as_of:
            return
        if payment is not None and payment.remaining_amount != payment.payment_amount:
            taken.unchanged["payments"] += 1
            return
        if document.due_amount < invoice.amount:
            raise Contradiction(
                f"of invoice {invoice.number} only {Money(document.due_amount, document.currency)} is open: "
                "it was settled by other means than this file"
            )
        received = start_of_day(invoice.settled, zone)
        if payment is None:
            payment = self._received(invoice, account, received, store, taken)
        else:
            taken.unchanged["payments"] += 1
        request = AssignPaymentInToDocumentRequest(
            request_id=f"assignment/{invoice.number}",
            payment_ref_id=payment.ref_id,
            document_ref_id=document.ref_id,
            amount=invoice.amount,
            currency=self.terms.currency,
            effective_date=received,
            notification_requested=not self.terms.silent,
        )
        self._perform(AssignPaymentInToDocument, request, store)

    def _received(
        self, invoice: Invoice, account: Account, received: dt.datetime, store: Store, taken: TakenOver
    ) -> Payment:
        request = RegisterPaymentRequest(
            request_id=f"payment/{invoice.number}",
            account=AccountId(ref_id=account.ref_id),
            external_payment_no=invoice.number,
            payment_amount=invoice.amount,
            currency=self.terms.currency,
            payment_method=self.terms.payment_method,
            payment_date_received=received,
            notification_requested=not self.terms.silent,
        )
        return self._made(Payment, self._perform(RegisterPayment, request, store), "payments", taken)

    def _stored_document(self, invoice: Invoice) -> Document | None:
        return next(iter(self.queries.documents(DocumentSearch(external_document_no=invoice.number)).items), None)

    def _stored_payment(self, invoice: Invoice) -> Payment | None:
        search = PaymentSearch(external_payment_no=invoice.number, payment_type=PaymentType.IN)
        return next(iter(self.queries.payments(search).items), None)

    def _perform(self, use_case: type[UseCase[R]], request: R, store: Store) -> Response:
        return use_case(store, clock=self.clock, ids=self.ids)(request, caller=CALLER)

    def _made(self, cls: type[T], answer: Response, what: str, taken: TakenOver) -> T:
        (taken.unchanged if answer.replayed else taken.new)[what] += 1
        return next(_objects(cls, answer))


def _objects(cls: type[T], answer: Response) -> Iterator[T]:
    return (step.object for step in answer.steps if isinstance(step.object, cls))
