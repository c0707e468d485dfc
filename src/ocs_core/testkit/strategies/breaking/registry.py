"""Who says how a rule is broken."""

from collections.abc import Callable
from typing import Any, Protocol

from hypothesis import strategies as st

from ocs_core.catalogue import rules_applied
from ocs_core.testkit.strategies.requests.registry import valid_requests
from ocs_core.testkit.world import World

Draw = st.DrawFn


class Breaker(Protocol):
    """Gives a request like the valid one that breaks one rule and no other; it may prepare the world."""

    def __call__(self, draw: Draw, world: World, operation: type, request: Any) -> Any: ...


_BREAKERS: dict[str, Breaker] = {}


def breaks(rule: str) -> Callable[[Breaker], Breaker]:
    """Say how a rule, by its function's name, is broken."""

    def register(breaker: Breaker) -> Breaker:
        _BREAKERS[rule] = breaker
        return breaker

    return register


def requests_breaking(rule: str, operation: type, world: World) -> st.SearchStrategy[Any]:
    """Requests of a use-case that break exactly this rule, one of the catalogue or of the world's own.

    Raises `LookupError` where nobody has said how, or where the use-case does not apply the rule.
    """
    own = {own_rule.__name__ for own_rule in world.desk.own_rules.get(operation, ())}
    if rule not in rules_applied(operation) | own:
        raise LookupError(f"{operation.__name__} does not apply the rule {rule}")
    if rule not in _BREAKERS:
        raise LookupError(
            f"nobody has said how the rule {rule} is broken; "
            f'write a function of (draw, world, operation, request) under @breaks("{rule}")'
        )
    return _broken(rule, operation, world)


@st.composite
def _broken(draw: Draw, rule: str, operation: type, world: World) -> Any:
    return _BREAKERS[rule](draw, world, operation, draw(valid_requests(operation, world)))
