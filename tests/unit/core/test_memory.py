"""The store in memory: what the ports promise, and what each search means."""

from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.entities.account import AccountName, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document, DocumentName, DocumentState
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentName, PaymentType
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.memory import MemoryIds, MemoryQueries, MemoryStore
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import (
    AccountNamed,
    AdjustmentsOf,
    ChargeableEventWithId,
    DocumentNamed,
    LiveSettlements,
    Lookup,
    OwnerOf,
    PayerOf,
    PaymentNamed,
)
from ocs_core.queries import AccountSearch, ChargeableEventSearch, DocumentSearch, PaymentSearch
from ocs_core.testkit.examples import NOW, UNIT, named
from ocs_core.testkit.fakes import SettableClock
from ocs_core.usecases.read_process_run import ReadProcessRun

from .scene import DAY, NOTHING, Scene, everything_in


def test_a_saved_entity_comes_back_with_its_version_raised(scene: Scene) -> None:
    with scene.store.begin() as uow:
        saved = uow.save(attrs.evolve(scene.document, due_amount=0))

    assert (saved.version, scene.now_is(scene.document)) == (2, saved)


def test_a_stale_version_is_a_conflict_and_leaves_nothing(scene: Scene) -> None:
    scene.change(scene.document, due_amount=0)
    before = everything_in(scene.store)

    def change_with_an_old_version() -> None:
        with scene.store.begin() as uow:
            uow.add(attrs.evolve(scene.payer, ref_id=NOTHING, external_id="new"))
            uow.save(attrs.evolve(scene.document, due_amount=1))

    with pytest.raises(Conflict):
        change_with_an_old_version()

    assert everything_in(scene.store) == before


def test_what_does_not_exist_cannot_be_saved(scene: Scene) -> None:
    with pytest.raises(Conflict), scene.store.begin() as uow:
        uow.save(attrs.evolve(scene.document, ref_id=NOTHING))


def test_the_same_entity_cannot_be_added_twice(scene: Scene) -> None:
    with pytest.raises(Conflict), scene.store.begin() as uow:
        uow.add(scene.document)


def run(n: int, **changes: Any) -> ProcessRun:
    return ProcessRun(ref_id=UUID(int=n), as_of=NOW, started_at=NOW, **changes)


@pytest.mark.parametrize("what", ["account", "payment", "document", "event", "run"])
def test_a_taken_unique_value_is_a_conflict(scene: Scene, what: str) -> None:
    first: Any = {
        "account": lambda: scene.payer,
        "payment": lambda: scene.desk.payment(external_payment_no="E-1"),
        "document": lambda: scene.desk.document(account=scene.payer, external_document_no="E-1"),
        "event": lambda: scene.desk.event(account=scene.payer, external_id="E-1"),
        "run": lambda: scene.keep(run(1)),
    }[what]()
    before = everything_in(scene.store)

    with pytest.raises(Conflict), scene.store.begin() as uow:
        uow.add(attrs.evolve(first, ref_id=UUID(int=2)))

    assert everything_in(scene.store) == before


def test_a_run_that_is_done_makes_room_for_the_next(scene: Scene) -> None:
    scene.change(scene.keep(run(1)), state=RunState.DONE)

    assert scene.keep(run(2)).state is RunState.RUNNING


def test_a_value_that_a_change_takes_is_taken(scene: Scene) -> None:
    scene.change(scene.unidentified, external_payment_no="E-1")

    with pytest.raises(RequestRejected, match="EXTERNAL_PAYMENT_NO_EXISTS"):
        scene.desk.payment(external_payment_no="E-1")
    with pytest.raises(Conflict):
        scene.change(scene.identified, external_payment_no="E-1")
    scene.change(scene.unidentified, external_payment_no=None)
    assert scene.desk.payment(external_payment_no="E-1").external_payment_no == "E-1"


def test_a_payment_taken_from_an_account_is_off_its_ledger(scene: Scene) -> None:
    queries = scene.queries()
    scene.change(scene.identified, account=scene.other.ref)
    ledgers = [queries.ledger(account.ref_id) for account in (scene.payer, scene.other)]

    assert [[p.ref_id for p in ledger.payments] for ledger in ledgers if ledger] == [
        [scene.assigned.ref_id],
        [scene.identified.ref_id],
    ]

    scene.change(scene.identified, account=None)
    ledger = queries.ledger(scene.other.ref_id)
    assert ledger is not None
    assert ledger.payments == ()


