"""How the store in memory answers each look-up: one function for each, by subject."""

from ocs_core.memory.lookups import accounts, charging, items, settlements, values  # noqa: F401 - they register themselves
from ocs_core.memory.lookups.answering import answer

__all__ = ["answer"]
