"""Many at once: each is told the truth, and what they leave is what one after the other would have left."""

import threading

import attrs
import pytest

from ocs_core.entities.account import Account, AccountState
from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.entities.payment import Payment
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.messages import Response
from ocs_core.queries import ChargeableEventSearch, PaymentSearch
from ocs_core.testkit.contracts.subject import MANY, Subject, at_once, codes_of, only
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest


def racing_laws() -> type:
    """Many at once: each is told the truth, and what they leave is what one after the other would have left."""

    class RacingLaws:
        def test_of_many_who_register_one_external_number_one_succeeds(self, subject: Subject, desk: Desk) -> None:
            """A bank's file that arrives twice at once must not become money twice."""
            account = desk.account("A-1")
            outcomes = at_once([lambda: desk.payment(account=account, external_payment_no="X")] * MANY)
            assert sum(isinstance(o, Payment) for o in outcomes) == 1
            refused = [o for o in outcomes if not isinstance(o, Payment)]
            assert {tuple(codes_of(o)) for o in refused} == {("EXTERNAL_PAYMENT_NO_EXISTS",)}
            assert len(subject.queries.payments(PaymentSearch()).items) == 1

        def test_of_many_who_send_one_request_id_one_performs_and_all_get_its_answer(
            self, subject: Subject, desk: Desk
        ) -> None:
            """A client that loses patience repeats itself; it must neither pay twice nor be told two things."""
            account = desk.account("A-1")
            request = RegisterPaymentRequest(
                request_id="same",
                account=named(account),
                external_payment_no="X",
                payment_amount=10 * UNIT,
                currency="EUR",
                payment_method="cash",
                payment_date_received=NOW,
            )
            outcomes = at_once([lambda: desk.perform(RegisterPayment, request)] * MANY)
            assert sum(not o.replayed for o in outcomes) == 1
            assert all(o.steps == outcomes[0].steps for o in outcomes)
            assert len(subject.queries.payments(PaymentSearch()).items) == 1

        def test_racing_assignments_never_assign_more_than_remains(self, subject: Subject, desk: Desk) -> None:
            """What remains of a payment is read exclusively: ten who want six of fifty get eight times six."""
            account = desk.account("A-1")
            payment = desk.payment(account=account, amount=50 * UNIT)
            documents = [desk.document(account=account, amount=100 * UNIT) for _ in range(10)]
            outcomes = at_once([lambda d=d: desk.assign(payment, d, 6 * UNIT) for d in documents])  # type: ignore[misc]
            refused = [o for o in outcomes if not isinstance(o, Response)]
            assert [codes_of(o) for o in refused] == [["AMOUNT_EXCEEDS_REMAINING"]] * 2
            stored = only(subject.queries.payments(PaymentSearch()).items, "payments")
            assert stored.remaining_amount == 2 * UNIT

        def test_racing_credits_never_take_a_charge_below_zero(self, subject: Subject, desk: Desk) -> None:
            """The event is read with its adjustments exclusively: of fifty credits of three tenths, three fit."""
            account = desk.account("A-1")
            event = desk.event(account=account, charge=10 * UNIT, tax=0, tax_rate=0)

            def credit(number: int) -> Response:
                request = AdjustChargeableEventRequest(
                    request_id=f"credit-{number}",
                    chargeable_event_ref_id=event.ref_id,
                    charge_type=ChargeType.CREDIT,
                    charge_adjustment=3 * UNIT,
                    currency="EUR",
                    tax_included=True,
                )
                return desk.perform(AdjustChargeableEvent, request)

            outcomes = at_once([lambda n=n: credit(n) for n in range(MANY)])  # type: ignore[misc]
            assert sum(isinstance(o, Response) for o in outcomes) == 3
            events = subject.queries.chargeable_events(ChargeableEventSearch(limit=200)).items
            assert sum(e.charge_with_tax for e in events) == 1 * UNIT

        def test_no_command_lands_on_an_account_after_its_deactivation(self, subject: Subject, desk: Desk) -> None:
            """The account a rule leaned on is locked until the commit: the deactivation is the last thing told of it."""
            account = desk.account("A-1")
            deactivate = UpdateAccountStateRequest(
                request_id="deactivate", account=named(account), state=AccountState.DEACTIVATED
            )
            pay = [lambda: desk.payment(account=account)] * 20
            outcomes = at_once([*pay, lambda: desk.perform(UpdateAccountState, deactivate), *pay])
            assert isinstance(outcomes[20], Response)
            landed = sum(isinstance(o, Payment) for o in outcomes)
            refused = {tuple(codes_of(o)) for o in outcomes if not isinstance(o, Payment | Response)}
            assert refused <= {("ACCOUNT_DEACTIVATED",)}
            codes = [p.code for p in subject.published()]
            assert codes.count("payment") == landed
            assert codes[-1] == "account"
            with pytest.raises(RequestRejected) as late:
                desk.payment(account=account)
            assert codes_of(late.value) == ["ACCOUNT_DEACTIVATED"]

        def test_racing_changes_of_one_payer_are_all_kept(self, subject: Subject, desk: Desk) -> None:
            """The payer is read exclusively: an offset per type set by one caller survives the other's."""
            account = desk.account("A-1")
            types = ("genericInvoice", "creditNote", "deposit")

            def offset(number: int) -> Response:
                request = UpdateDueDateOffsetRequest(
                    request_id=f"offset-{number}",
                    account=named(account),
                    due_date_offset=number,
                    document_type=types[number % 3],
                )
                return desk.perform(UpdateDueDateOffset, request)

            outcomes = at_once([lambda n=n: offset(n) for n in range(12)])  # type: ignore[misc]
            assert all(isinstance(o, Response) for o in outcomes)
            ledger = subject.queries.ledger(account.ref_id)
            assert ledger is not None
            assert set(ledger.payer.due_date_offsets) == set(types)

        def test_a_reader_never_sees_half_an_assignment(self, subject: Subject, desk: Desk) -> None:
            """Payment, document and settlement change together, or a balance is wrong for a moment."""
            account = desk.account("A-1")
            payment = desk.payment(account=account, amount=100 * UNIT)
            document = desk.document(account=account, amount=100 * UNIT)
            done = threading.Event()
            halves: list[tuple[int, int, int]] = []
            looks: list[int] = []

            def look() -> None:
                while not done.is_set():
                    ledger = subject.queries.ledger(account.ref_id)
                    assert ledger is not None
                    settled = sum(s.amount for s in ledger.settlements)
                    remaining, due = ledger.payments[0].remaining_amount, ledger.documents[0].due_amount
                    looks.append(settled)
                    if not remaining == due == 100 * UNIT - settled:
                        halves.append((remaining, due, settled))

            reader = threading.Thread(target=look)
            reader.start()
            for _ in range(25):
                desk.assign(payment, document, 4 * UNIT)
            done.set()
            reader.join()
            assert halves == []
            assert looks

        def test_of_many_who_change_what_they_all_read_one_succeeds(self, subject: Subject, desk: Desk) -> None:
            """The others learn that they were late: a change that is lost without a word was promised to somebody."""
            account = desk.account("A-1")

            def rename(name: str) -> Account:
                with subject.store.begin() as uow:
                    return uow.save(attrs.evolve(account, custom_name=name))

            outcomes = at_once([lambda n=n: rename(f"name {n}") for n in range(10)])  # type: ignore[misc]
            winner = only([o for o in outcomes if isinstance(o, Account)], "callers who succeeded")
            assert {type(o) for o in outcomes if o is not winner} == {Conflict}
            assert subject.queries.account(named(account)) == winner

    return RacingLaws
