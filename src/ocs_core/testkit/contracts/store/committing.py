"""All of a unit of work, or nothing: its rows, its messages, its numbers, and the memory of its command."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import pytest

from ocs_core.entities.account import AccountState
from ocs_core.entities.payment import Payment
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.messages import Response
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import DOCUMENT_NUMBERS, Store, UnitOfWork
from ocs_core.queries import DocumentSearch, PaymentSearch
from ocs_core.testkit.contracts.subject import Subject, beside, only
from ocs_core.testkit.contracts.values import a_document, a_message, a_payment, an_account, an_event, id_of
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.testkit.fakes import NOW, FaultyStore
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest

ACCOUNT = an_account(1)
UNIQUE: dict[str, Any] = {
    "an account's external id": ACCOUNT,
    "an incoming payment's external number": a_payment(2, external_payment_no="X"),
    "a document's external number": a_document(3, ACCOUNT, external_document_no="X"),
    "a chargeable event's external id": an_event(4, ACCOUNT, external_id="X"),
}
"""An entity whose unique value a second one wants."""


@contextmanager
def _abandoned(store: Store) -> Iterator[UnitOfWork]:
    """A unit of work that does all that the block says, and then fails."""
    with suppress(ZeroDivisionError), store.begin() as uow:
        yield uow
        raise ZeroDivisionError


def committing_laws() -> type:
    """All of a unit of work, or nothing: its rows, its messages, its numbers, and the memory of its command."""

    class CommittingLaws:
        def test_a_change_raises_the_version_and_a_stale_one_is_a_conflict(self, subject: Subject, desk: Desk) -> None:
            """Two who read the same must not both write: the second would undo the first unseen."""
            account = desk.account("A-1")
            with subject.store.begin() as uow:
                saved = uow.save(attrs.evolve(account, state=AccountState.SUSPENDED))
            assert saved.version == account.version + 1
            with pytest.raises(Conflict), subject.store.begin() as uow:
                uow.save(attrs.evolve(account, state=AccountState.DEACTIVATED))
            assert subject.queries.account(named(account)) == saved

        def test_two_changes_of_one_entity_in_one_unit_of_work_both_count(self, subject: Subject, desk: Desk) -> None:
            """A payment that is identified and then assigned is saved twice in one command."""
            account = desk.account("A-1")
            with subject.store.begin() as uow:
                first = uow.save(attrs.evolve(account, state=AccountState.SUSPENDED))
                second = uow.save(attrs.evolve(first, state=AccountState.ACTIVE))
            assert subject.queries.account(named(account)) == second
            assert second.version == account.version + 2

        def test_an_abandoned_unit_of_work_leaves_nothing_behind(self, subject: Subject, desk: Desk) -> None:
            """Neither rows, nor messages, nor a number of a series without gaps."""
            account = desk.account("A-1")
            before = list(subject.published())
            faults = 0
            for fault_at in range(1, 100):
                desk.store = FaultyStore(subject.store, fault_at, ZeroDivisionError("planted"))
                try:
                    desk.document(account=account, external_document_no=f"D-{fault_at}")
                except ZeroDivisionError:
                    faults += 1
                    assert subject.queries.documents(DocumentSearch()).items == ()
                    assert list(subject.published()) == before
                else:
                    break
            assert faults >= 5
            document = only(subject.queries.documents(DocumentSearch()).items, "documents")
            assert document.document_no == "D0000000001"

        def test_document_numbers_have_no_gaps_and_payment_numbers_never_repeat(
            self, subject: Subject, desk: Desk
        ) -> None:
            """An auditor asks for the missing invoice; one that was refused or failed must not have taken a number."""
            account = desk.account("A-1")
            numbers = []
            for _ in range(5):
                numbers.append(desk.document(account=account).document_no)
                with pytest.raises(RequestRejected):
                    desk.document(account=account, document_type="unknown")
                with _abandoned(subject.store) as uow:
                    uow.draw(DOCUMENT_NUMBERS, 3)
            assert numbers == [f"D{n:010d}" for n in range(1, 6)]
            payments = [desk.payment(account=account).payment_no for _ in range(5)]
            assert payments == sorted(set(payments))

        def test_a_performed_command_is_remembered_whole_and_once(self, subject: Subject, desk: Desk) -> None:
            """The answer that is given again is the one that was given; a second memory of it is a conflict."""
            account = desk.account("A-1")
            request = RegisterPaymentRequest(
                request_id="once",
                account=named(account),
                payment_amount=10 * UNIT,
                currency="EUR",
                payment_method="cash",
                payment_date_received=NOW,
            )
            first = desk.perform(RegisterPayment, request)
            again = desk.perform(RegisterPayment, request)
            assert (first.replayed, again.replayed) == (False, True)
            assert again.steps == first.steps
            performed = Performed(
                key=RequestKey("embedded", "once"),
                operation="x",
                digest=b"x",
                ref_ids=(),
                performed_at=NOW,
                answer=Response(),
            )
            with pytest.raises(Conflict), subject.store.begin() as uow:
                uow.remember(performed)

        def test_a_request_id_is_unique_per_application(self, subject: Subject) -> None:
            """Two applications count their requests from 1 each: one must not be given the other's answer."""
            performed = Performed(
                key=RequestKey("shop", "1"), operation="x", digest=b"x", ref_ids=(), performed_at=NOW, answer=Response()
            )
            with subject.store.begin() as uow:
                uow.remember(performed)
            with subject.store.begin() as uow:
                found = [uow.find(key=RequestKey(application, "1")).performed for application in ("shop", "Shop")]
            assert found == [performed, None]

        def test_messages_wait_in_the_order_of_their_publication(self, subject: Subject, desk: Desk) -> None:
            """Per key, the order of the commits is the order in which the world learns of them."""
            account = desk.account("A-1")
            desk.payment(account=account)
            codes = [p.code for p in subject.published()]
            assert codes == ["account", "payer", "payment", "paymentHistory", "paymentHistory", "paymentReceived"]
            assert {p.key for p in subject.published()} == {account.ref_id}

        @pytest.mark.parametrize("first", UNIQUE.values(), ids=UNIQUE)
        def test_a_taken_unique_value_is_a_conflict_and_leaves_nothing(self, subject: Subject, first: Any) -> None:
            """The rule looks first, but only the store can decide a race: what it swallows, a caller takes for done."""
            with subject.store.begin() as uow:
                uow.add(first)
            second = attrs.evolve(first, ref_id=id_of(9))
            if isinstance(second, Payment):
                second = attrs.evolve(second, payment_no="P-9")

            def add() -> None:
                with subject.store.begin() as uow:
                    uow.publish(a_message(8, id_of(9)))
                    uow.add(second)

            with pytest.raises(Conflict):
                add()
            assert list(subject.published()) == []

        def test_an_abandoned_unit_of_work_puts_back_what_it_changed(self, subject: Subject) -> None:
            """What was changed twice must go back to what it was before the first change, not before the second."""
            account = an_account(1)
            with subject.store.begin() as uow:
                uow.add(account)
            with _abandoned(subject.store) as uow:
                changed = uow.save(attrs.evolve(account, state=AccountState.SUSPENDED))
                uow.save(attrs.evolve(changed, state=AccountState.DEACTIVATED))
            assert subject.queries.account(named(account)) == account

        def test_an_abandoned_repetition_leaves_the_message_that_waits(self, subject: Subject) -> None:
            """A slice of a run that is repeated and fails must not take back what its first pass announced."""
            message = a_message(1, id_of(9))
            with subject.store.begin() as uow:
                uow.publish(message)
            with _abandoned(subject.store) as uow:
                uow.publish(message)
            assert [waiting.ref_id for waiting in subject.published()] == [message.ref_id]

        def test_an_abandoned_command_may_come_again_under_its_id(self, subject: Subject, desk: Desk) -> None:
            """A command is remembered in its own transaction: one that is remembered but not performed is lost money."""
            account = desk.account("A-1")
            for fault_at in range(1, 100):
                request = RegisterPaymentRequest(
                    request_id=f"again-{fault_at}",
                    account=named(account),
                    payment_amount=UNIT,
                    currency="EUR",
                    payment_method="cash",
                    payment_date_received=NOW,
                )
                desk.store = faulty = FaultyStore(subject.store, fault_at, ZeroDivisionError("planted"))
                try:
                    desk.perform(RegisterPayment, request)
                except ZeroDivisionError:
                    desk.store = subject.store
                    answer = desk.perform(RegisterPayment, request)
                    assert not answer.replayed, f"it failed at {faulty.steps}, and was taken for performed"
                assert len(subject.queries.payments(PaymentSearch(limit=200)).items) == fault_at
                if not faulty.has_failed:
                    break
            assert fault_at > 5

        def test_nothing_is_seen_before_the_commit(self, subject: Subject) -> None:
            """Whoever reads meanwhile waits, or sees nothing: what he acts on may still be taken back."""
            payment, message = a_payment(1), a_message(2, id_of(9))

            def look() -> tuple[int, int]:
                return len(subject.queries.payments(PaymentSearch()).items), len(subject.published())

            with subject.store.begin() as uow:
                uow.add(payment)
                uow.publish(message)
                before = beside(look)
                assert before.result_soon() in {None, (0, 0)}, "payments and messages that others saw"
            before.result()
            assert look() == (1, 1)

    return CommittingLaws
