"""The laws that what an adapter filters or computes equals the core's own pure functions, on generated ledgers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.collection import balance_of
from ocs_core.entities.account import Account
from ocs_core.form import field_named
from ocs_core.ledger import Ledger
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.ports import Ids, SliceWanted, Store
from ocs_core.queries import AccountSearch, ChargeableEventSearch, DocumentSearch, PaymentSearch, Queries
from ocs_core.testkit.contracts.subject import Make, desk_on, slice_of
from ocs_core.testkit.examples import configuration
from ocs_core.testkit.fakes import NOW
from ocs_core.testkit.profiles import patiently
from ocs_core.testkit.strategies import entities, ledgers
from ocs_core.testkit.strategies.values import field_values

SEARCHES: dict[str, tuple[type, st.SearchStrategy[Any]]] = {
    "accounts": (AccountSearch, entities.accounts(version=1)),
    "payments": (PaymentSearch, entities.payments(version=1)),
    "documents": (DocumentSearch, entities.documents(version=1)),
    "chargeable_events": (ChargeableEventSearch, entities.chargeable_events()),
}
"""Per list its search, and what it lists."""
PLANTED = 25


def pushdown_contract(make: Make, *, runs: bool = True) -> type:
    """The laws that a store fetches whatever a balance depends on (`runs`), and that its searches find what the reference's
    find."""
    return type("PushdownContract", (_slices(make), _searching(make)) if runs else (_searching(make),), {})


def _slices(make: Make) -> type:
    class Slices:
        @patiently()
        @given(data=st.data())
        def test_the_open_items_of_a_slice_give_the_balance_of_the_whole_ledger(self, data: st.DataObject) -> None:
            """A store may fetch less than everything, never less than what counts."""
            known = configuration()
            with make() as subject:
                ids = desk_on(subject.store).ids
                planted = [plant(ledger, subject.store, ids) for ledger in data.draw(st.lists(ledgers(), max_size=4))]
                hours = data.draw(st.lists(st.integers(-70 * 24, 70 * 24), min_size=1, max_size=4))
                for as_of in (NOW + hour * HOUR for hour in hours):
                    with subject.run_store.begin(snapshot=True) as uow:
                        fetched = {ledger.account.ref_id: ledger for ledger in slice_of(uow, SliceWanted(as_of=as_of))}
                    for whole in planted:
                        told = balance_of(fetched[whole.account.ref_id], known, as_of)
                        assert told == balance_of(whole, known, as_of)

    return Slices


def _searching(make: Make) -> type:
    class Searches:
        @pytest.mark.parametrize("listed", SEARCHES)
        @patiently(max_examples=5)
        @given(data=st.data())
        def test_a_search_finds_what_the_reference_finds(self, listed: str, data: st.DataObject) -> None:
            """By any filters, sensible or not, of things that anybody might have stored."""
            search, things = SEARCHES[listed]
            reference = MemoryStore(configuration())
            with make() as subject:
                ids = desk_on(subject.store).ids
                drawn = data.draw(st.lists(things, min_size=1, max_size=PLANTED))
                owners = [Account(ref_id=ids(), account_type="payer", currency="EUR") for _ in range(3)]
                planted = [
                    attrs.evolve(thing, ref_id=ids(), **_own(listed, number, owners))
                    for number, thing in enumerate(drawn)
                ]
                for store in (subject.store, reference):
                    _keep(owners + planted, store)
                looks: list[Queries] = [MemoryQueries(reference), subject.queries]
                for _ in range(20):
                    asked = data.draw(_searches(search, planted), label="search")
                    expected, found = (getattr(queries, listed)(asked) for queries in looks)
                    assert found == expected, f"{asked} found something else"

    return Searches


HOUR = NOW - NOW.replace(hour=NOW.hour - 1)


def _own(listed: str, number: int, owners: list[Account]) -> dict[str, Any]:
    """What is unique, and an account that exists."""
    owner = owners[number % len(owners)].ref
    match listed:
        case "accounts":
            return {"external_id": f"A-{number}", "parent": None, "payer_account": None}
        case "payments":
            identified = owner if number % 4 else None
            return {"payment_no": f"P-{number}", "external_payment_no": f"E-{number}", "account": identified}
        case "documents":
            return {"document_no": f"D-{number}", "external_document_no": f"X-{number}", "account": owner}
    return {"external_id": f"EV-{number}", "account": owner}


def _keep(things: list[Any], store: Store) -> None:
    with store.begin() as uow:
        for thing in things:
            uow.add(thing)


@st.composite
def _searches(draw: st.DrawFn, search: Any, planted: list[Any]) -> Any:
    """A search by a few filters, each of a value that something has, or of any other."""
    names = [field.name for field in attrs.fields(search) if field.name not in {"limit", "cursor"}]
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    thing = draw(st.sampled_from(planted))
    filters = {name: draw(_filters(search, name, thing)) for name in chosen}
    cursor = draw(st.none() | st.sampled_from([p.ref_id for p in planted]))
    return search(limit=draw(st.sampled_from([1, 3, 200])), cursor=cursor, **filters)


def _filters(search: Any, name: str, thing: Any) -> st.SearchStrategy[Any]:
    """The value that a thing has for a filter, or any that the filter takes."""
    account = thing.ref if isinstance(thing, Account) else thing.account
    names: dict[str, Callable[[], Any]] = {
        "account_ref_id": lambda: account and account.ref_id,
        "account_external_id": lambda: account and account.external_id,
        "payment_ref": lambda: thing.payment_ref1,
        "amount_from": lambda: _first_of(thing, "payment_amount", "total_amount_net", "charge_with_tax"),
        "amount_to": lambda: _first_of(thing, "payment_amount", "total_amount_net", "charge_with_tax"),
        "date_from": lambda: _first_of(thing, "payment_date_received", "document_issued_date", "event_date"),
        "date_to": lambda: _first_of(thing, "payment_date_received", "document_issued_date", "event_date"),
        "invoiced": lambda: thing.invoiced_document_ref_id is not None,
    }
    value = names[name]() if name in names else getattr(thing, name)
    return st.just(value) | field_values(field_named(search, name))


def _first_of(thing: Any, *names: str) -> Any:
    return next(getattr(thing, name) for name in names if hasattr(thing, name))


def plant(ledger: Ledger, store: Store, ids: Ids) -> Ledger:
    """Keep a generated ledger, with ids of its own; gives it back as it was kept."""
    renamed: dict[UUID, UUID] = {}

    def new(ref_id: UUID) -> UUID:
        return renamed.setdefault(ref_id, ids())

    account = attrs.evolve(ledger.account, ref_id=new(ledger.account.ref_id), external_id=None)
    account = attrs.evolve(account, payer_account=account.ref)
    own: dict[str, Any] = {"account": account.ref}
    kept = Ledger(
        account=account,
        payer=attrs.evolve(ledger.payer, **own),
        documents=tuple(
            attrs.evolve(d, ref_id=new(d.ref_id), document_no=f"D-{new(d.ref_id)}", **own) for d in ledger.documents
        ),
        payments=tuple(
            attrs.evolve(p, ref_id=new(p.ref_id), payment_no=f"P-{new(p.ref_id)}", **own) for p in ledger.payments
        ),
        settlements=tuple(
            attrs.evolve(
                s,
                ref_id=new(s.ref_id),
                source_ref_id=new(s.source_ref_id),
                target_ref_id=new(s.target_ref_id),
                **own,
            )
            for s in ledger.settlements
        ),
    )
    with store.begin() as uow:
        everything: tuple[Any, ...] = (kept.account, kept.payer, *kept.documents, *kept.payments, *kept.settlements)
        for entity in everything:
            uow.add(entity)
    return kept
