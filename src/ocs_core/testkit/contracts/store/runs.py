"""What a collection run is given."""

import datetime as dt
from contextlib import suppress
from functools import partial
from itertools import pairwise
from uuid import UUID

import attrs
import pytest

from ocs_core.collection import balance_of, count_items
from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.configuration import CollectionSetting, SystemSetting
from ocs_core.entities.process import ProcessRun, RunSlice, RunState
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.ledger import OpenLedger
from ocs_core.ports import PayerBalance, SliceWanted
from ocs_core.testkit.contracts.subject import Subject, at_once, codes_of, only, slice_of
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_run, a_settlement, an_account, id_of
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest

DOCUMENTS = 10_000


def _contributions(ledger: OpenLedger, as_of: dt.datetime) -> dict[UUID, int]:
    return {c.item.ref_id: c.contribution for c in count_items(ledger, configuration(), as_of) if c.contribution}


def _sliced(subject: Subject, desk: Desk) -> ProcessRun:
    """A run over six payers, each in a slice of its own."""
    for n in range(6):
        desk.account(f"A-{n}")
    run = a_run(1)
    with subject.run_store.begin() as uow:
        uow.add(run)
        for number in range(1, 7):
            uow.add(RunSlice(ref_id=id_of(number + 1), run_ref_id=run.ref_id, number=number))
    return run


