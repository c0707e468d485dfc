"""Assign payment in to document (domain: sections 3, 5 and 6)."""

import datetime as dt
import functools
from collections.abc import Iterable
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.collection import Shortage, first_shortage
from ocs_core.entities.account import AccountName
from ocs_core.entities.configuration import start_of_day
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import OperationType, Payment, PaymentHistory, PaymentName
from ocs_core.entities.process import CLOCKS_APART
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.form import Code, PositiveAmount
from ocs_core.messages import DocumentPayments, PaymentDocuments
from ocs_core.ports import AccountNamed, DocumentNamed, Found, OwnerOf, PaymentNamed, SettlementsAfter
from ocs_core.usecases.payment_steps import identify, record
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.settlement_steps import notify_open_balance, publish_assignment
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class AssignPaymentInToDocumentRequest(Command):
    """How much of an incoming payment (millionths, whole minor units) settles a document, and since when (default: now)."""

    account: AccountName | None = None
    payment_ref_id: UUID
    document_ref_id: UUID
    amount: PositiveAmount
    currency: Code
    effective_date: dt.datetime | None = None
    notification_requested: bool = True

    @property
    def payment(self) -> PaymentName:
        return PaymentName(ref_id=self.payment_ref_id)

    @property
    def document(self) -> DocumentName:
        return DocumentName(ref_id=self.document_ref_id)


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payment: PaymentNamed
    document: DocumentNamed
    settlements: SettlementsAfter
    owner: OwnerOf


class AssignPaymentInToDocument(UseCase[AssignPaymentInToDocumentRequest, _Wanted]):
    """Settles a document, wholly or in part, by an incoming payment; an unidentified payment is identified first.

    From its effective date on the amount fits, at every instant, what was open of both: nothing is used twice in the past.

    Publishes (what identify payment in publishes, if it was unidentified), `payment`, `document`, `paymentDocuments`,
    `documentPayments` and `paymentHistory` (updated); notifies `documentOpenBalanceChanged`.
    """

    answers = (Payment, Document, PaymentDocuments, DocumentPayments, PaymentHistory)
    applies = (
        *rules.accounts.NAMED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.account_owns,
        rules.common.amount_is_payable,
        rules.common.currency_is_configured,
        rules.common.currency_is_that_of,
        rules.documents.amount_is_due,
        rules.documents.both_sides_exist_by,
        rules.documents.document_exists,
        rules.documents.document_is_not_cancelled,
        rules.documents.document_is_receivable,
        rules.documents.payment_sits_on_the_documents_account,
        rules.documents.settlement_has_begun,
        rules.payments.amount_remains,
        rules.payments.payment_exists,
        rules.payments.payment_is_incoming,
        rules.payments.payment_is_not_cancelled,
    )

    def wanted(self, request: AssignPaymentInToDocumentRequest) -> _Wanted:
        since, document = request.effective_date or self.clock(), DocumentNamed(request.document)
        return _Wanted(
            account=AccountNamed(request.account),
            payment=PaymentNamed(request.payment),
            document=document,
            settlements=SettlementsAfter(since, request.payment, request.document),
            owner=OwnerOf(document),
        )

    def execute(self, request: AssignPaymentInToDocumentRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payment, document = found[wanted.account], found[wanted.payment], found[wanted.document]
        owner, settlements = found[wanted.owner], found[wanted.settlements]
        effective_at = request.effective_date or _first_instant(settlements, work.now)
        zone = found.configuration.zone_of(owner.account_type) if owner else found.configuration.zone
        issued = start_of_day(document.document_issued_date, zone) if document else None
        short = functools.partial(_shortage, settlements, effective_at, request.amount)
        rules.check(
            *rules.accounts.account_is_found(request.account, account, needed=False),
            rules.accounts.account_is_not_deactivated(owner),
            rules.accounts.account_owns(account, owner),
            rules.payments.payment_exists(request.payment, payment),
            rules.payments.payment_is_not_cancelled(payment),
            rules.payments.payment_is_incoming(payment),
            rules.documents.payment_sits_on_the_documents_account(payment, document),
            rules.documents.document_exists(request.document, document),
            rules.documents.document_is_not_cancelled(document),
            rules.documents.document_is_receivable(document),
            rules.common.amount_is_payable(found.configuration, request.amount, request.currency),
            rules.payments.amount_remains(payment, request.amount, request.currency, short(payment), zone),
            rules.documents.amount_is_due(document, request.amount, request.currency, short(document), zone),
            rules.common.currency_is_configured(found.configuration, request.currency),
            rules.common.currency_is_that_of(payment, request.currency),
            rules.common.currency_is_that_of(document, request.currency),
            rules.documents.settlement_has_begun(request.effective_date, work.now),
            rules.documents.both_sides_exist_by(effective_at, payment, issued),
            fields=fields_of(AssignPaymentInToDocumentRequest),
        )
        assert payment is not None
        assert document is not None
        assert owner is not None

        if payment.account is None:
            payment = identify(payment, owner, work, notify=request.notification_requested)
        payment = work.save(
            attrs.evolve(payment, remaining_amount=payment.remaining_amount - request.amount), before=payment
        )
        document = work.save(attrs.evolve(document, due_amount=document.due_amount - request.amount), before=document)
        settlement = work.add(
            Settlement(
                ref_id=work.ids(),
                account=document.account,
                source=SettlementSide.PAYMENT_IN,
                source_ref_id=payment.ref_id,
                target=SettlementSide.DOCUMENT_AR,
                target_ref_id=document.ref_id,
                amount=request.amount,
                currency=request.currency,
                effective_at=effective_at,
                created_at=work.now,
                created_by=work.user,
            )
        )
        work.publish(payment)
        work.publish(document)
        publish_assignment(settlement, work)
        assigned = {"documentRefId": str(document.ref_id), "amount": str(request.amount)}
        record(payment, OperationType.UPDATED, "UPDATED", work, document.ref_id, **assigned)
        if request.notification_requested:
            notify_open_balance(document, work)


def _first_instant(settlements: Iterable[Settlement], now: dt.datetime) -> dt.datetime:
    """Now, or as soon as was taken back by now what another process has taken back, by a clock that is a little ahead."""
    soon = now + CLOCKS_APART
    return max([now, *(s.cancelled_at for s in settlements if s.cancelled_at and s.cancelled_at <= soon)])


def _shortage(
    settlements: Iterable[Settlement], since: dt.datetime, amount: int, item: Payment | Document | None
) -> Shortage | None:
    if item is None:
        return None
    touching = [s for s in settlements if item.ref_id in {s.source_ref_id, s.target_ref_id}]
    stored_open = item.remaining_amount if isinstance(item, Payment) else item.due_amount
    return first_shortage(stored_open, touching, since, amount)