def test_a_message_published_twice_leaves_once(scene: Scene) -> None:
    (*_, last) = scene.store.outbox.values()
    before = list(scene.store.outbox)

    with scene.store.begin() as uow:
        uow.publish(attrs.evolve(last, transaction_id="again"))

    assert list(scene.store.outbox) == before
    assert scene.store.outbox[last.ref_id] == last


def test_a_command_is_remembered_once(scene: Scene) -> None:
    performed = Performed(
        key=RequestKey("crm", "1"), operation="X", digest=b"", ref_ids=(), performed_at=NOW, answer=None
    )
    with scene.store.begin() as uow:
        uow.remember(performed)

    with pytest.raises(Conflict), scene.store.begin() as uow:
        uow.remember(attrs.evolve(performed, operation="Y"))

    assert scene.store.performed[performed.key] == performed


def test_what_is_not_there_is_found_as_nothing(scene: Scene) -> None:
    event = ChargeableEventWithId(NOTHING)
    nothing: dict[Lookup[Any], Any] = {
        **{AccountNamed(name): None for name in (None, AccountName())},
        **{PayerOf(name): None for name in (None, AccountName())},
        **{PaymentNamed(name): None for name in (None, PaymentName())},
        **{DocumentNamed(name): None for name in (None, DocumentName())},
        LiveSettlements(PaymentName(), DocumentName()): (),
        OwnerOf(PaymentNamed(None)): None,
        OwnerOf(event): None,
        event: None,
        AdjustmentsOf(NOTHING): (),
    }
    with scene.store.begin() as uow:
        found = uow.find(*nothing)

    assert [found[lookup] for lookup in nothing] == list(nothing.values())
    assert found.performed is None


def test_of_the_runs_those_that_matter_are_the_running_ones_dry_or_not(scene: Scene) -> None:
    scene.keep(attrs.evolve(run(1), state=RunState.DONE))
    storing, dry = scene.keep(run(5)), scene.keep(attrs.evolve(run(4), dry_run=True))
    going_on = scene.run  # a dry one that the scene began

    with scene.store.begin() as uow:
        assert list(uow.runs("calculate-collection-balance")) == [dry, storing, going_on]
        assert list(uow.runs("another-process")) == []


def test_ids_rise_with_the_clock_and_are_uuids_of_version_7() -> None:
    clock = SettableClock()
    ids = MemoryIds(clock)
    made = [ids() for _ in range(1000)]
    clock.advance(milliseconds=1)
    made.append(ids())

    assert made == sorted(set(made))
    assert {(i.version, i.variant) for i in made} == {(7, UUID(int=2 << 62).variant)}
    assert made[0].int >> 80 == NOW.timestamp() * 1000


@pytest.fixture
def queries(scene: Scene) -> MemoryQueries:
    """Over a scene with some more payments, documents and events."""
    desk = scene.desk
    desk.payment(account=scene.other, amount=7 * UNIT, payment_ref2="R", external_payment_no="E-1")
    desk.payment(account=scene.other, payment_date_received=NOW - DAY)
    desk.payment(account=scene.payer, payment_type=PaymentType.PROMISE_TO_PAY, payment_date_received=None)
    scene.change(desk.payment(account=scene.other), cancelled=True, cancelled_at=NOW)
    desk.document(account=scene.other, amount=7 * UNIT, payment_ref3="R", external_document_no="E-1")
    desk.document(account=scene.other, document_issued_date=NOW.date() - DAY, document_type="creditNote")
    scene.change(desk.document(account=scene.payer), due_amount=0)
    event = desk.event(account=scene.other, charge=5, tax=0, event_type="sms", event_date=NOW - DAY)
    scene.perform("AdjustChargeableEvent", scene.request("AdjustChargeableEvent"))
    scene.change(event, invoiced_document_ref_id=scene.document.ref_id)
    desk.account("C-1", customer="Ann", account_type="technical")
    return scene.queries()


