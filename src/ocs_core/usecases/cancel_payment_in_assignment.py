"""Cancel payment in assignment (domain: sections 3 and 7)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.configuration import CANCELLATION
from ocs_core.entities.payment import OperationType
from ocs_core.form import Code, ExternalId, one_of
from ocs_core.ports import DocumentId, Found, Wanted
from ocs_core.usecases.payment_steps import AboutPayment, record
from ocs_core.usecases.perform import UseCase, Work, fields_of
from ocs_core.usecases.settlement_steps import notify_open_balance, publish_assignment


@attrs.frozen(kw_only=True)
class CancelPaymentInAssignmentRequest(AboutPayment):
    """An incoming payment and a document it was assigned to, each named by its id or one of its numbers, and why this
    was wrong."""

    document_ref_id: UUID | None = None
    document_no: Code | None = None
    external_document_no: ExternalId | None = None
    reason: Code
    notification_requested: bool = True

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        return {
            *super().also_required(given),
            *one_of(given, "document_ref_id", "document_no", "external_document_no"),
        }

    @property
    def document(self) -> DocumentId:
        return DocumentId(
            ref_id=self.document_ref_id, document_no=self.document_no, external_document_no=self.external_document_no
        )


class CancelPaymentInAssignment(UseCase[CancelPaymentInAssignmentRequest]):
    """Cancels every live settlement of a document by an incoming payment; both are open again by what it had settled.

    Publishes `payment`, `document`, for each settlement `paymentDocuments` and `documentPayments`, and `paymentHistory`
    (updated, with the amount below zero); notifies `documentOpenBalanceChanged`.
    """

    def wanted(self, request: CancelPaymentInAssignmentRequest) -> Wanted:
        return Wanted(account=request.account, payment=request.payment, document=request.document, settlements=True)

    def execute(self, request: CancelPaymentInAssignmentRequest, found: Found, work: Work) -> None:
        account, payment, document, owner = found.account, found.payment, found.document, found.owner
        rules.check(
            rules.named_account_has_an_id(request.account),
            rules.account_exists(request.account, account),
            rules.account_ids_agree(request.account, account),
            rules.account_is_not_deactivated(owner),
            rules.account_owns(account, owner),
            rules.payment_exists(request.payment, payment),
            rules.payment_is_incoming(payment),
            rules.document_exists(request.document, document),
            rules.assignment_exists(payment, document, found.settlements),
            rules.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelPaymentInAssignmentRequest),
        )
        assert payment is not None
        assert document is not None

        amount = sum(settlement.amount for settlement in found.settlements)
        payment = work.save(attrs.evolve(payment, remaining_amount=payment.remaining_amount + amount))
        document = work.save(attrs.evolve(document, due_amount=document.due_amount + amount))
        cancelled = [
            work.save(attrs.evolve(settlement, cancelled=True, cancel_reason=request.reason, cancelled_at=work.now))
            for settlement in found.settlements
        ]
        work.publish(payment)
        work.publish(document)
        for settlement in cancelled:
            publish_assignment(settlement, work)
        taken_back = {"documentRefId": str(document.ref_id), "amount": str(-amount), "reason": request.reason}
        record(payment, OperationType.UPDATED, "UPDATED", work, **taken_back)
        if request.notification_requested:
            notify_open_balance(document, found.configuration, work)
