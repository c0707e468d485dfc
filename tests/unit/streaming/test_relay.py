"""The relay moves all that waits, whatever the platform refuses of it."""

from collections.abc import Sequence

import attrs

from ocs_adapters.serial import encode
from ocs_adapters.streaming.relay import Relay
from ocs_core.memory import MemoryEventLog, MemoryOutbox, MemoryStore
from ocs_core.ports import HeldRow, OutboxRow, Published
from ocs_core.testkit.examples import Desk, configuration


@attrs.define
class OneByOne:
    """A platform that takes one message at a time, and refuses some."""

    refused: set[int]
    log: MemoryEventLog = attrs.field(factory=MemoryEventLog)
    _asked: int = 0

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        self._asked += 1
        if self._asked in self.refused:
            return Published(kept=[], refused=[HeldRow(rows[0], "it is too large")])
        return self.log.publish(rows[:1])

    def close(self) -> None:
        """There is nothing to let go of."""


def test_all_that_waits_is_moved_although_a_whole_batch_is_refused() -> None:
    store = MemoryStore(configuration())
    desk, outbox = Desk(store), MemoryOutbox(store, encode)
    for number in range(4):
        desk.account(f"A-{number}")
    waiting = len(outbox.waiting(100))
    platform = OneByOne(refused={1, 2})
    held_with_what_is_behind = 2 * waiting // 4
    assert Relay(outbox, platform).drain() == waiting - held_with_what_is_behind
    assert len(outbox.held()) == 2
    assert outbox.waiting(100) == []
