"""Valid requests about payments."""

from hypothesis import strategies as st

from ocs_core.entities.payment import PaymentType
from ocs_core.testkit.strategies.requests.registry import Draw, valid
from ocs_core.testkit.strategies.requests.things import (
    REASON,
    account_or_none,
    amounts_in,
    common_fields,
    currencies,
    names_of,
    namings,
    payers,
    payments,
)
from ocs_core.testkit.strategies.values import instants, some_fields, texts
from ocs_core.testkit.world import World
from ocs_core.usecases.cancel_payment import CancelPayment, CancelPaymentRequest
from ocs_core.usecases.cancel_payment_in_identification import (
    CancelPaymentInIdentification,
    CancelPaymentInIdentificationRequest,
)
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.register_payment import MoneyOrderGiven, RegisterPayment, RegisterPaymentRequest

_REGISTER_PAYMENT_FIELDS = (
    "payment_ref1",
    "payment_ref2",
    "payment_ref3",
    "bank_account_name",
    "iban",
    "bic_provider",
    "channel_type",
    "recipient_note",
    "description",
    "bank_account_transaction_id",
    "notification_requested",
)
"""What varies and must not matter."""


_money_orders = st.builds(
    MoneyOrderGiven, name=texts, **{part: st.none() | texts for part in ("address", "city", "postal_code", "country")}
)


@valid(RegisterPayment)
def _register_payment(draw: Draw, world: World) -> RegisterPaymentRequest:
    kind, currency = draw(st.sampled_from(PaymentType)), draw(currencies(world))
    identified = kind is not PaymentType.IN or draw(st.booleans())
    return RegisterPaymentRequest(
        **common_fields(draw, world),
        account=draw(namings(draw(payers(world)))) if identified else None,
        payment_type=kind,
        external_payment_no=draw(st.none() | st.just(world.new("E"))),
        payment_amount=draw(amounts_in(world, currency)),
        currency=currency,
        payment_method=draw(st.sampled_from(sorted(world.configuration.payment_methods))),
        payment_date_received=draw(instants if kind is PaymentType.IN else st.none() | instants),
        payment_date_sent=draw(instants if kind is PaymentType.OUT else st.none() | instants),
        money_order=draw(st.none() | _money_orders) if kind is PaymentType.OUT else None,
        **draw(some_fields(RegisterPaymentRequest, *_REGISTER_PAYMENT_FIELDS)),
    )


@valid(IdentifyPaymentIn)
def _identify_payment_in(draw: Draw, world: World) -> IdentifyPaymentInRequest:
    return IdentifyPaymentInRequest(
        **common_fields(draw, world),
        account=draw(namings(draw(payers(world)))),
        payment_ref_id=draw(payments(world, None)).ref_id,
        notification_requested=draw(st.booleans()),
    )


@valid(CancelPaymentInIdentification)
def _cancel_payment_in_identification(draw: Draw, world: World) -> CancelPaymentInIdentificationRequest:
    payment = draw(payments(world, draw(payers(world))))
    return CancelPaymentInIdentificationRequest(
        **common_fields(draw, world),
        account=account_or_none(draw, world, payment.account),
        **draw(names_of(payment)),
        reason=REASON,
    )


@valid(CancelPayment)
def _cancel_payment(draw: Draw, world: World) -> CancelPaymentRequest:
    """Of any type; identified or not."""
    payment = draw(payments(world, draw(st.none() | payers(world))))
    if payment.identified:
        payment = world.change(payment, payment_type=draw(st.sampled_from(PaymentType)))
    return CancelPaymentRequest(
        **common_fields(draw, world),
        account=account_or_none(draw, world, payment.account),
        **draw(names_of(payment)),
        reason=REASON,
    )
