"""How rules about requests, currencies, amounts and reasons are broken."""

from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.money import is_whole_minor_units, minor_unit
from ocs_core.testkit.strategies.breaking.changing import document_of, payment_of, with_item
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.charging import events
from ocs_core.testkit.strategies.values import codes
from ocs_core.testkit.world import OTHER_REASON, World
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEvents

FOREIGN = "XTS"
"""ISO 4217's code for tests: no world configures it."""


@breaks("amount_is_payable")
def _amount_too_fine(draw: Draw, world: World, operation: type, request: Any) -> Any:
    unit = minor_unit(world.configuration.currencies[request.currency].minor_digits)
    finer = request.amount - draw(st.integers(1, unit - 1))
    return attrs.evolve(request, amount=finer)


@breaks("total_is_payable")
def _total_too_fine(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """One that the caller states, or one that rounds to nothing."""
    unit = minor_unit(world.configuration.currencies[request.currency].minor_digits)
    if draw(st.booleans()):
        return attrs.evolve(request, amount=draw(st.integers(1, (unit - 1) // 2)), tax=None, tax_included=False)
    whole = request.amount - request.amount % unit
    return attrs.evolve(request, amount=whole + draw(st.integers(1, unit - 1)), tax_included=True)


@breaks("currency_is_configured")
def _currency_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if operation is FeedChargeableEvents:
        return with_item(draw, request, currency=draw(codes(*world.configuration.currencies)))
    if operation is AdjustChargeableEvent:
        event = world.change(draw(events(world)), currency=FOREIGN)
        return attrs.evolve(
            request,
            account=None,
            chargeable_event_ref_id=event.ref_id,
            charge_type=ChargeType.DEBIT,
            currency=FOREIGN,
        )
    if operation is AssignPaymentInToDocument:
        world.change(payment_of(world, request), currency=FOREIGN)
        world.change(document_of(world, request), currency=FOREIGN)
        return attrs.evolve(request, currency=FOREIGN)
    return attrs.evolve(request, currency=draw(codes(*world.configuration.currencies)))


@breaks("currency_is_that_of")
def _another_currency(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """That of the event; or of the payment alone, of the document alone, of both."""
    others = [code for code in world.configuration.currencies if code != request.currency]
    if operation is AdjustChargeableEvent:
        return attrs.evolve(request, currency=draw(st.sampled_from(others)), charge_adjustment=1)
    wrong, other = draw(st.sampled_from(["payment", "document", "both"])), draw(st.sampled_from(others))
    if wrong == "payment":
        world.change(payment_of(world, request), currency=other)
        return request
    if wrong == "document":
        world.change(document_of(world, request), currency=other)
        return request
    configured = world.configuration.currencies
    payable = [c for c in others if is_whole_minor_units(request.amount, configured[c].minor_digits)]
    return attrs.evolve(request, currency=draw(st.sampled_from(payable)))


@breaks("request_is_the_same")
def _request_id_of_another_request(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.desk.perform(operation, request)
    return attrs.evolve(request, user=world.new("somebody else"))


@breaks("answer_is_still_kept")
def _repeated_much_later(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.desk.perform(operation, request)
    world.desk.clock.advance(days=90, microseconds=draw(st.integers(1, 10**12)))
    return request


@breaks("reason_is_configured")
def _reason_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, reason=draw(codes(*world.configuration.reasons) | st.just(OTHER_REASON)))
