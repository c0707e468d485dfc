"""How rules about processes are broken."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.configuration import CollectionSetting
from ocs_core.entities.process import CLOCKS_APART
from ocs_core.ports import Store, UnitOfWork
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.things import (
    finish_runs,
    namings,
    payers,
)
from ocs_core.testkit.strategies.values import uuids
from ocs_core.testkit.world import World
from ocs_core.usecases.read_process_run import ReadProcessRun
from ocs_core.usecases.start_collection_run import StartCollectionRun

DAY = dt.timedelta(days=1)


@breaks("process_needs")
def _process_unconfigured(draw: Draw, world: World, operation: type, request: Any) -> Any:
    kinds = ("document_types", "payment_types", "currencies", "notifications")
    nothing: dict[str, Any] = {draw(st.sampled_from(kinds)): {}}
    world.configure(attrs.evolve(world.configuration, **nothing))
    return request


@breaks("as_of_has_come")
def _moment_to_come(draw: Draw, world: World, operation: type, request: Any) -> Any:
    later = world.desk.clock() + draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=9999)))
    day = (world.desk.clock() + DAY + (later - world.desk.clock())).date()
    return attrs.evolve(request, as_of=draw(st.sampled_from([later, day])))


@breaks("no_other_run_is_active")
def _another_run_going_on(draw: Draw, world: World, operation: type, request: Any) -> Any:
    finish_runs(world)
    world.desk.start_run(as_of=world.desk.clock.advance(seconds=1), adopt=not request.adopt)
    return attrs.evolve(request, as_of=world.desk.clock(), dry_run=False)


@breaks("run_is_the_latest")
def _run_that_looks_back(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Over a payer whose balance is as of a later instant already."""
    finish_runs(world)
    payer = draw(namings(draw(payers(world))))
    world.desk.collect(as_of=world.desk.clock.advance(seconds=1))
    earlier = world.desk.clock() - draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=999)))
    return attrs.evolve(request, as_of=earlier, dry_run=False, accounts=(payer,), failed_of=None)


@breaks("clocks_agree")
def _clock_that_runs_ahead_or_behind(draw: Draw, world: World, operation: type, request: Any) -> Any:
    finish_runs(world)
    apart = draw(st.timedeltas(CLOCKS_APART + dt.timedelta(microseconds=1), dt.timedelta(days=999)))
    world.desk.store = ByAnotherClock(world.store, world.desk.clock() + draw(st.sampled_from([apart, -apart])))
    return attrs.evolve(request, as_of=None, dry_run=False)


@attrs.frozen
class ByAnotherClock:
    """A store whose clock shows that instant."""

    store: Store
    shown: dt.datetime

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[Any]:
        with self.store.begin(snapshot=snapshot) as uow:
            yield _UnitOfWorkAt(uow, self.shown)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@attrs.frozen
class _UnitOfWorkAt:
    uow: UnitOfWork
    shown: dt.datetime

    def now(self) -> dt.datetime:
        return self.shown

    def __getattr__(self, name: str) -> Any:
        return getattr(self.uow, name)


@breaks("dry_runs_are_few")
def _dry_run_too_many(draw: Draw, world: World, operation: type, request: Any) -> Any:
    finish_runs(world)
    at_once = draw(st.integers(1, 3))
    world.configure(world.configuration.with_entries([CollectionSetting(dry_runs=at_once)]))
    for _ in range(at_once):
        world.desk.start_run(dry_run=True)
    return attrs.evolve(request, dry_run=True)


@breaks("run_exists")
def _run_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    unknown = draw(uuids)
    if operation is ReadProcessRun:
        return unknown
    if operation is StartCollectionRun:
        return attrs.evolve(request, failed_of=unknown, accounts=None)
    return attrs.evolve(request, ref_id=unknown)


@breaks("run_is_going_on")
def _run_over(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if draw(st.booleans()):
        world.desk.cancel_run(request.ref_id)
    else:
        world.desk.finish(request.ref_id)
    return request


@breaks("accounts_or_failed_of")
def _run_over_both(draw: Draw, world: World, operation: type, request: Any) -> Any:
    payer = draw(payers(world))
    failed = world.desk.collect_but_one(dry_run=True)
    return attrs.evolve(request, accounts=(draw(namings(payer)),), failed_of=failed.ref_id)


@breaks("failed_run_is_over")
def _run_that_may_fail_yet(draw: Draw, world: World, operation: type, request: Any) -> Any:
    going_on = world.desk.start_run(dry_run=True)
    return attrs.evolve(request, failed_of=going_on.ref_id, accounts=None)


@breaks("failed_run_has_failures")
def _run_that_went_well(draw: Draw, world: World, operation: type, request: Any) -> Any:
    done = world.desk.collect(dry_run=True)
    return attrs.evolve(request, failed_of=done.ref_id, accounts=None)
