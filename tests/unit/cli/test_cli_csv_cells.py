"""Comma-separated files that we write: a spreadsheet must not take text for a formula, and what we write is read back."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.cli.csv_cells import guarded
from ocs_core.usecases.take_over_receivables.cells import plain
from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_import import take

SRC = Path(__file__).parents[3] / "src"


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_begins_like_a_formula_has_an_apostrophe_before_it(begins: str) -> None:
    assert guarded([f"{begins}HYPERLINK(1)"]) == [f"'{begins}HYPERLINK(1)"]


def test_numbers_stay_numbers_and_nothing_stays_nothing() -> None:
    cells = ["-12.00", "+3", "-5", -7, None, "C-1", "a=b", ""]
    assert guarded(cells) == cells


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=12))
def test_an_id_that_we_write_is_read_back_as_it_is(text: str) -> None:
    if not text.startswith("'") and not text.startswith('="'):
        assert plain(guarded([text])[0]) == text


def test_the_figures_of_payers_are_guarded(ocs: Ocs) -> None:
    take(ocs, ocs.ledger([("=1+1", "N-1", "2013-01-25", "2013-02-24", "-50.00", "")])).done()
    ocs("collect", "--dry-run", "--csv", "figures.csv").done()
    with (ocs.folder / "figures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["externalId"], row["balance"]) == ("'=1+1", "-50.00")


def test_every_file_that_is_written_goes_through_the_guard() -> None:
    writing = [p for p in SRC.rglob("*.py") if "csv.writer(" in p.read_text(encoding="utf-8")]
    assert len(writing) == 2
    for path in writing:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if ".writerow" in line]
        assert [line for line in lines if "guarded(" not in line and "writerow(HEADER)" not in line] == []
