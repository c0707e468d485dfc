"""A payer's balance never goes back in time: who was seen as of an instant is not stored as of an earlier one."""

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.entities.account import Account, Payer
from ocs_core.entities.document import Document
from ocs_core.entities.process import CLOCKS_APART, ProcessRun, RunSlice, RunState
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.ports import RunWork, SliceWanted
from ocs_core.testkit.contracts.subject import Subject, beside, codes_of
from ocs_core.testkit.contracts.values import a_payer, a_run, an_account, id_of
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance

DAY, MOMENT = dt.timedelta(days=1), dt.timedelta(microseconds=1)
PAST_DUE: dict[str, Any] = {
    "document_issued_date": (NOW - 60 * DAY).date(),
    "document_due_date": (NOW - 30 * DAY).date(),
}


def looking_back_laws() -> type:
    """A payer's balance never goes back in time."""

    class LookingBackLaws:
        def test_who_was_found_unchanged_is_not_stored_as_of_an_earlier_instant(
            self, subject: Subject, desk: Desk
        ) -> None:
            """Paid on Tuesday and found without debt on Wednesday: a run as of Monday must not bring the debt back, and start
            collection, though on Wednesday there was nothing to store."""
            account = desk.account("A-1")
            desk.collect(as_of=NOW)
            monday = desk.clock.advance(days=1)
            document = desk.document(account=account, **PAST_DUE)
            desk.clock.advance(days=1)
            desk.assign(desk.payment(account=account, amount=100 * UNIT), document, 100 * UNIT)
            wednesday = desk.clock.advance(days=1)
            assert desk.collect().payers_done == 1
            before, told = _payer(subject, account), len(subject.published())
            desk.clock.advance(days=1)

            done = desk.collect(as_of=monday)

            assert (done.payers_done, done.payers_passed_over, done.collections_started) == (0, 1, 0)
            assert (_payer(subject, account), len(subject.published())) == (before, told)
            assert _refused(desk, as_of=wednesday - MOMENT, accounts=(named(account),)) == ["RUN_NOT_LATEST"]
            assert desk.collect(as_of=wednesday, accounts=(named(account),)).payers_done == 1
            assert desk.collect(as_of=monday, dry_run=True).collections_started == 1

        def test_a_run_shuts_the_past_for_those_alone_whom_it_went_through(self, subject: Subject, desk: Desk) -> None:
            """A run over one account, over nobody, by a dry hand or one that was cut off is in nobody else's way, and who came
            after it is calculated as of any instant."""
            desk.collect()
            accounts = [desk.account(f"A-{n}") for n in range(6)]
            calculate = CalculateCollectionBalance(subject.run_store, clock=desk.clock)
            desk.clock.advance(days=1)
            desk.collect(dry_run=True)
            desk.collect(accounts=(named(accounts[4]),))
            desk.clock.advance(days=1)
            cut_off = desk.start_run()
            calculate(cut_off.ref_id, limit=2)
            desk.cancel_run(cut_off.ref_id)
            accounts.append(desk.account("A-6"))
            desk.clock.advance(days=1)

            done = desk.collect(as_of=NOW - DAY, limit=2)

            calculated = [_payer(subject, account).collection_balance_as_of == NOW - DAY for account in accounts]
            assert calculated == [False, False, True, True, False, True, True]
            assert (done.payers_done, done.payers_passed_over) == (4, 3)

        def test_a_second_run_over_some_knows_the_first(self, subject: Subject, desk: Desk) -> None:
            """A run that names its payers looks for what became of these, in whatever slices others saw them."""
            accounts = [desk.account(f"A-{n}") for n in range(5)]
            with subject.run_store.begin() as uow:
                _gone_through(uow, 100, NOW + DAY, accounts[1].ref_id, accounts[3].ref_id, position=accounts[2].ref_id)
            desk.clock.advance(days=2)
            assert _refused(desk, as_of=NOW, accounts=tuple(map(named, accounts))) == ["RUN_NOT_LATEST"] * 3
            assert desk.collect(as_of=NOW, accounts=tuple(map(named, accounts[3:]))).payers_done == 2

        def test_a_slice_is_told_what_runs_went_through_in_it(self, subject: Subject) -> None:
            """Of each slice from its beginning to its position, the whole of it where it is done, and nothing of what nobody
            began."""
            later, accounts = NOW + DAY, [an_account(n) for n in range(10, 20)]
            refs = [account.ref_id for account in accounts]
            with subject.run_store.begin() as uow:
                for account in accounts:
                    uow.add(account)
                    uow.add(a_payer(account))
                _gone_through(uow, 1, later, refs[2], refs[5], refs[8], position=refs[7])
                _gone_through(uow, 2, NOW, refs[2], position=refs[9])
                _gone_through(uow, 3, later, refs[2], position=refs[9], dry_run=True)
                _gone_through(uow, 4, later, refs[2], position=refs[9], process="another")
                _gone_through(uow, 5, later, refs[1], position=refs[6], accounts=(refs[0], refs[6]))
                _gone_through(uow, 6, later, refs[2], position=refs[9], state=RunState.RUNNING)
            whole, some = refs[:8], [refs[0], refs[6]]
            assert _seen(subject, refs, SliceWanted(as_of=NOW)) == sorted(whole + some)
            assert _seen(subject, refs, SliceWanted(as_of=NOW, after=refs[2], through=refs[5])) == refs[3:6]
            assert _seen(subject, refs, SliceWanted(as_of=NOW, after=refs[7])) == []
            assert _seen(subject, refs, SliceWanted(as_of=later)) == []
            assert _seen(subject, refs, SliceWanted(as_of=NOW, accounts=(refs[6], refs[9]))) == [refs[6], refs[6]]

        def test_what_a_worker_still_holds_of_a_cancelled_run_is_waited_for(self, subject: Subject, desk: Desk) -> None:
            """Cancelled is said at once, and a slice in hand is kept yet: who looks back meanwhile would overtake it."""
            account = desk.account("A-1")
            payer, wanted = _payer(subject, account), SliceWanted(as_of=NOW)
            desk.clock.advance(days=1)
            run = desk.start_run()

            def looks_back() -> int:
                with subject.run_store.begin(snapshot=True) as uow:
                    found = len(uow.gone_through(run.process, wanted))
                    if not found:
                        uow.save(payer)
                    return found

            with subject.run_store.begin() as uow:
                part = uow.take_slice(run.ref_id)
                assert part is not None
                cancelling = beside(lambda: desk.cancel_run(run.ref_id))
                cancelling.result_soon()
                looking = beside(looks_back)
                with suppress(Conflict):
                    looking.result_soon()
                uow.save(attrs.evolve(part, position=account.ref_id, done=True))
            cancelling.result()
            with suppress(Conflict):
                assert looking.result() == 1, "a look back that overtook the slice in hand"
            assert looks_back() == 1
            assert _payer(subject, account) == payer

        def test_what_a_cancelled_run_did_not_come_to_is_shut_for_nobody(self, subject: Subject, desk: Desk) -> None:
            """A run that was a mistake is cancelled at once, and the right one, as of earlier, is to go through everybody."""
            last = [desk.account(f"A-{n}") for n in range(4)][-1]
            for calculated in (0, 2):
                asked = desk.clock.advance(days=1) - DAY / 2
                run = desk.start_run()
                for _ in range(calculated):
                    CalculateCollectionBalance(subject.run_store, clock=desk.clock)(run.ref_id, limit=1)
                desk.cancel_run(run.ref_id)
                assert desk.collect(as_of=asked, accounts=(named(last),)).payers_done == 1
                done = desk.collect(as_of=asked)
                assert (done.payers_done, done.payers_passed_over) == (4 - calculated, calculated)

        def test_the_clocks_of_two_hosts_are_not_the_same(self, subject: Subject, desk: Desk) -> None:
            """A run by the host whose clock is behind begins, for it, before the one that ended just now on the other."""
            account = desk.account("A-1")
            ahead = desk.clock.advance(seconds=2 * CLOCKS_APART.total_seconds())
            document = desk.document(account=account, **PAST_DUE)
            desk.collect()
            desk.clock.advance(seconds=-2 * CLOCKS_APART.total_seconds())

            assert desk.collect().payers_passed_over == 1
            assert _refused(desk, accounts=(named(account),)) == ["RUN_NOT_LATEST"]
            assert _payer(subject, account).collection_balance_as_of == ahead
            assert document.document_due_date < NOW.date()

        def test_a_run_by_a_clock_that_ran_ahead_shuts_nothing(self, subject: Subject, desk: Desk) -> None:
            """Set right, it collects again today, not in the year that it showed."""
            desk.account("A-1")
            desk.clock.advance(days=400)
            for _ in range(2):
                desk.collect()
                desk.clock.advance(seconds=1)
            desk.clock.advance(days=-400)
            assert desk.collect().payers_done == 1

        @pytest.mark.parametrize("seed", range(4))
        def test_whatever_runs_are_made_nobody_is_stored_as_of_an_earlier_instant(
            self, subject: Subject, desk: Desk, seed: int
        ) -> None:
            """Runs as of any instants, over all or some, to their end or cut off, while the ledger changes: who was seen as of
            an instant is told of as of no earlier one, and everybody else is calculated."""
            night = _Nights(subject, desk, random.Random(seed))
            for _ in range(30):
                night.something_happens()
                night.a_run()
            assert night.looked_back > 5, "too few were passed over to tell anything"
            assert night.starts > 2, "too few collections started to tell anything"

    return LookingBackLaws