SEARCHES: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda p: True),
    ({"account_external_id": "A-2"}, lambda p: p.account and p.account.external_id == "A-2"),
    ({"account_external_id": "nobody"}, lambda p: False),
    ({"date_from": NOW}, lambda p: p.payment_date_received and p.payment_date_received >= NOW),
    ({"date_to": NOW}, lambda p: p.payment_date_received and p.payment_date_received < NOW),
    ({"date_from": NOW.date()}, lambda p: p.payment_date_received == NOW),
    ({"date_to": NOW.date()}, lambda p: p.payment_date_received == NOW - DAY),
    ({"amount_from": 7 * UNIT + 1}, lambda p: p.payment_amount > 7 * UNIT),
    ({"amount_to": 7 * UNIT}, lambda p: p.payment_amount <= 7 * UNIT),
    ({"payment_ref": "R"}, lambda p: "R" in {p.payment_ref1, p.payment_ref2, p.payment_ref3}),
    ({"payment_no": "P0000000002"}, lambda p: p.payment_no == "P0000000002"),
    ({"external_payment_no": "E-1"}, lambda p: p.external_payment_no == "E-1"),
    ({"payment_type": PaymentType.PROMISE_TO_PAY}, lambda p: p.payment_type is PaymentType.PROMISE_TO_PAY),
    ({"identified": False}, lambda p: p.account is None),
    ({"identified": True}, lambda p: p.account is not None),
    ({"cancelled": True}, lambda p: p.cancelled),
    ({"cancelled": False, "identified": True, "amount_to": 7 * UNIT}, lambda p: p.external_payment_no == "E-1"),
]


@pytest.mark.parametrize(("filters", "matches"), SEARCHES, ids=lambda v: "-".join(v) if isinstance(v, dict) else "")
def test_payments_are_found_by_each_filter(
    scene: Scene, queries: MemoryQueries, filters: dict[str, Any], matches: Any
) -> None:
    everything = sorted(scene.store.entities[Payment].values(), key=lambda p: p.ref_id, reverse=True)
    page = queries.payments(PaymentSearch(**filters))

    assert list(page.items) == [p for p in everything if matches(p)]
    assert page.next is None


DOCUMENT_SEARCHES: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda d: True),
    ({"account_external_id": "A-2"}, lambda d: d.account.external_id == "A-2"),
    ({"date_from": NOW.date()}, lambda d: d.document_issued_date >= NOW.date()),
    ({"date_to": NOW.date()}, lambda d: d.document_issued_date < NOW.date()),
    ({"amount_from": 100 * UNIT}, lambda d: d.total_amount_net >= 100 * UNIT),
    ({"amount_to": 7 * UNIT}, lambda d: d.total_amount_net <= 7 * UNIT),
    ({"payment_ref": "R"}, lambda d: d.payment_ref3 == "R"),
    ({"document_no": "D0000000001"}, lambda d: d.document_no == "D0000000001"),
    ({"external_document_no": "E-1"}, lambda d: d.external_document_no == "E-1"),
    ({"document_type": "creditNote"}, lambda d: d.document_type == "creditNote"),
    ({"state": DocumentState.SETTLED}, lambda d: d.due_amount == 0),
    ({"state": DocumentState.OPEN}, lambda d: d.due_amount == d.total_amount_net),
]


@pytest.mark.parametrize(("filters", "matches"), DOCUMENT_SEARCHES)
def test_documents_are_found_by_each_filter(
    scene: Scene, queries: MemoryQueries, filters: dict[str, Any], matches: Any
) -> None:
    everything = sorted(scene.store.entities[Document].values(), key=lambda d: d.ref_id, reverse=True)
    found = list(queries.documents(DocumentSearch(**filters)).items)

    assert found
    assert found == [d for d in everything if matches(d)]


EVENT_SEARCHES: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda e: True),
    ({"account_external_id": "A-2"}, lambda e: e.account.external_id == "A-2"),
    ({"date_from": NOW.date()}, lambda e: e.event_date == NOW),
    ({"date_to": NOW}, lambda e: e.event_date < NOW),
    ({"amount_from": 6}, lambda e: e.charge_with_tax >= 6),
    ({"amount_to": 0}, lambda e: e.charge_with_tax <= 0),
    ({"event_type": "sms"}, lambda e: e.event_type == "sms"),
    ({"invoiced": True}, lambda e: e.invoiced_document_ref_id is not None),
    ({"invoiced": False}, lambda e: e.invoiced_document_ref_id is None),
]


