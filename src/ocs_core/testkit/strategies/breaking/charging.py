"""How rules about chargeable events are broken."""

from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.money import MAX_AMOUNT
from ocs_core.ports import AdjustmentsOf, ChargeableEventWithId
from ocs_core.testkit.strategies.breaking.changing import with_item
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.things import MOST, payers
from ocs_core.testkit.strategies.values import uuids
from ocs_core.testkit.world import World
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent


@breaks("chargeable_event_exists")
def _event_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, chargeable_event_ref_id=draw(uuids))


@breaks("chargeable_event_is_no_adjustment")
def _adjustment_of_an_adjustment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    (step,) = world.desk.perform(AdjustChargeableEvent, request).steps
    assert isinstance(step.object, ChargeableEvent)
    return attrs.evolve(request, request_id=world.desk.request_id(), chargeable_event_ref_id=step.object.ref_id)


@breaks("credit_is_covered")
def _credit_beyond_the_charge(draw: Draw, world: World, operation: type, request: Any) -> Any:
    event = world.look_up(ChargeableEventWithId(request.chargeable_event_ref_id))
    assert event is not None
    parts = (event, *world.look_up(AdjustmentsOf(event.ref_id)))
    left = sum(e.charge_with_tax if request.tax_included else e.charge for e in parts)
    amount = left + draw(st.integers(1, MOST))
    return attrs.evolve(request, charge_type=ChargeType.CREDIT, charge_adjustment=amount)


@breaks("adjustment_fits")
def _adjustment_beyond_64_bits(draw: Draw, world: World, operation: type, request: Any) -> Any:
    event = world.desk.event(account=draw(payers(world)), tax_rate=draw(st.integers(1000, 100_000)))
    return attrs.evolve(
        request,
        account=None,
        chargeable_event_ref_id=event.ref_id,
        currency=event.currency,
        charge_type=ChargeType.DEBIT,
        charge_adjustment=MAX_AMOUNT - draw(st.integers(0, MOST)),
        tax_included=False,
    )


@breaks("charge_and_tax_add_up")
def _parts_that_do_not_add_up(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return with_item(draw, request, charge_with_tax=2 * MOST + draw(st.integers(1, MOST)))


@breaks("external_event_id_is_new")
def _external_event_id_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    external_id = world.new("EV")
    if draw(st.booleans()):
        world.desk.event(account=draw(payers(world)), external_id=external_id)
        return with_item(draw, request, external_id=external_id)
    twice = attrs.evolve(request.events[0], external_id=external_id)
    return attrs.evolve(request, events=(*request.events, twice, twice))
