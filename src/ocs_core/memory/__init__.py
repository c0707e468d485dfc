"""Every port in memory: the reference that all other adapters are compared with, and a store for tests and try-outs."""

from ocs_core.memory.ids import MemoryIds
from ocs_core.memory.keys import MemoryApiKeys
from ocs_core.memory.queries import MemoryQueries
from ocs_core.memory.store import MemoryStore
from ocs_core.memory.streaming import MemoryEventLog, MemoryOutbox, MemoryStream
from ocs_core.memory.take_overs import MemoryTakeOvers

__all__ = [
    "MemoryApiKeys",
    "MemoryEventLog",
    "MemoryIds",
    "MemoryOutbox",
    "MemoryQueries",
    "MemoryStore",
    "MemoryStream",
    "MemoryTakeOvers",
]
