"""`ocs configure`: master data from a file, all of it or nothing."""

import io
import json
import re
import tomllib

import pytest
from hypothesis import given

from ocs_adapters.cli.master_data import read_entries, written
from ocs_adapters.serial import decode_entry
from ocs_core.entities.configuration import KINDS, AccountType, Configuration, Currency
from ocs_core.testkit.strategies.entities import configurations
from tests.unit.cli.conftest import Ocs


def configured(ocs: Ocs) -> Configuration:
    made = ocs.platform()
    try:
        return made.services.queries.configuration()
    finally:
        made.services.close()


def test_the_example_loads_as_it_is_and_has_what_the_documentation_promises(empty: Ocs) -> None:
    empty("migrate").done()
    example = empty("configure", "--example").done().out
    empty("configure", empty.file("example.toml", example)).done()
    loaded = configured(empty)
    assert set(loaded.currencies) == {"EUR", "USD"}
    assert "bankTransfer" in loaded.payment_methods
    assert set(loaded.document_types) == {"genericInvoice", "creditNote", "deposit"}
    assert {code: t.payment_responsible for code, t in loaded.account_types.items()} == {
        "payer": True,
        "technical": False,
    }
    assert set(KINDS) - set(tomllib.loads(example)) == {"system"}
    assert '# [[system]]\n# zone = "Europe/Madrid"' in example


def test_every_section_that_is_commented_out_in_the_example_loads_too(empty: Ocs) -> None:
    example = empty("configure", "--example").done().out
    whole = example.replace("# [[", "[[").replace("# zone =", "zone =").replace("# topic =", "topic =")
    for section, items in tomllib.loads(whole).items():
        for item in items:
            decode_entry(KINDS[section], item)


def test_new_changed_and_unchanged_entries_are_counted_and_others_are_left_alone(ocs: Ocs) -> None:
    file = ocs.file(
        "more.toml",
        '[[currencies]]\ncode = "EUR"\nname = "Euros"\n\n[[currencies]]\ncode = "CZK"\n\n[[account_types]]\ncode = "payer"\nname = "Payer"\n',
    )
    out = ocs("configure", file).done().out
    assert [line.split() for line in out.splitlines()] == [
        ["section", "new", "changed", "unchanged"],
        ["currencies", "1", "1", "0"],
        ["account_types", "0", "0", "1"],
    ]
    loaded = configured(ocs)
    assert loaded.currencies["EUR"] == Currency(code="EUR", name="Euros")
    assert set(loaded.currencies) == {"EUR", "USD", "CZK"}
    assert loaded.account_types["payer"] == AccountType(code="payer", name="Payer")


def test_every_failure_is_told_with_section_entry_and_field_and_nothing_is_written(ocs: Ocs) -> None:
    before = configured(ocs)
    file = ocs.file(
        "wrong.toml",
        """
        currency = 1

        [[currencies]]
        code = "SEK"

        [[currencies]]
        code = "NOK"
        minor_digits = 9
        symbols = "kr"

        [[currencies]]
        name = "Nameless"

        [[currencies]]
        code = "SEK"

        [[payment_types]]
        code = "SIDEWAYS"

        [[taxes]]
        code = "vat"
        rates = [{ valid_from = 2020-01-01, rate = 21.0 }, { rate = 1 }]

        [account_types]
        code = "payer"

        [[account_types.more]]
        code = "x"
        """,
    )
    refusal = ocs("configure", file).refused()
    for said in (
        "[[currency]]: there is no such section; the sections are currencies, account_types",
        "[[currencies]] 2 (NOK), minor_digits: Give a whole number from 0 to 6. (VALUE_OUT_OF_RANGE)",
        "[[currencies]] 2 (NOK), symbols: There is no such field. (FIELD_UNKNOWN)",
        "[[currencies]] 3, code: This field is required. (FIELD_REQUIRED)",
        "[[currencies]] 4 (SEK), code: entry 1 has the same code.",
        "[[payment_types]] 1 (SIDEWAYS), code: ",
        "[[taxes]] 1 (vat), rates.0.rate: Give a whole number, not the number 21.0. (TYPE_WRONG)",
        "[[taxes]] 1 (vat), rates.1.valid_from: This field is required. (FIELD_REQUIRED)",
        "[[account_types]]: write each entry under a [[account_types]] of its own.",
        "has 9 failures; nothing was changed.",
    ):
        assert said in refusal
    assert configured(ocs) == before


def test_a_file_that_is_no_toml_is_told_with_the_place(ocs: Ocs) -> None:
    assert "is not TOML" in (refusal := ocs("configure", ocs.file("x.toml", "code = = 1")).refused())
    assert "line 1" in refusal
    assert "not UTF-8" in ocs("configure", ocs.file("x.toml", b"\xff\xfe\x00")).refused()


def test_a_file_or_the_example_is_asked_for_not_both_and_not_neither(ocs: Ocs) -> None:
    assert "--example" in ocs("configure").refused()
    assert "--example" in ocs("configure", "--example", ocs.file("x.toml", "")).refused()


