"""docs/domain.md says what the code says: entities, operations and messages, and the sections that docstrings cite."""

import datetime as dt
import importlib
import pkgutil
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest

import ocs_core.entities
from ocs_core.messages import BUSINESS_TRANSACTIONS, NOTIFICATIONS, payload_type
from ocs_http.operations import OPERATIONS, Operation
from tests.unit.core.scene import Scene

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "domain.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "src").rglob("*.py"))

CITATION = re.compile(r"domain: (?:sections? (\d+(?:(?:, | and )\d+)*)(?:, ([a-z][a-z ]*))?)?")
KINDS: Mapping[Any, frozenset[str]] = {
    UUID: frozenset({"id"}),
    str: frozenset({"text", "code"}),
    int: frozenset({"amount", "days", "basis points", "number"}),
    bool: frozenset({"yes or no"}),
    dt.date: frozenset({"day"}),
    dt.datetime: frozenset({"instant"}),
    ZoneInfo: frozenset({"zone"}),
}
"""How the page calls the types of attributes."""


def wrong_citations(source: str, page: str) -> list[str]:
    """The places that cite a section, or a heading in it, that the page does not have, or none at all."""
    sections = {part[0]: part for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]}
    wrong = []
    for found in CITATION.finditer(" ".join(source.split())):
        numbers, title = re.findall(r"\d+", found[1] or ""), found[2]
        titles = [heading.lower() for n in numbers for heading in _headings(sections.get(n, ""))]
        if not numbers or not set(numbers) <= sections.keys() or (title and title.strip() not in titles):
            wrong.append(found[0])
    return wrong


def _headings(section: str) -> list[str]:
    return re.findall(r"^###+ (.+)$", section, re.MULTILINE)


def test_every_section_that_is_cited_is_there() -> None:
    sources = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in SOURCES}
    assert sum(len(CITATION.findall(source)) for source in sources.values()) > 30
    assert {name: wrong for name, source in sources.items() if (wrong := wrong_citations(source, PAGE))} == {}


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ('"""Runs (domain: section 4, reads)."""', []),
        ('"""Runs (domain: sections\n3, 4 and 5)."""', ["domain: sections 3, 4 and 5"]),
        ('"""Runs (domain: section 44)."""', ["domain: section 44"]),
        ('"""Runs (domain: section 3, reads)."""', ["domain: section 3, reads"]),
        ('"""Runs (domain: adjusting)."""', ["domain: "]),
        ('"""Runs. It is its own domain, with a section 9."""', []),
    ],
)
def test_a_planted_citation_is_told(source: str, wrong: list[str]) -> None:
    assert wrong_citations(source, "## 3. Things\n\n### A thing\n\n## 4. Runs\n\n### Reads\n") == wrong


def _entities() -> dict[str, type]:
    """Every entity (what has a version), and every class of values that one of them holds."""
    modules = pkgutil.walk_packages(ocs_core.entities.__path__, "ocs_core.entities.")
    classes = [cls for m in modules for cls in vars(importlib.import_module(m.name)).values() if isinstance(cls, type)]
    found: dict[str, type] = {}
    waiting = [cls for cls in classes if attrs.has(cls) and "version" in attrs.fields_dict(cls)]
    while waiting:
        cls = waiting.pop()
        if found.setdefault(cls.__name__, cls) is cls:
            waiting += [held for held in _held_by(cls) if held.__name__ not in found]
    return found


def _held_by(cls: type) -> Iterator[type]:
    waiting = list(typing.get_type_hints(cls).values())
    while waiting:
        hint = waiting.pop()
        waiting += typing.get_args(hint)
        if isinstance(hint, type) and attrs.has(hint):
            yield hint


def _attributes(cls: type) -> dict[str, Any]:
    """The types of a class's public attributes, properties among them."""
    fields = {name: hint for name, hint in typing.get_type_hints(cls).items() if name in attrs.fields_dict(cls)}
    properties = {
        name: typing.get_type_hints(member.fget)["return"]
        for name, member in vars(cls).items()
        if isinstance(member, property) and not name.startswith("_")
    }
    return {**fields, **properties}


