"""A change of the configuration: its differences, and what live data contradicts."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.configuring import Use, contradictions, differences, refusals, uses_to_look_up
from ocs_core.entities.configuration import (
    KINDS,
    AccountType,
    CollectionSetting,
    CollectionThreshold,
    Configuration,
    Currency,
    DocumentType,
    NotificationSetting,
    SystemSetting,
    Tax,
    TaxRateFrom,
)
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryStore
from ocs_core.testkit.examples import Desk, configuration
from ocs_core.testkit.strategies.entities import configurations

BEFORE = Configuration.of(Currency(code="EUR"), AccountType(code="payer"), DocumentType(code="invoice"))


def entries_of(configuration: Configuration) -> list[object]:
    return [entry for kind in KINDS for entry in getattr(configuration, kind).values()]


def test_each_field_that_changes_is_told_with_both_values() -> None:
    changed = [Currency(code="EUR", minor_digits=0, name="Euro"), AccountType(code="payer")]
    assert [(d.kind, d.code, d.field, d.before, d.after) for d in differences(BEFORE, changed)] == [
        ("currencies", "EUR", "name", None, "Euro"),
        ("currencies", "EUR", "minor_digits", 2, 0),
    ]


def test_a_new_entry_is_told_with_what_is_not_as_it_is_by_default() -> None:
    told = differences(BEFORE, [Currency(code="JPY", minor_digits=0)])
    assert [(d.field, d.before, d.after) for d in told] == [("code", None, "JPY"), ("minor_digits", None, 0)]
    assert all(d.is_new for d in told)


@given(configurations(), configurations())
def test_taking_what_differs_leaves_no_difference(before: Configuration, wanted: Configuration) -> None:
    entries = entries_of(wanted)
    after = before.with_entries(entries)
    assert differences(after, entries) == []
    assert differences(before, entries_of(before)) == []
    changed = {(d.kind, d.code) for d in differences(before, entries)}
    for kind in KINDS:
        for code, entry in getattr(after, kind).items():
            assert ((kind, str(code)) in changed) == (getattr(before, kind).get(code) != entry)


def test_how_fine_a_currency_is_stays_once_amounts_are_kept() -> None:
    for digits in (0, 3):
        entries = [Currency(code="EUR", minor_digits=digits)]
        assert uses_to_look_up(BEFORE, entries) == {Use("currencies", "EUR")}
        assert contradictions(BEFORE, entries, ()) == ()
        (violation,) = contradictions(BEFORE, entries, {Use("currencies", "EUR")})
        assert (violation.code, violation.field) == ("ENTRY_IN_USE", "/currencies/EUR/minor_digits")


def test_a_payer_stays_a_payer_once_there_are_accounts() -> None:
    entries = [AccountType(code="payer", payment_responsible=False, name="Technical")]
    (violation,) = contradictions(BEFORE, entries, {Use("account_types", "payer")})
    assert violation.field == "/account_types/payer/payment_responsible"


@given(st.data())
def test_what_is_new_or_changes_nothing_that_matters_asks_nothing(data: st.DataObject) -> None:
    wanted = data.draw(configurations())
    harmless = [
        attrs.evolve(entry, **{f: getattr(getattr(BEFORE, kind)[entry.code], f)})  # type: ignore[attr-defined]
        if entry.code in getattr(BEFORE, kind)  # type: ignore[attr-defined]
        else entry
        for kind, f in (("currencies", "minor_digits"), ("account_types", "payment_responsible"))
        for entry in getattr(wanted, kind).values()
    ]
    assert uses_to_look_up(BEFORE, harmless) == frozenset()


DAY = dt.date(2024, 1, 1)
INCONSISTENT: dict[str, object] = {
    "/processes/calculate-balance/code": CollectionSetting(code="calculate-balance"),
    "/system/sistem/code": SystemSetting(code="sistem", zone="Europe/Madrid"),
    "/notifications/paymentRecieved/code": NotificationSetting(code="paymentRecieved"),
    "/collection_thresholds/GBP/code": CollectionThreshold(code="GBP"),
    "/taxes/vat/rates": Tax(
        code="vat", rates=(TaxRateFrom(valid_from=DAY, rate=1), TaxRateFrom(valid_from=DAY, rate=2))
    ),
}


def test_everything_that_would_have_no_effect_or_two_meanings_is_told_at_once() -> None:
    told = refusals(BEFORE, list(INCONSISTENT.values()), ())
    assert [(violation.code, violation.field) for violation in told] == [
        ("ENTRY_INCONSISTENT", f) for f in INCONSISTENT
    ]


@pytest.mark.parametrize("field", INCONSISTENT)
def test_a_store_in_memory_takes_nothing_of_a_change_that_is_refused(field: str) -> None:
    store = MemoryStore(BEFORE)
    with pytest.raises(RequestRejected, match="ENTRY_INCONSISTENT"):
        store.configure(Currency(code="CZK"), INCONSISTENT[field])
    assert store.configuration == BEFORE
    store.configure(Currency(code="GBP"), CollectionThreshold(code="GBP"))
    assert "GBP" in store.configuration.collection_thresholds


def test_a_store_in_memory_looks_at_what_is_kept() -> None:
    store = MemoryStore(configuration())
    Desk(store).account("A-1")
    with pytest.raises(RequestRejected, match="ENTRY_IN_USE"):
        store.configure(Currency(code="EUR", minor_digits=3))
    store.configure(Currency(code="USD", minor_digits=3))


@given(configurations())
def test_what_is_configured_can_be_taken_again(configured: Configuration) -> None:
    assert refusals(configured, entries_of(configured), ()) == ()
