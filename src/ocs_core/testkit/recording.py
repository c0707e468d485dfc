"""Which rules are applied while something is performed."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ocs_core import rules
from ocs_core.rules import RULES, Judge

_MODULES = (rules.accounts, rules.charging, rules.common, rules.documents, rules.payments, rules.processes)


@contextmanager
def rules_recorded() -> Iterator[set[str]]:
    """The names of the core's rules that are applied until the end of the block; a rule is looked up in its module."""
    applied: set[str] = set()
    originals = [
        (module, name, getattr(module, name)) for module in _MODULES for name in RULES if hasattr(module, name)
    ]
    for module, name, rule in originals:
        setattr(module, name, _telling(applied, name, rule))
    try:
        yield applied
    finally:
        for module, name, rule in originals:
            setattr(module, name, rule)


def _telling(applied: set[str], name: str, rule: Judge) -> Judge:
    @functools.wraps(rule)
    def tell(*args: Any, **kwargs: Any) -> Any:
        applied.add(name)
        return rule(*args, **kwargs)

    return tell
