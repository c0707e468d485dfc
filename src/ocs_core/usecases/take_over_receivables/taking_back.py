"""Taking a take-over back as a whole, as if it had never been: while nothing else rests on it.

What is cancelled here never counted: a settlement from when it took effect, a payment from its receipt, a document from its
issue, so that no balance of any time has it. The numbers are let go, so that the file can be taken over again, rightly.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountName, AccountState
from ocs_core.entities.configuration import start_of_day
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import OperationType, Payment, PaymentName
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import OcsError
from ocs_core.ledger import Ledger
from ocs_core.ports import (
    AccountNamed,
    DocumentNamed,
    Found,
    LiveSettlements,
    PayerOf,
    PaymentNamed,
    SettlementsAfter,
    TakenRow,
)
from ocs_core.usecases.payment_steps import record
from ocs_core.usecases.perform import Command, UseCase
from ocs_core.usecases.settlement_steps import publish_assignment
from ocs_core.usecases.take_over_receivables.agreement import number_behind
from ocs_core.usecases.take_over_receivables.table import Problem
from ocs_core.usecases.work import Work

REASON = "takenBack"
"""Why what is taken back is cancelled."""
BEFORE_ALL = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
SUFFIX = "/taken-back/"


class Touched(OcsError):
    """Something else rests on what was taken over; nothing is taken back."""


def touched(rows: Sequence[TakenRow], ledger: Ledger) -> list[Problem]:
    """What keeps these rows of one account from being taken back."""
    documents = {document.ref_id: document for document in ledger.documents}
    payments = {payment.ref_id: payment for payment in ledger.payments}
    numbers = {payment.external_payment_no for payment in ledger.payments}
    touching: dict[UUID | None, list[Settlement]] = defaultdict(list)
    for settlement in ledger.settlements:
        touching[settlement.source_ref_id].append(settlement)
        touching[settlement.target_ref_id].append(settlement)
    found = []
    for row in rows:
        payment = payments.get(row.payment_ref_id) if row.payment_ref_id else None
        settlements = [*touching[row.document_ref_id], *touching[row.payment_ref_id]]
        document = documents.get(row.document_ref_id)
        try:
            _check_behind(document, payment, numbers.__contains__)
            _check(row, document, payment, settlements, ledger.account.state)
        except Touched as reason:
            found.append(Problem(row.line, str(reason)))
    return found


def _check_behind(document: Document | None, payment: Payment | None, is_taken: Callable[[str], bool]) -> None:
    """Raises `Touched` where a later import received more of the same invoice: it went by what was received before."""
    if document is None or payment is None or not document.external_document_no or not payment.external_payment_no:
        return
    behind = number_behind(document.external_document_no, payment.external_payment_no)
    if is_taken(behind):
        raise Touched(
            f"a later import received more of invoice {document.external_document_no} (payment {behind}): "
            "take that back first"
        )


def _check(
    row: TakenRow,
    document: Document | None,
    payment: Payment | None,
    settlements: Iterable[Settlement],
    state: AccountState,
) -> None:
    """Raises `Touched`. `settlements`: at least all that ever touched the document or the payment."""
    others, ours = [], None
    for settlement in settlements:
        if settlement.ref_id == row.settlement_ref_id and not settlement.cancelled:
            ours = settlement
        elif settlement.is_in_effect_at(settlement.effective_at):
            others += [settlement.source_ref_id, settlement.target_ref_id]
    amount = ours.amount if ours else 0
    if state is AccountState.DEACTIVATED:
        raise Touched("the account is deactivated")
    if document is None or (row.payment_ref_id and payment is None):
        raise Touched("the payment was given to another account")
    number = document.external_document_no
    if row.settlement_ref_id and ours is None:
        raise Touched(f"the settlement of document {number} was cancelled")
    if row.document_made and document.cancelled:
        raise Touched(f"document {number} was cancelled")
    is_settled = document.due_amount + amount != document.total_amount_net
    if row.document_made and (is_settled or document.ref_id in others):
        raise Touched(f"document {number} was settled by others")
    if payment is not None and row.payment_made:
        if payment.cancelled:
            raise Touched(f"payment {payment.external_payment_no} was cancelled")
        if payment.remaining_amount + amount != payment.payment_amount or payment.ref_id in others:
            raise Touched(f"payment {payment.external_payment_no} was assigned to others")


@attrs.frozen(kw_only=True)
class TakeBackRowRequest(Command):
    """What was made of one row."""

    document_ref_id: UUID
    document_made: bool
    account_ref_id: UUID
    payment_ref_id: UUID | None = None
    payment_made: bool = False
    settlement_ref_id: UUID | None = None

    @property
    def row(self) -> TakenRow:
        return TakenRow(
            take_over_ref_id=self.document_ref_id,
            line=0,
            account_ref_id=self.account_ref_id,
            account_made=False,
            document_ref_id=self.document_ref_id,
            document_made=self.document_made,
            payment_ref_id=self.payment_ref_id,
            payment_made=self.payment_made,
            settlement_ref_id=self.settlement_ref_id,
        )


@attrs.frozen
class _RowWanted:
    account: AccountNamed
    payment: PaymentNamed
    document: DocumentNamed
    settlements: LiveSettlements
    past: SettlementsAfter


class TakeBackRow(UseCase[TakeBackRowRequest, _RowWanted]):
    """Cancels what was made of one row of a file, from its beginning, and lets its numbers go.

    Raises `Touched` where something else rests on it. Publishes `payment`, `document`, `paymentDocuments`,
    `documentPayments` and `paymentHistory` (updated, with the amount below zero, and cancelled), as far as there are;
    notifies nobody.
    """

    def wanted(self, request: TakeBackRowRequest) -> _RowWanted:
        payment = PaymentName(ref_id=request.payment_ref_id) if request.payment_ref_id else None
        document = DocumentName(ref_id=request.document_ref_id)
        return _RowWanted(
            account=AccountNamed(AccountName(ref_id=request.account_ref_id)),
            payment=PaymentNamed(payment),
            document=DocumentNamed(document),
            settlements=LiveSettlements(payment, document),
            past=SettlementsAfter(BEFORE_ALL, payment, document),
        )

    def execute(self, request: TakeBackRowRequest, wanted: _RowWanted, found: Found, work: Work) -> None:
        document, payment, account = found[wanted.document], found[wanted.payment], found[wanted.account]
        ours = next((s for s in found[wanted.settlements] if s.ref_id == request.settlement_ref_id), None)
        assert account is not None
        _check_behind(document, payment, lambda number: _is_there(number, work))
        _check(request.row, document, payment, found[wanted.past], account.state)
        assert document is not None

        amount = ours.amount if ours else 0
        if payment is not None:
            open_again = attrs.evolve(payment, remaining_amount=payment.remaining_amount + amount)
            payment = work.save(_payment_let_go(open_again) if request.payment_made else open_again, before=payment)
            work.publish(payment)
        as_it_was, document = document, attrs.evolve(document, due_amount=document.due_amount + amount)
        if request.document_made:
            zone = found.configuration.zone_of(account.account_type)
            document = _document_let_go(document, start_of_day(document.document_issued_date, zone))
        if ours or request.document_made:
            work.publish(work.save(document, before=as_it_was))
        if ours is not None:
            cancelled = attrs.evolve(ours, cancelled=True, cancel_reason=REASON, cancelled_at=ours.effective_at)
            publish_assignment(work.save(cancelled, before=ours), work)
            if payment is not None:
                taken_back = {"documentRefId": str(document.ref_id), "amount": str(-amount), "reason": REASON}
                record(payment, OperationType.UPDATED, "UPDATED", work, document.ref_id, **taken_back)
        if payment is not None and request.payment_made:
            record(payment, OperationType.UPDATED, "CANCELLED", work, reason=REASON)


def _is_there(payment_number: str, work: Work) -> bool:
    named = PaymentNamed(PaymentName(external_payment_no=payment_number))
    return work.uow.find(named)[named] is not None


def _payment_let_go(payment: Payment) -> Payment:
    return attrs.evolve(
        payment,
        external_payment_no=f"{payment.external_payment_no}{SUFFIX}{payment.payment_no}",
        cancelled=True,
        cancel_reason=REASON,
        cancelled_at=payment.payment_date_received,
    )


def _document_let_go(document: Document, issued: dt.datetime) -> Document:
    return attrs.evolve(
        document,
        external_document_no=f"{document.external_document_no}{SUFFIX}{document.document_no}",
        cancelled=True,
        cancel_reason=REASON,
        cancelled_at=issued,
    )


@attrs.frozen(kw_only=True)
class TakeBackAccountRequest(Command):
    """An account that was made, and on which nothing is any more."""

    account_ref_id: UUID


@attrs.frozen
class _AccountWanted:
    account: AccountNamed
    payer: PayerOf


class TakeBackAccount(UseCase[TakeBackAccountRequest, _AccountWanted]):
    """Deactivates an account that was never changed, and lets its externalId go. Publishes `account`."""

    def wanted(self, request: TakeBackAccountRequest) -> _AccountWanted:
        name = AccountName(ref_id=request.account_ref_id)
        return _AccountWanted(AccountNamed(name, exclusively=True), PayerOf(name))

    def execute(self, request: TakeBackAccountRequest, wanted: _AccountWanted, found: Found, work: Work) -> None:
        account, payer = found[wanted.account], found[wanted.payer]
        if account is None or account.version > 1 or (payer is not None and payer.in_collection):
            raise Touched("the account was changed")
        gone = f"{account.external_id}{SUFFIX}{account.ref_id}"
        deactivated = attrs.evolve(account, state=AccountState.DEACTIVATED, external_id=gone)
        work.publish(work.save(deactivated, before=account))
