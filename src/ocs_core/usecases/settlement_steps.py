"""Steps that several use-cases about settlements share: what is published of them, and what recipients are told."""

from ocs_core.entities.document import Document
from ocs_core.entities.settlement import Settlement
from ocs_core.messages import DocumentOpenBalanceChanged, DocumentPayments, PaymentDocuments, link_of
from ocs_core.usecases.work import Work


def publish_assignment(settlement: Settlement, work: Work) -> None:
    """Publish a settlement of a document by a payment from both sides: `paymentDocuments`, `documentPayments`."""
    work.publish(link_of(PaymentDocuments, settlement), subject=settlement.ref_id)
    work.publish(link_of(DocumentPayments, settlement), subject=settlement.ref_id)


def notify_open_balance(document: Document, work: Work) -> None:
    """Notify `documentOpenBalanceChanged`."""
    changed = DocumentOpenBalanceChanged(
        effective_date=work.now,
        account=document.account,
        document_no=document.document_no,
        external_document_no=document.external_document_no,
        document_type=document.document_type,
        currency=document.currency,
        total_amount=document.total_amount,
        total_amount_tax=document.total_amount_tax,
        total_amount_net=document.total_amount_net,
        due_amount_type=document.due_amount_type,
        document_due_date=document.document_due_date,
        due_amount=document.due_amount,
    )
    work.notify(changed, subject=document.ref_id)
