"""How rules about payments are broken."""

from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.payment import PaymentType
from ocs_core.money import minor_unit
from ocs_core.testkit.strategies.breaking.changing import naming, payment_of, renamed
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.things import namings, payers, payments
from ocs_core.testkit.strategies.values import codes, texts, uuids
from ocs_core.testkit.world import World
from ocs_core.usecases.register_payment import MoneyOrderGiven


@breaks("payment_amount_is_payable")
def _payment_too_fine(draw: Draw, world: World, operation: type, request: Any) -> Any:
    unit = minor_unit(world.configuration.currencies[request.currency].minor_digits)
    return attrs.evolve(request, payment_amount=request.payment_amount - draw(st.integers(1, unit - 1)))


@breaks("payment_method_is_configured")
def _payment_method_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, payment_method=draw(codes(*world.configuration.payment_methods)))


@breaks("external_payment_no_is_new")
def _external_payment_no_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    number = world.new("E")
    taken = world.desk.payment(external_payment_no=number)
    if draw(st.booleans()):  # a cancelled payment keeps its number
        world.change(taken, cancelled=True, cancelled_at=world.desk.clock())
    incoming = {"payment_type": PaymentType.IN, "payment_date_received": world.desk.clock(), "money_order": None}
    return attrs.evolve(request, external_payment_no=number, **incoming)


@breaks("money_order_is_sent")
def _money_order_received(draw: Draw, world: World, operation: type, request: Any) -> Any:
    kind = draw(st.sampled_from([PaymentType.IN, PaymentType.PROMISE_TO_PAY]))
    account = request.account or draw(namings(draw(payers(world))))
    order, now = MoneyOrderGiven(name=draw(texts)), world.desk.clock()
    return attrs.evolve(request, payment_type=kind, account=account, payment_date_received=now, money_order=order)


@breaks("payment_exists")
def _payment_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """By an id or a number of nothing, or by names of two payments."""
    wrong: list[dict[str, Any]] = [{"payment_ref_id": draw(uuids)}]
    if hasattr(request, "payment_no"):
        mine, other = payment_of(world, request), world.desk.payment()
        wrong += [{"payment_no": world.new("P")}, {"payment_ref_id": mine.ref_id, "payment_no": other.payment_no}]
    return renamed(request, "payment", **draw(st.sampled_from(wrong)))


@breaks("payment_is_not_cancelled")
def _cancelledpayment_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(payment_of(world, request), cancelled=True, cancelled_at=world.desk.clock())
    return request


@breaks("payment_is_incoming")
def _outgoingpayment_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    kind = draw(st.sampled_from([PaymentType.OUT, PaymentType.PROMISE_TO_PAY]))
    payment = world.change(payment_of(world, request), payment_type=kind)
    return renamed(request, "payment", payment_ref_id=payment.ref_id)


@breaks("payment_is_unidentified")
def _identifiedpayment_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, payment_ref_id=draw(payments(world, draw(payers(world)))).ref_id)


@breaks("payment_is_identified")
def _unidentifiedpayment_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(payment_of(world, request), account=None)
    return request


@breaks("account_owns_the_payment")
def _account_of_nopayment_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return naming(draw, operation, request, draw(namings(draw(payers(world)))))
