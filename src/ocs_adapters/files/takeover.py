"""Taking a ledger of receivables over, through the use-cases: accounts, documents, payments and their assignments.

Everything is looked for before it is made: a longer file or a later day adds only what is new. The whole file is checked
first; then it is written some rows at a time, with a note of how far, so that an import that was cut off goes on.
"""

import bisect
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account
from ocs_core.entities.configuration import Configuration, day_of, start_of_day
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.messages import PaymentDocuments, Response
from ocs_core.money import Money
from ocs_core.ports import AccountId, Clock, Ids, Store, TakenRow, TakeOver, TakeOvers, TakeOverState
from ocs_core.queries import DocumentSearch, PaymentSearch, Queries
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.perform import Caller, R, UseCase
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.take_over_receivables import (
    Contradiction,
    FileRefused,
    Invoice,
    Problem,
    Terms,
    account_agrees,
    document_agrees,
    lacking,
    payment_agrees,
)

CALLER = Caller("import-receivables")
SOURCE = "import"
TOGETHER = 200
"""So many rows are kept together."""
Transactions = Callable[[], AbstractContextManager[tuple[Store, TakeOvers]]]
"""Each gives a store all of whose work is kept, or nothing of it, with the note of what was taken over."""


@attrs.define
class Checked:
    """What would become of the rows: accounts, documents and payments that are new, or were there as the file says."""

    new: Counter[str] = attrs.field(factory=Counter)
    unchanged: Counter[str] = attrs.field(factory=Counter)
    left_out: int = 0
    lacking: list[Invoice] = attrs.field(factory=list)
    """Those of which something is to be made."""
    conflicts: list[Problem] = attrs.field(factory=list)


@attrs.frozen
class Stored:
    """What there is already of one invoice."""

    account: Account | None
    document: Document | None
    payment: Payment | None
    owed: int
    """How much of a payment is to be received and assigned."""

    @property
    def is_assigned(self) -> bool:
        return self.payment is not None and self.payment.remaining_amount != self.payment.payment_amount

    @property
    def is_complete(self) -> bool:
        return self.document is not None and (not self.owed or self.is_assigned)


@attrs.define
class Importer:
    """Checks invoices against what is stored, and writes them."""

    queries: Queries
    transactions: Transactions
    terms: Terms
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    configuration: Configuration = attrs.field(init=False)
    _accounts: dict[str, Account] = attrs.field(factory=dict, init=False)

    @configuration.default
    def _read_configuration(self) -> Configuration:
        return self.queries.configuration()

    def refuse_what_is_missing(self, *, credits: bool = False) -> None:
        """Raises `FileRefused` where the terms cannot be kept."""
        if self.terms.as_of > day_of(self.clock(), self.configuration.zone):
            raise FileRefused(f"The day {self.terms.as_of} has not come yet; give --as-of a day that has.")
        if missing := lacking(self.configuration, self.terms, credits=credits):
            raise FileRefused(
                f"Not configured: {'; '.join(missing)}. Run: ocs configure FILE.toml (ocs configure --example prints one)"
            )

    def check(self, invoices: Sequence[Invoice], on_row: Callable[[], None] = lambda: None) -> Checked:
        """What would become of every invoice. Nothing is written."""
        checked, made = Checked(), set[str]()
        for invoice in invoices:
            on_row()
            if invoice.issued > self.terms.as_of:
                checked.left_out += 1
                continue
            try:
                stored = self._stored(invoice)
            except Contradiction as conflict:
                checked.conflicts.append(Problem(invoice.line, str(conflict)))
                continue
            if not stored.is_complete:
                checked.lacking.append(invoice)
            if invoice.customer not in made:
                made.add(invoice.customer)
                (checked.unchanged if stored.account else checked.new)["accounts"] += 1
            (checked.unchanged if stored.document else checked.new)["documents"] += 1
            if stored.owed:
                (checked.unchanged if stored.payment else checked.new)["payments"] += 1
        return checked

    def begin(self, take_over: TakeOver) -> None:
        with self.transactions() as (_, note):
            note.begin(take_over)

    def write(
        self, take_over: TakeOver, invoices: Sequence[Invoice], on_rows: Callable[[int], None] = lambda rows: None
    ) -> TakeOver:
        """Write these invoices, in the order of their lines. Raises `FileRefused` where others changed what was checked."""
        while take_over.state is TakeOverState.WRITING:
            try:
                with self.transactions() as (store, note):
                    take_over, rows = self._write_some(take_over, invoices, store, note)
            except (Contradiction, RequestRejected, Conflict) as reason:
                raise FileRefused(
                    f"Somebody changed what was checked: {_reason(reason)}. Up to line {take_over.through} the file is taken "
                    "over. Mend this and give the same command again to go on, or take all of it back with: ocs import undo"
                ) from None
            on_rows(rows)
        return take_over

    def _write_some(
        self, take_over: TakeOver, invoices: Sequence[Invoice], store: Store, note: TakeOvers
    ) -> tuple[TakeOver, int]:
        current = note.locked(take_over.ref_id)
        if current is None or current.state is not TakeOverState.WRITING:
            state = current.state if current else "gone"
            raise FileRefused(f"Somebody else has changed this import meanwhile: it is {state}.")
        behind = bisect.bisect_right(invoices, current.through, key=lambda invoice: invoice.line)
        some = invoices[behind : behind + TOGETHER]
        created, taken = Counter(current.created), list[TakenRow]()
        for invoice in some:
            if row := self._write_one(invoice, current.ref_id, store, created):
                taken.append(row)
        note.add_rows(taken)
        if len(some) == TOGETHER:
            current = attrs.evolve(current, through=some[-1].line, created=created)
        else:
            through = invoices[-1].line if invoices else current.through
            done = TakeOverState.DONE
            current = attrs.evolve(current, state=done, through=through, created=created, ended_at=self.clock())
        note.keep(current)
        return current, len(some)

    def _write_one(self, invoice: Invoice, ref_id: UUID, store: Store, created: Counter[str]) -> TakenRow | None:
        stored = self._stored(invoice)
        if stored.is_complete:
            return None
        making = _Making(self, invoice, ref_id, store)
        account = stored.account or making.account()
        document = stored.document or making.document(account)
        payment, settlement = stored.payment, None
        if stored.owed and not stored.is_assigned:
            payment = payment or making.payment(account, stored.owed)
            settlement = making.assignment(payment, document, min(stored.owed, invoice.amount))
        self._accounts[invoice.customer] = account
        made = {"accounts": stored.account is None, "documents": stored.document is None}
        made["payments"] = payment is not None and stored.payment is None
        created.update({what: 1 for what, was_made in made.items() if was_made})
        return TakenRow(
            take_over_ref_id=ref_id,
            line=invoice.line,
            account_ref_id=account.ref_id,
            account_made=made["accounts"],
            document_ref_id=document.ref_id,
            document_made=made["documents"],
            payment_ref_id=payment.ref_id if payment and settlement else None,
            payment_made=made["payments"],
            settlement_ref_id=settlement,
        )

    def _stored(self, invoice: Invoice) -> Stored:
        """Raises `Contradiction` where what is stored and the file cannot both be true."""
        document = self._document(invoice)
        if document is not None:
            document_agrees(invoice, document)
        account = self._accounts.get(invoice.customer) or self.queries.account(AccountId(external_id=invoice.customer))
        if account is not None:
            account_agrees(invoice, account, self.configuration)
        payment = self._payment(invoice)
        owed = 0 if invoice.credit else invoice.paid_by(self.terms.as_of)
        if payment is not None:
            if account is None:
                raise Contradiction(f"there is a payment {invoice.number} already, of nobody that the file names")
            payment_agrees(invoice, account, payment, self.configuration.zone_of(account.account_type))
        stored = Stored(account, document, payment, owed)
        if document is not None and owed and not stored.is_assigned and document.due_amount < min(owed, invoice.amount):
            raise Contradiction(
                f"of invoice {invoice.number} only {Money(document.due_amount, document.currency)} is open: "
                "it was settled by other means than this file"
            )
        return stored

    def _document(self, invoice: Invoice) -> Document | None:
        return next(iter(self.queries.documents(DocumentSearch(external_document_no=invoice.number)).items), None)

    def _payment(self, invoice: Invoice) -> Payment | None:
        search = PaymentSearch(external_payment_no=invoice.number, payment_type=PaymentType.IN)
        return next(iter(self.queries.payments(search).items), None)


