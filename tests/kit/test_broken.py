"""The kit catches what it says it catches: each broken adapter fails the law that is named for it, and what they are made
of fails none.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from ocs_core.testkit.broken import BROKEN, UNBROKEN, Broken

MODULE = """
from ocs_core.testkit.broken import BROKEN, UNBROKEN

for name, build in [*((b.name, b.build) for b in BROKEN), *UNBROKEN.items()]:
    globals()[f"Test_{name}"] = build()
"""
COMPLAINTS = ("AssertionError", "assert ", "Failed: DID NOT RAISE", "ocs_core.errors.")
"""How a law complains; anything else is an accident of the broken one."""


def _classes(module: Path, *selected: str) -> dict[str, list[str | None]]:
    """Run these tests of the module by themselves; for each, by `class::test`, what its cases complained of."""
    report = module.parent / "report.xml"
    nodes = [f"{module}::{node}" for node in selected]
    options = ["-q", "--tb=line", "-p", "no:cacheprovider", "-c", os.devnull, "--junitxml", str(report)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *nodes], capture_output=True, text=True, check=False
    )
    assert run.returncode in {0, 1}, run.stdout + run.stderr
    told: dict[str, list[str | None]] = {}
    for case in ET.parse(report).iter("testcase"):
        failure = case.find("failure")
        assert case.find("error") is None, ET.tostring(case)
        node = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name', '').partition('[')[0]}"
        told.setdefault(node, []).append(None if failure is None else failure.get("message"))
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str | None]]:
    module = tmp_path_factory.mktemp("broken") / "test_generated.py"
    module.write_text(MODULE, encoding="utf-8")
    laws = [f"Test_{broken.name}::{broken.law}" for broken in BROKEN]
    return _classes(module, *laws, *(f"Test_{contract}" for contract in UNBROKEN))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_one_is_caught_by_the_law_that_is_named_for_it(
    broken: Broken, told: dict[str, list[str | None]]
) -> None:
    complaints = [c for c in told[f"Test_{broken.name}::{broken.law}"] if c is not None]
    assert complaints, f"{broken.contract} lets {broken.name} live"
    assert [c for c in complaints if not c.startswith(COMPLAINTS)] == []


@pytest.mark.parametrize("contract", UNBROKEN)
def test_what_the_broken_ones_are_made_of_keeps_every_law(contract: str, told: dict[str, list[str | None]]) -> None:
    of_contract = {node: complaints for node, complaints in told.items() if node.startswith(f"Test_{contract}::")}
    assert of_contract
    assert {node: complaints for node, complaints in of_contract.items() if any(complaints)} == {}


def test_every_contract_is_tested_with_something_broken() -> None:
    planted = Counter(broken.contract for broken in BROKEN)
    assert set(planted) == set(UNBROKEN)
    assert planted["store_contract"] >= 20


def test_each_broken_one_has_a_name_of_its_own_and_says_what_is_wrong() -> None:
    assert [name for name, count in Counter(broken.name for broken in BROKEN).items() if count > 1] == []
