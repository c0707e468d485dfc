"""Where a ledger's file and what is stored contradict each other."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from ocs_adapters.files.receivables import Invoice
from ocs_core.entities.account import Account
from ocs_core.entities.configuration import day_of
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.money import Money


class Contradiction(Exception):
    """The row and what is stored cannot both be true; nothing of the row is changed."""


def document_agrees(invoice: Invoice, document: Document, currency: str) -> None:
    """Raises `Contradiction` with everything in which the file and the document differ."""
    _agree(
        f"invoice {invoice.number}",
        document.cancelled,
        (
            ("the customer", document.account.external_id, invoice.customer),
            ("the amount", Money(document.total_amount_net, document.currency), Money(invoice.amount, currency)),
            ("the issued day", document.document_issued_date, invoice.issued),
            ("the due day", document.document_due_date, invoice.due or document.document_due_date),
        ),
    )


def payment_agrees(invoice: Invoice, account: Account, payment: Payment, currency: str, zone: ZoneInfo) -> None:
    """Raises `Contradiction` with everything in which the file and the payment of its settlement differ."""
    received = payment.payment_date_received
    _agree(
        f"the payment of invoice {invoice.number}",
        payment.cancelled,
        (
            ("the account", payment.account and payment.account.external_id, account.external_id),
            ("the amount", Money(payment.payment_amount, payment.currency), Money(invoice.amount, currency)),
            ("the settled day", day_of(received, zone) if received else None, invoice.settled),
        ),
    )


def _agree(what: str, cancelled: bool, compared: Iterable[tuple[str, object, object]]) -> None:
    differences = [
        f"{name} is stored as {_shown(stored)}, the file says {_shown(told)}"
        for name, stored, told in compared
        if stored != told
    ]
    if cancelled:
        differences.append("it is cancelled")
    if differences:
        raise Contradiction(f"{what}: {'; '.join(differences)}")


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
