"""A run that is cancelled while others are at it: they stop, and what they kept is what the run tells."""

import pytest

from ocs_adapters.bootstrap import platform
from ocs_adapters.clock import utc_now
from ocs_adapters.process import crew
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.settings import Settings
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.queries import SqlQueries
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.configuration import CollectionSetting
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import SettableClock
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceDone
from tests.contract.stores import DATABASES, postgres_database

PAYERS = 200
"""More than two workers calculate, one by one, before somebody looks."""


@DATABASES
def test_a_runner_stops_after_the_slice_in_hand(make) -> None:
    with make() as database:
        desk, queries = Desk(SqlStore(database)), SqlQueries(database)
        for n in range(PAYERS):
            desk.account(f"A-{n}")
        write_entries(database, [CollectionSetting(slice_size=10)])
        run = desk.start_run()
        runner = CollectionRunner(CalculateCollectionBalance(desk.store, clock=utc_now), queries)
        slices: list[SliceDone] = []

        def on_slice(done: SliceDone) -> None:
            slices.append(done)
            if len(slices) == 1:
                desk.cancel_run(run.ref_id)

        ended = runner.run(run.ref_id, on_slice)

        assert [done.part is None for done in slices] == [False, True]
        assert (ended.state, ended.payers_done) == (RunState.CANCELLED, 10)


def test_a_crew_stops_and_the_run_tells_all_that_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "PROGRESS_SECONDS", 0.02)
    with postgres_database() as database:
        made = platform(Settings(database_url=database.engine.url.render_as_string(hide_password=False)))
        try:
            made.configure([CollectionSetting(slice_size=1)])
            services = made.services
            desk = Desk(services.store, SettableClock(utc_now()))
            accounts = [desk.account(f"A-{n}") for n in range(PAYERS)]
            run = desk.start_run()

            def on_progress(so_far: ProcessRun) -> None:
                if so_far.payers_done and so_far.state is RunState.RUNNING:
                    desk.cancel_run(run.ref_id)

            ended = services.runner.finish(run.ref_id, 2, on_progress)

            payers = [ledger.payer for account in accounts if (ledger := services.queries.ledger(account.ref_id))]
            assert (ended.state, services.queries.running()) == (RunState.CANCELLED, [])
            stored = sum(payer.collection_balance is not None for payer in payers)
            assert 0 < ended.payers_done == stored < PAYERS
            assert desk.collect().payers_done == PAYERS
        finally:
            services.close()