def runs_laws() -> type:
    """What a collection run is given."""

    class RunsLaws:
        def test_one_storing_run_at_a_time(self, subject: Subject, desk: Desk) -> None:
            """Two runs at once would announce collections twice; the same order gets the run that is active."""
            desk.account("A-1")
            outcomes = at_once([lambda: desk.start_run(as_of=NOW)] * 10)
            assert len({o.ref_id for o in outcomes}) == 1
            with pytest.raises(RequestRejected) as refused:
                desk.start_run(as_of=NOW, adopt=True)
            assert codes_of(refused.value) == ["RUN_ACTIVE"]

        def test_a_slice_gives_each_payer_once_in_order_with_all_that_counts(
            self, subject: Subject, desk: Desk
        ) -> None:
            """A payer passed over is money not collected; one taken twice is told twice."""
            accounts = [desk.account(f"A-{n}") for n in range(7)]
            desk.account("T", account_type="technical")
            gone = desk.account("gone")
            desk.perform(
                UpdateAccountState,
                UpdateAccountStateRequest(request_id="bye", account=named(gone), state=AccountState.DEACTIVATED),
            )
            seen: list[UUID] = []
            with subject.run_store.begin(snapshot=True) as uow:
                after = None
                for _ in accounts:
                    ledgers = slice_of(uow, SliceWanted(as_of=NOW, after=after, limit=3))
                    seen.extend(ledger.account.ref_id for ledger in ledgers)
                    after = seen[-1]
                some = slice_of(uow, SliceWanted(as_of=NOW, accounts=(accounts[2].ref_id, gone.ref_id)))
            assert seen == [account.ref_id for account in accounts]
            assert [ledger.account.ref_id for ledger in some] == [accounts[2].ref_id]

        @pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
        def test_the_slices_of_a_run_have_each_payer_once(self, subject: Subject, desk: Desk, size: int) -> None:
            """Where two slices meet, nobody may stand in both, or in none."""
            accounts = [desk.account(f"A-{n}").ref_id for n in range(7)]
            with subject.run_store.begin(snapshot=True) as uow:
                plan = uow.plan_slices((), size)
                seen = [
                    [
                        ledger.account.ref_id
                        for ledger in slice_of(uow, SliceWanted(as_of=NOW, after=after, through=through))
                    ]
                    for after, through in pairwise([None, *plan.ends, None])
                ]
                assert list(uow.plan_slices(tuple(accounts[2:6]), 2).ends) == [accounts[3]]
                assert uow.plan_slices((accounts[0],), 2).payers == 1
            assert plan.payers == 7
            assert seen == [accounts[begin : begin + size] for begin in range(0, 7, size)]

        def test_each_slice_is_taken_by_one_worker(self, subject: Subject, desk: Desk) -> None:
            """Workers that calculate the same payers at once would tell of them twice, and one would wait for the other."""
            run = _sliced(subject, desk)

            def work() -> list[int]:
                taken: list[int] = []
                while True:
                    try:
                        with subject.run_store.begin(snapshot=True) as uow:
                            part = uow.take_slice(run.ref_id)
                            if part is not None:
                                uow.save(attrs.evolve(part, done=True))
                    except Conflict:
                        continue
                    if part is None:
                        return taken
                    taken.append(part.number)

            taken = at_once([work] * 3)
            assert sorted(number for of_one in taken for number in of_one) == [1, 2, 3, 4, 5, 6]
            with subject.run_store.begin() as uow:
                assert [(part.number, part.done) for part in uow.slices(run.ref_id)] == [(n, True) for n in range(1, 7)]

        def test_a_run_that_is_cancelled_at_its_end_is_cancelled_or_done(self, subject: Subject, desk: Desk) -> None:
            """An operator who is told that a run is cancelled must not find it done, with a night's work taken for undone."""
            desk.account("A-1")
            calculate = CalculateCollectionBalance(subject.run_store, clock=desk.clock)

            def end(run_ref_id: UUID) -> ProcessRun:
                with suppress(Conflict):
                    return calculate(run_ref_id).run
                return calculate(run_ref_id).run

            for _ in range(5):
                run = desk.start_run(as_of=NOW)
                calculate(run.ref_id)
                ended, cancelled = at_once([partial(end, run.ref_id), partial(desk.cancel_run, run.ref_id)])
                stored = subject.queries.run(run.ref_id)
                assert stored is not None
                assert stored == ended
                if isinstance(cancelled, ProcessRun):
                    assert (cancelled, stored.state) == (stored, RunState.CANCELLED)
                else:
                    assert (codes_of(cancelled), stored.state) == (["RUN_NOT_RUNNING"], RunState.DONE)

        def test_another_run_begins_as_soon_as_one_is_cancelled(self, subject: Subject, desk: Desk) -> None:
            """Who cancels a run does so to start the right one; what was cancelled goes no further."""
            accounts = [desk.account(f"A-{n}") for n in range(3)]
            calculate = CalculateCollectionBalance(subject.run_store, clock=desk.clock)
            wrong = desk.start_run(as_of=NOW)
            calculate(wrong.ref_id, limit=1)
            cancelled = desk.cancel_run(wrong.ref_id)
            right = desk.start_run(as_of=NOW, adopt=True)
            assert calculate(wrong.ref_id).run == cancelled == subject.queries.run(wrong.ref_id)
            assert (cancelled.payers_done, desk.finish(right.ref_id).payers_done) == (1, len(accounts))

        def test_a_slice_that_is_named_is_taken_by_one_worker_or_not_at_all(self, subject: Subject, desk: Desk) -> None:
            """A command for a slice may come twice, to two workers at once, or when it is long done."""
            run = _sliced(subject, desk)

            def work() -> list[int]:
                taken: list[int] = []
                for number in [6, 1, 3, 9, 5, 2, 4] * 2:
                    with suppress(Conflict):
                        with subject.run_store.begin(snapshot=True) as uow:
                            part = uow.take_slice(run.ref_id, number)
                            if part is not None:
                                assert part.number == number
                                uow.save(attrs.evolve(part, done=True))
                        taken += [] if part is None else [part.number]
                return taken

            taken = at_once([work] * 3)
            assert sorted(number for of_one in taken for number in of_one) == [1, 2, 3, 4, 5, 6]

        def test_the_slices_that_are_left_are_those_that_are_not_done(self, subject: Subject, desk: Desk) -> None:
            """Who sends for workers sends for these: one left out is never calculated, one too many never ends."""
            run = _sliced(subject, desk)
            with subject.run_store.begin() as uow:
                assert list(uow.slices_left(run.ref_id)) == [1, 2, 3, 4, 5, 6]
                for number in (2, 5):
                    part = uow.take_slice(run.ref_id, number)
                    assert part is not None
                    uow.save(attrs.evolve(part, done=True))
            with subject.run_store.begin() as uow:
                assert list(uow.slices_left(run.ref_id)) == [1, 3, 4, 6]
                assert list(uow.slices_left(id_of(99))) == []

        def test_a_run_keeps_the_configuration_it_was_started_with(self, subject: Subject) -> None:
            """A threshold that is changed at midnight must not hold for half of the night's payers."""
            known = configuration(CollectionSetting(grace_days=7), SystemSetting(zone="Europe/Madrid"))
            run = a_run(1, configuration=known)
            with subject.run_store.begin() as uow:
                uow.add(run)
            with subject.run_store.begin() as uow:
                kept = uow.run(run.ref_id)
            assert kept is not None
            assert kept.configuration == known

        def test_what_a_run_found_is_kept_and_the_payers_given_back_whole(self, subject: Subject, desk: Desk) -> None:
            """What is told of a payer is all of it, though a slice asks for little; and each is told of its own balance."""

            def payer_of(account: Account) -> Payer:
                whole = subject.queries.ledger(account.ref_id)
                assert whole is not None
                return whole.payer

            accounts = [an_account(n) for n in range(1, 14)]
            with subject.run_store.begin() as uow:
                for n, account in enumerate(accounts, start=1):
                    uow.add(account)
                    uow.add(a_payer(account, payment_ref1=f"R-{n}", due_date_offsets={"genericInvoice": n}))
            before = {account.ref_id: payer_of(account) for account in accounts}
            *found, other = [
                PayerBalance(
                    account.ref, account.account_type, -n * UNIT, None if n % 2 else dt.date(2024, 5, n), n % 3 == 0
                )
                for n, account in reversed(list(enumerate(accounts, start=1)))
            ]
            with subject.run_store.begin(snapshot=True) as uow:
                kept = uow.keep_balances(found, NOW - dt.timedelta(days=1), NOW)
                assert list(uow.keep_balances([], NOW, NOW)) == []
            assert list(kept) == [
                attrs.evolve(
                    before[account.ref_id],
                    collection_balance=balance,
                    oldest_due_date=oldest,
                    in_collection=in_collection,
                    collection_balance_as_of=NOW - dt.timedelta(days=1),
                    collection_balance_calculated_at=NOW,
                    version=before[account.ref_id].version + 1,
                )
                for account, _, balance, oldest, in_collection in found
            ]
            assert {payer_of(account).ref_id: payer_of(account) for account in accounts} == {
                **{payer.ref_id: payer for payer in kept},
                other.account.ref_id: before[other.account.ref_id],
            }

        @pytest.mark.parametrize("days", [0, 2, 4, 6, 8, 10])
        def test_a_slice_knows_what_was_settled_and_cancelled_after_its_instant(
            self, subject: Subject, days: int
        ) -> None:
            """A store fetches less than everything, never less than what was open then: a balance of last Monday must not
            change because of what was paid, or taken back, on Tuesday."""
            account, as_of = an_account(1), NOW - dt.timedelta(days=days)
            past, day = {"document_issued_date": NOW.date() - dt.timedelta(days=90)}, dt.timedelta(days=1)
            payment = a_payment(2, account, 100 * UNIT, remaining_amount=0, payment_date_received=NOW - 9 * day)
            paid = a_document(3, account, 60 * UNIT, due_amount=0, **past)
            part = a_document(4, account, 90 * UNIT, due_amount=50 * UNIT, **past)
            cancelled = a_document(5, account, 7 * UNIT, cancelled=True, cancelled_at=NOW - 3 * day, **past)
            settlements = (
                a_settlement(6, payment, paid, 60 * UNIT, effective_at=NOW - 5 * day),
                a_settlement(7, payment, part, 40 * UNIT, effective_at=NOW - 1 * day),
                a_settlement(
                    8, payment, part, 40 * UNIT, effective_at=NOW - 7 * day, cancelled=True, cancelled_at=NOW - 3 * day
                ),
            )
            with subject.run_store.begin() as uow:
                for entity in (account, a_payer(account), payment, paid, part, cancelled, *settlements):
                    uow.add(entity)  # type: ignore[type-var]
            with subject.run_store.begin(snapshot=True) as uow:
                sliced = only(slice_of(uow, SliceWanted(as_of=as_of)), "payers in the slice")
            whole = subject.queries.ledger(account.ref_id)
            assert whole is not None
            assert balance_of(sliced, configuration(), as_of) == balance_of(whole, configuration(), as_of)
            assert _contributions(sliced, as_of) == _contributions(whole, as_of)
            assert {s.ref_id for s in whole.settlements} == {s.ref_id for s in settlements}

        def test_an_account_of_ten_thousand_documents_is_whole(self, subject: Subject) -> None:
            """A wholesaler's account does not fit a page, a parameter list or a packet, and its balance counts it all."""
            account = an_account(1)
            day = NOW.date() - dt.timedelta(days=60)
            documents = [a_document(n, account, UNIT, document_issued_date=day) for n in range(2, DOCUMENTS + 2)]
            with subject.run_store.begin() as uow:
                uow.add(account)
                uow.add(a_payer(account))
                for document in documents:
                    uow.add(document)
            with subject.run_store.begin(snapshot=True) as uow:
                sliced = only(slice_of(uow, SliceWanted(as_of=NOW)), "payers in the slice")
            whole = subject.queries.ledger(account.ref_id)
            assert whole is not None
            for ledger in (sliced, whole):
                assert len(ledger.documents) == DOCUMENTS
                assert balance_of(ledger, configuration(), NOW).balance == DOCUMENTS * UNIT

    return RunsLaws
