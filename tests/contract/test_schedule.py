"""The collection run starts at its times: once, whoever is there to start it."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import attrs
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from ocs_adapters.bootstrap import platform
from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.schedule import scheduler as schedulers
from ocs_adapters.schedule.scheduler import Scheduler
from ocs_adapters.schedule.state import SqlSchedule
from ocs_adapters.settings import Settings
from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.queries import SqlQueries
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.configuration import CollectionSetting
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, ProcessRun, RunState
from ocs_core.errors import StoreUnavailable
from ocs_core.testkit.contracts.subject import at_once
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import SettableClock
from tests.contract.stores import DATABASES, sqlite_database
from tests.interrupts import deaf, hearing

NIGHTLY = CollectionSetting(cron="30 2 * * *")
DUE = dt.datetime(2024, 5, 15, 2, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@attrs.frozen
class Night:
    """A database whose collection run is due every night, and those who start it."""

    database: Database
    clock: SettableClock = attrs.field(factory=SettableClock)
    told: list[str] = attrs.field(factory=list)

    def scheduler(self) -> Scheduler:
        return Scheduler(
            SqlSchedule(self.database, CALCULATE_COLLECTION_BALANCE, SqlStore),
            SqlQueries(self.database),
            clock=self.clock,
            ids=new_id,
            started=lambda: self.told.append("started"),
        )

    def configure(self, setting: CollectionSetting) -> None:
        write_entries(self.database, [setting])

    def runs(self) -> list[ProcessRun]:
        return list(SqlQueries(self.database).running())

    def finish(self) -> None:
        desk = Desk(SqlStore(self.database), clock=self.clock)
        for run in self.runs():
            desk.finish(run.ref_id)


@contextmanager
def _night(make) -> Iterator[Night]:
    with make() as database:
        night = Night(database)
        night.configure(NIGHTLY)
        night.scheduler().step()
        yield night


@DATABASES
def test_it_starts_a_run_as_of_now_at_its_time_and_not_before(make) -> None:
    with _night(make) as night:
        scheduler = night.scheduler()
        night.clock.now = DUE - dt.timedelta(seconds=5)
        assert scheduler.step() == 5
        assert night.runs() == []
        night.clock.now = DUE + dt.timedelta(seconds=1)
        with capture_logs() as logged:
            assert scheduler.step() == schedulers.LOOK_SECONDS
        (run,) = night.runs()
        assert run.as_of == night.clock.now
        assert run.transaction_id == "schedule:calculate-collection-balance:2024-05-15T02:30:00.000000Z"
        assert logged == [
            {
                "event": "a run was started at its time",
                "log_level": "info",
                "due": "2024-05-15T02:30:00.000000Z",
                "run": str(run.ref_id),
            }
        ]
        assert night.told == ["started"]
        scheduler.step()
        assert night.told == ["started"]


@DATABASES
@pytest.mark.usefixtures("in_the_background")
def test_of_several_at_the_same_moment_one_starts_it(make) -> None:
    with _night(make) as night:
        several = [night.scheduler() for _ in range(8)]
        for day in range(3):
            night.clock.now = DUE + day * DAY
            assert {type(rest) for rest in at_once([scheduler.step for scheduler in several])} == {float}
            assert len(night.told) == day + 1
            assert len(night.runs()) == 1
            night.finish()


@DATABASES
def test_those_who_come_first_at_the_same_moment_agree_on_since_when(make) -> None:
    with make() as database:
        night = Night(database)
        night.configure(NIGHTLY)
        at_once([night.scheduler().step] * 8)
        night.clock.now = DUE
        at_once([night.scheduler().step] * 8)
        assert night.told == ["started"]


@DATABASES
def test_what_was_missed_is_made_up_for_by_one_run(make) -> None:
    with _night(make) as night:
        night.clock.now = DUE + 5 * DAY + dt.timedelta(hours=3)
        for _ in range(3):
            night.scheduler().step()
            night.finish()
        assert night.told == ["started"]
        night.clock.now = DUE + 6 * DAY
        night.scheduler().step()
        assert night.told == ["started", "started"]


@DATABASES
def test_a_fresh_or_changed_schedule_or_one_switched_on_again_does_not_fire_for_the_past(make) -> None:
    with make() as database:
        night = Night(database)
        scheduler = night.scheduler()
        for setting in (
            NIGHTLY,
            attrs.evolve(NIGHTLY, cron="0 1 * * *"),
            attrs.evolve(NIGHTLY, zone="Asia/Tokyo"),
            attrs.evolve(NIGHTLY, enabled=False),
            NIGHTLY,
        ):
            night.clock.advance(days=3)
            night.configure(setting)
            scheduler.step()
        assert night.told == []
        night.clock.advance(days=1)
        scheduler.step()
        assert night.told == ["started"]


@DATABASES
def test_a_refused_run_is_said_once_and_the_next_time_goes_on(make) -> None:
    with _night(make) as night:
        scheduler = night.scheduler()
        active = Desk(SqlStore(night.database)).start_run()
        night.clock.now = DUE
        with capture_logs() as logged:
            for _ in range(3):
                scheduler.step()
        (entry,) = logged
        assert (entry["log_level"], entry["event"]) == ("warning", "no run was started at its time")
        assert (
            entry["because"]
            == f"The run {active.ref_id} as of 2024-05-14T10:00:00.000000Z is still going on. (RUN_ACTIVE)"
        )
        assert scheduler.schedule.seen().refused_because == entry["because"]
        night.finish()
        night.clock.now = DUE + DAY
        scheduler.step()
        assert night.told == ["started"]
        assert scheduler.schedule.seen().refused_because is None


@DATABASES
def test_a_process_that_is_not_configured_is_refused_in_one_line(make) -> None:
    with _night(make) as night:
        with night.database.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM configuration WHERE kind = 'notifications'"))
        night.clock.now = DUE
        with capture_logs() as logged:
            night.scheduler().step()
        assert [entry["because"].endswith("(PROCESS_NOT_CONFIGURED)") for entry in logged] == [True]


@DATABASES
def test_a_time_that_was_forgotten_with_the_database_restored_does_not_start_a_second_run(make) -> None:
    with _night(make) as night:
        before = night.scheduler().schedule.seen()
        night.clock.now = DUE
        night.scheduler().step()
        with night.database.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM schedules"))
        night.scheduler().schedule.begin(before)
        night.clock.advance(minutes=1)
        night.scheduler().step()
        assert len(night.runs()) == 1


@DATABASES
def test_who_is_cut_off_before_the_commit_has_done_nothing_and_another_does_it(make) -> None:
    with _night(make) as night:
        scheduler, before = night.scheduler(), night.scheduler().schedule.seen()

        def cut_off(store: SqlStore) -> None:
            scheduler._fired(store, attrs.evolve(before, until=DUE, fired_for=DUE))
            raise StoreUnavailable("gone")

        night.clock.now = DUE
        with pytest.raises(StoreUnavailable):
            scheduler.schedule.advance(before, cut_off)
        assert night.runs() == []
        night.scheduler().step()
        assert night.told == ["started"]


@DATABASES
def test_a_database_that_does_not_answer_is_waited_for(make, monkeypatch) -> None:
    monkeypatch.setattr(schedulers, "PATIENCE_SECONDS", 0.01)
    with _night(make) as night:
        night.clock.now = DUE
        scheduler, silences = night.scheduler(), iter(range(3))

        @attrs.frozen
        class Silent:
            def seen(self):
                if next(silences, None) is not None:
                    raise StoreUnavailable("gone")
                return night.scheduler().schedule.seen()

            def advance(self, seen, go_on):
                return night.scheduler().schedule.advance(seen, go_on)

        patient = attrs.evolve(scheduler, schedule=Silent())
        with capture_logs() as logged:
            patient.start()
            _wait(lambda: night.told == ["started"])
            patient.stop()
        assert [entry["log_level"] for entry in logged] == ["error"] * 3 + ["info"]


def test_a_changed_configuration_is_noticed_by_who_is_at_work(monkeypatch) -> None:
    monkeypatch.setattr(schedulers, "LOOK_SECONDS", 0.02)
    with sqlite_database() as database:
        night = Night(database)
        scheduler = night.scheduler()
        scheduler.start()
        night.configure(NIGHTLY)
        _wait(lambda: (seen := scheduler.schedule.seen()) is not None and seen.schedule == "30 2 * * * UTC")
        night.clock.now = DUE
        _wait(lambda: night.told == ["started"])
        scheduler.stop()


def test_who_is_at_work_rests_between_two_looks_and_ends_at_once_when_told_to() -> None:
    looks = []
    with sqlite_database() as database:
        night = Night(database, SettableClock(DUE))
        night.configure(NIGHTLY)
        scheduler = attrs.evolve(night.scheduler(), clock=lambda: looks.append(1) or DUE)
        scheduler.start()
        time.sleep(0.5)
        began = time.monotonic()
        scheduler.stop()
        assert time.monotonic() - began < 5
    assert len(looks) == 1


def _runs(database: Database) -> list[ProcessRun]:
    with database.engine.connect() as connection:
        ids = connection.scalars(sa.select(tables.process_runs.c.ref_id)).all()
    return [SqlQueries(database).run(UUID(str(ref_id))) for ref_id in ids]


@contextmanager
def _processes(
    database: Database, hears: Callable[[], None] = hearing
) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts `ocs schedule run`, and gives it back when it says that it is at work; none is left at the end."""
    url = database.engine.url.set(drivername=database.driver.name).render_as_string(hide_password=False)
    command = [sys.executable, "-c", "from ocs_adapters.cli import main; main(['schedule', 'run'])"]
    begun: list[subprocess.Popen[str]] = []

    def begin() -> "subprocess.Popen[str]":
        environment = {**os.environ, "OCS_DATABASE_URL": url}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, preexec_fn=hears)
        begun.append(process)
        return process

    try:
        yield begin
    finally:
        for process in begun:
            process.kill()
            process.communicate()


