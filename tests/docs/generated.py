"""What is made from the code and committed. `uv run nox -s generate` makes all of it anew."""

import ast
import contextlib
import importlib
import io
import pkgutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import ocs_core
from ocs_adapters.cli import main
from ocs_adapters.serial import asyncapi, messages
from ocs_http import openapi

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "messages"


def public_names() -> list[str]:
    """What modules of the core define for everybody."""
    names = []
    for module in pkgutil.walk_packages(ocs_core.__path__, "ocs_core."):
        loaded = importlib.import_module(module.name)
        tree = ast.parse(Path(loaded.__file__ or "").read_text(encoding="utf-8"))
        names += [f"{module.name}.{n}" for n in _defined(tree) if not n.startswith("_")]
    return sorted(names)


def _defined(tree: ast.Module) -> list[str]:
    names = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return names


def rules_page() -> str:
    """What `ocs rules --markdown` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main(["rules", "--markdown"])
    return printed.getvalue()


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/rules.md": rules_page,
    "docs/openapi.json": openapi.as_text,
    "docs/asyncapi.json": asyncapi.as_text,
    "docs/public-names.txt": lambda: "".join(f"{name}\n" for name in public_names()),
}
"""How each page is made; the schemas in `docs/messages` are written by `messages.write`, which breaks no reader."""


if __name__ == "__main__":
    for page, make in PAGES.items():
        (ROOT / page).write_text(make(), encoding="utf-8")
    if refused := messages.write(SCHEMAS):
        sys.exit("\n".join([*refused, messages.ADVICE]))
