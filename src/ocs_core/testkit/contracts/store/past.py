"""Money as of the past: whatever is settled and taken back, as of no instant is more used of an item than there was."""

import datetime as dt
import random
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest

from ocs_core.collection import open_at, settlements_by_item
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import RequestRejected
from ocs_core.ledger import Ledger
from ocs_core.ports import SettlementsAfter
from ocs_core.testkit.contracts.subject import Subject
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_settlement, an_account
from ocs_core.testkit.examples import UNIT, Desk
from ocs_core.testkit.fakes import NOW

DAY, MOMENT = dt.timedelta(days=1), dt.timedelta(microseconds=1)
COMMANDS = 60


def past_laws() -> type:
    """Money as of the past: whatever is settled and taken back, as of no instant is more used than there was."""

    class PastLaws:
        def test_money_that_was_in_use_then_does_not_pay_twice(self, subject: Subject, desk: Desk) -> None:
            """A payment that was assigned by mistake until Wednesday pays another invoice from Wednesday on, not from Monday:
            else on Tuesday both were paid with the same money."""
            account = desk.account("A-1")
            began = desk.clock()
            payment = desk.payment(account=account, amount=100 * UNIT)
            wrong, right = (desk.document(account=account) for _ in range(2))
            desk.assign(payment, wrong, 100 * UNIT)
            desk.clock.advance(days=9)
            desk.cancel_assignment(payment, wrong)
            given_back = desk.clock()
            desk.clock.advance(days=1)
            for too_early in (began, began + 2 * DAY, given_back - MOMENT):
                with pytest.raises(RequestRejected, match="AMOUNT_EXCEEDS_REMAINING") as refused:
                    desk.assign(payment, right, UNIT, effective_date=too_early)
                assert str(too_early.date()) in str(refused.value)
            desk.assign(payment, right, 100 * UNIT, effective_date=given_back)
            assert _used_too_often(subject.queries.ledger(account.ref_id)) == []

        def test_a_document_that_was_settled_then_is_not_settled_twice(self, subject: Subject, desk: Desk) -> None:
            """What was paid on Tuesday was not due on Tuesday, whoever's money it turned out to be."""
            account = desk.account("A-1")
            began = desk.clock()
            wrong, right = (desk.payment(account=account, amount=100 * UNIT) for _ in range(2))
            document = desk.document(account=account)
            desk.clock.advance(days=4)
            desk.assign(wrong, document, 70 * UNIT)
            desk.clock.advance(days=5)
            desk.cancel_assignment(wrong, document)
            with pytest.raises(RequestRejected, match="AMOUNT_EXCEEDS_DUE") as refused:
                desk.assign(right, document, 31 * UNIT, effective_date=began)
            assert str((began + 4 * DAY).date()) in str(refused.value)
            desk.assign(right, document, 30 * UNIT, effective_date=began)
            assert _used_too_often(subject.queries.ledger(account.ref_id)) == []

        def test_money_that_moved_to_another_account_was_in_use_there(self, subject: Subject, desk: Desk) -> None:
            """A payment takes its past along: the account it comes to cannot have had it before."""
            before, after = desk.account("A-1"), desk.account("A-2")
            began = desk.clock()
            payment = desk.payment(account=before)
            desk.assign(payment, desk.document(account=before), 50 * UNIT)
            document = desk.document(account=after)
            desk.clock.advance(days=3)
            desk.cancel_assignment(payment, _only_document(subject, before))
            moved = desk.cancel_identification(payment)
            desk.clock.advance(days=1)
            with pytest.raises(RequestRejected, match="AMOUNT_EXCEEDS_REMAINING"):
                desk.assign(moved, document, UNIT, effective_date=began)
            desk.assign(moved, document, 50 * UNIT)
            assert _used_too_often(subject.queries.ledger(after.ref_id)) == []

        def test_what_another_process_has_just_taken_back_is_free_at_once(self, subject: Subject, desk: Desk) -> None:
            """Its clock is a little ahead: who assigns next does not care, and the books are right at every instant."""
            account = desk.account("A-1")
            payment, document = desk.payment(account=account), desk.document(account=account)
            desk.assign(payment, document, 50 * UNIT)
            desk.clock.advance(seconds=30)
            desk.cancel_assignment(payment, document)
            desk.clock.advance(seconds=-1)
            desk.assign(payment, document, 50 * UNIT)
            assert _used_too_often(subject.queries.ledger(account.ref_id)) == []

        def test_what_changed_of_either_item_after_an_instant_is_found(self, subject: Subject) -> None:
            """Live or taken back, of the payment or of the document: one that is overlooked is money used twice."""
            account = an_account(1)
            payments = [a_payment(n, account) for n in (2, 3)]
            documents = [a_document(n, account) for n in (4, 5)]
            (mine, other), (this, another) = payments, documents
            gone: dict[str, Any] = {"cancelled": True}
            settlements = [
                a_settlement(10, mine, another, UNIT, effective_at=NOW + MOMENT),
                a_settlement(11, other, this, UNIT, effective_at=NOW - DAY, cancelled_at=NOW + MOMENT, **gone),
                a_settlement(12, mine, this, UNIT, effective_at=NOW + DAY, cancelled_at=NOW + 2 * DAY, **gone),
                a_settlement(13, mine, this, UNIT, effective_at=NOW),
                a_settlement(14, mine, this, UNIT, effective_at=NOW - DAY, cancelled_at=NOW, **gone),
                a_settlement(15, other, another, UNIT, effective_at=NOW + DAY),
            ]
            with subject.store.begin() as uow:
                for entity in (account, a_payer(account), *payments, *documents, *settlements):
                    uow.add(entity)  # type: ignore[type-var]
            either = PaymentName(ref_id=mine.ref_id), DocumentName(ref_id=this.ref_id)
            found = subject.look_up(SettlementsAfter(NOW, *either))
            assert sorted(found, key=lambda s: s.ref_id) == settlements[:3]

        @pytest.mark.parametrize("seed", range(3))
        def test_as_of_every_instant_no_more_is_used_than_there_was(
            self, subject: Subject, desk: Desk, seed: int
        ) -> None:
            """Whatever is assigned, as of whatever day, and taken back in whatever order."""
            chance, accounts = random.Random(seed), [desk.account(f"A-{n}") for n in range(2)]
            payments = [desk.payment(amount=10 * UNIT) for _ in range(3)]
            documents = [desk.document(account=accounts[n == 3], amount=10 * UNIT) for n in range(4)]
            assigned: list[tuple[Payment, Document]] = []
            began, taken_back = desk.clock(), 0
            for _ in range(COMMANDS):
                now = desk.clock.advance(hours=chance.randint(1, 30))
                payment, document = chance.choice(payments), chance.choice(documents)
                since = chance.choice([None, began + chance.random() * (now - began)])
                with suppress(RequestRejected):
                    if assigned and chance.random() < 0.4:
                        desk.cancel_assignment(*assigned.pop(chance.randrange(len(assigned))))
                        taken_back += 1
                    elif chance.random() < 0.1:
                        desk.cancel_identification(payment)
                    else:
                        desk.assign(payment, document, chance.choice([2, 5, 10]) * UNIT, effective_date=since)
                        assigned.append((payment, document))
            assert taken_back > 3, "too little was taken back to tell anything"
            for account in accounts:
                assert _used_too_often(subject.queries.ledger(account.ref_id)) == []

    return PastLaws


def used_too_often(item: Payment | Document, settlements: Iterable[Settlement]) -> list[dt.datetime]:
    """The instants at which more of an item was used than there was, or less than nothing."""
    of_item = list(settlements)
    if isinstance(item, Payment):
        stored_open, amount = item.remaining_amount, item.payment_amount
    else:
        stored_open, amount = item.due_amount, item.total_amount_net
    instants = {at for s in of_item for at in (s.effective_at, s.cancelled_at) if at is not None}
    return [at for at in sorted(instants) if not 0 <= open_at(stored_open, of_item, at) <= amount]


def _used_too_often(ledger: Ledger | None) -> list[dt.datetime]:
    assert ledger is not None
    touching = settlements_by_item(ledger.settlements)
    items: tuple[Payment | Document, ...] = (*ledger.documents, *ledger.payments)
    return [at for item in items for at in used_too_often(item, touching.get(item.ref_id, ()))]


def _only_document(subject: Subject, account: Any) -> Document:
    ledger = subject.queries.ledger(account.ref_id)
    assert ledger is not None
    (document,) = ledger.documents
    return document
