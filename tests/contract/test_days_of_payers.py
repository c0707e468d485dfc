"""A day is the payer's day, in reads and in runs, on every store: memory, SQLite, PostgreSQL."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from ocs_adapters.sql.configuration import write_entries
from ocs_core.entities.account import Account, Payer
from ocs_core.entities.configuration import AccountType
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.testkit.contracts import Subject, published_in
from ocs_core.testkit.contracts.subject import codes_of, desk_on
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest
from ocs_core.usecases.read_open_balance import ReadOpenBalance, ReadOpenBalanceRequest
from tests.contract.stores import postgres_database, sqlite_database, subject_on

DAY, MOMENT = dt.timedelta(days=1), dt.timedelta(microseconds=1)
TODAY = NOW.date()
ZONES = {"here": None, "home": "Europe/Madrid", "far": "Pacific/Niue", "early": "Pacific/Kiritimati"}
"""The system is at UTC; Madrid is two hours ahead of it, Niue eleven behind, Kiritimati fourteen ahead."""
TYPES = [AccountType(code=code, zone=zone) for code, zone in ZONES.items()]
ENDS_OF_YESTERDAY = {
    "here": dt.datetime(2024, 5, 13, 23, 59, 59, 999_999, dt.UTC),
    "home": dt.datetime(2024, 5, 13, 21, 59, 59, 999_999, dt.UTC),
    "far": dt.datetime(2024, 5, 14, 10, 59, 59, 999_999, dt.UTC),
    "early": dt.datetime(2024, 5, 13, 9, 59, 59, 999_999, dt.UTC),
}


@attrs.frozen
class World:
    """A payer in each zone, on one store."""

    subject: Subject
    desk: Desk
    payers: dict[str, Account]

    def owe(self, amount: int, due: dt.date, **more: Any) -> None:
        for payer in self.payers.values():
            issued = due - 30 * DAY
            self.desk.document(account=payer, amount=amount, document_issued_date=issued, document_due_date=due, **more)

    def stored(self) -> dict[str, Payer]:
        ledgers = {where: self.subject.queries.ledger(payer.ref_id) for where, payer in self.payers.items()}
        return {where: ledger.payer for where, ledger in ledgers.items() if ledger}

    def as_of(self) -> dict[str, dt.datetime | None]:
        return {where: payer.collection_balance_as_of for where, payer in self.stored().items()}


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        store = MemoryStore(configuration(*TYPES))
        yield _world(Subject(store, MemoryQueries(store), lambda: published_in(store)))
        return
    with (sqlite_database if request.param == "sqlite" else postgres_database)() as database:
        write_entries(database, TYPES)
        yield _world(subject_on(database))


def _world(subject: Subject) -> World:
    desk = desk_on(subject.store)
    return World(subject, desk, {where: desk.account(where, account_type=where) for where in ZONES})


def test_what_is_due_on_a_day_is_not_past_due_as_of_that_day_wherever_it_ends(world: World) -> None:
    """In Madrid it is half past midnight of the day after, for the system still the day itself."""
    world.owe(100 * UNIT, due=TODAY)
    now = world.desk.clock.now = dt.datetime(2024, 5, 14, 22, 30, tzinfo=dt.UTC)
    read = ReadCollectionBalance(world.subject.queries, clock=world.desk.clock)
    read_open = ReadOpenBalance(world.subject.queries, clock=world.desk.clock)
    ends = {
        "here": now,
        "home": dt.datetime(2024, 5, 14, 21, 59, 59, 999_999, dt.UTC),
        "far": now,
        "early": dt.datetime(2024, 5, 14, 9, 59, 59, 999_999, dt.UTC),
    }
    for where, payer in world.payers.items():
        of_day = read(ReadCollectionBalanceRequest(ref_id=payer.ref_id, as_of=TODAY))
        of_now = read(ReadCollectionBalanceRequest(ref_id=payer.ref_id, as_of=now))
        is_over = where in {"home", "early"}
        assert (of_day.as_of_day, of_day.as_of, of_day.collection_balance) == (TODAY, ends[where], 0)
        assert (of_now.as_of_day, of_now.as_of) == (None, now)
        assert of_now.collection_balance == (100 * UNIT if is_over else 0)
        open_then = read_open(ReadOpenBalanceRequest(ref_id=payer.ref_id, as_of=TODAY))
        open_now = read_open(ReadOpenBalanceRequest(ref_id=payer.ref_id, as_of=now))
        assert (open_then.as_of_day, open_then.as_of) == (TODAY, ends[where])
        assert (open_then.due, open_then.future) == (0, 100 * UNIT)
        assert (open_now.due, open_now.future) == ((100 * UNIT, 0) if is_over else (0, 100 * UNIT))


def test_a_run_of_a_day_is_as_of_its_end_where_each_payer_is(world: World) -> None:
    """What is due on that day is not yet past due, and what was is, wherever the system is."""
    day = TODAY - DAY
    world.owe(100 * UNIT, due=day)
    world.owe(7 * UNIT, due=day - DAY)

    done = world.desk.collect(as_of=day)

    assert (done.as_of_day, done.as_of) == (day, ENDS_OF_YESTERDAY["here"])
    assert done.balances == {"EUR": 28 * UNIT}
    assert world.as_of() == ENDS_OF_YESTERDAY | {"far": NOW}  # there the day goes on until eleven o'clock
    run = world.subject.queries.run(done.ref_id)
    assert run is not None
    assert (run.as_of_day, run.collections_started) == (day, 4)
    told = len(world.subject.published())
    world.desk.clock.advance(hours=3)
    assert world.desk.collect(as_of=day).payers_passed_over == 0
    assert [m.key for m in world.subject.published()[told:]] == [world.payers["far"].ref_id]


def test_who_was_seen_as_of_the_end_of_a_day_is_passed_over_by_what_is_earlier_there(world: World) -> None:
    """The second of the two runs of yesterday found nothing new to store: what it saw is known by its day, in each zone."""
    day = TODAY - DAY
    world.desk.clock.advance(days=1)
    world.desk.collect(as_of=day - 2 * DAY)
    before = world.as_of()
    world.desk.clock.advance(days=1)
    world.desk.collect(as_of=day)
    assert world.as_of() == before, "nothing was there to be stored"
    world.desk.clock.advance(days=1)
    for where, end in ENDS_OF_YESTERDAY.items():
        payer = (named(world.payers[where]),)
        with pytest.raises(RequestRejected) as refused:
            world.desk.start_run(as_of=end - MOMENT, accounts=payer)
        assert codes_of(refused.value) == ["RUN_NOT_LATEST"], where
        assert world.desk.collect(as_of=end, accounts=payer).payers_done == 1, where

    everybody = world.desk.collect(as_of=ENDS_OF_YESTERDAY["far"] - MOMENT)

    assert (everybody.payers_done, everybody.payers_passed_over) == (3, 1)
    assert world.desk.collect(as_of=day - DAY).payers_passed_over == 4


def test_a_day_has_come_where_it_has_begun_and_is_as_of_now_for_the_others(world: World) -> None:
    tomorrow = TODAY + DAY  # begins at ten o'clock where days are early

    assert world.desk.collect(as_of=tomorrow).as_of == NOW
    assert set(world.as_of().values()) == {NOW}
    world.desk.clock.advance(seconds=-1)
    with pytest.raises(RequestRejected) as refused:
        world.desk.start_run(as_of=tomorrow)
    assert codes_of(refused.value) == ["VALUE_OUT_OF_RANGE"]


def test_a_day_that_is_asked_for_again_is_answered_by_the_run_of_it_that_goes_on(world: World) -> None:
    active = world.desk.start_run(as_of=TODAY)
    world.desk.clock.advance(hours=1)

    assert world.desk.start_run(as_of=TODAY) == active
    with pytest.raises(RequestRejected) as refused:
        world.desk.start_run(as_of=TODAY - DAY)
    assert codes_of(refused.value) == ["RUN_ACTIVE"]
