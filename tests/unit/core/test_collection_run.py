"""Runs of calculate collection balance: slices, triggers, repetitions, failures (domain: section 4)."""

import datetime as dt
from typing import Any
from unittest.mock import patch

import attrs
import pytest

from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.configuration import (
    CollectionSetting,
    CollectionThreshold,
    NotificationSetting,
    Notify,
    SystemSetting,
)
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import FAILURES_TOLD, CollectionChange, ProcessRun, RunFailure, RunSlice, RunState
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart
from ocs_core.money import MAX_AMOUNT
from ocs_core.testkit.examples import NOW, UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import FaultyStore
from ocs_core.testkit.strategies.breaking.processes import ByAnotherClock
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceDone, SliceFailed
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest

from .scene import DAY, NOTHING, everything_in

TODAY = NOW.date()
LONG_AGO = TODAY - 40 * DAY


class Office:
    """A desk with some payers, and what its collection runs told."""

    def __init__(self, payers: int = 5, *more: object) -> None:
        self.store = MemoryStore(configuration(*more))
        self.desk = Desk(self.store)
        self.payers = [self.desk.account(f"A-{n}") for n in range(payers)]
        self.forget()

    def forget(self) -> None:
        self.seen = set(self.store.outbox)

    def told(self) -> list[tuple[str, str]]:
        """Code and account of what was published since this was asked last."""
        names = {account.ref_id: account.external_id or "?" for account in self.payers}
        new = [(m.payload.code, names[m.key]) for ref_id, m in self.store.outbox.items() if ref_id not in self.seen]
        self.forget()
        return new

    def owes(self, account: Account, amount: int = 100 * UNIT, **more: Any) -> Document:
        """The account has an invoice that is long past its due day."""
        fields = {"document_issued_date": LONG_AGO, "document_due_date": TODAY - 10 * DAY} | more
        document = self.desk.document(account=account, amount=amount, **fields)
        self.forget()
        return document

    def pays(self, account: Account, amount: int = 100 * UNIT) -> Payment:
        payment = self.desk.payment(account=account, amount=amount)
        self.forget()
        return payment

    def payer(self, account: Account) -> Payer:
        return self.store.entities[Payer][account.ref_id]

    def starts(self) -> list[str]:
        return [name for code, name in self.told() if code == "collectionStart"]

    def next_day(self) -> None:
        self.desk.clock.advance(days=1)


@pytest.fixture
def office() -> Office:
    return Office()


def refusal_of(office: Office, **options: Any) -> list[str]:
    with pytest.raises(RequestRejected) as refusal:
        office.desk.start_run(**options)
    return [violation.code for violation in refusal.value.violations]


def test_a_run_goes_over_all_payers_slice_by_slice(office: Office) -> None:
    office.owes(office.payers[3])
    calculate = CalculateCollectionBalance(office.store, clock=office.desk.clock)
    run = office.desk.start_run()
    assert (run.state, run.payers_total, run.payers_done, run.slices_done) == (RunState.RUNNING, 5, 0, 0)
    calculated = []

    for expected in (2, 4, 5):
        done = calculate(run.ref_id, limit=2)
        calculated += [p.account for p in done.payers]
        progress = MemoryQueries(office.store).run(run.ref_id)
        assert progress is not None
        assert (progress.payers_done, progress.slices_done, progress.state) == (
            expected,
            expected // 5,
            RunState.RUNNING,
        )
    office.desk.clock.advance(minutes=5)
    last = calculate(run.ref_id, limit=2)

    assert calculated == sorted(office.payers, key=lambda account: account.ref_id)
    assert (last.run.state, last.run.finished_at, last.part) == (RunState.DONE, NOW + dt.timedelta(minutes=5), None)
    assert (last.run.slices_total, last.run.payers_failed, last.run.collections_started) == (1, 0, 1)
    assert last.run.balances == {"EUR": 100 * UNIT}
    assert calculate(run.ref_id).run == last.run


def test_the_slices_are_as_large_as_configured() -> None:
    office = Office(5, CollectionSetting(slice_size=2))
    run = office.desk.start_run()

    assert run.slices_total == 3
    assert office.desk.finish(run.ref_id).slices_done == 3


