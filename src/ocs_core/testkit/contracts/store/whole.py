"""Nothing is left out: what a store keeps and finds is all of it, however much there is and whatever became of it."""

from typing import Any, get_args

import attrs
import pytest

from ocs_core.entities.account import AccountName, AccountState
from ocs_core.entities.chargeable_event import ChargeableEventKind
from ocs_core.entities.document import DocumentName, DueAmountType
from ocs_core.entities.payment import OperationType, PaymentHistory, PaymentName, PaymentType
from ocs_core.entities.settlement import SettlementSide
from ocs_core.errors import Conflict
from ocs_core.messages import PaymentDocuments, Response, Step, link_of
from ocs_core.money import MAX_AMOUNT
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import (
    DOCUMENT_NUMBERS,
    PAYMENT_NUMBERS,
    AccountsNamed,
    AdjustmentsOf,
    DocumentNamed,
    LiveSettlements,
    NextNumber,
    PaymentNamed,
    Taken,
    TakenEvents,
)
from ocs_core.ports.lookups import Unique
from ocs_core.testkit.contracts.subject import (
    MORE_THAN_A_PAGE,
    TEXT_THAT_HURTS,
    Subject,
    all_there,
    keep,
)
from ocs_core.testkit.contracts.values import (
    a_document,
    a_payer,
    a_payment,
    a_settlement,
    an_account,
    an_event,
    id_of,
)
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.testkit.fakes import NOW

ACCOUNT, OTHER = an_account(1), an_account(2)
PAYMENT, DOCUMENT = a_payment(3, ACCOUNT), a_document(4, ACCOUNT)


def _history(number: int) -> PaymentHistory:
    return PaymentHistory(
        ref_id=id_of(number),
        operation_type=OperationType.CREATED,
        operation_code="PAYMENT_IN_CREATED",
        created_date=NOW,
        created_by="contract",
        payment_type=PaymentType.IN,
        payment_ref_id=PAYMENT.ref_id,
        effective_date=NOW,
    )


EACH: dict[str, Any] = {
    "an account": ACCOUNT,
    "a payer": a_payer(ACCOUNT),
    "a payment": PAYMENT,
    "an entry of a payment's history": _history(5),
    "a document": DOCUMENT,
    "a settlement": a_settlement(6, PAYMENT, DOCUMENT, UNIT),
    "a chargeable event": an_event(7, ACCOUNT),
}
"""One of each kind of entity."""
TAKEN: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "the external number of a cancelled payment": (
        a_payment(3, external_payment_no="X"),
        a_payment(5, external_payment_no="X"),
        {"cancelled": True, "cancelled_at": NOW},
    ),
    "the external number of a cancelled document": (
        a_document(3, ACCOUNT, external_document_no="X"),
        a_document(5, ACCOUNT, external_document_no="X"),
        {"cancelled": True, "cancelled_at": NOW},
    ),
    "the external id of a deactivated account": (
        an_account(3, external_id="X"),
        an_account(5, external_id="X"),
        {"state": AccountState.DEACTIVATED},
    ),
    "the external id of an invoiced event": (
        an_event(3, ACCOUNT, external_id="X"),
        an_event(5, ACCOUNT, external_id="X"),
        {"invoiced_document_ref_id": DOCUMENT.ref_id},
    ),
}
"""Something with a unique value, another one that wants it, and what becomes of the first."""


