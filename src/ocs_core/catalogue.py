"""The catalogue of rules: which operation says that it applies which rule."""

import functools
import importlib
import pkgutil

import attrs

from ocs_core import usecases
from ocs_core.rules import RULES, Judge
from ocs_core.usecases.perform import OF_EVERY_COMMAND, UseCase
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
    """The names of the rules that an operation says it applies."""
    own: tuple[Judge, ...] = getattr(operation, "applies", ())
    return frozenset(rule.__name__ for rule in (*own, *(OF_EVERY_COMMAND if issubclass(operation, UseCase) else ())))
