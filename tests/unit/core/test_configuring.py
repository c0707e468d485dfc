"""A change of the configuration: its differences, and what live data contradicts."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.configuring import Use, contradictions, differences, uses_to_look_up
from ocs_core.entities.configuration import KINDS, AccountType, Configuration, Currency, DocumentType
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
