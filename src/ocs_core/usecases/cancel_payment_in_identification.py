"""Cancel payment in identification (domain: sections 3 and 7)."""

import attrs

from ocs_core import rules
from ocs_core.entities.configuration import CANCELLATION
from ocs_core.entities.payment import OperationType, Payment, PaymentHistory
from ocs_core.form import Code
from ocs_core.ports import AccountNamed, Found, LiveSettlements, OwnerOf, PaymentNamed
from ocs_core.usecases.payment_steps import AboutPayment, record
from ocs_core.usecases.perform import UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class CancelPaymentInIdentificationRequest(AboutPayment):
    """An incoming payment that was given the wrong account, named by its id or one of its numbers, and why."""

    reason: Code


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payment: PaymentNamed
    settlements: LiveSettlements
    owner: OwnerOf


class CancelPaymentInIdentification(UseCase[CancelPaymentInIdentificationRequest, _Wanted]):
    """Takes an incoming payment from its account: it is unidentified again, and may be identified anew.

    Publishes `payment` and `paymentHistory` (unidentified, with the account that it was taken from).
    """

    answers = (Payment, PaymentHistory)
    applies = (
        *rules.accounts.NAMED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.account_owns,
        rules.common.reason_is_configured,
        rules.payments.payment_exists,
        rules.payments.payment_is_identified,
        rules.payments.payment_is_incoming,
        rules.payments.payment_is_not_assigned,
        rules.payments.payment_is_not_cancelled,
    )

    def wanted(self, request: CancelPaymentInIdentificationRequest) -> _Wanted:
        payment = PaymentNamed(request.payment)
        return _Wanted(AccountNamed(request.account), payment, LiveSettlements(request.payment), OwnerOf(payment))

    def execute(self, request: CancelPaymentInIdentificationRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payment, owner = found[wanted.account], found[wanted.payment], found[wanted.owner]
        rules.check(
            *rules.accounts.account_is_found(request.account, account, needed=False),
            rules.accounts.account_is_not_deactivated(owner),
            rules.accounts.account_owns(account, owner),
            rules.payments.payment_exists(request.payment, payment),
            rules.payments.payment_is_incoming(payment),
            rules.payments.payment_is_not_cancelled(payment),
            rules.payments.payment_is_identified(payment),
            rules.payments.payment_is_not_assigned(found[wanted.settlements]),
            rules.common.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelPaymentInIdentificationRequest),
        )
        assert payment is not None
        assert owner is not None

        unidentified = work.save(attrs.evolve(payment, account=None), before=payment)
        work.publish(unidentified)
        taken_from = {"accountRefId": str(owner.ref_id), "reason": request.reason}
        record(unidentified, OperationType.UPDATED, "UNIDENTIFIED", work, **taken_from)
