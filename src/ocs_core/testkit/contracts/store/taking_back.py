"""The ways back: an item is found by any of its names, and what was taken back was taken back once."""

from collections.abc import Callable
from typing import Any

import attrs

from ocs_core.entities.account import Account
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.messages import PaymentDocuments, Response
from ocs_core.ports import (
    DocumentNamed,
    LiveSettlements,
    Lookup,
    OwnerOf,
    PaymentNamed,
    SettlementWithId,
    SourceOf,
    TargetOf,
)
from ocs_core.testkit.contracts.store.moving import a_payment_that_moved, open_of_payments
from ocs_core.testkit.contracts.subject import Subject, at_once, codes_of, only
from ocs_core.testkit.examples import UNIT, Desk
from ocs_core.testkit.fakes import NOW


def _ledger(subject: Subject, account: Account) -> Ledger:
    ledger = subject.queries.ledger(account.ref_id)
    assert ledger is not None
    return ledger


def taking_back_laws() -> type:
    """The ways back: an item is found by any of its names, and what was taken back was taken back once."""

    class TakingBackLaws:
        def test_an_item_is_found_by_each_of_its_names_and_by_names_that_are_all_its_own(
            self, subject: Subject, desk: Desk
        ) -> None:
            """Two names of two items are a mistake, and a guess which one was meant would cancel the wrong one."""
            account = desk.account("A-1")
            payment = desk.payment(account=account, external_payment_no="E-1")
            sent = desk.payment(
                account=account, external_payment_no="E-2", payment_type=PaymentType.OUT, payment_date_sent=NOW
            )
            document = desk.document(account=account, external_document_no="X-1")
            other = desk.document(account=desk.account("A-2"))
            incoming: dict[str, Any] = {
                "ref_id": payment.ref_id,
                "payment_no": payment.payment_no,
                "external_payment_no": "E-1",
            }
            invoice: dict[str, Any] = {
                "ref_id": document.ref_id,
                "document_no": document.document_no,
                "external_document_no": "X-1",
            }

            def found(item: PaymentNamed | DocumentNamed) -> tuple[Any, Any]:
                with subject.store.begin() as uow:
                    found = uow.find(item, OwnerOf(item))
                return found[item], found[OwnerOf(item)]

            for some in (incoming, *({name: value} for name, value in incoming.items())):
                assert found(PaymentNamed(PaymentName(**some))) == (payment, account)
            for some in (invoice, *({name: value} for name, value in invoice.items())):
                assert found(DocumentNamed(DocumentName(**some))) == (document, account)
            wrong: dict[str, Any]
            for wrong in ({"ref_id": sent.ref_id}, {"payment_no": sent.payment_no}, {"external_payment_no": "E-2"}):
                assert found(PaymentNamed(PaymentName(**incoming | wrong))) == (None, None)
            for wrong in ({"ref_id": other.ref_id}, {"document_no": other.document_no}, {"external_document_no": "X"}):
                assert found(DocumentNamed(DocumentName(**invoice | wrong))) == (None, None)
            assert subject.look_up(PaymentNamed(PaymentName(external_payment_no="E-2"))) is None
            assert subject.look_up(PaymentNamed(PaymentName(payment_no=sent.payment_no))) == sent

        def test_live_settlements_are_those_of_what_is_named_or_between_both(
            self, subject: Subject, desk: Desk
        ) -> None:
            """What is overlooked stays settled after its way back; what is too much loses its payment."""
            account = desk.account("A-1")
            payment, other = desk.payment(account=account), desk.payment(account=account)
            document, another = desk.document(account=account), desk.document(account=account)

            def settled(payment: Payment, document: Document) -> Settlement:
                steps = desk.assign(payment, document, UNIT).steps
                (link,) = (s.object for s in steps if isinstance(s.object, PaymentDocuments))
                return link.monetary_transaction

            first, second = settled(payment, document), settled(payment, document)
            third, fourth = settled(other, document), settled(payment, another)
            with subject.store.begin() as uow:
                uow.save(attrs.evolve(second, cancelled=True, cancelled_at=NOW))
            of_payment, of_other = PaymentName(ref_id=payment.ref_id), PaymentName(payment_no=other.payment_no)
            of_document, of_another = (
                DocumentName(ref_id=document.ref_id),
                DocumentName(document_no=another.document_no),
            )
            expected: list[tuple[dict[str, Any], tuple[Settlement, ...]]] = [
                ({"payment": of_payment}, (first, fourth)),
                ({"document": of_document}, (first, third)),
                ({"payment": of_payment, "document": of_document}, (first,)),
                ({"payment": of_other, "document": of_document}, (third,)),
                ({"payment": of_other, "document": of_another}, ()),
                ({"payment": PaymentName(ref_id=desk.ids()), "document": of_document}, ()),
            ]
            for named_items, live in expected:
                assert subject.look_up(LiveSettlements(**named_items)) == live
            assert subject.look_up(LiveSettlements()) == ()

        def test_a_settlement_is_found_by_its_id_with_both_its_sides(self, subject: Subject, desk: Desk) -> None:
            """Live or cancelled: who names an assignment by its id is told what became of it."""
            account, elsewhere = desk.account("A-1"), desk.account("A-2")
            payment, document = desk.payment(account=account), desk.document(account=account)
            desk.assign(payment, document, 5 * UNIT)
            desk.assign(payment, document, 7 * UNIT)
            desk.assign(desk.payment(account=elsewhere), desk.document(account=elsewhere), 3 * UNIT)
            ledger = _ledger(subject, account)
            for amount in (5 * UNIT, 7 * UNIT):
                (settlement,) = (s for s in ledger.settlements if s.amount == amount)
                desk.cancel_one(settlement)
                one = SettlementWithId(settlement.ref_id)
                with subject.store.begin() as uow:
                    found = uow.find(one, SourceOf(one), TargetOf(one), OwnerOf(one))
                kept = found[one]
                assert kept is not None
                assert (kept.ref_id, kept.cancelled) == (settlement.ref_id, True)
                assert (found[SourceOf(one)], found[TargetOf(one)], found[OwnerOf(one)]) == (
                    only(_ledger(subject, account).payments, "payments"),
                    only(_ledger(subject, account).documents, "documents"),
                    account,
                )
            nothing = SettlementWithId(desk.ids())
            sides: tuple[Lookup[Any], ...] = (nothing, SourceOf(nothing), TargetOf(nothing), OwnerOf(nothing))
            assert [subject.look_up(side) for side in sides] == [None] * 4

        def test_of_many_who_cancel_one_settlement_by_its_id_one_succeeds(self, subject: Subject, desk: Desk) -> None:
            """It is read exclusively, with both its sides."""
            account = desk.account("A-1")
            payment, document = desk.payment(account=account), desk.document(account=account)
            desk.assign(payment, document, 10 * UNIT)
            settlement = only(_ledger(subject, account).settlements, "settlements")
            outcomes = at_once([lambda: desk.cancel_one(settlement)] * 10)
            refused = [o for o in outcomes if not isinstance(o, Response)]
            assert [codes_of(o) for o in refused] == [["SETTLEMENT_NOT_FOUND"]] * 9
            ledger = _ledger(subject, account)
            assert (ledger.payments[0].remaining_amount, ledger.documents[0].due_amount) == (50 * UNIT, 100 * UNIT)

        def test_of_many_who_cancel_one_assignment_one_succeeds(self, subject: Subject, desk: Desk) -> None:
            """Its settlements are read exclusively: money given back twice would pay another document."""
            account = desk.account("A-1")
            payment, document = desk.payment(account=account), desk.document(account=account)
            desk.assign(payment, document, 20 * UNIT)
            desk.assign(payment, document, 10 * UNIT)
            outcomes = at_once([lambda: desk.cancel_assignment(payment, document)] * 10)
            refused = [o for o in outcomes if not isinstance(o, Response)]
            assert [codes_of(o) for o in refused] == [["ASSIGNMENT_NOT_FOUND"]] * 9
            ledger = subject.queries.ledger(account.ref_id)
            assert ledger is not None
            assert all(s.cancelled and s.version == 2 for s in ledger.settlements)
            assert (ledger.payments[0].remaining_amount, ledger.documents[0].due_amount) == (50 * UNIT, 100 * UNIT)

        def test_assignments_and_cancellations_that_race_keep_every_cent(self, subject: Subject, desk: Desk) -> None:
            """Whatever the order, what remains and what is settled is the payment, and so for the documents."""
            account = desk.account("A-1")
            payment = desk.payment(account=account)
            documents = [desk.document(account=account) for _ in range(2)]
            calls: list[Callable[[], Any]] = []
            for document in documents:
                calls += [lambda d=document: desk.assign(payment, d, 7 * UNIT)] * 8  # type: ignore[misc]
                calls += [lambda d=document: desk.cancel_assignment(payment, d)] * 8  # type: ignore[misc]
            outcomes = at_once(calls)
            refused = {tuple(codes_of(o)) for o in outcomes if not isinstance(o, Response)}
            assert refused <= {("AMOUNT_EXCEEDS_REMAINING",), ("ASSIGNMENT_NOT_FOUND",)}
            ledger = subject.queries.ledger(account.ref_id)
            assert ledger is not None
            live = [s for s in ledger.settlements if not s.cancelled]
            assert ledger.payments[0].remaining_amount == 50 * UNIT - sum(s.amount for s in live)
            for document in ledger.documents:
                paid = sum(s.amount for s in live if s.target_ref_id == document.ref_id)
                assert document.due_amount == 100 * UNIT - paid

        def test_a_payment_is_cancelled_or_assigned_never_both(self, subject: Subject, desk: Desk) -> None:
            """An invoice paid by a cancelled payment is an invoice that nobody collects."""
            account = desk.account("A-1")
            payment, document = desk.payment(account=account), desk.document(account=account)
            assign = [lambda: desk.assign(payment, document, UNIT)] * 5
            outcomes = at_once([*assign, lambda: desk.cancel_payment(payment), *assign])
            refused = {tuple(codes_of(o)) for o in outcomes if not isinstance(o, Response | Payment)}
            ledger = subject.queries.ledger(account.ref_id)
            assert ledger is not None
            if ledger.payments[0].cancelled:
                assert refused == {("PAYMENT_CANCELLED",)}
                assert (ledger.settlements, ledger.documents[0].due_amount) == ((), 100 * UNIT)
            else:
                assert refused == {("HAS_ASSIGNMENTS",)}
                assert len(ledger.settlements) == 10

        def test_a_payment_that_moved_to_another_account_takes_its_past_along(
            self, subject: Subject, desk: Desk
        ) -> None:
            """What it had settled at T on the account before was not open at T, whoever's payment it is now."""
            after, expectations = a_payment_that_moved(desk)
            for as_of, expected in expectations:
                assert open_of_payments(_ledger(subject, after), as_of) == expected

    return TakingBackLaws
