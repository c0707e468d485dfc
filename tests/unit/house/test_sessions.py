"""What `nox` does with a session that cannot be tried on this machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def _nox(tmp_path: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """On a machine that has no programs but Python's own."""
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "nox", "-f", ROOT / "noxfile.py", *arguments],
        env={**clean, "PATH": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("session", ["crash_short", "bench_short"])
def test_a_session_whose_programs_are_missing_is_passed_over_and_says_so(tmp_path: Path, session: str) -> None:
    told = _nox(tmp_path, "-s", session)
    assert told.returncode == 0
    assert re.search(rf"Session {session} skipped: .*java, mvn", told.stderr), told.stderr


def test_where_ci_is_set_it_fails(tmp_path: Path) -> None:
    told = _nox(tmp_path, "-s", "crash_short", CI="true")
    assert told.returncode == 1
    assert "java, mvn" in told.stderr


def test_the_quick_ones_are_those_of_the_page(tmp_path: Path) -> None:
    told = _nox(tmp_path, "-t", "fast", "-l")
    assert re.findall(r"^\* (\w+) \[fast\]", told.stdout, re.MULTILINE) == ["lint", "types", "imports", "unit", "kit"]
