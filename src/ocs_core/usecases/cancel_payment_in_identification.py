"""Cancel payment in identification (domain: sections 3 and 7)."""

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
class CancelPaymentInIdentificationRequest(Command):
    """An incoming payment that was given the wrong account, named by its id or one of its numbers, and why."""

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


class CancelPaymentInIdentification(UseCase[CancelPaymentInIdentificationRequest]):
    """Takes an incoming payment from its account: it is unidentified again, and may be identified anew.

    Publishes `payment` and `paymentHistory` (unidentified, with the account that it was taken from).
    """

    def wanted(self, request: CancelPaymentInIdentificationRequest) -> Wanted:
        return Wanted(account=request.account, payment=request.payment, settlements=True)

    def execute(self, request: CancelPaymentInIdentificationRequest, found: Found, work: Work) -> None:
        account, payment, owner = found.account, found.payment, found.owner
        rules.check(
            rules.named_account_has_an_id(request.account),
            rules.account_exists(request.account, account),
            rules.account_ids_agree(request.account, account),
            rules.account_is_not_deactivated(owner),
            rules.account_owns(account, owner),
            rules.payment_exists(request.payment, payment),
            rules.payment_is_incoming(payment),
            rules.payment_is_not_cancelled(payment),
            rules.payment_is_identified(payment),
            rules.payment_is_not_assigned(found.settlements),
            rules.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelPaymentInIdentificationRequest),
        )
        assert payment is not None
        assert owner is not None

        unidentified = work.save(attrs.evolve(payment, account=None))
        work.publish(unidentified)
        taken_from = {"accountRefId": str(owner.ref_id), "reason": request.reason}
        record(unidentified, OperationType.UPDATED, "UNIDENTIFIED", work, **taken_from)
