"""The catalogue of rules: which operation applies which rule, read from the code itself."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import attrs

from ocs_core import rules, usecases
from ocs_core.rules import RULES
from ocs_core.usecases.perform import UseCase
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance
from ocs_core.usecases.read_open_balance import ReadOpenBalance
from ocs_core.usecases.read_process_run import ReadProcessRun


@attrs.frozen
class CatalogueEntry:
    """A rule: its function's name, the failure it tells, the sentence it keeps true, and the operations that apply it."""

    name: str
    code: str
    field: str
    sentence: str
    use_cases: tuple[str, ...]


def catalogue() -> list[CatalogueEntry]:
    """Every rule with the operations that apply it, both in alphabetical order."""
    applied = {operation: rules_applied(cls) for operation, cls in operations().items()}
    return [
        CatalogueEntry(
            rule.name,
            rule.code,
            rule.field,
            rule.sentence,
            tuple(operation for operation, names in applied.items() if rule.name in names),
        )
        for _, rule in sorted(RULES.items())
    ]


@functools.cache
def operations() -> dict[str, type]:
    """Every operation that applies rules, commands and reads, by its name."""
    found: dict[str, type] = {cls.__name__: cls for cls in (ReadCollectionBalance, ReadOpenBalance, ReadProcessRun)}
    for module_info in pkgutil.iter_modules(usecases.__path__, f"{usecases.__name__}."):
        module = importlib.import_module(module_info.name)
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, UseCase) and cls is not UseCase:
                found[cls.operation] = cls
    return dict(sorted(found.items()))


def rules_applied(operation: type) -> frozenset[str]:
    """The names of the rules that a class applies, in its methods and the functions of use-cases' modules that they call."""
    methods = [m for cls in operation.__mro__ for m in vars(cls).values() if isinstance(m, FunctionType)]
    seen: set[Callable[..., Any]] = set()
    return frozenset(name for method in methods for name in _applied_by(method, seen))


def _applied_by(function: FunctionType, seen: set[Callable[..., Any]]) -> Iterator[str]:
    if function in seen:
        return
    seen.add(function)
    for name in _names_in(function.__code__):
        helper = function.__globals__.get(name)
        if name in RULES:
            yield name
        elif inspect.isfunction(group := getattr(rules, name, None)):
            yield from _applied_by(group, seen)
        elif inspect.isfunction(helper) and helper.__module__.startswith(usecases.__name__):
            yield from _applied_by(helper, seen)


def _names_in(code: CodeType) -> Iterator[str]:
    """Every name that a function's code refers to, the functions and generators inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)
