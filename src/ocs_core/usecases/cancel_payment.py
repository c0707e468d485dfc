"""Cancel payment (domain: sections 3 and 7)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.configuration import CANCELLATION
from ocs_core.entities.payment import OperationType
from ocs_core.form import Code, ExternalId, one_of
from ocs_core.ports import AccountId, Found, PaymentId, Wanted
from ocs_core.usecases.payment_steps import record
from ocs_core.usecases.perform import Command, UseCase, Work, fields_of


@attrs.frozen(kw_only=True)
class CancelPaymentRequest(Command):
    """A payment of any type, named by its id or one of its numbers, and why it is cancelled."""

    account: AccountId | None = None
    payment_ref_id: UUID | None = None
    payment_no: Code | None = None
    external_payment_no: ExternalId | None = None
    reason: Code

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        return one_of(given, "payment_ref_id", "payment_no", "external_payment_no")

    @property
    def payment(self) -> PaymentId:
        return PaymentId(
            ref_id=self.payment_ref_id, payment_no=self.payment_no, external_payment_no=self.external_payment_no
        )


class CancelPayment(UseCase[CancelPaymentRequest]):
    """Cancels a payment that is not assigned. Its open amount stays, so that a balance before now can still be told.

    Publishes `payment` and `paymentHistory` (cancelled).
    """

    def wanted(self, request: CancelPaymentRequest) -> Wanted:
        return Wanted(account=request.account, payment=request.payment, settlements=True)

    def execute(self, request: CancelPaymentRequest, found: Found, work: Work) -> None:
        account, payment = found.account, found.payment
        rules.check(
            rules.named_account_has_an_id(request.account),
            rules.account_exists(request.account, account),
            rules.account_ids_agree(request.account, account),
            rules.account_is_not_deactivated(found.owner),
            rules.account_owns_the_payment(account, payment),
            rules.payment_exists(request.payment, payment),
            rules.payment_is_not_cancelled(payment),
            rules.payment_is_not_assigned(found.settlements),
            rules.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelPaymentRequest),
        )
        assert payment is not None

        cancelled = work.save(
            attrs.evolve(payment, cancelled=True, cancel_reason=request.reason, cancelled_at=work.now)
        )
        work.publish(cancelled)
        record(cancelled, OperationType.UPDATED, "CANCELLED", work, reason=request.reason)