def test_a_run_without_payers_is_done_at_once() -> None:
    office = Office(0)
    run = office.desk.collect()

    assert (run.state, run.payers_total, run.slices_total) == (RunState.DONE, 0, 0)


def test_a_run_stores_and_tells_what_it_found(office: Office) -> None:
    debtor = office.payers[0]
    office.owes(debtor)
    office.pays(debtor, 30 * UNIT)

    run = office.desk.start_run(accounts=(named(debtor),), transaction_id="asked-by-cron")
    office.desk.clock.advance(seconds=5)
    office.desk.finish(run.ref_id)

    messages = list(office.store.outbox.values())[-3:]
    payer = office.payer(debtor)
    assert office.told() == [
        ("payer", "A-0"),
        ("collectionBalanceCalculated", "A-0"),
        ("collectionStart", "A-0"),
    ]
    assert (payer.collection_balance, payer.oldest_due_date) == (70 * UNIT, TODAY - 10 * DAY)
    assert (payer.in_collection, payer.collection_balance_as_of) == (True, NOW)
    assert payer.collection_balance_calculated_at == NOW + dt.timedelta(seconds=5)
    assert [m.payload for m in messages] == [
        payer,
        CollectionBalanceCalculated(
            effective_date=NOW,
            account=debtor.ref,
            currency="EUR",
            collection_balance=70 * UNIT,
            oldest_document_due_date=TODAY - 10 * DAY,
        ),
        CollectionStart(
            effective_date=NOW,
            account=debtor.ref,
            currency="EUR",
            due_amount=70 * UNIT,
            oldest_document_due_date=TODAY - 10 * DAY,
        ),
    ]
    assert {m.transaction_id for m in messages} == {"asked-by-cron"}
    assert {(m.key, m.subject) for m in messages} == {(debtor.ref_id, debtor.ref_id)}


def test_a_payer_of_whom_nothing_changed_is_not_published(office: Office) -> None:
    office.desk.collect()
    office.forget()
    office.next_day()

    office.desk.collect()

    assert office.told() == [("collectionBalanceCalculated", f"A-{n}") for n in range(5)]
    assert {p.collection_balance_as_of for p in office.store.entities[Payer].values()} == {NOW}


def test_collection_starts_once(office: Office) -> None:
    office.owes(office.payers[1])
    starts = []
    for _ in range(3):
        starts.append((office.desk.collect().collections_started, office.starts()))
        office.next_day()

    assert starts == [(1, ["A-1"]), (0, []), (0, [])]


def test_collection_starts_again_after_having_been_left(office: Office) -> None:
    debtor = office.payers[1]
    invoice = office.owes(debtor)
    office.desk.collect()
    assert office.starts() == ["A-1"]

    office.next_day()
    office.desk.assign(office.pays(debtor), invoice, 100 * UNIT)
    office.desk.collect()
    assert office.starts() == []
    assert not office.payer(debtor).in_collection

    office.next_day()
    office.owes(debtor, 5 * UNIT)
    office.desk.collect()
    assert office.starts() == ["A-1"]


def test_repeat_announces_the_start_in_every_run() -> None:
    office = Office(2, CollectionSetting(repeat=True))
    office.owes(office.payers[1])
    starts = []
    for _ in range(3):
        office.desk.collect()
        starts.append(office.starts())
        office.next_day()

    assert starts == [["A-1"]] * 3


def test_adopting_a_ledger_stores_without_announcing_starts(office: Office) -> None:
    debtor = office.payers[1]
    office.owes(debtor)

    adopted = office.desk.collect(adopt=True)
    assert (adopted.collections_started, office.starts()) == (0, [])
    assert office.payer(debtor).in_collection
    assert office.payer(debtor).collection_balance == 100 * UNIT

    office.next_day()
    office.desk.collect()
    assert office.starts() == []


