"""What runs went through is found through indices: every slice of every run asks for it."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.gone_through import asking
from ocs_adapters.sql.rows import rows_of
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, ProcessRun, RunSlice, RunState
from ocs_core.ports import SliceWanted
from ocs_core.testkit.contracts.values import a_run, id_of
from ocs_core.testkit.fakes import NOW
from tests.contract.explained import plan_of, steps_of
from tests.contract.stores import DATABASES, postgres_database

NIGHTS, SLICES = 500, 20
DAY = dt.timedelta(days=1)
PAYERS = [id_of(number * 1000) for number in range(SLICES + 1)]
"""The last payer of each slice, and before them one that is in none."""


def _nights(database: Any) -> None:
    """A run in each of so many nights, the last of them now."""
    runs, slices = [], []
    for night in range(NIGHTS):
        at = NOW - night * DAY
        run = a_run(10**9 + night, as_of=at, started_at=at, finished_at=at, state=RunState.DONE)
        runs.append(dict(rows_of(ProcessRun).write(run)))
        for number in range(1, SLICES + 1):
            through = PAYERS[number] if number < SLICES else None
            part = RunSlice(
                ref_id=id_of(10**6 * (night + 1) + number),
                run_ref_id=run.ref_id,
                number=number,
                position=PAYERS[number],
                through=through,
                done=True,
            )
            slices.append(dict(rows_of(RunSlice).write(part)))
    database.write(*database.driver.insert({tables.process_runs: runs, tables.run_slices: slices}))


@DATABASES
def test_what_was_gone_through_is_found_through_indices(make) -> None:
    with make() as database:
        _nights(database)
        wanted = SliceWanted(as_of=NOW - 3 * DAY, after=PAYERS[10], through=PAYERS[11])
        call = asking(database.driver, CALCULATE_COLLECTION_BALANCE, wanted)
        if database.driver.name == "sqlite":
            steps = steps_of(database, call)
            assert [step for step in steps if step.startswith("SCAN")] == []
            assert any("ix_process_runs_as_of" in step for step in steps)
        else:
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("ANALYZE"))
            nodes = plan_of(database, call)
            assert [node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"] == []
            indices = {node.get("Index Name") for node in nodes}
            assert indices >= {"ix_process_runs_as_of", "uq_run_slices_number"}
        with SqlStore(database).begin(snapshot=True) as uow:
            gone = uow.gone_through(CALCULATE_COLLECTION_BALANCE, wanted)
            assert uow.gone_through(CALCULATE_COLLECTION_BALANCE, SliceWanted(as_of=NOW)) == []
        assert [(each.after, each.through) for each in gone] == [(PAYERS[10], PAYERS[11])] * 3


def test_an_instant_that_was_never_before_costs_one_look_at_an_index() -> None:
    """As every nightly run is as of now, this is what a slice of it pays."""
    with postgres_database() as database:
        _nights(database)
        call = asking(database.driver, CALCULATE_COLLECTION_BALANCE, SliceWanted(as_of=NOW + DAY))
        (rows,) = database.read(Call(call.statement, call.parameters))
        nodes = plan_of(database, call)
        assert rows == []
        assert "ix_process_runs_as_of" in {node.get("Index Name") for node in nodes}
