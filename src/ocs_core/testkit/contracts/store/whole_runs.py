"""Nothing is left out of a run: whom it calculates, what is fetched of them, and what is kept of it."""

import datetime as dt
from typing import Any

import attrs
import pytest

from ocs_core.entities.account import AccountRef, AccountState
from ocs_core.entities.configuration import CollectionSetting
from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.entities.process import CLOCKS_APART, RunFailure, RunSlice, RunState
from ocs_core.money import MAX_AMOUNT
from ocs_core.ports import (
    PayerBalance,
    SliceWanted,
)
from ocs_core.testkit.contracts.subject import (
    MORE_THAN_A_PAGE,
    TEXT_THAT_HURTS,
    Subject,
    all_there,
    keep,
    only,
    slice_of,
)
from ocs_core.testkit.contracts.values import (
    a_document,
    a_payer,
    a_payment,
    a_run,
    an_account,
    id_of,
)
from ocs_core.testkit.examples import Desk, configuration
from ocs_core.testkit.fakes import NOW

ACCOUNT, OTHER = an_account(1), an_account(2)
OF_A_SLICE: dict[str, Any] = {
    "a receivable": a_document(3, ACCOUNT),
    "what the provider owes": a_document(
        3, ACCOUNT, document_type="creditNote", due_amount_type=DueAmountType.LIABILITY
    ),
    "a receivable that is not due for years": a_document(3, ACCOUNT, document_due_date=dt.date(2999, 12, 31)),
    "a document in another currency": a_document(3, ACCOUNT, currency="USD"),
    "a document of a type that nobody configured": a_document(3, ACCOUNT, document_type="gone"),
    "a document of which a millionth is open": a_document(3, ACCOUNT, due_amount=1),
    "an incoming payment": a_payment(3, ACCOUNT),
    "an incoming payment in another currency": a_payment(3, ACCOUNT, currency="USD"),
    "an outgoing payment": a_payment(
        3, ACCOUNT, payment_type=PaymentType.OUT, payment_date_received=None, payment_date_sent=NOW
    ),
}
"""What is open of a payer and so belongs into its slice, whether or not a rule lets it count."""


