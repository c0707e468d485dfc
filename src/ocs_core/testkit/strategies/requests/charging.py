"""Chargeable events, and valid requests about them."""

import attrs
from hypothesis import strategies as st

from ocs_core.entities.account import Account
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.form import field_named
from ocs_core.money import BASIS_POINTS
from ocs_core.ports import AdjustmentsOf
from ocs_core.testkit.strategies.requests.registry import Draw, valid
from ocs_core.testkit.strategies.requests.things import MOST, common_fields, currencies, namings, payers
from ocs_core.testkit.strategies.values import field_values, instants, tax_rates
from ocs_core.testkit.world import World
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.feed_chargeable_events import (
    ChargeableEventFed,
    FeedChargeableEvents,
    FeedChargeableEventsRequest,
)


@st.composite
def events(draw: Draw, world: World, account: Account | None = None) -> ChargeableEvent:
    """A chargeable event of a payer or of a technical account below one, perhaps adjusted already."""
    payer = account or draw(payers(world))
    owner = payer if account or draw(st.booleans()) else world.technical(payer)
    charge, tax = draw(st.integers(1, MOST)), draw(st.integers(0, MOST))
    event = world.desk.event(
        account=owner, charge=charge, tax=tax, currency=draw(currencies(world)), tax_rate=draw(tax_rates)
    )
    if draw(st.booleans()):
        request = _adjustment(draw, world, event, charge, most=max(charge // 2, 1))
        if request.charge_type is ChargeType.DEBIT or charge > 1:
            world.desk.perform(AdjustChargeableEvent, request)
    return event


@valid(AdjustChargeableEvent)
def _adjust_chargeable_event(draw: Draw, world: World) -> AdjustChargeableEventRequest:
    event = draw(events(world))
    left = sum(e.charge for e in (event, *_adjustments_of(world, event)))
    request = _adjustment(draw, world, event, left, most=left)
    if draw(st.booleans()):
        owner = world.account_of(event.account.ref_id)
        assert owner.payer_account is not None
        either = st.sampled_from([owner, world.account_of(owner.payer_account.ref_id)])
        request = attrs.evolve(request, account=draw(namings(draw(either))))
    return request


def _adjustments_of(world: World, event: ChargeableEvent) -> list[ChargeableEvent]:
    return list(world.look_up(AdjustmentsOf(event.ref_id)))


def _adjustment(
    draw: Draw, world: World, event: ChargeableEvent, left: int, *, most: int
) -> AdjustChargeableEventRequest:
    """A credit of what is left without tax, which is covered with tax, too; or a debit of any size."""
    credit = left > 0 and draw(st.booleans())
    return AdjustChargeableEventRequest(
        **common_fields(draw, world),
        chargeable_event_ref_id=event.ref_id,
        charge_type=ChargeType.CREDIT if credit else ChargeType.DEBIT,
        charge_adjustment=draw(st.integers(1, most if credit else MOST)),
        currency=event.currency,
        tax_included=draw(st.booleans()),
    )


@valid(FeedChargeableEvents)
def _feed_chargeable_events(draw: Draw, world: World) -> FeedChargeableEventsRequest:
    items = [_fed(draw, world) for _ in range(draw(st.integers(1, 3)))]
    return FeedChargeableEventsRequest(**common_fields(draw, world), events=tuple(items))


def _fed(draw: Draw, world: World) -> ChargeableEventFed:
    payer = draw(payers(world))
    owner = payer if draw(st.booleans()) else world.technical(payer)
    charge, tax = draw(st.integers(0, MOST)), draw(st.integers(0, MOST))
    return ChargeableEventFed(
        external_id=draw(st.none() | st.just(world.new("EV"))),
        account=draw(namings(owner)),
        event_type=draw(field_values(field_named(ChargeableEventFed, "event_type"))),
        event_date=draw(instants),
        charge=charge,
        tax=tax,
        charge_with_tax=charge + tax,
        currency=draw(currencies(world)),
        tax_rate=draw(st.integers(0, BASIS_POINTS)),
    )
