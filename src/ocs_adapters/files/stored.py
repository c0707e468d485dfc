"""What there is already of the invoices of a ledger, and what they still lack."""

from collections.abc import Iterator, Sequence

import attrs

from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.money import Money
from ocs_core.queries import DocumentSearch, PaymentSearch, Queries
from ocs_core.usecases.take_over_receivables import (
    Contradiction,
    Invoice,
    Terms,
    account_agrees,
    document_agrees,
    payment_number,
    payments_agree,
)


@attrs.frozen
class Stored:
    """What there is already of one invoice, of which `owed` is to be received and assigned in all."""

    account: Account | None
    document: Document | None
    payments: Sequence[Payment]
    assigned: int
    """How much of them is assigned to the document."""
    invoice: Invoice
    owed: int

    @property
    def to_receive(self) -> int:
        """How much of a payment is still to be received."""
        return max(0, self.owed - sum(payment.payment_amount for payment in self.payments))

    @property
    def to_assign(self) -> int:
        """How much is still to be assigned to the document."""
        return max(0, min(self.owed, self.invoice.amount) - self.assigned)

    @property
    def source(self) -> Payment | None:
        """The payment that has what is to be assigned, while nothing more is received."""
        return next((p for p in self.payments if p.remaining_amount >= self.to_assign), None)

    @property
    def is_complete(self) -> bool:
        return self.document is not None and not self.to_receive and not self.to_assign

    @property
    def next_payment_number(self) -> str:
        return payment_number(self.invoice.number, len(self.payments) + 1)


def find_stored(
    queries: Queries, invoice: Invoice, terms: Terms, configuration: Configuration, known: Account | None = None
) -> Stored:
    """Raises `Contradiction` where what is stored and the file cannot both be true. `known`: the account, as it was made."""
    document = next(iter(queries.documents(DocumentSearch(external_document_no=invoice.number)).items), None)
    if document is not None:
        document_agrees(invoice, document)
    account = known or queries.account(AccountName(external_id=invoice.customer))
    if account is not None:
        account_agrees(invoice, account, configuration)
    payments = tuple(_payments(queries, invoice))
    _check_payments(invoice, account, payments, configuration)
    assigned = _assigned(queries, document, payments)
    owed = 0 if invoice.credit else invoice.paid_by(terms.as_of)
    stored = Stored(account, document, payments, assigned, invoice, owed)
    if document is not None and document.due_amount < stored.to_assign:
        raise Contradiction(
            f"of invoice {invoice.number} only {Money(document.due_amount, document.currency)} is open: "
            "it was settled by other means than this file"
        )
    _check_source(stored)
    return stored


def _assigned(queries: Queries, document: Document | None, payments: Sequence[Payment]) -> int:
    if document is None or not payments:
        return 0
    ours = {payment.ref_id for payment in payments}
    return sum(s.amount for s in queries.settlements(document.ref_id) if s.source_ref_id in ours)


def _check_source(stored: Stored) -> None:
    """Raises `Contradiction` where what is to be assigned was given to others, or is in more than one payment."""
    missing, invoice = stored.to_assign, stored.invoice
    if missing <= stored.to_receive or (not stored.to_receive and stored.source):
        return
    left = [payment for payment in stored.payments if payment.remaining_amount]
    shown = Money(missing - stored.to_receive, invoice.currency)
    what = f"{shown} of what was received for invoice {invoice.number} is not assigned to it any more"
    if stored.to_receive + sum(payment.remaining_amount for payment in left) < missing:
        raise Contradiction(f"{what}: somebody assigned it to others")
    named = ", ".join(str(payment.external_payment_no) for payment in left)
    raise Contradiction(f"{what}: assign what is left of payment {named} to it first")


def _payments(queries: Queries, invoice: Invoice) -> Iterator[Payment]:
    place = 1
    while True:
        number = payment_number(invoice.number, place)
        search = PaymentSearch(external_payment_no=number, payment_type=PaymentType.IN)
        found = queries.payments(search).items
        if not found:
            return
        yield found[0]
        place += 1


def _check_payments(
    invoice: Invoice, account: Account | None, payments: Sequence[Payment], configuration: Configuration
) -> None:
    if payments and account is None:
        raise Contradiction(f"there is a payment {invoice.number} already, of nobody that the file names")
    if payments and account is not None:
        payments_agree(invoice, account, payments, configuration.zone_of(account.account_type))