def whole_runs_laws() -> type:
    """Nothing is left out of a run."""

    class WholeRunsLaws:
        @pytest.mark.parametrize("state", AccountState)
        def test_everybody_is_calculated_but_the_deactivated(self, subject: Subject, state: AccountState) -> None:
            """A suspended customer still owes; and a plan that counts other payers than its slices never comes to its end."""
            keep(subject, an_account(1, state=state), a_payer(ACCOUNT), OTHER, a_payer(OTHER))
            keep(subject, an_account(3, account_type="technical", payer_account=ACCOUNT.ref))
            calculated = [OTHER.ref_id] if state is AccountState.DEACTIVATED else [ACCOUNT.ref_id, OTHER.ref_id]
            for accounts in ((), (ACCOUNT.ref_id, OTHER.ref_id, id_of(3), id_of(99))):
                with subject.run_store.begin(snapshot=True) as uow:
                    plan = uow.plan_slices(accounts, 1)
                    sliced = slice_of(uow, SliceWanted(as_of=NOW, accounts=accounts))
                assert (plan.payers, list(plan.ends)) == (len(calculated), calculated[:-1])
                assert [ledger.account.ref_id for ledger in sliced] == calculated

        def test_a_payer_that_was_never_calculated_is_calculated_like_any_other(self, subject: Subject) -> None:
            """A new customer has no balance yet: that is not a balance of zero, and no reason to be passed over."""
            known = a_payer(OTHER, collection_balance=0, collection_balance_as_of=NOW - dt.timedelta(days=1))
            keep(subject, ACCOUNT, a_payer(ACCOUNT), OTHER, known)
            with subject.run_store.begin(snapshot=True) as uow:
                sliced = slice_of(uow, SliceWanted(as_of=NOW))
                kept = uow.keep_balances([PayerBalance(ACCOUNT.ref, ACCOUNT.account_type, 7, None, False)], NOW, NOW)
            assert [each.payer.collection_balance for each in sliced] == [None, 0]
            assert {(each.payer.oldest_due_date, each.payer.in_collection) for each in sliced} == {(None, False)}
            payer = only(kept, "payers kept")
            assert (payer.collection_balance, payer.collection_balance_as_of, payer.version) == (7, NOW, 2)

        @pytest.mark.parametrize("item", OF_A_SLICE.values(), ids=OF_A_SLICE)
        def test_whatever_is_open_of_a_payer_is_in_its_slice(self, subject: Subject, item: Any) -> None:
            """Which item counts, and how, is for the rules to say; what was not fetched they cannot judge."""
            keep(subject, ACCOUNT, a_payer(ACCOUNT), item)
            with subject.run_store.begin(snapshot=True) as uow:
                sliced = only(slice_of(uow, SliceWanted(as_of=NOW + dt.timedelta(days=1))), "payers in the slice")
            found = [d.ref_id for d in sliced.documents] + [p.ref_id for p in sliced.payments]
            assert found == [item.ref_id]

        def test_a_payment_is_in_the_ledger_of_its_own_account_alone(self, subject: Subject, desk: Desk) -> None:
            """Money that moved and stayed where it was pays two customers' debts."""
            before, after = desk.account("A-1"), desk.account("A-2")
            payment = desk.cancel_identification(desk.payment(account=before))
            with subject.run_store.begin() as uow:
                moved = uow.save(attrs.evolve(payment, account=after.ref))
            for account, expected in ((before, ()), (after, (moved,))):
                ledger = subject.queries.ledger(account.ref_id)
                assert ledger is not None
                assert ledger.payments == expected
                with subject.run_store.begin(snapshot=True) as uow:
                    sliced = slice_of(uow, SliceWanted(as_of=NOW, accounts=(account.ref_id,)))
                assert [p.ref_id for p in only(sliced, "payers in the slice").payments] == [p.ref_id for p in expected]

        def test_what_a_slice_found_is_kept_whole(self, subject: Subject) -> None:
            """A run is what its slices say: a failure that is not told is a payer whom nobody calculates."""
            failures = tuple(
                RunFailure(AccountRef(id_of(n), None if n % 2 else f"A-{n}"), "AMOUNT_OUT_OF_RANGE", TEXT_THAT_HURTS)
                for n in range(1, MORE_THAN_A_PAGE)
            )
            part = RunSlice(ref_id=id_of(9), run_ref_id=id_of(8), number=1, through=id_of(77))
            keep(subject, a_run(8), part)
            with subject.run_store.begin() as uow:
                saved = uow.save(
                    attrs.evolve(
                        part,
                        position=id_of(76),
                        payers_done=1_000_000,
                        payers_failed=len(failures),
                        collections_started=5,
                        failures=failures,
                        balances={"EUR": MAX_AMOUNT, "JPY": -1},
                        other_currencies={"USD": -MAX_AMOUNT},
                        calculated_at=NOW,
                    )
                )
            with subject.run_store.begin() as uow:
                kept = [uow.take_slice(id_of(8)), *uow.slices(id_of(8))]
            for each in kept:
                assert each is not None
                all_there(each.failures, failures, "failures")
                assert attrs.evolve(each, failures=()) == attrs.evolve(saved, failures=())
            assert len(kept) == 2
            all_there(subject.queries.failures(id_of(8)), failures, "failures")

        def test_a_run_is_kept_whole(self, subject: Subject) -> None:
            """What was ordered is what is performed, after a crash too."""
            run = a_run(
                8,
                state=RunState.DONE_WITH_FAILURES,
                adopt=True,
                accounts=(id_of(1), id_of(2)),
                transaction_id=TEXT_THAT_HURTS,
                finished_at=NOW,
                failures=(RunFailure(ACCOUNT.ref, "X", TEXT_THAT_HURTS),),
                balances={"EUR": -MAX_AMOUNT},
                other_currencies={"JPY": MAX_AMOUNT},
                payers_total=3,
                payers_failed=1,
            )
            keep(subject, run)
            with subject.run_store.begin() as uow:
                assert uow.run(run.ref_id) == run

        def test_runs_that_are_over_and_other_processes_are_in_nobodys_way(self, subject: Subject) -> None:
            """What goes on is told, dry runs too, so that they are few; yesterday's run must not keep tonight's from starting."""
            going_on = [a_run(5), a_run(6, dry_run=True), a_run(7, dry_run=True)]
            over = [a_run(9, state=RunState.DONE), a_run(10, state=RunState.CANCELLED, dry_run=True)]
            keep(subject, *going_on, *over, a_run(8, process="another"))
            with subject.run_store.begin() as uow:
                assert [run.ref_id for run in uow.runs(going_on[0].process)] == [run.ref_id for run in going_on]
                assert [run.ref_id for run in uow.runs("another")] == [id_of(8)]

        def test_its_own_clock_if_it_has_one_is_right_and_in_utc(self, subject: Subject) -> None:
            """Who starts a storing run is held against it: one that is wrong refuses every run, or lets the wrong ones begin."""
            with subject.run_store.begin() as uow:
                shown = uow.now()
            if shown is not None:
                assert shown.tzinfo is not None, f"{shown!r} is naive"
                assert shown.utcoffset() == dt.timedelta(), f"{shown!r} is not in UTC"
                assert abs(shown - dt.datetime.now(dt.UTC)) < CLOCKS_APART

        def test_a_run_that_goes_on_keeps_its_configuration(self, subject: Subject) -> None:
            """Each slice saves the run; the rules that it was started with must not be lost on the way."""
            known = configuration(CollectionSetting(grace_days=31))
            run = a_run(5, configuration=known)
            keep(subject, run)
            with subject.run_store.begin() as uow:
                uow.save(attrs.evolve(run, payers_total=1))
            with subject.run_store.begin() as uow:
                kept = uow.run(run.ref_id)
            assert kept is not None
            assert kept.configuration == known

    return WholeRunsLaws
