"""What the contracts promise of themselves."""

import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from ocs_core.queries import Search
from ocs_core.testkit.contracts.world import FILTERS, LISTS

OUTSIDER = """
from contextlib import contextmanager
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.testkit.contracts import Subject, published_in, store_contract
from ocs_core.testkit.examples import configuration

@contextmanager
def make():
    store = MemoryStore(configuration())
    {defect}
    yield Subject(store, MemoryQueries(store), lambda: published_in(store))

TestMyStore = store_contract(make)
"""
DEFECT = "store.entities.default_factory = lambda: type('Forgetful', (dict,), {'__setitem__': lambda *_: None})()"


@pytest.mark.parametrize("cls", LISTS, ids=LISTS.values())
def test_every_filter_of_every_search_is_tried(cls: type[Search]) -> None:
    filters = {f.name for f in attrs.fields(cls)} - {f.name for f in attrs.fields(Search)}
    assert set(FILTERS[cls]) == filters, "give the new filter values in ocs_core.testkit.contracts.world"


def _outsider(tmp_path: Path, defect: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A project elsewhere that knows the kit and nothing of ours."""
    test = tmp_path / "test_my_store.py"
    test.write_text(OUTSIDER.format(defect=defect), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(test)]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_a_store_is_proven_in_about_ten_lines(tmp_path: Path) -> None:
    ran = _outsider(tmp_path, "")
    assert ran.returncode == 0, ran.stdout
    assert len([line for line in OUTSIDER.splitlines() if line.strip()]) <= 12


def test_a_law_that_fails_names_itself_and_shows_what_was_compared(tmp_path: Path) -> None:
    law = "test_what_is_absent_stays_absent"
    ran = _outsider(tmp_path, DEFECT, "-k", law)
    assert ran.returncode == 1, ran.stdout
    assert f"TestMyStore::{law}" in ran.stdout
    assert "assert (None, None" in ran.stdout, "assertions of the kit are rewritten"
