"""Adapters and functions that each break one law in a way somebody once did: the contracts are tested with them.

Each is made of the reference and says what is wrong with it; `BROKEN` names the law that must catch it.
"""

from ocs_core.testkit.broken import (  # noqa: F401 - each module plants what it defines
    balances,
    forgetful_stores,
    looking_back_stores,
    looking_up_stores,
    outboxes,
    platforms,
    queries,
    racing_stores,
    sources,
    stores,
)
from ocs_core.testkit.broken.planted import BROKEN, UNBROKEN, Broken

__all__ = ["BROKEN", "UNBROKEN", "Broken"]
