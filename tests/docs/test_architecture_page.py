"""docs/architecture.md and CONTRIBUTING.md speak of what is there; what is said to be absent is."""

import ast
import functools
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### (.+)\n((?:(?!#).*\n)+)", CONTRIBUTING, re.MULTILINE))


def folders(source: Path) -> set[str]:
    """Every folder that has modules."""
    return {file.parent.relative_to(source).as_posix() for file in source.rglob("*.py")}


def mapped(page: str) -> list[str]:
    """The folders that the code map has a paragraph for."""
    code_map = page.partition("\n## Code map\n")[2].partition("\n## ")[0]
    return re.findall(r"^- `(\S+)`: \S", code_map, re.MULTILINE)


def missing(page: str, *roots: Path) -> list[str]:
    """The files and folders that a page names and that are in none of these roots."""
    named = [n for n in re.findall(r"`([\w./-]+)`", page) if "/" in n or n.endswith((".py", ".md", ".json", ".toml"))]
    return [name for name in named if not any((root / name).exists() for root in roots)]


def test_the_code_map_has_every_folder_once_and_no_other() -> None:
    assert sorted(mapped(PAGE)) == sorted(folders(ROOT / "src"))


def test_a_folder_that_is_not_mapped_or_not_there_is_told(tmp_path: Path) -> None:
    for file in ("core/money.py", "core/rules/common.py", "core/empty/notes.txt"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    page = "- `before`: the map.\n\n## Code map\n\n- `core`: money.\n- `core/gone`: no more.\n- `core/rules`:\n\n## Other\n"
    assert folders(tmp_path) == {"core", "core/rules"}
    assert mapped(page) == ["core", "core/gone"]


@pytest.mark.parametrize("page", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_every_file_that_is_named_is_there(page: str) -> None:
    assert missing(page, ROOT, ROOT / "src") == []


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "there.py").touch()
    page = "`there.py`, `gone.py`, `gone/`, `work.save`, `uv run nox`, `OCS_ZONE` and `docs/gone.md`"
    assert missing(page, tmp_path) == ["gone.py", "gone/", "docs/gone.md"]


def test_the_sessions_of_the_quick_check_are_there() -> None:
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for line in re.findall(r"nox -s ([\w ]+)", CONTRIBUTING) for name in line.split()}
    assert named
    assert named <= sessions


def test_there_is_a_recipe_for_everything_that_is_added_often() -> None:
    recipes = {"An operation", "An attribute of an entity", "An entity", "A consumer", "A store"}
    assert recipes <= RECIPES.keys()
    assert [name for name in recipes if len(re.findall(r"`(?:src|tests|docs)/", RECIPES[name])) < 4] == []


SOURCES = sorted((ROOT / "src").rglob("*.py"))
CORE = [file for file in SOURCES if "ocs_core" in file.parts and "testkit" not in file.parts]
ASKED_FOR = {"ocs_adapters/consumers/notifications/webhooks.py", "ocs_adapters/kafka/client.py"}
"""Where a library asks for `async`."""
SYNCHRONOUS = [
    file
    for file in SOURCES
    if "ocs_http" not in file.parts and file.relative_to(ROOT / "src").as_posix() not in ASKED_FOR
]
ABSENT = {
    "no clock": (CORE, {"dt.datetime.now", "dt.datetime.utcnow", "dt.date.today", "time.time", "time.monotonic"}),
    "no disk or network": (CORE, {"open", "os", "pathlib", "socket", "http", "urllib", "sqlite3", "subprocess"}),
    "no floating point": (CORE, {"float", "decimal", "fractions"}),
    "no asynchronous code": (SYNCHRONOUS, {"async"}),
    "no ORM": (SOURCES, {"sqlalchemy.orm"}),
    "no foreign keys": (SOURCES, {"sa.ForeignKey", "sa.ForeignKeyConstraint", "op.create_foreign_key"}),
}


def used(source: str, names: Collection[str]) -> set[str]:
    """Those of these calls and imports, and `async`, that a source has."""
    return set(_all_named(source)) & set(names)


@functools.cache
def _all_named(source: str) -> frozenset[str]:
    return frozenset(name for node in ast.walk(ast.parse(source)) for name in _named(node))


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call():
            yield ast.unparse(node.func)
        case ast.Import():
            yield from (part for alias in node.names for part in (alias.name, alias.name.partition(".")[0]))
        case ast.ImportFrom(module=str(module)):
            yield from (module, module.partition(".")[0], *(f"{module}.{alias.name}" for alias in node.names))
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            yield "async"


@pytest.mark.parametrize("promise", ABSENT)
def test_what_is_said_to_be_absent_is(promise: str) -> None:
    files, names = ABSENT[promise]
    told = {str(file.relative_to(ROOT)): used(file.read_text(encoding="utf-8"), names) for file in files}
    assert len(told) > 50
    assert {name: what for name, what in told.items() if what} == {}


@pytest.mark.parametrize(
    ("promise", "source"),
    [
        ("no clock", "import datetime as dt\nnow = dt.datetime.now(dt.UTC)"),
        ("no disk or network", "from pathlib import Path"),
        ("no disk or network", "import urllib.request"),
        ("no floating point", "amount = float(text)"),
        ("no floating point", "from decimal import Decimal"),
        ("no asynchronous code", "async def handle(): pass"),
        ("no ORM", "from sqlalchemy import orm"),
        ("no ORM", "from sqlalchemy.orm import Session"),
        ("no foreign keys", "column = sa.Column('account', sa.ForeignKey('accounts.ref_id'))"),
    ],
)
def test_what_is_planted_is_told(promise: str, source: str) -> None:
    assert used(source, ABSENT[promise][1])
    assert not used("import attrs\n\nopened = dict(float=1)\n", ABSENT[promise][1])
