"""Register payment (domain: section 4)."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName
from ocs_core.entities.payment import MoneyOrder, OperationType, Payment, PaymentHistory, PaymentType
from ocs_core.form import Code, ExternalId, Form, Label, Note, PositiveAmount
from ocs_core.ports import PAYMENT_NUMBERS, AccountNamed, Found, NextNumber, PayerOf, Taken
from ocs_core.usecases.payment_steps import notify_payment, record, record_identified
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class MoneyOrderGiven(Form):
    """To whom, and where, a payment by postal money order goes."""

    name: Label
    address: Label | None = None
    city: Label | None = None
    postal_code: Label | None = None
    country: Label | None = None


@attrs.frozen(kw_only=True)
class RegisterPaymentRequest(Command):
    """A payment to register: `payment_amount` in millionths, whole minor units; without an account it is unidentified.

    `notification_requested` false silences paymentReceived and paymentSent, nothing else.
    """

    account: AccountName | None = None
    payment_type: PaymentType = PaymentType.IN
    external_payment_no: ExternalId | None = None
    payment_amount: PositiveAmount
    currency: Code
    payment_method: Code
    payment_date_received: dt.datetime | None = None
    payment_date_sent: dt.datetime | None = None
    payment_ref1: Label | None = None
    payment_ref2: Label | None = None
    payment_ref3: Label | None = None
    bank_account_name: Label | None = None
    bank_account_number: Label | None = None
    bank_number_code: Label | None = None
    iban: Label | None = None
    bic: Label | None = None
    bank_account_name_provider: Label | None = None
    bank_account_number_provider: Label | None = None
    bank_number_code_provider: Label | None = None
    iban_provider: Label | None = None
    bic_provider: Label | None = None
    channel_type: Label | None = None
    recipient_note: Note | None = None
    payer_note: Note | None = None
    description: Note | None = None
    bank_account_transaction_id: Label | None = None
    money_order: MoneyOrderGiven | None = None
    notification_requested: bool = True

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        match given.get("payment_type"):
            case PaymentType.IN:
                return {"payment_date_received"}
            case PaymentType.OUT:
                return {"payment_date_sent"}
        return ()


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payer: PayerOf
    external_payment_no: Taken
    number: NextNumber


class RegisterPayment(UseCase[RegisterPaymentRequest, _Wanted]):
    """Registers a payment; with an account it is identified. It is not assigned to documents.

    Publishes `payment` and `paymentHistory` (created; identified when it is); notifies `paymentReceived` for an identified
    incoming payment and `paymentSent` for an outgoing one.
    """

    answers = (Payment, PaymentHistory)
    applies = (
        *rules.accounts.NEEDED_PAYER,
        rules.accounts.named_account_has_an_id,
        rules.common.currency_is_configured,
        rules.common.payment_amount_is_payable,
        rules.payments.external_payment_no_is_new,
        rules.payments.money_order_is_sent,
        rules.payments.payment_method_is_configured,
    )

    def wanted(self, request: RegisterPaymentRequest) -> _Wanted:
        incoming = request.payment_type is PaymentType.IN
        return _Wanted(
            account=AccountNamed(request.account),
            payer=PayerOf(request.account),
            external_payment_no=Taken("external_payment_no", request.external_payment_no if incoming else None),
            number=NextNumber(PAYMENT_NUMBERS),
        )

    def execute(self, request: RegisterPaymentRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        configuration, account = found.configuration, found[wanted.account]
        rules.check(
            *rules.accounts.payer_is_found(
                request.account, account, found[wanted.payer], needed=request.payment_type is not PaymentType.IN
            ),
            rules.payments.external_payment_no_is_new(
                request.external_payment_no, request.payment_type, found[wanted.external_payment_no]
            ),
            rules.common.payment_amount_is_payable(configuration, request.payment_amount, request.currency),
            rules.payments.money_order_is_sent(request.payment_type, request.money_order is not None),
            rules.common.currency_is_configured(configuration, request.currency),
            rules.payments.payment_method_is_configured(configuration, request.payment_method),
            fields=fields_of(RegisterPaymentRequest),
        )

        payment = work.add(
            Payment(
                ref_id=work.ids(),
                payment_no=PAYMENT_NUMBERS.written(found[wanted.number]),
                external_payment_no=request.external_payment_no,
                payment_type=request.payment_type,
                payment_method=request.payment_method,
                payment_amount=request.payment_amount,
                remaining_amount=request.payment_amount,
                currency=request.currency,
                payment_date_received=request.payment_date_received,
                payment_date_sent=request.payment_date_sent,
                payment_ref1=request.payment_ref1,
                payment_ref2=request.payment_ref2,
                payment_ref3=request.payment_ref3,
                bank_account_name=request.bank_account_name,
                bank_account_number=request.bank_account_number,
                bank_number_code=request.bank_number_code,
                iban=request.iban,
                bic=request.bic,
                bank_account_name_provider=request.bank_account_name_provider,
                bank_account_number_provider=request.bank_account_number_provider,
                bank_number_code_provider=request.bank_number_code_provider,
                iban_provider=request.iban_provider,
                bic_provider=request.bic_provider,
                channel_type=request.channel_type,
                recipient_note=request.recipient_note,
                payer_note=request.payer_note,
                description=request.description,
                bank_account_transaction_id=request.bank_account_transaction_id,
                money_order=MoneyOrder(**attrs.asdict(request.money_order)) if request.money_order else None,
                account=account.ref if account else None,
            )
        )
        work.publish(payment)
        record(payment, OperationType.CREATED, "CREATED", work)
        if payment.account is not None:
            record_identified(payment, work)
        if request.notification_requested:
            notify_payment(payment, work)
