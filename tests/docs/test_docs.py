"""What the documentation shows is run, and what is generated is current."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest

from ocs_adapters.bootstrap.consumers import KINDS
from ocs_adapters.serial import encode
from ocs_adapters.settings import Settings
from ocs_adapters.sql import tables
from ocs_adapters.sql.retention import PRUNABLES
from ocs_core.memory import MemoryStore
from ocs_core.testkit.examples import Desk, configuration
from tests.programs import needed

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SNIPPETS = [
    pytest.param(snippet, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    if page.name != "testkit.md"  # its snippets are test modules, and run as such
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_runs_as_it_stands(snippet: str) -> None:
    exec(compile(snippet, "snippet", "exec"), {})  # noqa: S102 - the documentation is ours, and this is its test


def test_the_embedding_example_is_short_enough_to_be_one() -> None:
    (example,) = re.findall(r"<!-- embedding -->\n```python\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    statements = example[example.index("def clock") :].strip().splitlines()
    assert len(statements) <= 25


def test_the_embedding_example_passes_strict_type_checkers(tmp_path: Path) -> None:
    (example,) = re.findall(r"<!-- embedding -->\n```python\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "example.py"
    file.write_text(example, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    programs = Path(sys.executable).parent
    for command in (
        [programs / "mypy", "--strict", "--cache-dir", tmp_path / "cache", file],
        [programs / "basedpyright", "--project", tmp_path, "--pythonpath", sys.executable, file],
    ):
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr


def test_the_table_of_extras_has_each_of_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = PAGES[0].read_text(encoding="utf-8").partition("| extra |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))) == set(
        project["optional-dependencies"]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if "://" not in t and not (page.parent / t).exists()] == []


def test_what_each_table_keeps_is_told_to_operators() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    of_consumers = [kind.tables for kind in KINDS.values()]
    every = [name for made in (tables, *of_consumers) for name in made.metadata.tables]
    assert [name for name in every if f"`{name}`" not in page] == []
    told = [
        (name, *rest)
        for names, *rest in re.findall(r"^\| (`.+?`) \| (.+?) \| `(OCS_\w+)` \| (.+?) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    ]
    defaults = attrs.fields_dict(Settings)
    assert sorted(told) == sorted(
        (
            kept.table.name,
            kept.what,
            f"OCS_{kept.setting.upper()}",
            f"{days} days" if (days := defaults[kept.setting].default) else "for ever",
        )
        for kept in (*PRUNABLES, *(each for made in of_consumers for each in made.prunables))
    )


def test_the_javascript_reader_keeps_amounts_beyond_two_to_the_53() -> None:
    needed("node", "nodejs")
    page = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    (reader,) = re.findall(r"```javascript\n(.*?)```", page, re.DOTALL)
    payment = attrs.evolve(Desk(MemoryStore(configuration())).payment(), payment_amount=2**63 - 1, remaining_amount=7)
    read = f"const payment = exact({encode(payment).decode()!r});"
    program = f"{reader}\n{read}\nconsole.log(`${{payment.paymentAmount}} ${{payment.remainingAmount}}`);"
    flags = [] if _node_major() >= 22 else ["--harmony-json-parse-with-source"]
    told = subprocess.run(["node", *flags, "-e", program], capture_output=True, text=True, check=True)
    assert told.stdout == f"{2**63 - 1} 7\n"


def _node_major() -> int:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").partition(".")[0])
