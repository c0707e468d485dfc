"""Rules about documents and settlements."""

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

from ocs_core.collection import Shortage
from ocs_core.entities.account import Account
from ocs_core.entities.configuration import Configuration, DocumentCategory, DocumentType, day_of
from ocs_core.entities.document import Document, DocumentName, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.money import MAX_AMOUNT
from ocs_core.rules.common import not_there
from ocs_core.rules.rule import rule


@rule("DOCUMENT_TYPE_NOT_CONFIGURED", "/documentType")
def document_type_is_configured(configuration: Configuration, code: str | None) -> str | None:
    """The document type is configured."""
    if code is None or code in configuration.document_types:
        return None
    return f"Document type {code} is not configured."


@rule("VALUE_NOT_ALLOWED", "/documentCategory")
def document_category_is_that_of(document_type: DocumentType | None, given: DocumentCategory | None) -> str | None:
    """The category, where it is given, is that of the document type."""
    if document_type is None or given in {None, document_type.category}:
        return None
    return f"Documents of type {document_type.code} are of the category {document_type.category}, not {given}."


@rule("VALUE_OUT_OF_RANGE", "/billingPeriodEnd")
def billing_period_ends_after_it_begins(start: dt.date | None, end: dt.date | None) -> str | None:
    """A billing period does not end before it begins."""
    if start is None or end is None or start <= end:
        return None
    return f"The billing period begins on {start}; it cannot end on {end}."


@rule("FIELD_REQUIRED", "/dueAmountType")
def due_amount_type_is_known(document_type: DocumentType | None, given: DueAmountType | None) -> str | None:
    """Who owes is given where the document type allows both."""
    if document_type is None or document_type.due_amount_type is not None or given is not None:
        return None
    return f"Documents of type {document_type.code} say themselves who owes: AR or LIABILITY."


@rule("VALUE_NOT_ALLOWED", "/dueAmountType")
def due_amount_type_is_allowed(document_type: DocumentType | None, given: DueAmountType | None) -> str | None:
    """Who owes is what the document type allows."""
    if document_type is None or given is None or document_type.due_amount_type in {None, given}:
        return None
    return f"Documents of type {document_type.code} are {document_type.due_amount_type}, never {given}."


@rule("TAX_NOT_CONFIGURED", "/tax")
def tax_has_a_rate(configuration: Configuration, code: str | None, day: dt.date) -> str | None:
    """The tax is configured and has a rate on the tax date."""
    if code is None or (code in configuration.taxes and configuration.taxes[code].rate_on(day) is not None):
        return None
    return f"Tax {code} has no rate on {day}." if code in configuration.taxes else f"Tax {code} is not configured."


@rule("EXTERNAL_DOCUMENT_NO_EXISTS", "/externalDocumentNo")
def external_document_no_is_new(external_document_no: str | None, taken: bool) -> str | None:
    """No other document, cancelled ones included, has the externalDocumentNo."""
    return f"A document with the externalDocumentNo {external_document_no} exists already." if taken else None


@rule("VALUE_OUT_OF_RANGE", "/amount")
def total_fits(total_with_tax: int) -> str | None:
    """A document's total with tax fits a signed 64-bit number of millionths."""
    return None if total_with_tax <= MAX_AMOUNT else "With its tax, the total is beyond 64 bits."


@rule("DOCUMENT_NOT_FOUND", "/documentRefId")
def document_exists(named: DocumentName, document: Document | None) -> str | None:
    """The document exists, and every name that is given is its own."""
    return not_there("document", named) if document is None else None


@rule("DOCUMENT_CANCELLED", "/documentRefId")
def document_is_not_cancelled(document: Document | None) -> str | None:
    """The document is not cancelled."""
    return "The document is cancelled." if document is not None and document.cancelled else None


@rule("HAS_ASSIGNMENTS", "/documentRefId")
def document_is_not_assigned(live: Collection[Settlement]) -> str | None:
    """Nothing is settled by or against the document; cancel its assignments first."""
    return f"The document has {len(live)} live assignment(s); cancel them first." if live else None


@rule("DOCUMENT_NOT_AR", "/documentRefId")
def document_is_receivable(document: Document | None) -> str | None:
    """The payer owes the document: its due amount type is AR."""
    if document is None or document.due_amount_type is DueAmountType.AR:
        return None
    return "The provider owes this document; an incoming payment cannot pay it."


@rule("AMOUNT_EXCEEDS_DUE", "/amount")
def amount_is_due(
    document: Document | None, amount: int, currency: str, short: Shortage | None, zone: ZoneInfo
) -> str | None:
    """The amount is at most what is due of the document, at every instant from the effective date on."""
    if document is None or document.cancelled or document.currency != currency or short is None:
        return None
    if amount > document.due_amount:
        return f"Of the document {document.due_amount} millionths are due, less than {amount}."
    day = day_of(short.at, zone)
    return f"On {day} the document was settled: {short.open_amount} millionths of it were due, less than {amount}."


@rule("ACCOUNT_NOT_OWNER", "/paymentRefId")
def payment_sits_on_the_documents_account(payment: Payment | None, document: Document | None) -> str | None:
    """An identified payment sits on the document's account."""
    if payment is None or payment.account is None or document is None or payment.account == document.account:
        return None
    return "The payment belongs to another account than the document."


@rule("ASSIGNMENT_NOT_FOUND", "/documentRefId")
def assignment_exists(payment: Payment | None, document: Document | None, live: Collection[Settlement]) -> str | None:
    """A live settlement of the document by the incoming payment exists."""
    if payment is None or payment.payment_type is not PaymentType.IN or document is None or live:
        return None
    return "The payment is not assigned to the document, or no longer."


@rule("SETTLEMENT_NOT_FOUND", "/monetaryTransactionRefId")
def assignment_has_the_id(
    settlement: Settlement | None, account: Account | None, owner: Account | None, named_are_its_own: bool
) -> str | None:
    """The monetary transaction is a live assignment of an incoming payment to a document, of the account that is named,
    and of the payment and the document where these are named too."""
    if settlement is None or not named_are_its_own:
        return "There is no such monetary transaction."
    if account is not None and owner is not None and account.ref not in {owner.ref, owner.payer_account}:
        return "The account has no such monetary transaction."
    sides = (settlement.source, settlement.target)
    if sides != (SettlementSide.PAYMENT_IN, SettlementSide.DOCUMENT_AR):
        return f"The monetary transaction is from {sides[0]} to {sides[1]}, no assignment of an incoming payment."
    return "The assignment is cancelled already." if settlement.cancelled else None


@rule("VALUE_OUT_OF_RANGE", "/effectiveDate")
def settlement_has_begun(effective_date: dt.datetime | None, now: dt.datetime) -> str | None:
    """A settlement does not take effect in the future."""
    return "A settlement cannot take effect in the future." if effective_date and effective_date > now else None


@rule("VALUE_OUT_OF_RANGE", "/effectiveDate")
def both_sides_exist_by(effective_at: dt.datetime, payment: Payment | None, issued: dt.datetime | None) -> str | None:
    """A settlement takes effect when the payment was received and the document issued, not before."""
    received = payment.payment_date_received if payment else None
    if all(begun is None or begun <= effective_at for begun in (received, issued)):
        return None
    return "A settlement cannot take effect before the payment was received and the document issued."
