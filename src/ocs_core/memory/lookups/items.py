"""Payments and documents in memory."""

from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.memory.journal import Journal
from ocs_core.memory.lookups.answering import answer
from ocs_core.ports import DocumentNamed, PaymentNamed


@answer.register
def _payment(lookup: PaymentNamed, journal: Journal) -> Payment | None:
    name, unique = lookup.name, journal.store.unique
    if name is None:
        return None
    by_number = unique.get(("uq_payments_payment_no", name.payment_no))
    by_external_no = unique.get(("uq_payments_external_payment_no", name.external_payment_no))
    payment = journal.one(Payment, name.ref_id or by_number or by_external_no)
    return payment if payment and name.is_of(payment) else None


@answer.register
def _document(lookup: DocumentNamed, journal: Journal) -> Document | None:
    name, unique = lookup.name, journal.store.unique
    if name is None:
        return None
    by_number = unique.get(("uq_documents_document_no", name.document_no))
    by_external_no = unique.get(("uq_documents_external_document_no", name.external_document_no))
    document = journal.one(Document, name.ref_id or by_number or by_external_no)
    return document if document and name.is_of(document) else None
