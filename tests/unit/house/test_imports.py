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
    "use-cases": ("ocs_core/usecases/register_payment.py", "import ocs_core.usecases.identify_payment_in"),
    "acyclic": ("ocs_core/entities/account.py", "import ocs_core.entities.payment"),
}
HTTP_TAKES = {"bootstrap", "serial", "settings", "telling"}
NOT_FOR_HTTP = sorted(
    {path.stem for path in (ROOT / "src/ocs_adapters").glob("[a-z]*") if path.name != "py.typed"} - HTTP_TAKES
)
ALONE = {"attrs"}
"""What the core stands on besides the standard library."""
TESTS_WITH = {"pytest", "hypothesis"}
"""What its test kit stands on, and nothing else does."""


def _lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    only = [argument for contract in contracts for argument in ("--contract", contract)]
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache", "--config", folder / "pyproject.toml", *only]
    return subprocess.run(
        command, cwd=folder / "src", capture_output=True, text=True, env={"PYTHONPATH": "."}, check=False
    )


def _plant(copy: Path, file: str, *lines: str) -> None:
    path = copy / "src" / file
    path.write_text("\n".join([path.read_text(encoding="utf-8"), *lines, ""]), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _allowed(module: str) -> set[str]:
    return ALONE | TESTS_WITH if module.startswith("ocs_core.testkit") else ALONE


def _strangers(source: Path) -> set[tuple[str, str]]:
    """Every import of something that is neither ours, nor of the standard library, nor allowed where it is imported."""
    told = subprocess.run(
        [sys.executable, "-c", EXTERNALS],
        cwd=source,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "."},
    )
    edges = {tuple(line.split()) for line in told.stdout.splitlines()}
    return {(importer, imported) for importer, imported in edges if imported not in _allowed(importer)}


EXTERNALS = """
import grimp, sys
graph = grimp.build_graph("ocs_core", "ocs_adapters", "ocs_http", include_external_packages=True, cache_dir=None)
ours = ("ocs_core", "ocs_adapters", "ocs_http")
for module in graph.modules:
    for imported in graph.find_modules_directly_imported_by(module):
        stranger = imported.partition(".")[0] not in {*ours, *sys.stdlib_module_names}
        if stranger and (module.startswith("ocs_core") or imported in ("pytest", "hypothesis")):
            print(module, imported)
"""


def test_every_contract_has_a_planted_violation() -> None:
    assert set(PLANTED) == set(NAMES)


def test_nothing_is_reported_where_nothing_is_planted() -> None:
    told = _lint(ROOT)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_is_reported(copy: Path, contract: str) -> None:
    file, line = PLANTED[contract]
    _plant(copy, file, line)
    after = _lint(copy, contract)
    assert after.returncode == 1
    assert f"{NAMES[contract]} BROKEN" in " ".join(after.stdout.split())


def test_http_is_told_of_whatever_else_it_takes_from_the_adapters(copy: Path) -> None:
    assert len(NOT_FOR_HTTP) > 10
    _plant(copy, "ocs_http/app.py", *(f"import ocs_adapters.{name}" for name in NOT_FOR_HTTP))
    told = " ".join(_lint(copy, "http-takes").stdout.split())
    assert [name for name in NOT_FOR_HTTP if f"ocs_http.app -> ocs_adapters.{name} " not in told] == []


def test_no_use_case_takes_another_and_none_is_left_out(copy: Path) -> None:
    """Asked of each: a list that is kept by hand forgets the next one."""
    shared = {"__init__", "perform", "work", "balance_steps", "payment_steps", "settlement_steps"}
    folder = copy / "src/ocs_core/usecases"
    files = sorted({p.stem for p in (*folder.glob("*.py"), *(p.parent for p in folder.glob("*/__init__.py")))} - shared)
    (folder / "another.py").write_text(
        "".join(f"import ocs_core.usecases.{name}\n" for name in files), encoding="utf-8"
    )
    told = " ".join(_lint(copy, "use-cases").stdout.split())
    assert [name for name in files if f"ocs_core.usecases.another -> ocs_core.usecases.{name} " not in told] == []


def test_the_core_stands_on_attrs_alone_and_its_test_kit_on_two_more(copy: Path) -> None:
    assert _strangers(copy / "src") == set()
    planted = {
        ("ocs_core.money", "pandas"),
        ("ocs_core.rules.common", "pytest"),
        ("ocs_core.testkit.fakes", "sqlalchemy"),
        ("ocs_adapters.clock", "hypothesis"),
        ("ocs_http.app", "pytest"),
    }
    for module, name in planted:
        _plant(copy, module.replace(".", "/") + ".py", f"import {name}")
    assert _strangers(copy / "src") == planted


def test_no_import_hides_behind_type_checking() -> None:
    hidden = [p for p in (ROOT / "src").rglob("*.py") if "TYPE_CHECKING" in p.read_text(encoding="utf-8")]
    assert hidden == []
