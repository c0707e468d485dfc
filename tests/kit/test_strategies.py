"""What the strategies make could be stored, varies, and is what a user's `st.from_type` makes, too."""

from typing import Any

import attrs
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeableEventKind
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document, DocumentState
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.money import Money, is_whole_minor_units
from ocs_core.testkit.strategies import entities

DIGITS = {"EUR": 2, "USD": 2, "JPY": 0}
STORED = (Account, Payer, Payment, PaymentHistory, Document, Settlement, ChargeableEvent)


@pytest.mark.parametrize("cls", [*STORED, Ledger, Configuration, Money], ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_hypothesis_knows_the_domains_types(cls: type, data: st.DataObject) -> None:
    assert type(data.draw(st.from_type(cls))) is cls


@given(entities.payments())
def test_what_remains_of_a_payment_is_payable_and_at_most_its_amount(payment: Payment) -> None:
    assert 0 <= payment.remaining_amount <= payment.payment_amount
    assert is_whole_minor_units(payment.remaining_amount, DIGITS[payment.currency])
    assert is_whole_minor_units(payment.payment_amount, DIGITS[payment.currency])
    assert payment.identified or payment.payment_type is PaymentType.IN


@given(entities.documents())
def test_a_documents_parts_add_up_and_at_most_its_total_is_due(document: Document) -> None:
    parts = (document.total_amount, document.total_amount_tax, document.rounding_compensation)
    assert sum(parts) == document.total_amount_net
    assert 0 <= document.due_amount <= document.total_amount_net
    assert document.document_due_date >= document.document_issued_date


@given(entities.chargeable_events())
def test_an_events_parts_add_up_and_only_an_adjustment_has_an_original(event: ChargeableEvent) -> None:
    assert event.charge + event.tax == event.charge_with_tax
    assert event.is_adjustment == (event.kind is not ChargeableEventKind.CHARGE)
    assert event.kind is not ChargeableEventKind.CREDIT or event.charge_with_tax <= 0


@given(st.one_of(entities.payments(), entities.documents(), entities.settlements()))
def test_what_is_cancelled_says_why_and_when_and_nothing_else_does(item: Any) -> None:
    assert (item.cancel_reason is not None, item.cancelled_at is not None) == (item.cancelled, item.cancelled)


@pytest.mark.parametrize(
    ("strategy", "fixed"),
    [
        (entities.accounts, {"state": AccountState.SUSPENDED, "currency": "JPY"}),
        (entities.payers, {"in_collection": True, "invoicing_excluded": False}),
        (entities.payments, {"payment_type": PaymentType.OUT, "currency": "JPY", "cancelled": False}),
        (entities.documents, {"total_amount_net": 10_000, "cancelled": True}),
        (entities.settlements, {"amount": 10_000}),
        (entities.chargeable_events, {"kind": ChargeableEventKind.CREDIT, "charge": -5}),
    ],
)
@given(data=st.data())
def test_keywords_fix_fields(strategy: Any, fixed: dict[str, Any], data: st.DataObject) -> None:
    made = data.draw(strategy(**fixed))
    assert {name: getattr(made, name) for name in fixed} == fixed


@pytest.mark.parametrize("state", DocumentState)
def test_documents_are_found_in_every_state(state: DocumentState) -> None:
    seldom = settings(max_examples=500, database=None, phases=[Phase.generate])
    found = find(entities.documents(), lambda d: d.state is state, settings=seldom)
    assert found.state is state


def test_examples_shrink_to_something_plain() -> None:
    plain = find(entities.payments(), lambda p: p.identified, settings=settings(max_examples=500, database=None))
    assert (plain.currency, plain.payment_amount, plain.version) == ("EUR", 10_000, 1)
    assert [v for v in attrs.asdict(plain).values() if type(v) is str and len(v) > 12] == []
