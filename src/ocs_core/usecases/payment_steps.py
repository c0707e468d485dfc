"""What several use-cases about payments share: how one is named, the history, identification, what recipients are told."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.payment import OperationType, Payment, PaymentHistory, PaymentName, PaymentType
from ocs_core.form import Code, ExternalId, one_of
from ocs_core.messages import PaymentReceived, PaymentSent
from ocs_core.usecases.perform import Command
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class AboutPayment(Command):
    """A request about a payment, which is named by its id or one of its numbers."""

    account: AccountName | None = None
    payment_ref_id: UUID | None = None
    payment_no: Code | None = None
    external_payment_no: ExternalId | None = None

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        return one_of(given, "payment_ref_id", "payment_no", "external_payment_no")

    @property
    def payment(self) -> PaymentName:
        return PaymentName(
            ref_id=self.payment_ref_id, payment_no=self.payment_no, external_payment_no=self.external_payment_no
        )


def record(
    payment: Payment,
    operation: OperationType,
    what: str,
    work: Work,
    document: UUID | None = None,
    /,
    **parameters: str,
) -> None:
    """Write and publish what happened to a payment, with which document: `PAYMENT_IN_CREATED`, `PAYMENT_IN_IDENTIFIED` …"""
    history = work.add(
        PaymentHistory(
            ref_id=work.ids(),
            operation_type=operation,
            operation_code=f"{payment.payment_type.history_prefix}_{what}",
            created_date=work.now,
            created_by=work.user,
            operation_parameters=parameters,
            payment_type=payment.payment_type,
            payment_ref_id=payment.ref_id,
            effective_date=work.now,
            ref_document_ref_id=document,
        )
    )
    work.publish(history, of=payment)


def record_identified(payment: Payment, work: Work) -> None:
    assert payment.account is not None
    record(payment, OperationType.UPDATED, "IDENTIFIED", work, accountRefId=str(payment.account.ref_id))


def identify(payment: Payment, account: Account, work: Work, *, notify: bool) -> Payment:
    """Give an unidentified payment its account; publishes `payment`, `paymentHistory`, notifies `paymentReceived`."""
    identified = work.save(attrs.evolve(payment, account=account.ref), before=payment)
    work.publish(identified)
    record_identified(identified, work)
    if notify:
        notify_payment(identified, work)
    return identified


def notify_payment(payment: Payment, work: Work) -> None:
    """Notify `paymentReceived` of an identified incoming payment, `paymentSent` of an outgoing one."""
    if payment.account is None:
        return
    told = {
        "effective_date": work.now,
        "account": payment.account,
        "payment_type": payment.payment_type,
        "payment_amount": payment.payment_amount,
        "currency": payment.currency,
        "payment_ref1": payment.payment_ref1,
        "payment_ref2": payment.payment_ref2,
        "payment_ref3": payment.payment_ref3,
        "channel_type": payment.channel_type,
    }
    notification: PaymentReceived | PaymentSent
    match payment.payment_type:
        case PaymentType.IN:
            notification = PaymentReceived(**told, payment_date_received=payment.payment_date_received)  # type: ignore[arg-type]
        case PaymentType.OUT:
            notification = PaymentSent(**told, payment_date_sent=payment.payment_date_sent)  # type: ignore[arg-type]
        case _:
            return
    work.notify(notification, subject=payment.ref_id)