def test_a_dry_run_stores_and_announces_nothing_but_its_progress(office: Office) -> None:
    office.owes(office.payers[1])
    before = everything_in(office.store)

    run = office.desk.collect(dry_run=True)

    now = everything_in(office.store)
    runs = now["entities"].pop(ProcessRun)
    assert [part.run_ref_id for part in now["entities"].pop(RunSlice).values()] == [run.ref_id]
    now["related"].pop((RunSlice, run.ref_id))
    assert (run.state, run.collections_started, run.balances) == (RunState.DONE, 1, {"EUR": 100 * UNIT})
    assert list(runs) == [run.ref_id]
    assert {**now, "performed": None} == {**before, "performed": None}


def test_a_dry_run_may_look_back_and_beside_a_storing_one(office: Office) -> None:
    office.owes(office.payers[1], document_due_date=TODAY - 10 * DAY)
    office.desk.collect()
    office.desk.clock.advance(minutes=1)
    active = office.desk.start_run()

    before_due = office.desk.collect(dry_run=True, as_of=NOW - 11 * DAY)
    after_due = office.desk.collect(dry_run=True, as_of=NOW - 9 * DAY)

    assert (before_due.balances, after_due.balances) == ({"EUR": 0}, {"EUR": 100 * UNIT})
    assert office.desk.finish(active.ref_id).state is RunState.DONE


def test_a_second_run_for_the_same_instant_changes_and_announces_nothing(office: Office) -> None:
    office.owes(office.payers[1])
    office.desk.collect(as_of=NOW)
    office.forget()
    payers = dict(office.store.entities[Payer])

    again = office.desk.collect(as_of=NOW)

    assert again.payers_done == 5
    assert office.told() == []
    assert office.store.entities[Payer] == payers


def test_a_second_run_for_the_same_instant_repeats_no_start_either() -> None:
    office = Office(1, CollectionSetting(repeat=True))
    office.owes(office.payers[0])
    office.desk.collect(as_of=NOW)
    assert office.starts() == ["A-0"]

    office.desk.collect(as_of=NOW)

    assert office.told() == []


def test_a_second_run_for_the_same_instant_tells_what_came_in_between(office: Office) -> None:
    office.desk.collect(as_of=NOW)
    office.forget()
    office.owes(office.payers[2])

    office.desk.collect(as_of=NOW)

    assert office.told() == [("payer", "A-2"), ("collectionBalanceCalculated", "A-2"), ("collectionStart", "A-2")]


def test_the_same_order_is_answered_by_the_active_run(office: Office) -> None:
    two = tuple(named(account) for account in office.payers[:2])
    active = office.desk.start_run(as_of=NOW, accounts=two)
    office.desk.clock.advance(minutes=1)

    same = office.desk.start_run(as_of=NOW, accounts=two[::-1])

    assert same == active
    assert len(office.store.entities[ProcessRun]) == 1


@pytest.mark.parametrize("options", [{"as_of": NOW + DAY}, {"adopt": True}, {"accounts": None}])
def test_another_order_has_to_wait_for_the_active_run(office: Office, options: dict[str, Any]) -> None:
    order = {"as_of": NOW, "accounts": (named(office.payers[0]),)}
    active = office.desk.start_run(**order)
    office.desk.clock.advance(days=2)

    assert refusal_of(office, **order | options) == ["RUN_ACTIVE"]

    office.desk.finish(active.ref_id)
    assert office.desk.start_run(**order | options).ref_id != active.ref_id


def test_a_payer_whose_balance_is_as_of_a_later_instant_is_passed_over_and_the_others_go_on(office: Office) -> None:
    first = office.payers[0]
    for payer in office.payers[:2]:
        office.owes(payer)
    office.desk.collect(accounts=(named(first),))
    before = office.payer(first)
    office.forget()
    earlier = NOW - dt.timedelta(microseconds=1)

    done = office.desk.collect(limit=2, as_of=earlier)

    assert (done.state, done.payers_total, done.payers_done, done.payers_passed_over) == (RunState.DONE, 5, 4, 1)
    assert (done.collections_started, done.balances) == (1, {"EUR": 100 * UNIT})
    assert office.payer(first) == before
    assert "A-0" not in {account for _, account in office.told()}
    assert office.payer(office.payers[1]).collection_balance_as_of == earlier
    assert refusal_of(office, as_of=earlier, accounts=(named(first),)) == ["RUN_NOT_LATEST"]
    dry = office.desk.collect(as_of=earlier, dry_run=True, accounts=(named(first),))
    assert (dry.payers_done, dry.payers_passed_over) == (1, 0)