@pytest.mark.parametrize(("filters", "matches"), EVENT_SEARCHES)
def test_chargeable_events_are_found_by_each_filter(
    scene: Scene, queries: MemoryQueries, filters: dict[str, Any], matches: Any
) -> None:
    everything = sorted(scene.store.entities[ChargeableEvent].values(), key=lambda e: e.ref_id, reverse=True)
    found = list(queries.chargeable_events(ChargeableEventSearch(**filters)).items)

    assert found
    assert found == [e for e in everything if matches(e)]


def test_an_events_adjustments_are_found_by_their_original(scene: Scene, queries: MemoryQueries) -> None:
    (adjustment,) = queries.chargeable_events(ChargeableEventSearch(original_ref_id=scene.event.ref_id)).items
    (original,) = queries.chargeable_events(ChargeableEventSearch(ref_id=scene.event.ref_id)).items

    assert (adjustment.original_ref_id, original) == (scene.event.ref_id, scene.event)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["C-1", "A-3", "T-1", "A-2", "A-1"]),
        ({"external_id": "A-2"}, ["A-2"]),
        ({"account_external_id": "A-2"}, ["A-2"]),
        ({"account_external_id": "A-2", "external_id": "A-1"}, []),
        ({"account_type": "technical"}, ["C-1", "T-1"]),
        ({"customer": "Ann"}, ["C-1"]),
        ({"state": AccountState.DEACTIVATED}, ["A-3"]),
    ],
)
def test_accounts_are_found_by_each_filter(
    queries: MemoryQueries, filters: dict[str, Any], expected: list[str]
) -> None:
    assert [account.external_id for account in queries.accounts(AccountSearch(**filters)).items] == expected


def test_a_list_is_read_page_by_page_newest_first(scene: Scene) -> None:
    made = [scene.desk.account(f"B-{n}") for n in range(7)]
    pages, cursor = [], None
    while True:
        page = scene.queries().accounts(AccountSearch(limit=3, cursor=cursor))
        pages.append([account.external_id for account in page.items])
        cursor = page.next
        if cursor is None:
            break

    assert pages == [["B-6", "B-5", "B-4"], ["B-3", "B-2", "B-1"], ["B-0", "A-3", "T-1"], ["A-2", "A-1"]]
    assert made[-1].external_id == "B-6"


@pytest.mark.parametrize("limit", [0, 201])
def test_a_page_has_1_to_200_items(limit: int) -> None:
    with pytest.raises(RequestRejected, match="VALUE_OUT_OF_RANGE at /limit"):
        AccountSearch(limit=limit)


def test_a_last_page_that_is_full_names_no_next(scene: Scene) -> None:
    assert scene.queries().accounts(AccountSearch(limit=4)).next is None


def test_a_ledger_holds_everything_of_a_payer_and_nothing_of_others(scene: Scene) -> None:
    scene.desk.document(account=scene.other)
    ledger = scene.queries().ledger(scene.payer.ref_id)

    assert ledger is not None
    assert (ledger.account, ledger.payer.account) == (scene.payer, scene.payer.ref)
    assert ledger.documents == (scene.document, scene.now_is(scene.invoice))
    assert ledger.payments == (scene.identified, scene.now_is(scene.assigned))
    assert [s.amount for s in ledger.settlements] == [5 * UNIT]
    assert scene.queries().ledger(scene.technical.ref_id) is None


def test_runs_are_read_while_they_go_on_and_after(scene: Scene) -> None:
    started = scene.desk.start_run()

    assert list(scene.queries().running()) == [scene.run, started]
    assert ReadProcessRun(scene.queries())(started.ref_id) == started
    done = scene.desk.finish(started.ref_id)
    assert list(scene.queries().running()) == [scene.run]
    assert ReadProcessRun(scene.queries())(started.ref_id) == done


def test_an_empty_store_is_empty() -> None:
    queries = MemoryQueries(MemoryStore())

    assert queries.accounts(AccountSearch()).items == ()
    assert queries.account(AccountName(external_id="A-1")) is None
    assert queries.configuration().version == 0
    assert list(queries.running()) == []


def test_histories_and_payers_are_kept_apart_by_what_they_belong_to(scene: Scene) -> None:
    assert len(scene.store.related[PaymentHistory, scene.identified.ref_id]) == 2
    assert set(scene.store.entities[Payer]) == {a.ref_id for a in (scene.payer, scene.other, scene.deactivated)}
    assert scene.queries().account(named(scene.payer)) == scene.payer
