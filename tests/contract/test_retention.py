"""What is old is forgotten, exactly that, in batches, beside everybody else."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import attrs
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.consumers.notifications.tables import tables as consumers_tables
from ocs_adapters.serial import encode
from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.reading import value_reader
from ocs_adapters.sql.retention import PRUNABLES, Prunable, Retention
from ocs_adapters.sql.rows import rows_of
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryOutbox, MemoryStore
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from tests.contract.explained import plan_of, steps_of
from tests.contract.stores import DATABASES, MakeDatabase, postgres_database, sqlite_database, subject_on

ANSWERS, EVENTS, RUNS = PRUNABLES
INBOX, DEAD_LETTERS, DELIVERIES = consumers_tables.prunables
SECOND = dt.timedelta(seconds=1)
AGES = st.lists(st.timedeltas(-SECOND, SECOND) | st.sampled_from([dt.timedelta(0), dt.timedelta(microseconds=1)]))


def _request(at: dt.datetime) -> dict[str, Any]:
    return {
        "application": "test",
        "request_id": str(uuid4()),
        "operation": "RegisterPayment",
        "digest": b"",
        "ref_ids": "[]",
        "performed_at": at,
        "answer": "[]",
    }


def _event(at: dt.datetime) -> dict[str, Any]:
    return {"ref_id": uuid4(), "topic": "t", "key": uuid4(), "headers": "{}", "value": "{}", "logged_at": at}


def _run(at: dt.datetime) -> dict[str, Any]:
    """A run that has ended; dry, so that whether it is the latest does not matter."""
    run = ProcessRun(ref_id=uuid4(), as_of=at, started_at=at, finished_at=at, state=RunState.DONE, dry_run=True)
    return dict(rows_of(ProcessRun).write(run))


def _received(at: dt.datetime) -> dict[str, Any]:
    return {"ce_id": uuid4(), "received_at": at}


def _set_aside(at: dt.datetime) -> dict[str, Any]:
    letter = {"topic": "t", "key": uuid4(), "headers": "{}", "value": b"", "reason": "no"}
    return letter | {"ref_id": uuid4(), "set_aside_at": at}


def _delivered(at: dt.datetime) -> dict[str, Any]:
    delivery = {"recipient": "crm", "code": "c", "value": "{}", "state": "DELIVERED"}
    counts = {"attempts": 1, "attempts_allowed": 9}
    instants = dict.fromkeys(("occurred_at", "kept_at", "due_at", "delivered_at"), at)
    return delivery | counts | instants | {"ref_id": uuid4(), "ce_id": uuid4()}


ROWS = [
    (ANSWERS, _request),
    (EVENTS, _event),
    (RUNS, _run),
    (INBOX, _received),
    (DEAD_LETTERS, _set_aside),
    (DELIVERIES, _delivered),
]
EACH = pytest.mark.parametrize(("prunable", "row"), ROWS, ids=[prunable.setting for prunable, _ in ROWS])


@contextmanager
def _made(make: MakeDatabase, prunable: Prunable) -> Iterator[Database]:
    """A database with that table in it."""
    with make() as database:
        if prunable not in PRUNABLES:
            consumers_tables.prepare(database)
        yield database


def _fill(database: Database, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    database.write(Call(sa.delete(table)), *(database.driver.insert({table: rows}) if rows else ()))


def _left(database: Database, prunable: Prunable) -> list[dt.datetime]:
    query = sa.select(prunable.since).where(*prunable.conditions).order_by(prunable.since)
    decode = value_reader(dt.datetime, database.driver)
    (rows,) = database.read(Call(query, {"before": NOW + 2 * SECOND}))
    return [decode(row[0]) for row in rows]


def test_every_table_that_forgets_is_tried_here() -> None:
    assert [prunable for prunable, _ in ROWS] == [*PRUNABLES, *consumers_tables.prunables]


@EACH
@DATABASES
def test_exactly_what_is_older_is_forgotten(make, prunable, row) -> None:
    with _made(make, prunable) as database:

        @given(AGES)
        def holds(ages: list[dt.timedelta]) -> None:
            instants = [NOW - age for age in ages]
            _fill(database, prunable.table, [row(instant) for instant in instants])
            old = [instant for instant in instants if instant < NOW]
            retention = Retention(database, prunable, days=1)
            assert retention.count(NOW) == len(old)
            assert retention.forget(NOW) == len(old)
            assert _left(database, prunable) == sorted(instant for instant in instants if instant >= NOW)

        holds()


@st.composite
def _runs(draw: st.DrawFn) -> list[ProcessRun]:
    runs = []
    for number in range(draw(st.integers(0, 8))):
        ended = draw(st.none() | st.timedeltas(-SECOND, SECOND))
        started = NOW - draw(st.integers(0, 3)) * SECOND
        run = ProcessRun(
            ref_id=UUID(int=number),
            process=draw(st.sampled_from(["a", "b"])),
            state=RunState.RUNNING if ended is None else RunState.DONE,
            as_of=started - draw(st.integers(0, 3)) * SECOND,
            started_at=started,
            finished_at=None if ended is None else NOW - ended,
            accounts=draw(st.sampled_from([(), (UUID(int=9),)])),
        )
        runs_already = run.finished_at is None and any(r.process == run.process and not r.finished_at for r in runs)
        runs.append(attrs.evolve(run, dry_run=runs_already or draw(st.booleans())))
    return runs


def _stands_in(later: ProcessRun, run: ProcessRun) -> bool:
    """Whether nobody needs to know whom a run went through, since the later one went through all."""
    is_whole = later.state is RunState.DONE and not later.dry_run and not later.accounts
    is_later = later.process == run.process and later.started_at > run.started_at and later.as_of >= run.started_at
    return is_whole and is_later and later.finished_at is not None and later.finished_at < NOW


@DATABASES
def test_a_run_that_is_not_done_stays_and_so_does_the_last_that_went_through_somebody(make) -> None:
    with make() as database:

        @given(_runs())
        def holds(runs: list[ProcessRun]) -> None:
            _fill(database, tables.process_runs, [dict(rows_of(ProcessRun).write(run)) for run in runs])
            stay = {
                r.ref_id
                for r in runs
                if r.finished_at is None
                or r.finished_at >= NOW
                or not (r.dry_run or any(_stands_in(later, r) for later in runs))
            }
            Retention(database, RUNS, days=1).forget(NOW)
            queries = subject_on(database).queries
            assert {r.ref_id for r in runs if queries.run(r.ref_id) is not None} == stay

        holds()


@DATABASES
@pytest.mark.parametrize("asked", [lambda now: now, lambda now: now.date() - dt.timedelta(days=1)], ids=["now", "day"])
def test_no_payer_is_calculated_as_of_an_earlier_instant_although_its_runs_were_forgotten(make, asked) -> None:
    with make() as database:
        desk = Desk(SqlStore(database))
        one, other = desk.account("A-1"), desk.account("A-2")
        for _ in range(4):  # of which the first alone finds something new
            desk.clock.advance(days=1)
            desk.collect(as_of=asked(desk.clock()))
        last = desk.clock.advance(seconds=1)
        desk.collect(accounts=(named(other),))
        assert Retention(database, RUNS, days=1).forget(last + SECOND) == 3

        done = desk.collect(as_of=NOW + dt.timedelta(days=2), dry_run=False)

        assert (done.payers_done, done.payers_passed_over) == (0, 2)
        with pytest.raises(RequestRejected, match="RUN_NOT_LATEST"):
            desk.start_run(as_of=last - SECOND, accounts=(named(other),))
        desk.collect(as_of=last - SECOND, accounts=(named(one),))


@DATABASES
def test_a_request_is_answered_again_while_its_answer_is_kept_and_never_performed_twice(make) -> None:
    with make() as database:

        @given(st.integers(1, 400), st.timedeltas(dt.timedelta(0), dt.timedelta(days=800)))
        def holds(days: int, later: dt.timedelta) -> None:
            desk = Desk(SqlStore(database), ids=new_id)
            kept = dt.timedelta(days=days)
            register = RegisterPayment(desk.store, clock=desk.clock, ids=desk.ids, answers_kept=kept)
            request = RegisterPaymentRequest(
                request_id=str(uuid4()),
                payment_amount=UNIT,
                currency="EUR",
                payment_method="cash",
                payment_date_received=NOW,
            )
            answer = register(request)
            desk.clock.advance(seconds=later.total_seconds())
            retention = Retention(database, ANSWERS, days)
            retention.forget(retention.cut_off(desk.clock()))
            if desk.clock() - NOW <= kept:
                assert register(request).steps == answer.steps
            else:
                with pytest.raises(RequestRejected) as rejected:
                    register(request)
                (violation,) = rejected.value.violations
                assert violation.code == "REQUEST_ALREADY_PERFORMED"
                assert str(answer.steps[0].object.ref_id) in violation.message

        holds()


@EACH
@DATABASES
def test_much_is_forgotten_in_batches_and_one_that_is_cut_off_is_completed_by_the_next(make, prunable, row) -> None:
    with _made(make, prunable) as database:
        _fill(database, prunable.table, [row(NOW - SECOND) for _ in range(2 * prunable.batch + 1)])
        batches: list[int] = []

        def killed(forgotten: int) -> None:
            raise KeyboardInterrupt

        retention = Retention(database, prunable, days=1)
        with pytest.raises(KeyboardInterrupt):
            retention.forget(NOW, killed)
        assert retention.count(NOW) == prunable.batch + 1
        assert retention.forget(NOW, batches.append) == prunable.batch + 1
        assert batches == [prunable.batch, 1]


@DATABASES
def test_several_that_forget_at_once_forget_everything_once_beside_those_who_write(make) -> None:
    with make() as database:
        _fill(database, tables.event_log, [_event(NOW - SECOND) for _ in range(3 * EVENTS.batch)])
        desk, forgotten = Desk(SqlStore(database)), []

        def forget() -> None:
            forgotten.append(Retention(database, EVENTS, days=1).forget(NOW))

        threads = [threading.Thread(target=forget) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(20):
            desk.account(f"A-{number}")
        for thread in threads:
            thread.join()
        assert sum(forgotten) == 3 * EVENTS.batch
        assert Retention(database, EVENTS, days=1).count(NOW) == 0


@EACH
def test_postgresql_waits_for_no_row_that_another_holds(prunable, row) -> None:
    with _made(postgres_database, prunable) as database:
        _fill(database, prunable.table, [row(NOW - SECOND) for _ in range(3)])
        retention = Retention(database, prunable, days=1)
        url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as other:
            held = sa.select(prunable.since).limit(1).with_for_update()
            other.execute(str(held.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True})))
            assert retention.forget(NOW) == 2
        assert retention.forget(NOW) == 1


@EACH
def test_what_is_old_is_found_through_an_index(prunable, row) -> None:
    rows = [row(NOW - SECOND * (number % 100 == 0)) for number in range(10_000)]
    (index,) = (i.name for i in prunable.table.indexes if [*i.columns] == [prunable.since])
    calls = [Call(statement, {"before": NOW}) for statement in (prunable.count, prunable.forget)]
    with _made(postgres_database, prunable) as database:
        _fill(database, prunable.table, rows)
        with database.engine.connect() as connection:
            connection.exec_driver_sql(f"ANALYZE {prunable.table.name}")
            connection.commit()
        for call in calls:
            assert index in {node.get("Index Name") for node in plan_of(database, call)}
    with _made(sqlite_database, prunable) as database:
        _fill(database, prunable.table, rows)
        for call in calls:
            steps = steps_of(database, call)
            assert any(index in step for step in steps), steps
            assert not [step for step in steps if step.startswith(f"SCAN {prunable.table.name}")], steps


def test_a_publisher_whose_clock_ran_ahead_keeps_nothing_longer_than_the_days_that_are_set() -> None:
    """No event is logged earlier than the one before it: without a limit, a wrong year stayed the log's for that long."""
    with postgres_database() as database:
        now = utc_now()
        for number, ahead in enumerate((365, 0)):
            log = SqlEventLog(database, lambda days=ahead: now + dt.timedelta(days=days))
            publisher = MemoryOutbox(_published(number), encode)
            log.publish(publisher.waiting(1))
        (rows,) = database.read(Call(sa.select(tables.event_log.c.logged_at)))
        assert len(rows) == 2
        assert max(at for (at,) in rows) < now + dt.timedelta(minutes=5)


def _published(number: int) -> MemoryStore:
    store = MemoryStore(configuration())
    Desk(store, ids=new_id).account(f"A-{number}")
    return store
