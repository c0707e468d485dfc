"""Ids in memory."""

import itertools
from uuid import UUID

import attrs

from ocs_core.ports import Clock


@attrs.frozen
class MemoryIds:
    """UUIDs of version 7 from a clock and a counter: rising, repeatable, unique within one process."""

    clock: Clock
    _counter: "itertools.count[int]" = attrs.field(factory=itertools.count, init=False)

    def __call__(self) -> UUID:
        milliseconds = int(self.clock().timestamp() * 1000)
        count = next(self._counter)
        return UUID(int=milliseconds << 80 | 7 << 76 | (count >> 62 & 0xFFF) << 64 | 2 << 62 | count & (2**62 - 1))
