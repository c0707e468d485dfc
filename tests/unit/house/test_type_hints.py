"""Type hints are read in one place: everybody else asks `ocs_core.form.fields`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[3] / "src"
READ_HINTS = {"get_type_hints", "get_origin", "get_args", "resolve_types", "__args__", "__origin__", "__metadata__"}
ALLOWED = {
    "ocs_core/form/fields.py": "it is the place",
    "ocs_core/frozen.py": "attrs asks it while the class is being made, which cannot be described before",
    "ocs_adapters/settings/options.py": "a setting is read by its attribute alone, while the class is gone through",
    "ocs_core/usecases/perform.py": "of which request a use-case is: the parameter of its base",
    "ocs_core/testkit/contracts/store/keeping.py": "the members of a Literal",
    "ocs_core/testkit/contracts/store/lookups.py": "the members of a Literal",
    "ocs_core/testkit/contracts/store/whole.py": "the members of a Literal",
}


def reads_hints(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names = {getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "name", None)}
        yield from names & READ_HINTS


def test_nobody_else_reads_type_hints() -> None:
    found = {
        str(path.relative_to(SRC)): names
        for path in SRC.rglob("*.py")
        if (names := set(reads_hints(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found.keys() == ALLOWED.keys()


@pytest.mark.parametrize(
    "source",
    [
        "from typing import get_args",
        "import typing\nx = typing.get_type_hints(int)",
        "from typing import get_origin as origin",
        "x = int.__args__",
    ],
)
def test_whoever_reads_them_is_found(source: str) -> None:
    assert list(reads_hints(ast.parse(source)))
