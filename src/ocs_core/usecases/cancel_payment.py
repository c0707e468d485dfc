"""Cancel payment (domain: sections 3 and 7)."""

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
class CancelPaymentRequest(AboutPayment):
    """A payment of any type, named by its id or one of its numbers, and why it is cancelled."""

    reason: Code


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payment: PaymentNamed
    settlements: LiveSettlements
    owner: OwnerOf


class CancelPayment(UseCase[CancelPaymentRequest, _Wanted]):
    """Cancels a payment that is not assigned. Its open amount stays, so that a balance before now can still be told.

    Publishes `payment` and `paymentHistory` (cancelled).
    """

    answers = (Payment, PaymentHistory)
    applies = (
        *rules.accounts.NAMED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.account_owns_the_payment,
        rules.common.reason_is_configured,
        rules.payments.payment_exists,
        rules.payments.payment_is_not_assigned,
        rules.payments.payment_is_not_cancelled,
    )

    def wanted(self, request: CancelPaymentRequest) -> _Wanted:
        payment = PaymentNamed(request.payment)
        return _Wanted(AccountNamed(request.account), payment, LiveSettlements(request.payment), OwnerOf(payment))

    def execute(self, request: CancelPaymentRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payment = found[wanted.account], found[wanted.payment]
        rules.check(
            *rules.accounts.account_is_found(request.account, account, needed=False),
            rules.accounts.account_is_not_deactivated(found[wanted.owner]),
            rules.accounts.account_owns_the_payment(account, payment),
            rules.payments.payment_exists(request.payment, payment),
            rules.payments.payment_is_not_cancelled(payment),
            rules.payments.payment_is_not_assigned(found[wanted.settlements]),
            rules.common.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelPaymentRequest),
        )
        assert payment is not None

        cancelled = work.save(
            attrs.evolve(payment, cancelled=True, cancel_reason=request.reason, cancelled_at=work.now), before=payment
        )
        work.publish(cancelled)
        record(cancelled, OperationType.UPDATED, "CANCELLED", work, reason=request.reason)
