"""Valid requests about processes."""

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from ocs_core.entities.process import ProcessRun
from ocs_core.testkit.strategies.requests.registry import Draw, valid
from ocs_core.testkit.strategies.requests.things import (
    common_fields,
    finish_runs,
    namings,
    payers,
)
from ocs_core.testkit.world import World
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance
from ocs_core.usecases.cancel_process_run import CancelProcessRun, CancelProcessRunRequest
from ocs_core.usecases.read_process_run import ReadProcessRun
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest


@valid(StartCollectionRun)
def _start_collection_run(draw: Draw, world: World) -> StartCollectionRunRequest:
    """A dry run of any moment that has come, or a storing one of now, when none is going on: over all, some, or those that
    failed."""
    dry_run = draw(st.booleans())
    finish_runs(world)
    now = world.desk.clock.advance(seconds=1)
    past = st.timedeltas(dt.timedelta(), dt.timedelta(days=3650)).map(lambda ago: now - ago)
    some = [draw(namings(draw(payers(world)))) for _ in range(draw(st.integers(0, 2)))]
    failed = None
    if not some and draw(st.booleans()):
        draw(payers(world))
        failed = world.desk.collect_but_one(dry_run=True).ref_id
    return StartCollectionRunRequest(
        **common_fields(draw, world),
        as_of=draw(st.none() | past | past.map(dt.datetime.date)) if dry_run else None,
        dry_run=dry_run,
        adopt=draw(st.booleans()),
        accounts=tuple(some) or None,
        failed_of=failed,
    )


@valid(CancelProcessRun)
def _cancel_process_run(draw: Draw, world: World) -> CancelProcessRunRequest:
    """A run that nobody has begun to calculate, or of which a payer is done."""
    draw(payers(world))
    finish_runs(world)
    run = world.desk.start_run(dry_run=draw(st.booleans()))
    if draw(st.booleans()):
        CalculateCollectionBalance(world.desk.run_store, clock=world.desk.clock)(run.ref_id, limit=1)
    return CancelProcessRunRequest(**common_fields(draw, world), ref_id=run.ref_id)


@valid(ReadProcessRun)
def _read_process_run(draw: Draw, world: World) -> Any:
    finish_runs(world)
    run: ProcessRun = world.desk.start_run(dry_run=draw(st.booleans()))
    return run.ref_id