def test_a_run_over_an_empty_ledger_shuts_the_past_for_nobody() -> None:
    office = Office(0)
    office.desk.collect()
    office.payers.append(office.desk.account("late"))
    office.owes(office.payers[0])

    assert office.desk.collect(as_of=NOW - DAY).collections_started == 1


def test_a_clock_that_ran_ahead_shuts_nothing_once_it_is_set_right(office: Office) -> None:
    office.owes(office.payers[0])
    office.desk.clock.advance(days=400)
    office.desk.collect()
    office.desk.clock.advance(days=-400)

    done = office.desk.collect(accounts=(named(office.payers[0]),))

    assert (done.payers_done, done.payers_passed_over) == (1, 0)
    office.pays(office.payers[0])
    office.desk.collect()
    assert office.payer(office.payers[0]).collection_balance_as_of == NOW


@pytest.mark.parametrize("way", [1, -1])
def test_a_clock_starts_a_storing_run_where_it_agrees_with_that_of_the_database(office: Office, way: int) -> None:
    minute, moment = dt.timedelta(minutes=1), dt.timedelta(microseconds=1)
    apart = office.desk
    apart.store = ByAnotherClock(office.store, NOW + way * (minute + moment))
    with pytest.raises(RequestRejected, match="CLOCKS_DIFFER"):
        apart.start_run(as_of=NOW - DAY)
    assert apart.start_run(dry_run=True).dry_run, "who only looks is free"

    apart.store = ByAnotherClock(office.store, NOW + way * minute)
    assert not apart.start_run().dry_run


def test_a_dry_run_tells_whose_collection_would_start_and_whose_end() -> None:
    office = Office(4)
    for payer in office.payers[:3]:
        office.owes(payer)
    office.desk.collect(accounts=tuple(map(named, office.payers[:2])))
    office.pays(office.payers[0])

    done = office.desk.collect(dry_run=True, limit=1)

    ends, starts = office.payers[0].ref, office.payers[2].ref
    assert done.collections == (
        CollectionChange(ends, "EUR", 0, TODAY - 10 * DAY, False),
        CollectionChange(starts, "EUR", 100 * UNIT, TODAY - 10 * DAY, True),
    )
    assert (done.collections_started, done.collections_ended) == (1, 1)
    storing = office.desk.collect()
    assert (storing.collections_started, storing.collections_ended, storing.collections) == (1, 1, ())


def test_a_run_tells_so_many_collections_and_counts_them_all() -> None:
    office = Office(3)
    for payer in office.payers:
        office.owes(payer)

    with patch("ocs_core.usecases.calculate_collection_balance.COLLECTIONS_TOLD", 2):
        done = office.desk.collect(dry_run=True, limit=1)

    assert (len(done.collections), done.collections_started) == (2, 3)


def test_a_day_stands_for_its_end_and_today_for_now() -> None:
    office = Office(1, SystemSetting(zone="Europe/Madrid"))

    yesterday = office.desk.collect(as_of=TODAY - DAY)
    today = office.desk.collect(as_of=TODAY)

    assert yesterday.as_of == dt.datetime(2024, 5, 13, 21, 59, 59, 999_999, tzinfo=dt.UTC)
    assert today.as_of == NOW


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_run_over_some_ends_with_them_however_many_are_calculated_at_once(office: Office, limit: int) -> None:
    for account in office.payers:
        office.owes(account)

    run = office.desk.collect(limit=limit, accounts=tuple(map(named, office.payers[:2])))

    assert (run.payers_done, office.starts()) == (2, ["A-0", "A-1"])


def test_of_a_run_over_some_nobody_else_is_given_up(office: Office) -> None:
    calculate = CalculateCollectionBalance(office.store, clock=office.desk.clock)
    run = office.desk.start_run(accounts=(named(office.payers[0]),))
    for _ in range(2):
        give_up_next(calculate, run, ValueError())

    assert office.desk.finish(run.ref_id).payers_failed == 1


