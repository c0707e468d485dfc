"""The mutation run over the rules and the balances: `python tests/mutation.py FOLDER [FUNCTION...]`.

mutmut leaves functions with decorators alone, and every rule is one. So it is given a copy of the sources in which
`@rule(...)` before a function is `name = rule(...)(name)` after it, which means the same. The mutants are in FOLDER only.
"""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

from ocs_core.rules import RULES

ROOT = Path(__file__).parents[1]
EXPLAINED = ROOT / "docs" / "mutation.md"
KILLED = {1, 3, -24, 24, 36, 152, 255}
"""mutmut's exit codes of a test that failed, or ran out of time."""


@attrs.frozen
class Mutant:
    """A mutant and its fate; `only_text` where it differs in nothing but the words of a complaint."""

    function: str
    change: str
    only_text: bool
    killed: bool


def without_decorators(source: str) -> str:
    """The same module, with its rules made after the functions."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            (decorator,) = node.decorator_list
            made = f"{node.name} = {ast.unparse(decorator)}({node.name})"
            lines[decorator.lineno - 1 : node.end_lineno] = [*lines[node.lineno - 1 : node.end_lineno], made]
    return "\n".join(lines) + "\n"


def prepare(folder: Path) -> None:
    """What mutmut works on: sources and tests as they are, but for the decorators of the rules."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path in (folder / "src/ocs_core/rules").glob("*.py"):
        path.write_text(without_decorators(path.read_text()))


def mutants_in(folder: Path) -> Iterator[Mutant]:
    """Every mutant that was run."""
    for meta in sorted((folder / "mutants").rglob("*.meta")):
        complaints = meta.parent.name == "rules" and meta.name != "rule.py.meta"
        functions = {
            n.name: n for n in ast.walk(ast.parse(meta.with_suffix("").read_text())) if isinstance(n, ast.FunctionDef)
        }
        for key, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            if code is not None:
                name = key.rpartition(".")[2]
                mutated, original = functions[name], functions[f"{name.rpartition('__mutmut_')[0]}__mutmut_orig"]
                mutated.name = original.name = name.rpartition("__mutmut_")[0].removeprefix("x_")
                only_text = complaints and _mute(original) == _mute(mutated)
                yield Mutant(original.name, _change(original, mutated), only_text, code in KILLED)


def _change(original: ast.FunctionDef, mutated: ast.FunctionDef) -> str:
    before, after = (ast.unparse(node).splitlines() for node in (original, mutated))
    return next(new.strip() for old, new in zip(before, [*after, ""], strict=False) if old != new)


def _mute(function: ast.FunctionDef) -> str:
    """The function without the words in it."""
    copy = ast.parse(ast.unparse(function))
    for node in ast.walk(copy):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(copy)


def main(folder: Path, functions: list[str]) -> int:
    """Every mutant, or those of the functions named; 1 where one survives for no reason that docs/mutation.md gives.

    Each function named must have a mutant, and in a run over all every rule.
    """
    prepare(folder)
    names = [f"*.x_{function}__mutmut_*" for function in functions]
    mutmut = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", "2", *names]
    subprocess.run(mutmut, cwd=folder, check=True)
    mutants = list(mutants_in(folder))
    for kind, words in (("logic", False), ("text", True)):
        of_kind = [m for m in mutants if m.only_text is words]
        killed = sum(m.killed for m in of_kind)
        print(f"{kind}: {killed} of {len(of_kind)} killed, {killed / max(len(of_kind), 1):.1%}")
    explained = EXPLAINED.read_text().replace(r"\|", "|")
    survivors = [m for m in mutants if not m.killed and not m.only_text]
    unexplained = [m for m in survivors if m.change not in explained]
    for m in survivors:
        print(f"survived{', unexplained' if m in unexplained else ''}: {m.function}: {m.change}")
    untouched = set(functions or RULES) - {m.function for m in mutants}
    for function in sorted(untouched):
        print(f"without a mutant: {function}")
    return 1 if unexplained or untouched else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2:]))
