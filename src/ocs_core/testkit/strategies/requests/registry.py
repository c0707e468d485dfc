"""Who says how valid requests of a use-case are drawn."""

from collections.abc import Callable
from typing import Any, Protocol

from hypothesis import strategies as st

from ocs_core.testkit.world import World

Draw = st.DrawFn


class Valid(Protocol):
    """Draws a request that keeps every rule."""

    def __call__(self, draw: Draw, world: World) -> Any: ...


_VALID: dict[type, Valid] = {}


def valid(operation: type) -> Callable[[Valid], Valid]:
    """Say how valid requests of an operation are drawn."""

    def register(drawn: Valid) -> Valid:
        _VALID[operation] = drawn
        return drawn

    return register


def valid_requests(operation: type, world: World) -> st.SearchStrategy[Any]:
    """Requests that a use-case, or a read of the catalogue, accepts in this world. Raises `LookupError` for an unknown one."""
    if operation not in _VALID:
        raise LookupError(
            f"nobody has said how valid requests of {operation.__name__} are drawn; "
            f"write a function of (draw, world) under @valid({operation.__name__})"
        )
    return st.composite(_VALID[operation])(world)
