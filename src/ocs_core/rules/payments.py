"""Rules about payments."""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from ocs_core.collection import Shortage
from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.entities.payment import Payment, PaymentName, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.form import UNSET, Unset
from ocs_core.rules.common import not_there
from ocs_core.rules.rule import rule


@rule("PAYMENT_METHOD_NOT_CONFIGURED", "/paymentMethod")
def payment_method_is_configured(configuration: Configuration, code: str | Unset | None) -> str | None:
    """The payment method is configured."""
    if code is None or code is UNSET or code in configuration.payment_methods:
        return None
    return f"Payment method {code} is not configured."


@rule("EXTERNAL_PAYMENT_NO_EXISTS", "/externalPaymentNo")
def external_payment_no_is_new(external_payment_no: str | None, payment_type: PaymentType, taken: bool) -> str | None:
    """No other incoming payment, cancelled ones included, has the externalPaymentNo."""
    if not taken or payment_type is not PaymentType.IN:
        return None
    return f"An incoming payment with the externalPaymentNo {external_payment_no} is registered already."


@rule("VALUE_NOT_ALLOWED", "/moneyOrder")
def money_order_is_sent(payment_type: PaymentType, is_given: bool) -> str | None:
    """Only an outgoing payment has a money order."""
    if not is_given or payment_type is PaymentType.OUT:
        return None
    return f"A money order is what an outgoing payment is sent by; this one is {payment_type}."


@rule("PAYMENT_NOT_FOUND", "/paymentRefId")
def payment_exists(named: PaymentName, payment: Payment | None) -> str | None:
    """The payment exists, and every name that is given is its own; an externalPaymentNo is that of an incoming payment."""
    if payment is not None:
        return None
    return not_there("payment" if named.external_payment_no is None else "incoming payment", named)


@rule("PAYMENT_CANCELLED", "/paymentRefId")
def payment_is_not_cancelled(payment: Payment | None) -> str | None:
    """The payment is not cancelled."""
    return "The payment is cancelled." if payment is not None and payment.cancelled else None


@rule("PAYMENT_NOT_INCOMING", "/paymentRefId")
def payment_is_incoming(payment: Payment | None) -> str | None:
    """The payment is an incoming one."""
    if payment is None or payment.payment_type is PaymentType.IN:
        return None
    return f"The payment is of type {payment.payment_type}, not IN."


@rule("PAYMENT_ALREADY_IDENTIFIED", "/paymentRefId")
def payment_is_unidentified(payment: Payment | None) -> str | None:
    """The payment does not belong to an account yet."""
    if payment is None or payment.account is None:
        return None
    return f"The payment belongs to the account {payment.account.external_id or payment.account.ref_id} already."


@rule("PAYMENT_NOT_IDENTIFIED", "/paymentRefId")
def payment_is_identified(payment: Payment | None) -> str | None:
    """The payment belongs to an account."""
    return "The payment belongs to no account." if payment is not None and not payment.identified else None


@rule("HAS_ASSIGNMENTS", "/paymentRefId")
def payment_is_not_assigned(live: Collection[Settlement]) -> str | None:
    """Nothing is settled by or against the payment; cancel its assignments first."""
    return f"The payment has {len(live)} live assignment(s); cancel them first." if live else None


@rule("AMOUNT_EXCEEDS_REMAINING", "/amount")
def amount_remains(
    payment: Payment | None, amount: int, currency: str, short: Shortage | None, zone: ZoneInfo
) -> str | None:
    """The amount is at most what remains of the payment, at every instant from the effective date on."""
    if payment is None or payment.cancelled or payment.currency != currency or short is None:
        return None
    if amount > payment.remaining_amount:
        return f"Of the payment {payment.remaining_amount} millionths remain, less than {amount}."
    day = day_of(short.at, zone)
    return f"On {day} the payment was in use: {short.open_amount} millionths of it remained, less than {amount}."
