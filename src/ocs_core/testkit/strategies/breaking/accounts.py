"""How rules about accounts and payers are broken."""

import datetime as dt
from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.account import AccountName, AccountState
from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.entities.configuration import AccountType
from ocs_core.entities.payment import PaymentType
from ocs_core.testkit.strategies.breaking.changing import (
    account_of,
    naming,
    nobody,
    owned,
    owner_of,
)
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.charging import events
from ocs_core.testkit.strategies.requests.things import (
    namings,
    payers,
)
from ocs_core.testkit.strategies.values import codes
from ocs_core.testkit.world import World
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEvents
from ocs_core.usecases.register_payment import RegisterPayment
from ocs_core.usecases.start_collection_run import StartCollectionRun

DAY = dt.timedelta(days=1)


@breaks("account_is_given")
def _no_account(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if operation is RegisterPayment:
        kind = draw(st.sampled_from([PaymentType.OUT, PaymentType.PROMISE_TO_PAY]))
        request = attrs.evolve(request, payment_type=kind, payment_date_sent=world.desk.clock(), money_order=None)
    nothing = AccountName() if operation is StartCollectionRun else draw(st.sampled_from([None, AccountName()]))
    return naming(draw, operation, request, nothing)


@breaks("named_account_has_an_id")
def _account_without_an_id(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if operation is RegisterPayment:
        now = world.desk.clock()
        request = attrs.evolve(request, payment_type=PaymentType.IN, payment_date_received=now, money_order=None)
    return naming(draw, operation, request, AccountName())


@breaks("account_exists")
def _account_ofnobody(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return naming(draw, operation, request, nobody(draw, world))


@breaks("account_ids_agree")
def _ids_of_two_accounts(draw: Draw, world: World, operation: type, request: Any) -> Any:
    request_of_owner = owned(draw, world, operation, request)
    one = owner_of(world, request_of_owner) or account_of(world, request_of_owner) or draw(payers(world))
    other = draw(st.sampled_from([world.new("nobody"), world.account().external_id]))
    return naming(draw, operation, request, AccountName(ref_id=one.ref_id, external_id=other))


@breaks("account_is_not_deactivated")
def _deactivated_account(draw: Draw, world: World, operation: type, request: Any) -> Any:
    owner = owner_of(world, owned(draw, world, operation, request))
    if owner is not None:
        world.deactivate(owner.ref_id)
        return request
    gone = world.account(AccountState.DEACTIVATED)
    return naming(draw, operation, request, draw(namings(gone)))


@breaks("payer_exists")
def _technical_account(draw: Draw, world: World, operation: type, request: Any) -> Any:
    technical = world.technical(draw(st.none() | payers(world)))
    return naming(draw, operation, request, draw(namings(technical)))


@breaks("somebody_pays_for_the_account")
def _account_that_nobody_pays_for(draw: Draw, world: World, operation: type, request: Any) -> Any:
    orphan = world.technical()
    if operation is FeedChargeableEvents:
        return naming(draw, operation, request, draw(namings(orphan)))
    event = world.change(draw(events(world)), account=orphan.ref)
    changes = {"chargeable_event_ref_id": event.ref_id, "currency": event.currency, "charge_type": ChargeType.DEBIT}
    return attrs.evolve(request, account=None, **changes)


@breaks("account_owns")
def _account_of_another(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return naming(draw, operation, request, draw(namings(draw(payers(world, tuple(AccountState))))))


@breaks("external_account_id_is_new")
def _external_account_id_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, external_id=draw(payers(world, tuple(AccountState))).external_id)


@breaks("account_type_is_configured")
def _account_type_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    disabled = world.new("old")
    world.configure(world.configuration.with_entries([AccountType(code=disabled, disabled=True)]))
    return attrs.evolve(request, account_type=draw(codes(*world.configuration.account_types) | st.just(disabled)))


@breaks("parent_exists")
def _parent_ofnobody(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, parent=nobody(draw, world))


@breaks("named_parent_has_an_id")
def _parent_without_an_id(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, parent=AccountName())


@breaks("parent_ids_agree")
def _ids_of_two_parents(draw: Draw, world: World, operation: type, request: Any) -> Any:
    one, other = draw(payers(world)), draw(payers(world))
    return attrs.evolve(request, parent=AccountName(ref_id=one.ref_id, external_id=other.external_id))


@breaks("parent_is_not_deactivated")
def _deactivated_parent(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, parent=draw(namings(world.account(AccountState.DEACTIVATED))))


@breaks("account_may_begin_in")
def _beginning_at_the_end(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, state=draw(st.sampled_from([AccountState.SUSPENDED, AccountState.DEACTIVATED])))


@breaks("account_may_become")
def _forbidden_transition(draw: Draw, world: World, operation: type, request: Any) -> Any:
    pairs = [(a, b) for a in AccountState for b in AccountState if not a.may_become(b)]
    before, after = draw(st.sampled_from(pairs))
    return attrs.evolve(request, account=draw(namings(world.account(before))), state=after)


@breaks("exclusion_end_goes_with_exclusion")
def _end_without_exclusion(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, invoicing_excluded=False, invoicing_excluded_to=world.desk.clock() + DAY)


@breaks("exclusion_end_is_in_the_future")
def _exclusion_that_is_over(draw: Draw, world: World, operation: type, request: Any) -> Any:
    end = world.desk.clock() - draw(st.timedeltas(dt.timedelta(), dt.timedelta(days=9999)))
    return attrs.evolve(request, invoicing_excluded=True, invoicing_excluded_to=end)
