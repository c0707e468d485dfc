"""Identify payment in (domain: sections 5 and 6)."""

from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentName
from ocs_core.ports import AccountNamed, Found, PayerOf, PaymentNamed
from ocs_core.usecases.payment_steps import identify
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class IdentifyPaymentInRequest(Command):
    """An unidentified incoming payment, and the account it belongs to."""

    account: AccountName | None = None
    payment_ref_id: UUID
    notification_requested: bool = True

    @property
    def payment(self) -> PaymentName:
        return PaymentName(ref_id=self.payment_ref_id)


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payer: PayerOf
    payment: PaymentNamed


class IdentifyPaymentIn(UseCase[IdentifyPaymentInRequest, _Wanted]):
    """Gives an unidentified incoming payment its account.

    Publishes `payment` and `paymentHistory` (identified); notifies `paymentReceived`.
    """

    answers = (Payment, PaymentHistory)
    applies = (
        *rules.accounts.NEEDED_PAYER,
        rules.payments.payment_exists,
        rules.payments.payment_is_incoming,
        rules.payments.payment_is_not_cancelled,
        rules.payments.payment_is_unidentified,
    )

    def wanted(self, request: IdentifyPaymentInRequest) -> _Wanted:
        return _Wanted(AccountNamed(request.account), PayerOf(request.account), PaymentNamed(request.payment))

    def execute(self, request: IdentifyPaymentInRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payment = found[wanted.account], found[wanted.payment]
        rules.check(
            *rules.accounts.payer_is_found(request.account, account, found[wanted.payer]),
            rules.payments.payment_exists(request.payment, payment),
            rules.payments.payment_is_not_cancelled(payment),
            rules.payments.payment_is_incoming(payment),
            rules.payments.payment_is_unidentified(payment),
            fields=fields_of(IdentifyPaymentInRequest),
        )
        assert payment is not None
        assert account is not None

        identify(payment, account, work, notify=request.notification_requested)