@contextmanager
def _missed(make) -> Iterator[Database]:
    """A database with payers whose run was due two nights ago, when nobody was there."""
    with make() as database:
        desk = Desk(SqlStore(database))
        for number in range(20):
            desk.account(f"A-{number}")
        write_entries(database, [attrs.evolve(NIGHTLY, slice_size=2)])
        Night(database, SettableClock(utc_now() - 2 * DAY)).scheduler().step()
        yield database


@DATABASES
def test_of_several_processes_one_starts_the_run_it_is_taken_to_its_end_and_all_end_in_order(make) -> None:
    with _missed(make) as database, _processes(database) as begin:
        several = [begin() for _ in range(2)]
        for process in several:
            assert process.stdout.readline() == "Starting the collection run whenever it is due.\n"
        _wait(lambda: [run.state for run in _runs(database)] == [RunState.DONE])
        for process, how in zip(several, (signal.SIGTERM, signal.SIGINT), strict=True):
            process.send_signal(how)
        ends = [process.wait(timeout=30) for process in several]
        assert ends == [0, 130]
        said = [process.stderr.read() for process in several]
        assert sum(text.count("a run was started at its time") for text in said) == 1
        assert "Traceback" not in "".join(said)
        (run,) = _runs(database)
        assert run.payers_done == 20


def test_started_in_the_background_it_stays_deaf_to_interrupts_and_is_ended_by_being_terminated() -> None:
    with sqlite_database() as database, _processes(database, deaf) as begin:
        process = begin()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@DATABASES
def test_who_is_killed_and_comes_back_starts_what_was_missed_once(make) -> None:
    with _missed(make) as database, _processes(database) as begin:
        for seconds in (0.0, 0.05):
            process = begin()
            process.stdout.readline()
            time.sleep(seconds)
            process.kill()
            process.wait()
        begin()
        _wait(lambda: [run.state for run in _runs(database)] == [RunState.DONE])


@pytest.mark.parametrize("schedule", [True, False])
def test_a_server_starts_what_is_due_unless_it_is_told_to_leave_that_to_others(schedule: bool) -> None:
    with _missed(sqlite_database) as database:
        made = platform(Settings(database_url=str(database.engine.url), schedule=schedule))
        made.services.start()
        if schedule:
            _wait(lambda: [run.state for run in _runs(database)] == [RunState.DONE])
        made.services.close()
        assert len(_runs(database)) == schedule


def _wait(until: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not until():
        assert time.monotonic() < ends
        time.sleep(0.1)
