"""Where a ledger's file and what is stored contradict each other."""

import datetime as dt
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from ocs_core.entities.account import Account, AccountState
from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment
from ocs_core.money import Money
from ocs_core.usecases.take_over_receivables.invoices import Invoice

_FURTHER = "/payment/"


class Contradiction(Exception):
    """The row and what is stored cannot both be true; nothing of the row is changed."""


def account_agrees(invoice: Invoice, account: Account, configuration: Configuration) -> None:
    """Raises `Contradiction` where nothing of the invoice can be on the account."""
    account_type = configuration.account_types.get(account.account_type)
    if account.currency != invoice.currency:
        raise Contradiction(f"the account {invoice.customer} is in {account.currency}, not in {invoice.currency}")
    if account.state is AccountState.DEACTIVATED:
        raise Contradiction(f"the account {invoice.customer} is deactivated")
    if account_type is None or not account_type.payment_responsible:
        raise Contradiction(f"the account {invoice.customer} is of type {account.account_type}, which is no payer")


def document_agrees(invoice: Invoice, document: Document) -> None:
    """Raises `Contradiction` with everything in which the file and the document differ."""
    kind = {DueAmountType.AR: "an invoice", DueAmountType.LIABILITY: "a credit"}
    _agree(
        f"invoice {invoice.number}",
        document.cancelled,
        (
            ("the customer", document.account.external_id, invoice.customer),
            (
                "the amount",
                Money(document.total_amount_net, document.currency),
                Money(invoice.amount, invoice.currency),
            ),
            ("the kind", kind[document.due_amount_type], "a credit" if invoice.credit else "an invoice"),
            ("the issued day", document.document_issued_date, invoice.issued),
            ("the due day", document.document_due_date, invoice.due or document.document_due_date),
        ),
    )


def payment_number(invoice_number: str, place: int) -> str:
    """What the payments of an invoice are called: the first like the invoice itself, further ones by their place. There is no
    place free among them: what is behind a free one would not be found, and be received once more."""
    return invoice_number if place == 1 else f"{invoice_number}{_FURTHER}{place}"


def number_behind(invoice_number: str, payment_number: str) -> str:
    """What the payment is called that an invoice gets after this one of its payments."""
    place = payment_number.removeprefix(invoice_number).removeprefix(_FURTHER)
    return f"{invoice_number}{_FURTHER}{int(place) + 1 if place.isdecimal() else 2}"


def payments_agree(invoice: Invoice, account: Account, payments: Sequence[Payment], zone: ZoneInfo) -> None:
    """Raises `Contradiction` with everything in which the file and the payments of its settlement differ.

    A ledger of a later day may say that more is paid: that is a further payment, on the day that the ledger says.
    """
    received = sum(payment.payment_amount for payment in payments)
    is_more = invoice.paid > received
    last = payments[-1].payment_date_received
    stored = day_of(last, zone) if last else None
    told: dt.date | None = invoice.settled or (stored if invoice.paid else None)
    paid = invoice.paid if invoice.paid and not is_more else received
    _agree(
        f"the payment of invoice {invoice.number}",
        any(payment.cancelled for payment in payments),
        (
            *(("the account", p.account and p.account.external_id, account.external_id) for p in payments),
            ("the amount", Money(received, invoice.currency), Money(paid, invoice.currency)),
            ("the settled day", stored, stored if is_more else told),
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
