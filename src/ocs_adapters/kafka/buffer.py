"""What a member of a consumer group fetched and did not give yet, and how far it gave."""

import threading
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs
from kafka import ConsumerRebalanceListener, TopicPartition

from ocs_adapters.kafka import headers
from ocs_core.ports import Delivered, Gap

RECORDS = 5000
"""So many records, and none is asked for until half of them are given."""
BYTES = 32 * 1024 * 1024
"""The same of their keys, values and headers."""


@attrs.frozen
class Fetched:
    """A record that waits to be given; `message` is None for one that is none of ours, and is passed over. Where records had
    expired, it stands for the last of them, and tells the `gap`."""

    partition: TopicPartition
    offset: int
    size: int
    message: Delivered | None
    gap: Gap | None = None


class Buffer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One thread puts, another takes, and the client's own tells which partitions are ours.

    While the group shares its partitions out anew, nothing is given. What is not ours any more then is forgotten: it is
    neither given nor committed.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Fetched] = deque()
        self._bytes = 0
        self._owned: frozenset[TopicPartition] = frozenset()
        self._given: dict[TopicPartition, int] = {}
        self._gaps: list[Gap] = []
        self._is_held = False

    @property
    def owned(self) -> Collection[TopicPartition]:
        """The partitions that the group gave us."""
        return self._owned

    @property
    def given(self) -> Mapping[TopicPartition, int]:
        """Per partition the offset behind the last record that was taken and is not committed."""
        with self._changed:
            return dict(self._given)

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= RECORDS or self._bytes >= BYTES

    @property
    def has_room(self) -> bool:
        return len(self._waiting) <= RECORDS / 2 and self._bytes <= BYTES / 2

    def put(self, partition: TopicPartition, records: Iterable[Any]) -> None:
        """Add records of the client, in their order."""
        fetched = [Fetched(partition, record.offset, _size(record), headers.read(record)) for record in records]
        self._add(partition, fetched)

    def put_gap(self, gap: Gap) -> None:
        """Add, in its place between the records, that some had expired."""
        partition = TopicPartition(gap.topic, gap.partition)
        self._add(partition, [Fetched(partition, gap.begins - 1, 0, None, gap)])

    def take(self, limit: int, seconds: float = 0.0) -> Sequence[Delivered]:
        """At most `limit` messages, as soon as there are any; none after so many seconds."""
        taken: list[Delivered] = []
        with self._changed:
            self._changed.wait_for(lambda: self._waiting and not self._is_held, seconds)
            while self._waiting and not self._is_held and len(taken) < limit:
                record = self._waiting.popleft()
                self._bytes -= record.size
                self._given[record.partition] = record.offset + 1
                if record.gap is not None:
                    self._gaps.append(record.gap)
                if record.message is not None:
                    taken.append(record.message)
        return taken

    def gaps(self) -> Sequence[Gap]:
        """The gaps that were taken since this was last asked."""
        with self._changed:
            met, self._gaps = self._gaps, []
        return met

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These were committed: they need not be again."""
        with self._changed:
            self._given = {p: offset for p, offset in self._given.items() if offsets.get(p) != offset}

    def forget(self) -> None:
        """Drop what waits, how far was given, and the partitions."""
        self._keep(frozenset())

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        with self._changed:
            self._is_held = True

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        # The client goes on where it was with partitions that stay ours, and at what was committed with the others.
        self._keep(frozenset(assigned))

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        self._keep(frozenset())

    def _add(self, partition: TopicPartition, fetched: Sequence[Fetched]) -> None:
        with self._changed:
            if partition in self._owned:
                self._waiting.extend(fetched)
                self._bytes += sum(record.size for record in fetched)
                self._changed.notify_all()

    def _keep(self, partitions: frozenset[TopicPartition]) -> None:
        with self._changed:
            kept = self._owned & partitions
            self._waiting = deque(record for record in self._waiting if record.partition in kept)
            self._bytes = sum(record.size for record in self._waiting)
            self._given = {partition: offset for partition, offset in self._given.items() if partition in kept}
            self._owned = partitions
            self._is_held = False
            self._changed.notify_all()


def _size(record: Any) -> int:
    return sum(len(part or b"") for part in (record.key, record.value, *(text for _, text in record.headers)))