def test_a_run_may_be_limited_to_some_accounts(office: Office) -> None:
    for account in office.payers:
        office.owes(account)

    run = office.desk.collect(accounts=(named(office.payers[4]), named(office.payers[2]), named(office.payers[4])))

    assert (run.payers_total, run.payers_done, run.collections_started) == (2, 2, 2)
    assert {n for n, account in enumerate(office.payers) if office.payer(account).in_collection} == {2, 4}


def test_deactivated_accounts_and_technical_ones_are_left_out(office: Office) -> None:
    gone = office.payers[0]
    office.owes(gone)
    office.desk.account("T-1", account_type="technical")
    office.desk.perform(
        UpdateAccountState,
        UpdateAccountStateRequest(request_id="gone", account=named(gone), state=AccountState.DEACTIVATED),
    )

    run = office.desk.collect()

    assert (run.payers_total, run.payers_done) == (4, 4)
    assert office.payer(gone).collection_balance is None


def test_a_payer_out_of_range_is_recorded_and_the_others_go_on(office: Office) -> None:
    rich = office.payers[2]
    for _ in range(2):
        office.owes(rich, MAX_AMOUNT // 10_000 * 10_000)
    office.owes(office.payers[3])

    run = office.desk.collect(limit=2)

    (failure,) = run.failures
    assert (failure.account, failure.code) == (rich.ref, "AMOUNT_OUT_OF_RANGE")
    assert run.state is RunState.DONE_WITH_FAILURES
    assert (run.payers_done, run.payers_failed, run.payers_total) == (4, 1, 5)
    assert office.payer(rich).collection_balance is None
    assert office.starts() == ["A-3"]


def test_a_payer_that_failed_is_tried_again_by_the_next_run(office: Office) -> None:
    rich = office.payers[2]
    documents = [office.owes(rich, MAX_AMOUNT // 10_000 * 10_000) for _ in range(2)]
    office.desk.collect()
    with office.store.begin() as uow:
        uow.save(attrs.evolve(documents[0], cancelled=True, cancelled_at=NOW))
    office.next_day()

    run = office.desk.collect()

    assert run.failures == ()
    assert office.payer(rich).in_collection


def test_the_payers_that_failed_are_calculated_alone_as_of_the_instant_they_failed_at(office: Office) -> None:
    failed = office.desk.collect_but_one()
    office.next_day()

    again = office.desk.start_run(failed_of=failed.ref_id)
    done = office.desk.finish(again.ref_id)

    assert (again.as_of, again.accounts) == (failed.as_of, (office.payers[0].ref_id,))
    assert (done.state, done.payers_total, done.payers_done) == (RunState.DONE, 1, 1)


def test_the_payers_that_failed_may_be_calculated_as_of_another_instant(office: Office) -> None:
    failed = office.desk.collect_but_one()
    office.next_day()

    assert office.desk.start_run(failed_of=failed.ref_id, as_of=NOW + DAY).as_of == NOW + DAY
    assert refusal_of(office, failed_of=failed.ref_id) == ["RUN_ACTIVE"]


def test_the_same_failures_asked_for_again_are_answered_by_the_active_run(office: Office) -> None:
    failed = office.desk.collect_but_one()
    active = office.desk.start_run(failed_of=failed.ref_id)

    assert office.desk.start_run(failed_of=failed.ref_id) == active


def test_all_failures_of_a_run_are_tried_again_not_only_those_it_tells(office: Office) -> None:
    failed = office.desk.collect_but_one()
    many = FAILURES_TOLD + 1
    debtors = [office.desk.account(f"B-{n}") for n in range(many)]
    with office.store.begin() as uow:
        (part,) = uow.slices(failed.ref_id)
        told = tuple(RunFailure(account.ref, "X", "It failed.") for account in debtors)
        uow.save(attrs.evolve(part, failures=told, payers_failed=many))

    again = office.desk.collect(failed_of=failed.ref_id)

    assert (again.payers_done, again.slices_done) == (many, 1)


def test_what_failed_in_a_run_without_slices_is_what_the_run_tells(office: Office) -> None:
    failed = office.desk.collect(accounts=(named(office.payers[0]),))
    before_slices = attrs.evolve(
        failed, ref_id=office.desk.ids(), failures=(RunFailure(office.payers[2].ref, "X", "."),)
    )
    with office.store.begin() as uow:
        uow.add(before_slices)

    assert office.desk.start_run(failed_of=before_slices.ref_id).accounts == (office.payers[2].ref_id,)


def test_what_failed_in_a_cancelled_run_is_tried_again(office: Office) -> None:
    run = office.desk.start_run()
    give_up_next(CalculateCollectionBalance(office.store, clock=office.desk.clock), run, ValueError())
    office.desk.cancel_run(run.ref_id)

    assert office.desk.collect(failed_of=run.ref_id).payers_done == 1


def give_up_next(calculate: CalculateCollectionBalance, run: ProcessRun, error: Exception) -> SliceDone:
    """Give up the next payer of the run's first slice, as if it had failed with this error."""
    with calculate.store.begin() as uow:
        failed = SliceFailed(uow.slices(run.ref_id)[0])
    failed.__cause__ = error
    return calculate.give_up_next(failed)


def test_a_payer_may_be_given_up_and_the_run_goes_on(office: Office) -> None:
    office.owes(office.payers[0])
    calculate = CalculateCollectionBalance(office.store, clock=office.desk.clock)
    run = office.desk.start_run()

    given_up = give_up_next(calculate, run, ValueError("x" * 1000))
    done = office.desk.finish(run.ref_id)

    assert given_up.part is not None
    (failure,) = given_up.part.failures
    assert (failure.account, failure.code) == (office.payers[0].ref, "CALCULATION_FAILED")
    assert failure.message.startswith("ValueError: xxx")
    assert len(failure.message) == 255
    assert (done.state, done.payers_done, done.payers_failed) == (RunState.DONE_WITH_FAILURES, 4, 1)
    assert office.payer(office.payers[0]).collection_balance is None


def test_a_run_that_is_done_stays_as_it_is(office: Office) -> None:
    calculate = CalculateCollectionBalance(office.store, clock=office.desk.clock)
    done = office.desk.collect()
    office.desk.account("late")
    before = everything_in(office.store)

    assert calculate(done.ref_id).run == done
    assert give_up_next(calculate, done, ValueError()).run == done
    assert everything_in(office.store) == before


def test_a_run_that_is_cancelled_stays_where_it_is_and_another_may_start() -> None:
    office = Office(5, CollectionSetting(slice_size=2))
    office.owes(office.payers[0])
    calculate = CalculateCollectionBalance(office.store, clock=office.desk.clock)
    run = office.desk.start_run()
    calculate(run.ref_id)
    office.desk.clock.advance(minutes=1)

    cancelled = office.desk.cancel_run(run.ref_id)

    assert (cancelled.state, cancelled.finished_at) == (RunState.CANCELLED, NOW + dt.timedelta(minutes=1))
    assert (cancelled.payers_done, cancelled.payers_total, cancelled.slices_done) == (2, 5, 1)
    assert (cancelled.collections_started, cancelled.balances) == (1, {"EUR": 100 * UNIT})
    assert cancelled.seconds_left is None
    before = everything_in(office.store)
    assert calculate(run.ref_id) == SliceDone(run=cancelled)
    assert give_up_next(calculate, run, ValueError()) == SliceDone(run=cancelled)
    assert everything_in(office.store) == before
    assert office.desk.collect().payers_done == 5


def test_a_run_that_was_cancelled_shuts_the_past_for_those_alone_whom_it_calculated(office: Office) -> None:
    run = office.desk.start_run()
    CalculateCollectionBalance(office.store, clock=office.desk.clock)(run.ref_id, limit=2)
    office.desk.cancel_run(run.ref_id)

    done = office.desk.collect(as_of=NOW - DAY)

    assert (done.payers_done, done.payers_passed_over) == (3, 2)


def test_a_run_that_does_not_exist_cannot_be_calculated(office: Office) -> None:
    calculate = CalculateCollectionBalance(office.store, clock=office.desk.clock)

    with pytest.raises(LookupError, match="there is no run"):
        calculate(NOTHING)


def test_what_is_in_other_currencies_is_totalled_in_the_run(office: Office) -> None:
    account = office.payers[0]
    office.owes(account, currency="USD")
    office.owes(account, 7 * UNIT, currency="JPY", document_type="creditNote")
    office.desk.payment(account=account, amount=30 * UNIT, currency="USD")

    run = office.desk.collect(limit=1)

    assert run.balances == {"EUR": 0}
    assert run.other_currencies == {"USD": 70 * UNIT, "JPY": -7 * UNIT}


def test_thresholds_and_grace_days_hold_collection_back() -> None:
    office = Office(3, CollectionThreshold(code="EUR", threshold=50 * UNIT), CollectionSetting(grace_days=10))
    office.owes(office.payers[0], 50 * UNIT)
    office.owes(office.payers[1], 50 * UNIT + 10_000)
    office.owes(office.payers[2], document_due_date=TODAY - 9 * DAY)

    office.desk.collect()
    assert office.starts() == ["A-1"]

    office.next_day()
    office.desk.collect()
    assert office.starts() == ["A-2"]


def test_notifications_that_are_switched_off_are_not_sent() -> None:
    off = [NotificationSetting(code=c, enabled=False) for c in ("collectionBalanceCalculated", "collectionStart")]
    office = Office(1, *off)
    office.owes(office.payers[0])

    office.desk.collect()

    assert office.told() == [("payer", "A-0")]


def test_a_slice_in_which_somebody_was_faster_is_repeated_and_tells_everybody_once(office: Office) -> None:
    office.owes(office.payers[0])
    run = office.desk.start_run()
    faulty = FaultyStore(office.store, 6, Conflict("a payer's version"))
    calculate = CalculateCollectionBalance(faulty, clock=office.desk.clock)

    with pytest.raises(Conflict):
        calculate(run.ref_id, limit=3)
    assert office.told() == []
    done = office.desk.finish(run.ref_id, limit=3)

    assert (done.payers_done, done.slices_done) == (5, 1)
    told = office.told()
    assert [name for code, name in told if code == "collectionBalanceCalculated"] == [f"A-{n}" for n in range(5)]
    assert ("collectionStart", "A-0") in told


def test_a_repeated_request_for_a_run_answers_the_run_it_started(office: Office) -> None:
    request = StartCollectionRunRequest(request_id="nightly")
    start = StartCollectionRun(office.store, clock=office.desk.clock, ids=office.desk.ids)

    first, second = start(request), start(request)

    assert second.replayed
    assert second.steps == first.steps
    assert (first.steps[0].name, first.steps[0].object_type) == ("CalculateCollectionBalance", "ProcessRunEx")


def read(office: Office, **fields: Any) -> Any:
    reading = ReadCollectionBalance(MemoryQueries(office.store), clock=office.desk.clock)
    return reading(ReadCollectionBalanceRequest(**fields))


def test_a_balance_that_was_never_calculated_reads_as_nulls(office: Office) -> None:
    view = read(office, external_id="A-1")

    assert (view.collection_balance, view.oldest_document_due_date, view.as_of) == (None, None, None)
    assert view.calculated_at is None
    assert (view.currency, view.in_collection, view.lines) == ("EUR", False, None)


def test_a_stored_balance_reads_as_it_was_stored(office: Office) -> None:
    office.owes(office.payers[1])
    office.desk.collect()
    office.next_day()
    office.owes(office.payers[1])

    view = read(office, external_id="A-1")

    assert (view.collection_balance, view.as_of, view.calculated_at) == (100 * UNIT, NOW, NOW)
    assert (view.in_collection, view.oldest_document_due_date) == (True, TODAY - 10 * DAY)


@pytest.mark.parametrize("asked", [{"calculation_forced": True}, {"detail_included": True}, {"as_of": NOW}])
def test_a_balance_asked_for_afresh_is_calculated_and_not_stored(office: Office, asked: dict[str, Any]) -> None:
    office.owes(office.payers[1])
    before = everything_in(office.store)

    view = read(office, external_id="A-1", **asked)

    assert (view.collection_balance, view.as_of, view.calculated_at) == (100 * UNIT, NOW, NOW)
    assert (view.lines is not None) == ("detail_included" in asked)
    assert everything_in(office.store) == before


def test_a_balance_may_be_read_as_of_any_past_day(office: Office) -> None:
    office.owes(office.payers[1], document_due_date=TODAY - 10 * DAY)
    office.desk.collect()

    view = read(office, external_id="A-1", as_of=TODAY - 10 * DAY)

    assert (view.collection_balance, view.oldest_document_due_date) == (0, None)


def test_reading_a_balance_beyond_64_bits_is_refused(office: Office) -> None:
    for _ in range(2):
        office.owes(office.payers[1], MAX_AMOUNT // 10_000 * 10_000)

    with pytest.raises(RequestRejected, match="AMOUNT_OUT_OF_RANGE"):
        read(office, external_id="A-1", calculation_forced=True)
    assert read(office, external_id="A-1").collection_balance is None


def balance(office: Office, account: Account, as_of: dt.datetime | None = None) -> int | None:
    read = ReadCollectionBalance(MemoryQueries(office.store), clock=office.desk.clock)
    asked = ReadCollectionBalanceRequest(ref_id=account.ref_id, calculation_forced=True, as_of=as_of)
    return read(asked).collection_balance


def test_what_is_cancelled_counts_until_then_and_no_longer() -> None:
    office = Office(2)
    desk, (account, other) = office.desk, office.payers
    invoice = office.owes(account)
    payment = desk.payment(account=account)
    desk.assign(payment, invoice, 30 * UNIT)
    assigned = desk.clock.advance(days=1)
    desk.cancel_assignment(payment, invoice)
    unassigned = desk.clock.advance(days=1)
    desk.cancel_document(invoice)
    without_invoice = desk.clock.advance(days=1)
    desk.cancel_payment(payment)

    assert balance(office, account) == 0
    # Paid in part or not, the payer owes what the payment does not cover: what is unassigned counts as an overpayment.
    before = [balance(office, account, at - dt.timedelta(hours=1)) for at in (assigned, unassigned, without_invoice)]
    assert before == [50 * UNIT, 50 * UNIT, -50 * UNIT]
    lines = ReadCollectionBalance(MemoryQueries(office.store), clock=desk.clock)(
        ReadCollectionBalanceRequest(
            ref_id=account.ref_id, detail_included=True, as_of=assigned - dt.timedelta(hours=1)
        )
    ).lines
    assert [line.open_amount for line in lines or ()] == [70 * UNIT, 20 * UNIT]
    assert balance(office, other) == 0


def test_a_payment_that_is_taken_back_lowers_the_balance_of_nobody() -> None:
    office = Office(1)
    (account,) = office.payers
    office.owes(account)
    payment = office.desk.payment(account=account)
    assert balance(office, account) == 50 * UNIT

    office.desk.cancel_identification(payment)

    assert balance(office, account) == 100 * UNIT


def test_a_payer_of_whom_only_the_trigger_changed_is_stored_and_told() -> None:
    office = Office(1, CollectionSetting(grace_days=11, notify=Notify.CHANGED))
    office.owes(office.payers[0])
    office.desk.collect()
    office.told()
    office.next_day()

    office.desk.collect()

    assert office.payer(office.payers[0]).in_collection
    assert [code for code, _ in office.told()] == ["payer", "collectionBalanceCalculated", "collectionStart"]


def test_where_only_changes_are_told_of_nobody_is_told_who_stays_as_he_was() -> None:
    office = Office(2, CollectionSetting(notify=Notify.CHANGED))
    office.owes(office.payers[0])
    office.desk.collect()
    office.told()
    office.next_day()
    office.pays(office.payers[1])

    office.desk.collect()

    assert office.told() == [("payer", "A-1"), ("collectionBalanceCalculated", "A-1")]