def test_what_would_have_no_effect_is_refused_whole(ocs: Ocs) -> None:
    before = configured(ocs)
    file = ocs.file(
        "odd.toml",
        """
        [[processes]]
        code = "calculate-colection-balance"
        [[system]]
        code = "sistem"
        zone = "Europe/Madrid"
        [[notifications]]
        code = "colectionStart"
        enabled = false
        [[collection_thresholds]]
        code = "GPB"
        [[taxes]]
        code = "vat"
        rates = [{valid_from = 2020-01-01, rate = 1}, {valid_from = 2020-01-01, rate = 2}]
        """,
    )
    told = ocs("configure", file).refused().splitlines()
    assert [line.partition(":")[0] for line in told[:-1]] == [
        "[[processes]] calculate-colection-balance, code",
        "[[system]] sistem, code",
        "[[notifications]] colectionStart, code",
        "[[collection_thresholds]] GPB, code",
        "[[taxes]] vat, rates",
    ]
    assert told[-1] == f"{file} has 5 failures; nothing was changed."
    assert configured(ocs) == before


def test_a_dry_run_shows_each_field_that_would_change_and_changes_nothing(ocs: Ocs) -> None:
    before = configured(ocs)
    wanted = (
        '[[currencies]]\ncode="EUR"\nname="Euros"\n[[currencies]]\ncode="CZK"\nname="Koruna"\n[[taxes]]\ncode="vat"\n'
    )
    file = ocs.file("more.toml", wanted)
    out = ocs("configure", file, "--dry-run").done().out
    assert re.search(r"currencies +EUR +name +Euro +Euros", out)
    assert re.search(r"currencies +CZK +code +CZK", out)
    assert re.search(r"taxes +vat +rates +1900 from 2000-01-01, 2100 from 2013-01-01", out)
    told = json.loads(ocs("configure", file, "--dry-run", "--json").done().out)
    assert {"section": "currencies", "code": "EUR", "field": "symbol", "is": "€", "wouldBe": None} in told[
        "differences"
    ]
    assert told["entries"] == [
        {"section": "currencies", "new": 1, "changed": 1, "unchanged": 0},
        {"section": "taxes", "new": 0, "changed": 1, "unchanged": 0},
    ]
    assert configured(ocs) == before


def test_what_is_kept_is_not_contradicted_and_nothing_of_the_file_is_taken(ocs: Ocs) -> None:
    rows = [("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20")]
    ocs("import", "receivables", ocs.ledger(rows), "--currency", "EUR", "--as-of", "2014-12-31").done()
    before = configured(ocs)
    file = ocs.file(
        "wrong.toml",
        '[[currencies]]\ncode="EUR"\nminor_digits=0\n[[account_types]]\ncode="payer"\npayment_responsible=false\n'
        '[[currencies]]\ncode="CZK"\n[[currencies]]\ncode="USD"\nminor_digits=3\n',
    )
    for dry in ((), ("--dry-run",)):
        told = ocs("configure", file, *dry).refused().splitlines()
        assert told == [
            "[[currencies]] EUR, minor_digits: Amounts of EUR are kept already, as fine as 2 minor digits; they cannot be 0 now. (ENTRY_IN_USE)",
            "[[account_types]] payer, payment_responsible: There are accounts of type payer already; a payer stays one, and a technical account, too. (ENTRY_IN_USE)",
            f"{file} has 2 failures; nothing was changed.",
        ]
    assert configured(ocs) == before
    ocs("configure", ocs.file("usd.toml", '[[currencies]]\ncode="USD"\nminor_digits=3\n')).done()


@given(configurations())
def test_what_is_shown_is_taken_again_as_it_is(configuration: Configuration) -> None:
    entries = read_entries(written(configuration), "what was shown")
    again = Configuration().with_entries(entries)
    assert all(getattr(again, kind) == getattr(configuration, kind) for kind in KINDS)


def test_what_is_configured_is_shown_and_taken_from_standard_input(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    before = configured(ocs)
    shown = ocs("configure", "--show").done().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(shown.encode())))
    counts = json.loads(ocs("configure", "-", "--json").done().out)
    assert [(row["new"], row["changed"]) for row in counts] == [(0, 0)] * len(counts)
    assert {kind: getattr(configured(ocs), kind) for kind in KINDS} == {k: getattr(before, k) for k in KINDS}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"= 1")))
    assert ocs("configure", "-").refused().startswith("Standard input is not TOML")


def test_a_threshold_of_a_currency_of_the_same_file_is_taken(ocs: Ocs) -> None:
    ocs("configure", ocs.file("c.toml", '[[collection_thresholds]]\ncode="CZK"\n[[currencies]]\ncode="CZK"\n')).done()
    assert "CZK" in configured(ocs).collection_thresholds


def test_a_currency_is_named_as_iso_4217_does(ocs: Ocs) -> None:
    told = ocs("configure", ocs.file("c.toml", '[[currencies]]\ncode = "euro"\n')).refused()
    assert "'euro' is not a code of ISO 4217 such as EUR." in told
    assert "has 1 failure; nothing was changed" in told


def test_a_schedule_is_checked_when_it_is_configured(ocs: Ocs) -> None:
    wrong = '[[processes]]\ncron = "30 25 * * *"\nzone = "Europe/Atlantis"\n'
    refusal = ocs("configure", ocs.file("wrong.toml", wrong)).refused()
    assert "[[processes]] 1, cron: '25' cannot be the hour of cron: give *, 0 to 23" in refusal
    assert "[[processes]] 1, zone: 'Europe/Atlantis' is not the name of a time zone" in refusal
    ocs("configure", ocs.file("right.toml", '[[processes]]\ncron = "30 2 * * *"\nzone = "Europe/Madrid"\n')).done()
    setting = configured(ocs).collection
    assert (setting.enabled, setting.cron, setting.zone) == (True, "30 2 * * *", "Europe/Madrid")
