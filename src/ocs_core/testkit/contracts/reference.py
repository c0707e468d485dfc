"""The law that an adapter behaves as the reference in memory does, command for command, search for search."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest

from ocs_core.collection import Line, LineKind, balance_of
from ocs_core.entities.account import Account, AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.entities.document import Document, DocumentState
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.errors import RequestRejected
from ocs_core.form import wire_name
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.messages import Response
from ocs_core.ports import SliceWanted
from ocs_core.queries import AccountSearch, ChargeableEventSearch, DocumentSearch, Page, PaymentSearch, Queries, Search
from ocs_core.testkit.contracts.subject import Make, Published, Subject, desk_on, published_in, same_messages
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW, SettableClock
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest

DAYS = (0, 1, 10, 45, 120)
"""Before now."""


def reference_contract(make: Make, *, runs: bool = True) -> type:
    """The law that a store and its queries behave as the reference in memory does, command for command; `runs`: those of runs,
    too."""

    class ReferenceContract:
        @pytest.mark.parametrize("seed", range(4))
        def test_random_commands_answer_publish_and_leave_the_same(self, seed: int) -> None:
            """Whatever an adapter filters or computes equals the shortest reading of the ports."""
            reference = MemoryStore(configuration())
            with make() as subject:
                worlds: list[tuple[Desk, Queries, Callable[[], Sequence[Published]]]] = [
                    (desk_on(reference), MemoryQueries(reference), lambda: published_in(reference)),
                    (desk_on(subject.store), subject.queries, subject.published),
                ]
                told = [_live(desk, random.Random(seed), runs=runs) for desk, _, _ in worlds]
                assert _unnumbered(told[1]) == _unnumbered(told[0])
                expected, found = (published() for _, _, published in worlds)
                same_messages(found, expected)
                (desk, queries, _), (_, other, _) = worlds
                for look in _looks(queries):
                    assert _unnumbered(look(other)) == _unnumbered(look(queries)), look.__doc__
                _same_balances(reference, subject, desk.clock)
                if runs:
                    _same_slices(reference, subject, desk.clock)

    return ReferenceContract


def _unnumbered(value: Any) -> Any:
    """The same without the numbers of payments, which may have gaps where one store has none."""
    match value:
        case Payment():
            return attrs.evolve(value, payment_no="")
        case Line(kind=LineKind.PAYMENT):
            return attrs.evolve(value, number="")
        case Response():
            return [_unnumbered(step.object) for step in value.steps]
        case Page():
            return [_unnumbered(item) for item in value.items]
        case list():
            return [_unnumbered(item) for item in value]
        case _:
            return value


def _live(desk: Desk, chance: random.Random, *, runs: bool) -> list[Any]:
    """Perform random commands, sensible and senseless ones; gives what each answered."""
    accounts: list[Account] = []
    payments, documents, events, told = [], [], [], []
    assigned: list[tuple[Payment, Document]] = []
    for step in range(140):
        desk.clock.advance(hours=chance.randint(0, 40), microseconds=chance.randint(0, 999_999))
        amount = chance.choice([1, 7, 50, 100]) * UNIT
        account = chance.choice(accounts) if accounts else None
        try:
            match chance.choice("aaappppddddeexxxxxzzyykwuiicsfosr" if account else "a"):
                case "a":
                    kind = chance.choice(["payer", "payer", "payer", "technical"])
                    parent = named(account) if account and chance.random() < 0.3 else None
                    customer = chance.choice(["Ann", "Bob", None])
                    made = desk.account(
                        f"A-{chance.randint(0, 60)}", account_type=kind, parent=parent, customer=customer
                    )
                    accounts.append(made)
                    outcome: Any = made
                case "p":
                    outcome = desk.payment(
                        account=account if chance.random() < 0.7 else None,
                        amount=amount,
                        external_payment_no=chance.choice([None, f"E-{chance.randint(0, 20)}"]),
                        payment_ref2=chance.choice([None, "R-1", "R-2"]),
                        currency=chance.choice(["EUR", "EUR", "USD"]),
                    )
                    payments.append(outcome)
                case "d":
                    assert account is not None
                    outcome = desk.document(
                        account=account,
                        amount=amount,
                        document_type=chance.choice(["genericInvoice", "genericInvoice", "creditNote"]),
                        document_issued_date=desk.clock().date() - dt.timedelta(days=chance.randint(0, 40)),
                        external_document_no=chance.choice([None, f"D-{chance.randint(0, 30)}"]),
                        payment_ref1=chance.choice([None, "R-1"]),
                    )
                    documents.append(outcome)
                case "e":
                    assert account is not None
                    outcome = desk.event(account=account, event_type=chance.choice(["call", "data"]))
                    events.append(outcome)
                case "x":
                    payment, document = chance.choice(payments), chance.choice(documents)
                    since = chance.choice([None, desk.clock() - dt.timedelta(days=chance.randint(0, 5))])
                    share = chance.choice([1, 3, 7]) * UNIT
                    outcome = desk.perform(
                        AssignPaymentInToDocument,
                        AssignPaymentInToDocumentRequest(
                            request_id=f"x-{step}",
                            payment_ref_id=payment.ref_id,
                            document_ref_id=document.ref_id,
                            amount=share,
                            currency="EUR",
                            effective_date=since,
                        ),
                    )
                    assigned.append((payment, document))
                case "z":
                    outcome = desk.cancel_assignment(*chance.choice(assigned))
                case "y":
                    outcome = desk.cancel_identification(chance.choice(payments))
                case "k":
                    outcome = desk.cancel_payment(chance.choice(payments))
                case "w":
                    outcome = desk.cancel_document(chance.choice(documents))
                case "u":
                    assert account is not None
                    outcome = desk.update_payer(account, iban=chance.choice([None, "ES1", "ES2"]))
                case "i":
                    assert account is not None
                    request = IdentifyPaymentInRequest(
                        request_id=f"i-{step}", account=named(account), payment_ref_id=chance.choice(payments).ref_id
                    )
                    outcome = desk.perform(IdentifyPaymentIn, request)
                case "c":
                    credit = AdjustChargeableEventRequest(
                        request_id=f"c-{step}",
                        chargeable_event_ref_id=chance.choice(events).ref_id,
                        charge_type=chance.choice(list(ChargeType)),
                        charge_adjustment=4 * UNIT,
                        currency="EUR",
                        tax_included=chance.random() < 0.5,
                    )
                    outcome = desk.perform(AdjustChargeableEvent, credit)
                case "s":
                    assert account is not None
                    state = chance.choice([AccountState.SUSPENDED, AccountState.ACTIVE, AccountState.DEACTIVATED])
                    change = UpdateAccountStateRequest(request_id=f"s-{step}", account=named(account), state=state)
                    outcome = desk.perform(UpdateAccountState, change)
                case "f":
                    assert account is not None
                    end = desk.clock() + dt.timedelta(days=3)
                    flag = UpdateInvoicingFlagRequest(
                        request_id=f"f-{step}",
                        account=named(account),
                        invoicing_excluded=True,
                        invoicing_excluded_to=end,
                    )
                    outcome = desk.perform(UpdateInvoicingFlag, flag)
                case "o":
                    assert account is not None
                    offset = UpdateDueDateOffsetRequest(
                        request_id=f"o-{step}", account=named(account), due_date_offset=chance.choice([None, 0, 30])
                    )
                    outcome = desk.perform(UpdateDueDateOffset, offset)
                case _ if not runs:
                    outcome = "no runs"
                case _:
                    outcome = desk.collect(limit=3, as_of=desk.clock(), dry_run=chance.random() < 0.3)
        except RequestRejected as refused:
            outcome = [(v.code, v.field) for v in refused.violations]
        except IndexError:
            outcome = "nothing there yet"
        told.append(outcome)
    return told


_SEARCHES: dict[type[Search], tuple[str, list[dict[str, Any]]]] = {
    AccountSearch: (
        "accounts",
        [
            {"external_id": "A-3"},
            {"account_external_id": "A-3"},
            {"account_type": "technical"},
            {"customer": "Ann"},
            *({"state": state} for state in AccountState),
            {"account_type": "payer", "customer": "Bob", "state": AccountState.ACTIVE},
        ],
    ),
    PaymentSearch: (
        "payments",
        [
            {"account_external_id": "A-3"},
            {"date_from": NOW + dt.timedelta(days=30)},
            {"date_to": dt.date(2024, 6, 1)},
            {"date_from": dt.date(2024, 6, 1), "date_to": dt.date(2024, 7, 1)},
            {"amount_from": 7 * UNIT, "amount_to": 50 * UNIT},
            {"payment_ref": "R-1"},
            {"external_payment_no": "E-3"},
            *({"payment_type": kind} for kind in PaymentType),
            {"identified": True},
            {"identified": False},
            {"cancelled": True},
            {"cancelled": False},
            {"identified": False, "payment_ref": "R-2"},
        ],
    ),
    DocumentSearch: (
        "documents",
        [
            {"account_external_id": "A-3"},
            {"date_from": dt.date(2024, 6, 1)},
            {"date_to": dt.date(2024, 6, 1)},
            {"amount_from": 50 * UNIT},
            {"amount_to": 50 * UNIT},
            {"payment_ref": "R-1"},
            {"document_no": "D0000000002"},
            {"external_document_no": "D-3"},
            {"document_type": "creditNote"},
            *({"state": state} for state in DocumentState),
        ],
    ),
    ChargeableEventSearch: (
        "chargeable_events",
        [
            {"account_external_id": "A-3"},
            {"date_from": dt.date(2024, 6, 1)},
            {"date_to": NOW + dt.timedelta(days=40)},
            {"amount_from": 0},
            {"amount_to": 0},
            {"event_type": "call"},
            {"invoiced": True},
            {"invoiced": False},
        ],
    ),
}


def _looks(reference: Queries) -> list[Callable[[Queries], Any]]:
    """Every search with each filter alone, by itself and by ids that the reference knows."""
    searches: list[tuple[str, Search]] = []
    for cls, (method, filters) in _SEARCHES.items():
        searches += [(method, cls(limit=200, **given)) for given in ({}, *filters)]
    for account in reference.accounts(AccountSearch(limit=5)).items:
        searches += [(m, cls(limit=200, account_ref_id=account.ref_id)) for cls, (m, _) in _SEARCHES.items()]  # type: ignore[call-arg]
    for event in reference.chargeable_events(ChargeableEventSearch()).items:
        if isinstance(event, ChargeableEvent) and event.original_ref_id:
            searches.append(("chargeable_events", ChargeableEventSearch(original_ref_id=event.original_ref_id)))
            searches.append(("chargeable_events", ChargeableEventSearch(ref_id=event.ref_id)))

    def look(method: str, search: Search) -> Callable[[Queries], Any]:
        def run(queries: Queries) -> Any:
            return getattr(queries, method)(search)

        run.__doc__ = f"{wire_name(method)} {search}"
        return run

    return [look(method, search) for method, search in searches]


def _same_slices(reference: MemoryStore, subject: Subject, clock: SettableClock) -> None:
    """Balances at many instants, as slices give them."""
    for days in DAYS:
        wanted = SliceWanted(as_of=clock() - dt.timedelta(days=days), limit=1000)
        with reference.begin() as uow:
            expected = [balance_of(ledger, configuration(), wanted.as_of) for ledger in uow.ledgers(wanted)]
        with subject.run_store.begin(snapshot=True) as run_work:
            found = [balance_of(ledger, configuration(), wanted.as_of) for ledger in run_work.ledgers(wanted)]
        assert found == expected


def _same_balances(reference: MemoryStore, subject: Subject, clock: SettableClock) -> None:
    """Balances at many instants, as the reading side explains them."""
    for days in DAYS:
        as_of = clock() - dt.timedelta(days=days)
        for account in reference.entities[Account].values():
            if account.payer_account != account.ref:
                continue
            request = ReadCollectionBalanceRequest(ref_id=account.ref_id, detail_included=True, as_of=as_of)
            explained = [
                ReadCollectionBalance(queries, clock=clock)(request)
                for queries in (MemoryQueries(reference), subject.queries)
            ]
            by_line = [_unnumbered(sorted(view.lines or (), key=lambda line: line.ref_id)) for view in explained]
            assert by_line[1] == by_line[0]
            assert explained[1].collection_balance == explained[0].collection_balance
