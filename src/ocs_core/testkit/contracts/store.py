"""The laws of a `Store`, its unit of work, its outbox and its isolation."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.collection import Ledger, LineKind, collection_balance
from ocs_core.entities.account import AccountState
from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.messages import PaymentDocuments, Response
from ocs_core.money import MAX_AMOUNT
from ocs_core.ports import AccountId, DocumentId, Found, PaymentId, Performed, RequestKey, SliceWanted, Wanted
from ocs_core.queries import (
    ChargeableEventSearch,
    DocumentSearch,
    PaymentSearch,
)
from ocs_core.testkit.contracts.subject import MANY, TEXT_THAT_HURTS, Make, Subject, at_once, codes_of, desk_on
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW, FaultyStore
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest


def store_contract(make: Make) -> type:
    """The laws of a `Store`, its unit of work, its outbox and its isolation."""

    class StoreContract:
        @pytest.fixture
        def subject(self) -> Any:
            with make() as subject:
                yield subject

        @pytest.fixture
        def desk(self, subject: Subject) -> Desk:
            return desk_on(subject.store)

        def test_everything_written_is_read_as_it_was(self, subject: Subject, desk: Desk) -> None:
            """Money passes through it: no field may come back changed, not at the ends of its range either."""
            top = MAX_AMOUNT // 10_000 * 10_000
            account = desk.account(TEXT_THAT_HURTS, customer="x" * 255, segment="gold", custom_name="Ünïcödé")
            technical = desk.account("T", account_type="technical", parent=named(account))
            late = NOW.replace(microsecond=123456)
            payment = desk.payment(
                account=account,
                amount=top,
                external_payment_no="E" * 255,
                payment_ref1=TEXT_THAT_HURTS,
                payer_note="n" * 2000,
                payment_date_received=late.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45))),
            )
            document = desk.document(
                account=account, amount=top, tax="vat21", document_due_date=dt.date(2999, 12, 31), payment_ref3="r"
            )
            event = desk.event(account=technical, charge=MAX_AMOUNT, tax=0, external_id="ev")
            with subject.store.begin() as uow:
                found = uow.find(
                    Wanted(
                        account=named(technical),
                        payment=PaymentId(ref_id=payment.ref_id),
                        document=DocumentId(ref_id=document.ref_id),
                    )
                )
                charged = uow.find(Wanted(chargeable_event=event.ref_id, account=named(account)))
            assert (found.account, found.payer, found.payment, found.document) == (technical, None, payment, document)
            assert found.owner == account
            assert (charged.chargeable_event, charged.owner, charged.account) == (event, technical, account)
            assert charged.payer is not None
            assert charged.payer.account == account.ref
            assert found.payment is not None
            assert found.payment.payment_date_received == late

        def test_what_is_not_there_is_not_found(self, subject: Subject, desk: Desk) -> None:
            """A store that invents something would pass rules that must fail."""
            nobody = desk.ids()
            with subject.store.begin() as uow:
                found = uow.find(
                    Wanted(
                        key=RequestKey("a", "r"),
                        account=AccountId(external_id="nobody"),
                        parent=AccountId(ref_id=nobody),
                        payment=PaymentId(ref_id=nobody, payment_no="x", external_payment_no="x"),
                        document=DocumentId(document_no="x", external_document_no="x"),
                        settlements=True,
                        chargeable_event=nobody,
                        external_account_id="x",
                        external_payment_no="x",
                        external_document_no="x",
                        accounts=(AccountId(ref_id=nobody), AccountId(external_id="nobody")),
                        external_event_ids=("x",),
                    )
                )
            assert attrs.asdict(found, recurse=False) | {"configuration": None} == {
                "configuration": None,
                "performed": None,
                "account": None,
                "payer": None,
                "parent": None,
                "payment": None,
                "document": None,
                "settlements": (),
                "owner": None,
                "chargeable_event": None,
                "adjustments": (),
                "accounts": {},
                "external_account_id_taken": False,
                "external_payment_no_taken": False,
                "external_document_no_taken": False,
                "external_event_ids_taken": frozenset(),
                "number": None,
            }

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

            def found(**wanted: Any) -> Found:
                with subject.store.begin() as uow:
                    return uow.find(Wanted(**wanted))

            for some in (incoming, *({name: value} for name, value in incoming.items())):
                by_name = found(payment=PaymentId(**some))
                assert (by_name.payment, by_name.owner) == (payment, account)
            for some in (invoice, *({name: value} for name, value in invoice.items())):
                by_name = found(document=DocumentId(**some), payment=PaymentId(ref_id=desk.ids()))
                assert (by_name.document, by_name.owner) == (document, account)
            wrong: dict[str, Any]
            for wrong in ({"ref_id": sent.ref_id}, {"payment_no": sent.payment_no}, {"external_payment_no": "E-2"}):
                nothing = found(payment=PaymentId(**incoming | wrong))
                assert (nothing.payment, nothing.owner) == (None, None)
            for wrong in ({"ref_id": other.ref_id}, {"document_no": other.document_no}, {"external_document_no": "X"}):
                nothing = found(document=DocumentId(**invoice | wrong), payment=PaymentId(**incoming))
                assert (nothing.document, nothing.payment, nothing.owner) == (None, payment, None)
            assert found(payment=PaymentId(external_payment_no="E-2")).payment is None
            assert found(payment=PaymentId(payment_no=sent.payment_no)).payment == sent

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
            of_payment, of_other = PaymentId(ref_id=payment.ref_id), PaymentId(payment_no=other.payment_no)
            of_document, of_another = DocumentId(ref_id=document.ref_id), DocumentId(document_no=another.document_no)
            expected: list[tuple[dict[str, Any], tuple[Settlement, ...]]] = [
                ({"payment": of_payment}, (first, fourth)),
                ({"document": of_document}, (first, third)),
                ({"payment": of_payment, "document": of_document}, (first,)),
                ({"payment": of_other, "document": of_document}, (third,)),
                ({"payment": of_other, "document": of_another}, ()),
                ({"payment": PaymentId(ref_id=desk.ids()), "document": of_document}, ()),
            ]
            for named_items, live in expected:
                with subject.store.begin() as uow:
                    assert uow.find(Wanted(**named_items, settlements=True)).settlements == live
            with subject.store.begin() as uow:
                assert uow.find(Wanted(payment=of_payment)).settlements == ()

        def test_external_ids_in_use_are_told_exactly(self, subject: Subject, desk: Desk) -> None:
            """Ids compare exactly; an outgoing payment does not take an incoming one's number."""
            account = desk.account("A-1")
            desk.payment(account=account, external_payment_no="in")
            out: dict[str, Any] = {
                "payment_type": PaymentType.OUT,
                "payment_date_sent": NOW,
                "payment_date_received": None,
            }
            desk.payment(account=account, external_payment_no="out", **out)
            desk.payment(account=account, external_payment_no="out", **out)
            desk.document(account=account, external_document_no="doc")
            desk.event(account=account, external_id="event")
            with subject.store.begin() as uow:
                taken = uow.find(
                    Wanted(
                        external_account_id="A-1",
                        external_payment_no="in",
                        external_document_no="doc",
                        external_event_ids=("event", "Event", "event "),
                    )
                )
                free = uow.find(
                    Wanted(external_account_id="a-1", external_payment_no="out", external_document_no="Doc")
                )
            assert (taken.external_account_id_taken, taken.external_payment_no_taken) == (True, True)
            assert taken.external_document_no_taken
            assert taken.external_event_ids_taken == {"event"}
            assert (free.external_account_id_taken, free.external_payment_no_taken) == (False, False)
            assert not free.external_document_no_taken

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
            before = subject.published()
            faults = 0
            for fault_at in range(1, 100):
                desk.store = FaultyStore(subject.store, fault_at, ZeroDivisionError("planted"))
                try:
                    desk.document(account=account, external_document_no=f"D-{fault_at}")
                except ZeroDivisionError:
                    faults += 1
                    assert subject.queries.documents(DocumentSearch()).items == ()
                    assert subject.published() == before
                else:
                    break
            assert faults >= 5
            (document,) = subject.queries.documents(DocumentSearch()).items
            assert document.document_no == "D0000000001"

        def test_document_numbers_have_no_gaps_and_payment_numbers_never_repeat(
            self, subject: Subject, desk: Desk
        ) -> None:
            """An auditor asks for the missing invoice; a refused one must not have taken a number."""
            account = desk.account("A-1")
            numbers = []
            for _ in range(5):
                numbers.append(desk.document(account=account).document_no)
                with pytest.raises(RequestRejected):
                    desk.document(account=account, document_type="unknown")
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

        def test_messages_wait_in_the_order_of_their_publication(self, subject: Subject, desk: Desk) -> None:
            """Per key, the order of the commits is the order in which the world learns of them."""
            account = desk.account("A-1")
            desk.payment(account=account)
            codes = [p.code for p in subject.published()]
            assert codes == ["account", "payer", "payment", "paymentHistory", "paymentHistory", "paymentReceived"]
            assert {p.key for p in subject.published()} == {account.ref_id}

        def test_a_message_published_again_under_its_id_waits_once(self, subject: Subject, desk: Desk) -> None:
            """A run that is repeated makes the same message ids: nothing is announced twice."""
            desk.document(account=desk.account("A-1"), document_issued_date=dt.date(2024, 1, 1))
            desk.collect(as_of=NOW)
            before = subject.published()
            desk.collect(as_of=NOW)
            assert subject.published() == before

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
            (stored,) = subject.queries.payments(PaymentSearch()).items
            assert stored.remaining_amount == 2 * UNIT

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

        def test_a_payment_that_moved_to_another_account_takes_its_past_along(
            self, subject: Subject, desk: Desk
        ) -> None:
            """What it had settled at T on the account before was not open at T, whoever's payment it is now."""
            before, after = desk.account("A-1"), desk.account("A-2")
            payment, document = desk.payment(account=before), desk.document(account=before)
            desk.assign(payment, document, 20 * UNIT)
            settled = desk.clock()
            desk.clock.advance(days=1)
            desk.cancel_assignment(payment, document)
            desk.assign(desk.cancel_identification(payment), desk.document(account=after), 10 * UNIT)

            def remaining(ledger: Ledger | None, as_of: dt.datetime) -> int:
                assert ledger is not None
                lines = collection_balance(ledger, configuration(), as_of).lines
                return sum(line.open_amount for line in lines if line.kind is LineKind.PAYMENT)

            for as_of, expected in ((settled, 30 * UNIT), (desk.clock(), 40 * UNIT)):
                assert remaining(subject.queries.ledger(after.ref_id), as_of) == expected
                for accounts in ((after.ref_id,), ()):
                    with subject.store.begin(snapshot=True) as uow:
                        ledgers = uow.ledgers(SliceWanted(as_of=as_of, accounts=accounts))
                    assert [remaining(ledger, as_of) for ledger in ledgers][-1] == expected

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
                while ledgers := uow.ledgers(SliceWanted(as_of=NOW, after=after, limit=3)):
                    seen.extend(ledger.account.ref_id for ledger in ledgers)
                    after = seen[-1]
                some = uow.ledgers(SliceWanted(as_of=NOW, accounts=(accounts[2].ref_id, gone.ref_id)))
            assert seen == [account.ref_id for account in accounts]
            assert [ledger.account for ledger in some] == [accounts[2]]

    return StoreContract