@attrs.frozen
class _Making:
    """Makes what one invoice still lacks."""

    importer: Importer
    invoice: Invoice
    ref_id: UUID
    store: Store

    def account(self) -> Account:
        terms, customer = self.importer.terms, self.invoice.customer
        request = CreateAccountRequest(
            request_id=f"{self.ref_id}/account/{self.invoice.line}",
            external_id=customer,
            customer=customer,
            account_type=terms.account_type,
            currency=self.invoice.currency,
        )
        return _made(Account, self._perform(CreateAccount, request))

    def document(self, account: Account) -> Document:
        terms, invoice = self.importer.terms, self.invoice
        request = CreateAnyDocumentRequest(
            request_id=f"{self.ref_id}/document/{invoice.line}",
            account=AccountId(ref_id=account.ref_id),
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

    def payment(self, account: Account, amount: int) -> Payment:
        request = RegisterPaymentRequest(
            request_id=f"{self.ref_id}/payment/{self.invoice.line}",
            account=AccountId(ref_id=account.ref_id),
            external_payment_no=self.invoice.number,
            payment_amount=amount,
            currency=self.invoice.currency,
            payment_method=self.importer.terms.payment_method,
            payment_date_received=self._received(account),
        )
        return _made(Payment, self._perform(RegisterPayment, request))

    def assignment(self, payment: Payment, document: Document, amount: int) -> UUID:
        """The id of the settlement."""
        request = AssignPaymentInToDocumentRequest(
            request_id=f"{self.ref_id}/assignment/{self.invoice.line}",
            payment_ref_id=payment.ref_id,
            document_ref_id=document.ref_id,
            amount=amount,
            currency=self.invoice.currency,
            effective_date=payment.payment_date_received,
        )
        return _made(PaymentDocuments, self._perform(AssignPaymentInToDocument, request)).monetary_transaction.ref_id

    def _received(self, account: Account) -> dt.datetime:
        zone = self.importer.configuration.zone_of(account.account_type)
        return start_of_day(self.invoice.settled or self.importer.terms.as_of, zone)

    def _perform(self, use_case: type[UseCase[R]], request: R) -> Response:
        importer = self.importer
        performed = use_case(self.store, clock=importer.clock, ids=importer.ids, notifies=importer.terms.notify)
        return performed(request, caller=CALLER)


M = TypeVar("M", Account, Document, Payment, PaymentDocuments)


def _made(cls: type[M], answer: Response) -> M:
    return next(_objects(cls, answer))


def _objects(cls: type[M], answer: Response) -> Iterator[M]:
    return (step.object for step in answer.steps if isinstance(step.object, cls))


def _reason(reason: Exception) -> str:
    if isinstance(reason, RequestRejected):
        return "; ".join(f"{v.message.removesuffix('.')} ({v.code})" for v in reason.violations)
    return str(reason)