def _tables(page: str) -> dict[str, list[list[str]]]:
    """The rows of every table, by the name that stands alone in its first head: the attributes of that class."""
    tables = re.findall(r"^\| `(\w+)` \| kind \|.*\n\|.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    return {name: [re.split(r" ?\| ?", row.strip("|\n"))[:3] for row in rows.splitlines()] for name, rows in tables}


def _described(page: str, name: str) -> list[tuple[str, str]]:
    """Attribute and kind, as the page has them."""
    return [(attribute, kind.strip()) for names, kind, *_ in _tables(page).get(name, []) for attribute in _coded(names)]


def _coded(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def _fits(kind: str, hint: Any) -> bool:
    arguments = set(typing.get_args(hint)) - {NoneType}
    may_be_none = NoneType in typing.get_args(hint)
    if may_be_none is not kind.endswith("?"):
        return False
    kind = kind.removesuffix("?")
    base = arguments.pop() if may_be_none else hint
    match typing.get_origin(base) or base:
        case cls if cls in KINDS:
            return kind in KINDS[cls]
        case cls if issubclass(cls, Enum):
            return kind == "choice"
        case cls if attrs.has(cls):
            return kind == cls.__name__
        case cls:
            return kind == ("map" if issubclass(cls, Mapping) else "list")


def untrue(page: str, classes: Mapping[str, type]) -> list[str]:
    """What the page's tables of attributes say otherwise than the classes: too much, too little, of another kind."""
    told = [f"{name} is no entity" for name in _tables(page).keys() - classes.keys()]
    for name, cls in classes.items():
        attributes, described = _attributes(cls), _described(page, name)
        told += [f"{name}.{a} is not described" for a in attributes.keys() - dict(described).keys()]
        told += [f"{name}.{a} is described, and not there" for a in dict(described).keys() - attributes.keys()]
        told += [f"{name}.{a} is no {k}" for a, k in described if a in attributes and not _fits(k, attributes[a])]
        told += [f"{name}.{a} is described twice" for a in dict(described) if [d for d, _ in described].count(a) > 1]
    return sorted(told)


def test_every_attribute_of_every_entity_is_described() -> None:
    entities = _entities()
    assert {"Account", "Payer", "Payment", "Settlement", "ProcessRun", "Currency", "MoneyOrder"} <= entities.keys()
    assert untrue(PAGE, entities) == []


@attrs.frozen
class _Coin:
    ref_id: UUID
    worth: int
    minted: dt.date | None = None

    @property
    def old(self) -> bool:
        return self.minted is None


HEAD = "| `_Coin` | kind | meaning |\n| --- | --- | --- |\n"
TRUE = HEAD + "| `ref_id` | id | |\n| `worth` | amount | |\n| `minted` | day? | |\n| `old` | yes or no | |\n"


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (TRUE, []),
        (TRUE.replace("| `worth` | amount | |\n", ""), ["_Coin.worth is not described"]),
        (TRUE.replace("| `old` | yes or no | |\n", ""), ["_Coin.old is not described"]),
        (TRUE.replace("`worth`", "`worth`, `weight`"), ["_Coin.weight is described, and not there"]),
        (TRUE.replace("day?", "day"), ["_Coin.minted is no day"]),
        (TRUE.replace("amount", "text"), ["_Coin.worth is no text"]),
        (TRUE.replace("`ref_id`", "`ref_id`, `ref_id`"), ["_Coin.ref_id is described twice"]),
        (TRUE + "\n" + HEAD.replace("_Coin", "Note") + "| `x` | id | |\n", ["Note is no entity"]),
    ],
)
def test_a_planted_mistake_in_a_table_is_told(page: str, told: list[str]) -> None:
    assert untrue(page, {"_Coin": _Coin}) == told


def test_every_value_of_every_choice_is_named() -> None:
    hints = {hint for cls in _entities().values() for hint in _leaves(_attributes(cls).values())}
    choices = [value for hint in hints if isinstance(hint, type) and issubclass(hint, Enum) for value in hint]
    assert choices
    assert [value for value in choices if f"`{value}`" not in PAGE] == []


def _leaves(hints: Iterable[Any]) -> Iterator[Any]:
    for hint in hints:
        yield hint
        yield from _leaves(typing.get_args(hint))


def _rows(first: str) -> dict[str, str]:
    """The rows of the table with that head, by their first cell."""
    _, _, after = PAGE.partition(f"\n| {first} |")
    rows = re.findall(r"^\| `(.+?)` \| (.*) \|$", after.partition("\n\n")[0], re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_what_an_operation_publishes_is_told(operation: Operation) -> None:
    publishes = _rows("operation")[operation.path].partition(" |")[0]
    steps = {cls.code for cls in operation.steps if cls.code in BUSINESS_TRANSACTIONS}  # type: ignore[attr-defined]
    before_the_run, _, _ = publishes.partition("the run itself")
    assert set(_coded(before_the_run)) == steps


def contradicted(row: str, published: Sequence[str]) -> list[str]:
    """What of a row is not so, where these codes were published: one that is not listed, one that always should be, the order."""
    cells = [cell.partition("by the run")[0].partition("the run itself")[0] for cell in row.split(" |")]
    listed = [code for cell in cells for code in _coded(cell)]
    always = {code for cell in cells for code in _coded(re.sub(r"\[.*?\]", "", cell))}
    told = [f"{code} is not listed" for code in published if code not in listed]
    told += [f"{code} is not always published" for code in sorted(always - set(published))]
    rest = iter(listed)
    return told or ([] if all(code in rest for code in published) else ["the order is another one"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_what_an_operation_does_publish_is_what_is_told(operation: Operation) -> None:
    scene = Scene()
    scene.perform(operation.name, scene.request(operation.name))
    published = [message.payload.code for message in scene.published()]
    assert contradicted(_rows("operation")[operation.path], published) == []


@pytest.mark.parametrize(
    ("published", "told"),
    [
        (["payment", "history", "paid"], []),
        (["payment", "history", "history", "paid"], []),
        (["payment", "history"], ["paid is not always published"]),
        (["payment", "history", "account", "paid"], ["account is not listed"]),
        (["history", "payment", "paid"], ["the order is another one"]),
    ],
)
def test_a_row_that_says_otherwise_is_told(published: list[str], told: list[str]) -> None:
    assert contradicted("`payment`, `history`, [`history`] | `paid`", published) == told


def test_no_other_operation_is_told_of() -> None:
    assert _rows("operation").keys() == {operation.path for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("first", "payloads"), [("business transaction", BUSINESS_TRANSACTIONS), ("notification", NOTIFICATIONS)]
)
def test_every_message_is_told_of(first: str, payloads: Mapping[str, type]) -> None:
    rows = _rows(first)
    assert rows.keys() == payloads.keys()
    assert [code for code, row in rows.items() if payload_type(code) not in _coded(row)] == []