def whole_laws() -> type:
    """Nothing is left out."""

    class WholeLaws:
        @pytest.mark.parametrize("entity", EACH.values(), ids=EACH)
        def test_whatever_is_kept_is_kept_once_under_its_id(self, subject: Subject, entity: Any) -> None:
            """What was not kept can be added once more: an entry of a history that nobody missed until the auditor came."""
            keep(subject, entity)
            again = attrs.evolve(entity, **{"payment_no": "P-9"} if hasattr(entity, "payment_no") else {})
            with pytest.raises(Conflict), subject.store.begin() as uow:
                uow.add(again)

        @pytest.mark.parametrize("entity", EACH.values(), ids=EACH)
        def test_what_was_never_kept_cannot_be_changed(self, subject: Subject, entity: Any) -> None:
            """A change of something that is not there is lost, or worse, brings it into being without its rules."""
            with pytest.raises(Conflict), subject.store.begin() as uow:
                uow.save(entity)

        @pytest.mark.parametrize(("first", "second", "becomes"), TAKEN.values(), ids=TAKEN)
        def test_a_unique_value_stays_taken_whatever_becomes_of_its_owner(
            self, subject: Subject, first: Any, second: Any, becomes: dict[str, Any]
        ) -> None:
            """A bank's transfer that was cancelled and is imported again tomorrow must not come to life as another one."""
            keep(subject, first)
            with subject.store.begin() as uow:
                uow.save(attrs.evolve(first, **becomes))
            told = [subject.look_up(Taken(what, "X")) for what in get_args(Unique)]
            told.append(bool(subject.look_up(TakenEvents(("X",)))))
            assert sum(told) == 1, "a value is free that is taken"
            with pytest.raises(Conflict):
                keep(subject, second)

        def test_what_is_cancelled_is_still_found_by_its_numbers(self, subject: Subject, desk: Desk) -> None:
            """Who asks for a cancelled invoice is to be told that it is cancelled, not that it never was."""
            account = desk.account("A-1")
            payment = desk.cancel_payment(desk.payment(account=account, external_payment_no="E"))
            document = desk.cancel_document(desk.document(account=account, external_document_no="X"))
            for of_payment in (PaymentName(external_payment_no="E"), PaymentName(payment_no=payment.payment_no)):
                assert subject.look_up(PaymentNamed(of_payment)) == payment
            for of_document in (DocumentName(external_document_no="X"), DocumentName(document_no=document.document_no)):
                assert subject.look_up(DocumentNamed(of_document)) == document

        def test_an_event_is_found_with_all_its_adjustments(self, subject: Subject) -> None:
            """Each adjustment that is overlooked is a credit that may be given twice."""
            event = an_event(3, ACCOUNT, charge=MORE_THAN_A_PAGE * UNIT)
            adjustments = [
                an_event(n, ACCOUNT, -UNIT, original_ref_id=event.ref_id, kind=ChargeableEventKind.CREDIT)
                for n in range(10, 10 + MORE_THAN_A_PAGE)
            ]
            of_another = an_event(5, ACCOUNT, -UNIT, original_ref_id=id_of(4), kind=ChargeableEventKind.CREDIT)
            keep(subject, ACCOUNT, event, of_another, *adjustments)
            all_there(subject.look_up(AdjustmentsOf(event.ref_id)), adjustments, "adjustments")

        def test_an_item_is_found_with_all_its_live_settlements(self, subject: Subject) -> None:
            """A payment of many small invoices has many; the one that is overlooked stays paid by a cancelled payment."""
            settlements = [a_settlement(n, PAYMENT, DOCUMENT, 1) for n in range(10, 10 + MORE_THAN_A_PAGE)]
            keep(subject, ACCOUNT, PAYMENT, DOCUMENT, *settlements)
            found = subject.look_up(LiveSettlements(PaymentName(ref_id=PAYMENT.ref_id)))
            all_there(found, settlements, "settlements")
            assert [s.ref_id for s in found[:3]] == [s.ref_id for s in settlements[:3]]

        def test_a_settlement_is_found_from_either_side_whatever_its_sides_are(self, subject: Subject) -> None:
            """A credit that pays an invoice is a document on both sides: it is not free because it is no target."""
            credit = a_document(3, ACCOUNT, due_amount=0, due_amount_type=DueAmountType.LIABILITY)
            settled = attrs.evolve(
                a_settlement(5, PAYMENT, DOCUMENT, UNIT),
                source=SettlementSide.DOCUMENT_LIABILITY,
                source_ref_id=credit.ref_id,
            )
            keep(subject, ACCOUNT, a_payer(ACCOUNT), DOCUMENT, credit, settled)
            for side in (credit, DOCUMENT):
                of_side = LiveSettlements(document=DocumentName(ref_id=side.ref_id))
                assert subject.look_up(of_side) == (settled,)
            ledger = subject.queries.ledger(ACCOUNT.ref_id)
            assert ledger is not None
            assert ledger.settlements == (settled,)

        def test_many_accounts_are_found_each_by_the_name_it_was_asked_by(self, subject: Subject) -> None:
            """A feed of a thousand events names a thousand accounts; one that is passed over is told not to exist."""
            accounts = [an_account(n) for n in range(10, 10 + MORE_THAN_A_PAGE)]
            keep(subject, *accounts)
            by_name = {
                named(account)
                if n % 3 == 0
                else AccountName(ref_id=account.ref_id)
                if n % 3 == 1
                else AccountName(external_id=account.external_id): account
                for n, account in enumerate(accounts)
            }
            found = subject.look_up(AccountsNamed(tuple(by_name)))
            all_there(list(found.items()), list(by_name.items()), "accounts by name")

        def test_of_many_external_ids_all_that_are_taken_are_told(self, subject: Subject) -> None:
            """The last event of a feed is as much a repetition as the first."""
            events = [an_event(n, ACCOUNT, external_id=f"E-{n}") for n in range(10, 10 + MORE_THAN_A_PAGE)]
            keep(subject, ACCOUNT, *events)
            asked = tuple(f"E-{n}" for n in range(1000))
            found = subject.look_up(TakenEvents(asked))
            all_there(found, {event.external_id for event in events}, "external ids")

        def test_each_series_counts_for_itself(self, subject: Subject) -> None:
            """An auditor finds a gap in the invoices where payments took their numbers."""
            payments, documents = [subject.look_up(NextNumber(PAYMENT_NUMBERS))], list[int]()
            with subject.store.begin() as uow:
                documents += uow.draw(DOCUMENT_NUMBERS)
                payments += uow.draw(PAYMENT_NUMBERS, 2)
            with subject.store.begin() as uow:
                documents += uow.draw(DOCUMENT_NUMBERS, 3)
            payments.append(subject.look_up(NextNumber(PAYMENT_NUMBERS)))
            assert documents == [1, 2, 3, 4]
            assert payments == [1, 2, 3, 4]

        def test_an_answer_comes_back_with_everything_that_was_in_it(self, subject: Subject) -> None:
            """A client that lost an answer repeats itself to learn what was done, and believes what it is told then."""
            settlement = a_settlement(6, PAYMENT, DOCUMENT, MAX_AMOUNT)
            told = [*EACH.values(), link_of(PaymentDocuments, settlement)]
            payloads = [e for e in told if hasattr(e, "code")]
            answer = Response(tuple(Step("Anything", n, payload) for n, payload in enumerate(payloads, start=1)))
            performed = Performed(
                key=RequestKey("shop", TEXT_THAT_HURTS),
                operation="Anything",
                digest=bytes(range(32)),
                ref_ids=tuple(id_of(n) for n in range(1000)),
                performed_at=NOW,
                answer=answer,
            )
            with subject.store.begin() as uow:
                uow.remember(performed)
            with subject.store.begin() as uow:
                found = uow.find(key=performed.key).performed
            assert found is not None
            assert found.answer is not None
            all_there(found.ref_ids, performed.ref_ids, "refIds")
            all_there(found.answer.steps, answer.steps, "steps")
            assert (found.key, found.operation, found.digest, found.performed_at) == (
                performed.key,
                performed.operation,
                performed.digest,
                performed.performed_at,
            )

    return WholeLaws