@attrs.define
class _Nights:
    """Runs at random, and as of which instant each payer was seen last."""

    subject: Subject
    desk: Desk
    chance: random.Random
    accounts: list[Account] = attrs.field(factory=list)
    debts: list[tuple[Account, Document]] = attrs.field(factory=list)
    seen: dict[UUID, dt.datetime] = attrs.field(factory=dict)
    looked_back: int = 0
    starts: int = 0

    def something_happens(self) -> None:
        desk, chance = self.desk, self.chance
        desk.clock.advance(hours=chance.randint(1, 40))
        if len(self.accounts) < 4 or chance.random() < 0.1:
            self.accounts.append(desk.account(f"A-{len(self.accounts)}"))
        if self.debts and chance.random() < 0.6:
            account, document = self.debts.pop(chance.randrange(len(self.debts)))
            payment = desk.payment(account=account, amount=document.due_amount)
            desk.assign(payment, document, document.due_amount)
        if chance.random() < 0.6:
            account = chance.choice(self.accounts)
            self.debts.append((account, desk.document(account=account, amount=10 * UNIT, **PAST_DUE)))

    def a_run(self) -> None:
        chance, now = self.chance, self.desk.clock()
        as_of = chance.choice([now, NOW + chance.random() * (now - NOW)])
        some = chance.sample(self.accounts, chance.randint(1, 2)) if chance.random() < 0.4 else []
        behind = {account.ref_id for account in self.accounts if as_of < self.seen.get(account.ref_id, as_of)}
        if late := behind & {account.ref_id for account in some}:
            refused = _refused(self.desk, as_of=as_of, accounts=tuple(map(named, some)))
            assert refused == ["RUN_NOT_LATEST"] * len(late)
            self.looked_back += len(late)
            return
        run = self.desk.start_run(as_of=as_of, accounts=tuple(map(named, some)) or None)
        expected = {account.ref_id for account in some or self.accounts}
        gone = set(self._calculated(run, as_of))
        assert gone <= expected - behind
        stored = self.subject.queries.run(run.ref_id)
        assert stored is not None
        if stored.state is RunState.CANCELLED:
            return
        assert gone == expected - behind
        assert stored.payers_passed_over == len(expected & behind)
        self.looked_back += len(expected & behind)

    def _calculated(self, run: ProcessRun, as_of: dt.datetime) -> Iterator[UUID]:
        """Whoever is calculated in the run, which may be cut off on its way."""
        calculate = CalculateCollectionBalance(self.subject.run_store, clock=self.desk.clock)
        while True:
            done = calculate(run.ref_id, limit=2)
            for each in done.payers:
                self.seen[each.account.ref_id] = as_of
                self.starts += each.starts
                yield each.account.ref_id
            if done.run.state is not RunState.RUNNING:
                return
            if self.chance.random() < 0.3:
                self.desk.cancel_run(run.ref_id)
                return


