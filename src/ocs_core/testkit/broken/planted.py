"""What a planted defect is."""

from collections.abc import Callable
from typing import TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Broken:
    """Something broken: `build()` is its contract's test class, and `law` the test in it that must fail."""

    name: str
    contract: str
    law: str
    build: Callable[[], type]


BROKEN: list[Broken] = []
UNBROKEN: dict[str, Callable[[], type]] = {}
"""By contract: the test class of what the broken ones were made of, all of whose laws hold."""


def planting(
    contract: Callable[..., type], held: Callable[[T], type], unbroken: T
) -> Callable[[str], Callable[[T], T]]:
    """The decorator `@breaks(law)` for things that `held` holds against a contract; `unbroken` is one that keeps it."""
    UNBROKEN[contract.__name__] = lambda: held(unbroken)

    def breaks(law: str) -> Callable[[T], T]:
        def plant(broken: T) -> T:
            name: str = broken.__name__  # type: ignore[attr-defined]
            BROKEN.append(Broken(name, contract.__name__, law, lambda: held(broken)))
            return broken

        return plant

    return breaks
