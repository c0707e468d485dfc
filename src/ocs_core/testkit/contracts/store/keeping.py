"""What is written comes back as it was, whichever way it is read."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args

import attrs
import pytest

from ocs_core.entities.account import AccountName
from ocs_core.entities.document import DocumentName
from ocs_core.entities.payment import Payment, PaymentName, PaymentType
from ocs_core.messages import format_instant
from ocs_core.money import MAX_AMOUNT
from ocs_core.performed import RequestKey
from ocs_core.ports import (
    AccountNamed,
    AccountsNamed,
    AdjustmentsOf,
    ChargeableEventWithId,
    DocumentNamed,
    LiveSettlements,
    Lookup,
    OwnerOf,
    PayerOf,
    PayersOf,
    PaymentNamed,
    SettlementsAfter,
    Taken,
    TakenEvents,
)
from ocs_core.ports.lookups import Unique
from ocs_core.queries import AccountSearch, ChargeableEventSearch, PaymentSearch
from ocs_core.testkit.contracts.subject import TEXT_THAT_HURTS, Subject, only
from ocs_core.testkit.contracts.values import (
    a_document,
    a_payer,
    a_payment,
    a_settlement,
    an_account,
    an_event,
)
from ocs_core.testkit.examples import Desk, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest

TEXTS = {
    "quotes and marks": TEXT_THAT_HURTS,
    "255 characters of two bytes": "é" * 255,
    "255 characters of four bytes": "💶" * 255,
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "the word null": "null",
    "looks like a number": "007",
}
NAMES = {"a byte order mark": "\ufeffx", "a joiner": "می\u200cخواهم", "turned around": "\u202etxt.exe"}
"""What a name or a note may hold, and no id."""
LOOK_ALIKES = ("A-1", "a-1", "Ａ-1", "\u00e9", "e\u0301", "É", "ß", "ss", "1", "01")
"""Texts that some collation, normal form or conversion takes for one another."""
INSTANTS = {
    "the last microsecond of a day": dt.datetime(2024, 5, 14, 23, 59, 59, 999_999, dt.UTC),
    "far east": dt.datetime(2024, 5, 14, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=14))),
    "a quarter hour": dt.datetime(2024, 5, 14, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))),
    "far west": dt.datetime(2024, 12, 31, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-11))),
    "the hour that Madrid has twice": dt.datetime(2024, 10, 27, 0, 30, tzinfo=dt.UTC),
    "the hour that Madrid does not have": dt.datetime(2024, 3, 31, 2, 30, tzinfo=dt.UTC),
    "the end of 2999": dt.datetime(2999, 12, 31, 23, 59, 59, 1, dt.UTC),
}


def _is_at(payment: Payment, instant: dt.datetime) -> None:
    received = payment.payment_date_received
    assert received is not None
    assert received.tzinfo is not None, f"{received!r} is naive"
    assert format_instant(received) == format_instant(instant)


def keeping_laws() -> type:
    """What is written comes back as it was, whichever way it is read."""

    class KeepingLaws:
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
            look_up, charged = subject.look_up, ChargeableEventWithId(event.ref_id)
            assert (look_up(AccountNamed(named(technical))), look_up(PayerOf(named(technical)))) == (technical, None)
            received = look_up(PaymentNamed(PaymentName(ref_id=payment.ref_id)))
            issued = DocumentNamed(DocumentName(ref_id=document.ref_id))
            assert (received, look_up(issued), look_up(OwnerOf(issued))) == (payment, document, account)
            assert (look_up(charged), look_up(OwnerOf(charged))) == (event, technical)
            payer = look_up(PayerOf(named(account)))
            assert payer is not None
            assert payer.account == account.ref
            assert received is not None
            assert received.payment_date_received == late

        def test_what_was_read_cannot_change_what_is_stored(self, subject: Subject, desk: Desk) -> None:
            """What is read is a value, with a hash; a change is saved, with its version and its messages, or there is none."""
            account = desk.account("A-1")
            document = desk.document(account=account, custom_attributes={"order": "7"})
            offset = UpdateDueDateOffsetRequest(
                request_id=desk.request_id(),
                account=named(account),
                document_type=document.document_type,
                due_date_offset=3,
            )
            desk.perform(UpdateDueDateOffset, offset)

            def read() -> list[Any]:
                of_payer, of_document = PayerOf(named(account)), DocumentNamed(DocumentName(ref_id=document.ref_id))
                with subject.store.begin() as uow:
                    found = uow.find(of_payer, of_document)
                return [found[of_payer], found[of_document], found.configuration]

            before = repr(read())
            for mapping in [value for entity in read() for value in attrs.asdict(entity, recurse=False).values()]:
                if isinstance(mapping, Mapping):
                    with suppress(TypeError):
                        mapping.update(x=99)  # type: ignore[attr-defined]
                    with suppress(TypeError):
                        mapping.clear()  # type: ignore[attr-defined]
            assert repr(read()) == before
            assert list(map(hash, read())) == list(map(hash, read()))

        def test_what_is_not_there_is_not_found(self, subject: Subject, desk: Desk) -> None:
            """A store that invents something would pass rules that must fail."""
            nobody = desk.ids()
            account, event = AccountName(external_id="nobody"), ChargeableEventWithId(nobody)
            payment = PaymentName(ref_id=nobody, payment_no="x", external_payment_no="x")
            document = DocumentName(document_no="x", external_document_no="x")
            nothing: dict[Lookup[Any], Any] = {
                AccountNamed(account): None,
                AccountNamed(AccountName(ref_id=nobody)): None,
                PayerOf(account): None,
                PaymentNamed(payment): None,
                DocumentNamed(document): None,
                LiveSettlements(payment, document): (),
                SettlementsAfter(NOW, payment, document): (),
                event: None,
                AdjustmentsOf(nobody): (),
                OwnerOf(event): None,
                AccountsNamed((AccountName(ref_id=nobody), account)): {},
                PayersOf((AccountName(ref_id=nobody), account)): {},
                TakenEvents(("x",)): frozenset(),
                **{Taken(what, "x"): False for what in get_args(Unique)},
            }
            with subject.store.begin() as uow:
                found = uow.find(*nothing, key=RequestKey("a", "r"))
            assert {lookup: found[lookup] for lookup in nothing} == nothing
            assert found.performed is None

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
            values: dict[Unique, tuple[str, str]] = {
                "external_account_id": ("A-1", "a-1"),
                "external_payment_no": ("in", "out"),
                "external_document_no": ("doc", "Doc"),
            }
            for what, (taken, free) in values.items():
                assert (subject.look_up(Taken(what, taken)), subject.look_up(Taken(what, free))) == (True, False)
            assert subject.look_up(TakenEvents(("event", "Event", "event "))) == {"event"}

        @pytest.mark.parametrize("amount", [1, 2**53 + 1, MAX_AMOUNT - 1, MAX_AMOUNT, -MAX_AMOUNT, -(2**53) - 1])
        def test_amounts_are_exact_to_the_ends_of_64_bits(self, subject: Subject, amount: int) -> None:
            """Millionths of a big customer's balance leave the range in which a float is exact; nobody sees it go."""
            account, size = an_account(1), abs(amount)
            payment, document = a_payment(2, account, size), a_document(3, account, size)
            settlement, event = a_settlement(4, payment, document, size), an_event(5, account, amount)
            payer = a_payer(account, collection_balance=amount)
            with subject.store.begin() as uow:
                for entity in (account, payer, payment, document, settlement, event):
                    uow.add(entity)  # type: ignore[type-var]
            ledger = subject.queries.ledger(account.ref_id)
            assert ledger is not None
            assert subject.look_up(PaymentNamed(PaymentName(ref_id=payment.ref_id))) == payment
            assert subject.look_up(DocumentNamed(DocumentName(ref_id=document.ref_id))) == document
            assert subject.look_up(ChargeableEventWithId(event.ref_id)) == event
            assert (ledger.payer, ledger.payments, ledger.documents) == (payer, (payment,), (document,))
            assert ledger.settlements == (settlement,)
            assert subject.queries.payments(PaymentSearch(amount_from=size, amount_to=size)).items == (payment,)
            searched = only(
                subject.queries.chargeable_events(ChargeableEventSearch(amount_from=amount)).items,
                "what the search found",
            )
            assert searched == event

        @pytest.mark.parametrize("text", [*TEXTS.values(), *NAMES.values()], ids=[*TEXTS, *NAMES])
        def test_text_that_hurts_is_kept_whole(self, subject: Subject, text: str) -> None:
            """A limit is of characters, not of bytes; names are not ours to mend, and an id that was mended finds nothing."""
            external_id = text if text in TEXTS.values() else "A-1"
            account = an_account(1, external_id=external_id, customer=text)
            payment = a_payment(2, account, external_payment_no=external_id, payment_ref2=text, description=text)
            with subject.store.begin() as uow:
                uow.add(account)
                uow.add(payment)
            assert subject.look_up(AccountNamed(AccountName(external_id=external_id))) == account
            assert subject.look_up(Taken("external_payment_no", external_id))
            assert subject.queries.accounts(AccountSearch(customer=text)).items == (account,)
            assert subject.queries.payments(PaymentSearch(payment_ref=text)).items == (payment,)

        def test_ids_that_only_look_alike_are_different(self, subject: Subject) -> None:
            """Ids compare exactly: a collation that takes two customers for one pays the debt of one with the other's money."""
            accounts = [an_account(number, external_id=text) for number, text in enumerate(LOOK_ALIKES, 1)]
            with subject.store.begin() as uow:
                for account in accounts:
                    uow.add(account)
            for account in accounts:
                assert subject.look_up(AccountNamed(AccountName(external_id=account.external_id))) == account
                assert subject.queries.account(AccountName(external_id=account.external_id)) == account

        @pytest.mark.parametrize("instant", INSTANTS.values(), ids=INSTANTS)
        def test_instants_keep_their_moment_and_have_an_offset(self, subject: Subject, instant: dt.datetime) -> None:
            """An instant without its offset is another instant on a server in another country."""
            payment = a_payment(1, payment_date_received=instant)
            with subject.store.begin() as uow:
                uow.add(payment)
            found = subject.look_up(PaymentNamed(PaymentName(ref_id=payment.ref_id)))
            assert found is not None
            _is_at(found, instant)
            searched = only(subject.queries.payments(PaymentSearch(date_from=instant)).items, "what the search found")
            _is_at(searched, instant)

        def test_what_is_absent_stays_absent(self, subject: Subject) -> None:
            """None is not the empty text nor zero: a payer without an offset of days has the default, not the due day at once."""
            account = an_account(1, external_id=None)
            payer, payment, document = a_payer(account), a_payment(2), a_document(3, account)
            with subject.store.begin() as uow:
                for entity in (account, payer, payment, document):
                    uow.add(entity)  # type: ignore[type-var]
            name = AccountName(ref_id=account.ref_id)
            assert (subject.look_up(AccountNamed(name)), subject.look_up(PayerOf(name))) == (account, payer)
            assert subject.look_up(PaymentNamed(PaymentName(ref_id=payment.ref_id))) == payment
            assert subject.look_up(DocumentNamed(DocumentName(ref_id=document.ref_id))) == document

    return KeepingLaws