def _payer(subject: Subject, account: Account) -> Payer:
    ledger = subject.queries.ledger(account.ref_id)
    assert ledger is not None
    return ledger.payer


def _refused(desk: Desk, **options: Any) -> list[str]:
    with pytest.raises(RequestRejected) as refused:
        desk.start_run(**options)
    return codes_of(refused.value)


def _gone_through(uow: RunWork, number: int, as_of: dt.datetime, *ends: UUID, position: UUID, **more: Any) -> None:
    """A run that is over, cut into slices by these ends: all before the position are done, the others nobody began."""
    fields: dict[str, Any] = {"state": RunState.DONE, "finished_at": as_of} | more
    run = uow.add(a_run(number, as_of=as_of, started_at=as_of, **fields))
    began = None
    for at, through in enumerate([*ends, None], start=1):
        done = through is not None and through <= position
        reached = through if done else max(began, position) if began else position
        part = RunSlice(
            ref_id=id_of(number * 100 + at), run_ref_id=run.ref_id, number=at, position=reached, through=through
        )
        uow.add(attrs.evolve(part, done=done))
        began = through


def _seen(subject: Subject, refs: list[UUID], wanted: SliceWanted) -> list[UUID]:
    """Which of these payers are told of, each as often as it is."""
    with subject.run_store.begin(snapshot=True) as uow:
        gone = uow.gone_through(a_run(1).process, wanted)
    after, through = wanted.after, wanted.through
    of_slice = [
        ref for ref in wanted.accounts or refs if (after is None or ref > after) and (through is None or ref <= through)
    ]
    return sorted(ref for each in gone for ref in of_slice if each.has(ref))
