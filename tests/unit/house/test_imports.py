"""The import contracts can fail: a violation of each, planted in a copy of the sources, is reported by its name."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in CONTRACTS}

PLANTED = {
    "packages": ("ocs_core/money.py", "import ocs_adapters.clock"),
    "core": ("ocs_core/errors.py", "import ocs_core.messages"),
    "adapters": ("ocs_adapters/serial/wire.py", "import ocs_adapters.sql"),
    "http": ("ocs_http/app.py", "import ocs_http.cli"),
    "http-takes": ("ocs_http/app.py", "import ocs_adapters.sql"),
    "pure": ("ocs_core/money.py", "import msgspec"),
    "kit": ("ocs_core/rules/common.py", "import pytest"),
    "use-cases": ("ocs_core/usecases/register_payment.py", "import ocs_core.usecases.identify_payment_in"),
    "acyclic": ("ocs_core/entities/account.py", "import ocs_core.entities.payment"),
}


def _lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    only = [argument for contract in contracts for argument in ("--contract", contract)]
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache", "--config", folder / "pyproject.toml", *only]
    return subprocess.run(
        command, cwd=folder / "src", capture_output=True, text=True, env={"PYTHONPATH": "."}, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_contract_has_a_planted_violation() -> None:
    assert set(PLANTED) == set(NAMES)


def test_every_use_case_is_under_the_contract_of_independence() -> None:
    (independent,) = [c["modules"] for c in CONTRACTS if c["id"] == "use-cases"]
    shared = {"__init__", "perform", "payment_steps", "settlement_steps"}
    folder = ROOT / "src/ocs_core/usecases"
    files = {p.stem for p in (*folder.glob("*.py"), *(p.parent for p in folder.glob("*/__init__.py")))} - shared
    assert {name.rpartition(".")[2] for name in independent} == files


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_is_reported(copy: Path, contract: str) -> None:
    file, line = PLANTED[contract]
    before = _lint(copy, contract)
    assert before.returncode == 0, before.stdout
    path = copy / "src" / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    after = _lint(copy, contract)
    assert after.returncode == 1
    assert f"{NAMES[contract]} BROKEN" in " ".join(after.stdout.split())


def test_no_import_hides_behind_type_checking() -> None:
    hidden = [p for p in (ROOT / "src").rglob("*.py") if "TYPE_CHECKING" in p.read_text(encoding="utf-8")]
    assert hidden == []
