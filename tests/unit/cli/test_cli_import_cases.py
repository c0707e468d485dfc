"""Ledgers as people have them: each is taken over with the right values, or asked about; never with wrong ones.

The files are not part of the project; where they are not there, these tests are skipped and say so.
"""

from pathlib import Path
from typing import Any

import pytest

from ocs_core.entities.document import Document
from tests.unit.cli.conftest import Ended, Ocs
from tests.unit.cli.test_cli_import import stored

CASES = Path(__file__).parents[4] / "shared" / "cases" / "csv"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason=f"the case files are not there: {CASES.name}")
UNIT = 1_000_000
CURRENCIES = '[[currencies]]\ncode = "KWD"\nminor_digits = 3\n[[currencies]]\ncode = "JPY"\nminor_digits = 0\n'


def take(ocs: Ocs, case: str, *options: str) -> Ended:
    ocs("configure", ocs.file("currencies.toml", CURRENCIES)).done()
    (file,) = CASES.glob(f"{case}-*.csv")
    return ocs("import", "receivables", str(file), "--as-of", "2024-12-31", *options)


def figures(document: Document) -> tuple[Any, ...]:
    kind = document.due_amount_type.value
    return (
        document.account.external_id,
        document.total_amount_net / UNIT,
        document.due_amount / UNIT,
        document.currency,
        kind,
    )


def ar(customer: str, amount: float, due: float | None = None, currency: str = "EUR") -> tuple[Any, ...]:
    return (customer, amount, amount if due is None else due, currency, "AR")


def credit(customer: str, amount: float) -> tuple[Any, ...]:
    return (customer, amount, amount, "EUR", "LIABILITY")


EUR = ("--currency", "EUR")
TAKEN: dict[str, tuple[tuple[str, ...], dict[str, tuple[Any, ...]]]] = {
    "02b": (
        (*EUR, "--decimal-separator", ","),
        {"R-1": ar("C1", 1000), "R-2": ar("C2", 12500), "R-3": ar("C3", 950)},
    ),
    "02c": ((*EUR, "--decimal-separator", "."), {"R-1": ar("C1", 1000), "R-2": ar("C2", 12500)}),
    "02d": (("--currency", "KWD", "--decimal-separator", "."), {"R-1": ar("C1", 1.25, None, "KWD")}),
    "03": (("--currency", "JPY"), {"R-1": ar("C1", 1234, None, "JPY"), "R-2": ar("C2", 12345678, None, "JPY")}),
    "05": (EUR, {"R-1": ar("C1", 1234.56), "R-2": ar("C2", 99.9), "R-3": ar("C3", 5)}),
    "07": (EUR, {"R-1": ar("C1", 100)} | {f"R-{n}": credit("C1", 40) for n in range(2, 6)}),
    "09": (EUR, {"R-1": ar("C1", 100)}),
    "10": (EUR, {"R-1": ar("C1", 1234.56)}),
    "12": (EUR, {"R-1": ar("C1", 100)}),
    "12b": (EUR, {"R-1": ar("C1", 100)}),
    "30": (EUR, {"R-1": ar("C1", 100, 60)}),
    "31": ((), {"R-1": ar("C1", 100), "R-2": ar("C2", 100, None, "JPY")}),
    "37": (EUR, {"R-1": ar("C1", 100), "R-2": ar("C1", 100)}),
    "45": (EUR, {"R-1": ar("C1", 100), "R-2": ar("C2", 100)}),
    "46": (EUR, {"R-1": ar("C1", 100)}),
    "47": (EUR, {"R-1": ar("C1", 100)}),
    "49": (EUR, {"R-1": ar("C1", 121)}),
    "52": ((*EUR, "--add-up"), {"R-1": ar("C1", 100), "R-2": ar("C2", 10)}),
    "54": (EUR, {"R-1": ar("C1", 60, 0), "R-4": ar("C1", 40)}),
    "57": (EUR, {"R-1": ar("C1", 100)}),
    "58": (EUR, {"0001": ar("00123", 100)}),
}


@pytest.mark.parametrize("case", TAKEN)
def test_it_is_taken_over_with_the_right_values(ocs: Ocs, case: str) -> None:
    options, expected = TAKEN[case]
    take(ocs, case, *options).done()
    documents, _ = stored(ocs)
    assert {number: figures(document) for number, document in documents.items()} == expected
    assert {str(d.document_issued_date) for d in documents.values()} <= {"2024-05-14", "2024-05-31"}
    assert {str(d.document_due_date) for d in documents.values()} <= {"2024-05-28", "2024-06-14"}


ASKED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("02b", *EUR): (
        "line 2 (amount '1.000')",
        "--decimal-separator '.' --decimal-places 3 reads 1.000 as 1.00 EUR",
        "--decimal-separator ',' reads 1.000 as 1000.00 EUR",
    ),
    ("02c", *EUR): ("line 2 (amount '1,000')", "reads 1,000 as 1000.00 EUR"),
    ("02c", *EUR, "--decimal-separator", ","): (
        "--decimal-separator , does not fit every row: not line 2 (amount '1,000')",
    ),
    ("02d", "--currency", "KWD"): ("reads 1.250 as 1.250 KWD", "reads 1.250 as 1250.000 KWD"),
    ("12b", *EUR, "--encoding", "cp1252"): ("the file is utf-16",),
    ("31", *EUR): ("line 3: the row is in JPY, not in EUR",),
    ("33", *EUR): ("line 2: the customer: '1.23457E+11'", "line 3: the customer: '1.23457E+11'"),
    ("52", *EUR): ("line 2: the number R-1 stands in 2 rows (lines 2, 3)", "line 3: the number R-1 stands in 2 rows"),
    ("63", *EUR): ("line 4 (amount '1.50') has a decimal point, line 3 (amount '1,50') a decimal comma",),
    ("63", *EUR, "--decimal-separator", ","): (
        "--decimal-separator , does not fit every row: not line 4 (amount '1.50')",
    ),
}


@pytest.mark.parametrize("how", ASKED, ids=" ".join)
def test_it_is_asked_about_and_nothing_is_written(ocs: Ocs, how: tuple[str, ...]) -> None:
    said = take(ocs, *how).refused()
    assert [words for words in ASKED[how] if words not in said] == []
    assert stored(ocs) == ({}, {})


def test_every_case_is_there() -> None:
    assert {file.name.partition("-")[0] for file in CASES.glob("*.csv")} == {*TAKEN, *(how[0] for how in ASKED)}


def test_what_is_paid_comes_as_a_payment_and_what_is_taxed_with_its_tax(ocs: Ocs) -> None:
    take(ocs, "30", *EUR).done()
    (payment,) = stored(ocs)[1].values()
    assert (payment.payment_amount, payment.remaining_amount, payment.external_payment_no) == (40 * UNIT, 0, "R-1")


def test_a_tax_column_becomes_the_documents_tax(ocs: Ocs) -> None:
    take(ocs, "49", *EUR).done()
    (document,) = stored(ocs)[0].values()
    assert (document.total_amount, document.total_amount_tax) == (100 * UNIT, 21 * UNIT)
