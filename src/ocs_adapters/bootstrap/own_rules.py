"""Rules that a company adds to those of the core, by setting."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from ocs_core.errors import OcsError
from ocs_core.usecases.perform import OwnRule, UseCase

OwnRules = Mapping[type[UseCase[Any, Any]], Sequence[OwnRule]]


def own_rules(place: str | None) -> OwnRules:
    """The rules by use-case that `MODULE:NAME` names; none where nothing does. Raises `OcsError` for what is no such thing."""
    if place is None:
        return {}
    module, _, name = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise OcsError(f"OCS_RULES is {place}, which cannot be imported: {error}.") from None
    if not isinstance(found, Mapping) or not all(_are_rules_of(*each) for each in found.items()):
        raise OcsError(
            f"OCS_RULES is {place}, which is no mapping from use-cases to lists of rules, such as "
            "{RegisterPayment: [payment_is_worth_it]}."
        )
    return found


def _are_rules_of(use_case: object, rules: object) -> bool:
    is_use_case = isinstance(use_case, type) and issubclass(use_case, UseCase)
    return is_use_case and isinstance(rules, Sequence) and all(map(callable, rules))
