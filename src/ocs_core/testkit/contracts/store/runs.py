"""What a collection run is given."""

import datetime as dt
from uuid import UUID

import pytest

from ocs_core.collection import CollectionBalance, collection_balance
from ocs_core.entities.account import AccountState
from ocs_core.errors import RequestRejected
from ocs_core.ports import SliceWanted
from ocs_core.testkit.contracts.subject import Subject, at_once, codes_of, only
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_settlement, an_account
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest

DOCUMENTS = 10_000


def _contributions(calculated: CollectionBalance) -> dict[UUID, int]:
    return {line.ref_id: line.contribution for line in calculated.lines if line.contribution}


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
            with subject.store.begin(snapshot=True) as uow:
                assert uow.payers_to_calculate(()) == 7
                after = None
                for _ in accounts:
                    ledgers = uow.ledgers(SliceWanted(as_of=NOW, after=after, limit=3))
                    seen.extend(ledger.account.ref_id for ledger in ledgers)
                    after = seen[-1]
                some = uow.ledgers(SliceWanted(as_of=NOW, accounts=(accounts[2].ref_id, gone.ref_id)))
            assert seen == [account.ref_id for account in accounts]
            assert [ledger.account for ledger in some] == [accounts[2]]

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
            with subject.store.begin() as uow:
                for entity in (account, a_payer(account), payment, paid, part, cancelled, *settlements):
                    uow.add(entity)  # type: ignore[type-var]
            with subject.store.begin(snapshot=True) as uow:
                sliced = only(uow.ledgers(SliceWanted(as_of=as_of)), "payers in the slice")
            whole = subject.queries.ledger(account.ref_id)
            assert whole is not None
            by_slice, by_all = (collection_balance(ledger, configuration(), as_of) for ledger in (sliced, whole))
            assert (by_slice.balance, by_slice.oldest_due_date) == (by_all.balance, by_all.oldest_due_date)
            assert _contributions(by_slice) == _contributions(by_all)
            assert {s.ref_id for s in whole.settlements} == {s.ref_id for s in settlements}

        def test_an_account_of_ten_thousand_documents_is_whole(self, subject: Subject) -> None:
            """A wholesaler's account does not fit a page, a parameter list or a packet, and its balance counts it all."""
            account = an_account(1)
            day = NOW.date() - dt.timedelta(days=60)
            documents = [a_document(n, account, UNIT, document_issued_date=day) for n in range(2, DOCUMENTS + 2)]
            with subject.store.begin() as uow:
                uow.add(account)
                uow.add(a_payer(account))
                for document in documents:
                    uow.add(document)
            with subject.store.begin(snapshot=True) as uow:
                sliced = only(uow.ledgers(SliceWanted(as_of=NOW)), "payers in the slice")
            whole = subject.queries.ledger(account.ref_id)
            assert whole is not None
            for ledger in (sliced, whole):
                assert len(ledger.documents) == DOCUMENTS
                assert collection_balance(ledger, configuration(), NOW).balance == DOCUMENTS * UNIT

    return RunsLaws
