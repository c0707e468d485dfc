"""What the slices of a run are given: exact, whole, of one instant, and nothing of what others change meanwhile."""

import datetime as dt
from contextlib import suppress
from typing import Any

import attrs
import pytest

from ocs_core.entities.document import DueAmountType
from ocs_core.entities.process import ProcessRun, RunSlice, RunState
from ocs_core.entities.settlement import SettlementSide
from ocs_core.errors import Conflict
from ocs_core.money import MAX_AMOUNT
from ocs_core.ports import PayerBalance, SliceWanted
from ocs_core.testkit.contracts.store.moving import a_payment_that_moved, open_of_payments
from ocs_core.testkit.contracts.subject import Subject, beside, keep, only, slice_of
from ocs_core.testkit.contracts.values import (
    a_document,
    a_payer,
    a_payment,
    a_run,
    a_settlement,
    an_account,
    id_of,
)
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest

ACCOUNT = an_account(1)
EACH: dict[str, Any] = {
    "a run": a_run(8, state=RunState.DONE),
    "a slice of a run": RunSlice(ref_id=id_of(9), run_ref_id=id_of(8), number=1),
}
"""One of each kind of entity that runs have."""


def slices_laws() -> type:
    """What the slices of a run are given."""

    class SlicesLaws:
        @pytest.mark.parametrize("entity", EACH.values(), ids=EACH)
        def test_whatever_is_kept_of_a_run_is_kept_once_under_its_id(self, subject: Subject, entity: Any) -> None:
            """A slice that is there twice is calculated twice."""
            keep(subject, entity)
            with pytest.raises(Conflict), subject.store.begin() as uow:
                uow.add(entity)

        @pytest.mark.parametrize("entity", EACH.values(), ids=EACH)
        def test_what_was_never_kept_of_a_run_cannot_be_changed(self, subject: Subject, entity: Any) -> None:
            """Who goes on with a slice that is not there would tell everybody of it."""
            with pytest.raises(Conflict), subject.store.begin() as uow:
                uow.save(entity)

        def test_a_second_storing_run_of_a_process_is_a_conflict_and_leaves_nothing(self, subject: Subject) -> None:
            """Only the store can decide who was first."""
            keep(subject, a_run(5))
            with pytest.raises(Conflict):
                keep(subject, ACCOUNT, a_run(9))
            assert subject.queries.account(named(ACCOUNT)) is None

        def test_the_answer_that_tells_of_a_run_comes_back_whole(self, subject: Subject, desk: Desk) -> None:
            """Who asks for the same run again is told of the one that there is."""
            run = desk.start_run(as_of=NOW)
            assert run == subject.queries.run(run.ref_id)
            again = desk.start_run(as_of=NOW)
            assert isinstance(again, ProcessRun)
            assert again == run

        @pytest.mark.parametrize("amount", [1, 2**53 + 1, MAX_AMOUNT, -MAX_AMOUNT])
        def test_the_balance_that_a_slice_knows_is_exact(self, subject: Subject, amount: int) -> None:
            """Collection starts at a millionth."""
            keep(subject, ACCOUNT, a_payer(ACCOUNT, collection_balance=amount))
            with subject.run_store.begin() as uow:
                sliced = only(slice_of(uow, SliceWanted(as_of=NOW)), "payers in the slice")
            assert sliced.payer.collection_balance == amount

        def test_a_settlement_is_in_the_slice_whatever_its_sides_are(self, subject: Subject) -> None:
            """A credit that pays an invoice is a document on both sides: at its instant neither was open."""
            document = a_document(4, ACCOUNT)
            credit = a_document(3, ACCOUNT, due_amount=0, due_amount_type=DueAmountType.LIABILITY)
            settled = attrs.evolve(
                a_settlement(5, a_payment(6), document, UNIT),
                source=SettlementSide.DOCUMENT_LIABILITY,
                source_ref_id=credit.ref_id,
            )
            keep(subject, ACCOUNT, a_payer(ACCOUNT), document, credit, settled)
            with subject.run_store.begin(snapshot=True) as uow:
                sliced = only(slice_of(uow, SliceWanted(as_of=NOW - dt.timedelta(days=1))), "payers in the slice")
            assert {d.ref_id for d in sliced.documents} == {credit.ref_id, document.ref_id}
            assert sliced.settlements == (settled,)

        def test_a_payment_that_moved_to_another_account_takes_its_past_into_the_slice(
            self, subject: Subject, desk: Desk
        ) -> None:
            """What it had settled at T on the account before was not open at T, whoever's payment it is now."""
            after, expectations = a_payment_that_moved(desk)
            for as_of, expected in expectations:
                for accounts in ((after.ref_id,), ()):
                    with subject.run_store.begin(snapshot=True) as uow:
                        *_, last = slice_of(uow, SliceWanted(as_of=as_of, accounts=accounts))
                    assert open_of_payments(last, as_of) == expected

        def test_a_message_published_again_under_its_id_waits_once(self, subject: Subject, desk: Desk) -> None:
            """A run that is repeated makes the same message ids: nothing is announced twice."""
            desk.document(account=desk.account("A-1"), document_issued_date=dt.date(2024, 1, 1))
            desk.collect(as_of=NOW)
            before = list(subject.published())
            desk.collect(as_of=NOW)
            assert list(subject.published()) == before

        def test_a_snapshot_stays_of_one_instant(self, subject: Subject, desk: Desk) -> None:
            """A balance that is added up while a payment comes in must have it or not have it, never half."""
            account = desk.account("A-1")
            desk.document(account=account, document_issued_date=NOW.date() - dt.timedelta(days=60))
            wanted = SliceWanted(as_of=NOW)
            with subject.run_store.begin(snapshot=True) as uow:
                before = only(slice_of(uow, wanted), "payers in the slice")
                writer = beside(lambda: desk.payment(account=account))
                writer.result_soon()
                after = only(slice_of(uow, wanted), "payers in the slice")
            writer.result()
            assert (after.payments, after.documents) == (before.payments, before.documents)

        def test_a_run_takes_nothing_of_what_is_changed_of_a_payer_meanwhile(
            self, subject: Subject, desk: Desk
        ) -> None:
            """What a customer was promised while the night's run went on is there in the morning."""
            account = desk.account("A-1")
            promise = UpdateDueDateOffsetRequest(request_id="promise", account=named(account), due_date_offset=9)
            with suppress(Conflict), subject.run_store.begin(snapshot=True) as uow:
                only(slice_of(uow, SliceWanted(as_of=NOW)), "payers in the slice")
                writer = beside(lambda: desk.perform(UpdateDueDateOffset, promise))
                writer.result_soon()
                uow.keep_balances([PayerBalance(account.ref, account.account_type, 7 * UNIT, None, False)], NOW, NOW)
            writer.result()
            ledger = subject.queries.ledger(account.ref_id)
            assert ledger is not None
            payer = ledger.payer
            assert payer.due_date_offset == 9
            assert (payer.version, payer.collection_balance) in {(2, None), (3, 7 * UNIT)}

    return SlicesLaws
