"""Cancel payment in assignment (domain: sections 3 and 7)."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.configuration import CANCELLATION
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import OperationType, Payment, PaymentHistory
from ocs_core.errors import Violation
from ocs_core.form import UNSET, Code, ExternalId, one_of
from ocs_core.messages import DocumentPayments, PaymentDocuments
from ocs_core.ports import (
    AccountNamed,
    DocumentNamed,
    Found,
    LiveSettlements,
    Lookup,
    OwnerOf,
    PaymentNamed,
    SettlementWithId,
    SourceOf,
    TargetOf,
)
from ocs_core.usecases.payment_steps import AboutPayment, record
from ocs_core.usecases.perform import UseCase, fields_of
from ocs_core.usecases.settlement_steps import notify_open_balance, publish_assignment
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class CancelPaymentInAssignmentRequest(AboutPayment):
    """An assignment, and why it was wrong: one by the id of its monetary transaction, or all that are live between an incoming
    payment and a document, each named by its id or one of its numbers. What is named beside an id must be its own."""

    monetary_transaction_ref_id: UUID | None = None
    document_ref_id: UUID | None = None
    document_no: Code | None = None
    external_document_no: ExternalId | None = None
    reason: Code
    notification_requested: bool = True

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        if given.get("monetary_transaction_ref_id", UNSET) is not None:
            return ()
        payment = ("payment_ref_id", "payment_no", "external_payment_no")
        document = ("document_ref_id", "document_no", "external_document_no")
        if nothing := one_of(given, "monetary_transaction_ref_id", *payment, *document):
            return nothing
        return {*one_of(given, *payment), *one_of(given, *document)}

    @property
    def document(self) -> DocumentName:
        return DocumentName(
            ref_id=self.document_ref_id, document_no=self.document_no, external_document_no=self.external_document_no
        )


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payment: Lookup[Payment | None]
    document: Lookup[Document | None]
    settlement: SettlementWithId
    settlements: LiveSettlements
    owner: OwnerOf


class CancelPaymentInAssignment(UseCase[CancelPaymentInAssignmentRequest, _Wanted]):
    """Cancels one settlement of a document by an incoming payment, or all that are live between the two; both are open again
    by what was settled.

    Publishes `payment`, `document`, for each settlement `paymentDocuments` and `documentPayments`, then for each
    `paymentHistory` (updated, with the amount below zero); notifies `documentOpenBalanceChanged`.
    """

    answers = (Payment, Document, PaymentDocuments, DocumentPayments, PaymentHistory)
    applies = (
        *rules.accounts.NAMED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.account_owns,
        rules.common.reason_is_configured,
        rules.documents.assignment_exists,
        rules.documents.assignment_has_the_id,
        rules.documents.document_exists,
        rules.payments.payment_exists,
        rules.payments.payment_is_incoming,
    )

    def wanted(self, request: CancelPaymentInAssignmentRequest) -> _Wanted:
        account, one = AccountNamed(request.account), SettlementWithId(request.monetary_transaction_ref_id)
        if one.ref_id is not None:
            return _Wanted(account, SourceOf(one), TargetOf(one), one, LiveSettlements(), OwnerOf(one))
        payment, document = PaymentNamed(request.payment), DocumentNamed(request.document)
        between = LiveSettlements(request.payment, request.document)
        return _Wanted(account, payment, document, one, between, OwnerOf(document))

    def execute(self, request: CancelPaymentInAssignmentRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payment, document = found[wanted.account], found[wanted.payment], found[wanted.document]
        owner, one = found[wanted.owner], found[wanted.settlement]
        settlements = (one,) if one else found[wanted.settlements]
        rules.check(
            *rules.accounts.account_is_found(request.account, account, needed=False),
            rules.accounts.account_is_not_deactivated(owner),
            *_judged(request, wanted, found),
            rules.common.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelPaymentInAssignmentRequest),
        )
        assert payment is not None
        assert document is not None

        amount = sum(settlement.amount for settlement in settlements)
        payment = work.save(attrs.evolve(payment, remaining_amount=payment.remaining_amount + amount), before=payment)
        document = work.save(attrs.evolve(document, due_amount=document.due_amount + amount), before=document)
        cancelled = [
            work.save(
                attrs.evolve(settlement, cancelled=True, cancel_reason=request.reason, cancelled_at=work.now),
                before=settlement,
            )
            for settlement in settlements
        ]
        work.publish(payment)
        work.publish(document)
        for settlement in cancelled:
            publish_assignment(settlement, work)
        for settlement in cancelled:
            what = {"documentRefId": str(document.ref_id), "amount": str(-settlement.amount), "reason": request.reason}
            record(payment, OperationType.UPDATED, "UPDATED", work, document.ref_id, **what)
        if request.notification_requested:
            notify_open_balance(document, work)


def _judged(request: CancelPaymentInAssignmentRequest, wanted: _Wanted, found: Found) -> Iterator[Violation | None]:
    """Whether there is what the request names."""
    account, payment, document = found[wanted.account], found[wanted.payment], found[wanted.document]
    owner = found[wanted.owner]
    if request.monetary_transaction_ref_id is not None:
        its_own = (payment is None or request.payment.is_of(payment)) and (
            document is None or request.document.is_of(document)
        )
        yield rules.documents.assignment_has_the_id(found[wanted.settlement], account, owner, its_own)
        return
    yield rules.accounts.account_owns(account, owner)
    yield rules.payments.payment_exists(request.payment, payment)
    yield rules.payments.payment_is_incoming(payment)
    yield rules.documents.document_exists(request.document, document)
    yield rules.documents.assignment_exists(payment, document, found[wanted.settlements])
