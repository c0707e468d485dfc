"""Kafka as a `Stream`: a reader is a consumer group, and those of one name are its members."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from kafka import TopicPartition
from kafka.errors import CommitFailedError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from ocs_adapters.kafka.buffer import Buffer
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.member import Member
from ocs_adapters.kafka.positions import NoPositions, Place, Positions, Resumption
from ocs_core.errors import PlatformUnavailable
from ocs_core.ports import Delivered, Gap

NAP_SECONDS = 0.1
"""How long `next` waits for a message where there is none: whoever calls it again and again neither hurries nor dawdles."""
WAIT_SECONDS = 30.0
"""How long it waits to know whether there is more: a member that died is missed after ten seconds, one that lives and does
not join again after fifteen, and nobody has a place before."""
ASK_SECONDS = 2.0
"""How long it waits for one answer to that."""
PATIENCE_SECONDS = 10.0
"""How long the broker may be silent."""
ANSWER_SECONDS = 1.0
"""How long it may take to say where a partition ends."""


@attrs.define
class KafkaStream:
    """One member of the consumer group `name`; not for several threads at once. Close it: until then it is a member.

    It joins with the first `next` or `rewind`. What it fetches ahead is bounded: 5,000 records or 32 MiB, and a hundred
    records more. Where the group gives partitions to another member, what was not committed comes again there.
    """

    connection: KafkaConnection
    topics: Sequence[str]
    name: str
    options: Mapping[str, Any] = attrs.field(factory=dict)
    """Further options of the client."""
    positions: Positions = attrs.field(factory=NoPositions)
    """Where this reader notes how far it has come, beside what Kafka keeps of its group."""
    _buffer: Buffer = attrs.field(factory=Buffer, init=False)
    _member: Member = attrs.field(init=False)
    _made_anew: set[Place] = attrs.field(factory=set, init=False)
    """Topics begin at their first offset again there: what was noted of them is of no use any more."""

    @_member.default
    def _make_member(self) -> Member:
        resumption = Resumption(self.positions, self._buffer)
        return Member(self.connection, self.topics, self.name, self.options, self._buffer, resumption)

    def next(self, limit: int) -> Sequence[Delivered]:
        """The messages behind those that were given, at once where there are any; none where all up to the ends of the
        partitions was given.

        Raises `PlatformUnavailable` when the broker refuses us, or when it could not be found out for `WAIT_SECONDS`.
        """
        self._member.asked_at = time.monotonic()
        ends = self._member.asked_at + WAIT_SECONDS
        while not (given := self._buffer.take(limit, NAP_SECONDS)):
            try:
                if self._member.ask(self._is_up_to_date, ASK_SECONDS):
                    return self._buffer.take(limit)
            except PlatformUnavailable:
                if self._member.is_refused or time.monotonic() > ends:
                    raise
            self._member.raise_unread()
            if time.monotonic() > ends:
                raise PlatformUnavailable("Kafka cannot be read: there is more, and it does not come")
        return given

    def commit(self) -> None:
        """All that `next` gave is dealt with. Raises `PlatformUnavailable`; nothing is known of it then."""
        if self._buffer.given:
            committed = self._member.ask(self._commit_given, PATIENCE_SECONDS + ANSWER_SECONDS)
            begun_again = {place: offset for place, offset in committed.items() if place in self._made_anew}
            self.positions.reset(begun_again)
            self.positions.note({place: offset for place, offset in committed.items() if place not in begun_again})
            self._made_anew -= begun_again.keys()

    def rewind(self) -> None:
        """Begin again at the oldest of every partition. Raises `PlatformUnavailable`.

        Other members of the name go on where they are: close them first.
        """
        self.positions.reset(self._member.ask(self._rewind, PATIENCE_SECONDS))

    def gaps(self) -> Sequence[Gap]:
        """What had expired before it was given: this reader, or the whole group, was away for longer than the topic keeps."""
        met = self._buffer.gaps()
        self._made_anew.update((gap.topic, gap.partition) for gap in met if gap.is_made_anew)
        return met

    def close(self) -> None:
        """Leave the group, so that others go on at once."""
        self._member.leave()

    def _is_up_to_date(self, consumer: Any) -> bool:
        """Whether all that is there now is in the buffer, or was given."""
        self._member.is_behind = True
        partitions = list(self._buffer.owned)
        ends = consumer.end_offsets(partitions, timeout_ms=ANSWER_SECONDS * 1000)
        positions = {partition: consumer.position(partition, timeout_ms=0) for partition in partitions}
        self._member.is_behind = any(
            position is None or position < ends[partition] for partition, position in positions.items()
        )
        if not self._member.is_behind:
            self._member.problem = None
        return not self._member.is_behind

    def _commit_given(self, consumer: Any) -> Mapping[Place, int]:
        given = self._buffer.given
        try:
            consumer.commit(_offsets(given), timeout_ms=PATIENCE_SECONDS * 1000)
        except (CommitFailedError, RebalanceInProgressError):
            return {}  # the group goes on without us: whoever has the partitions next is given it again
        self._buffer.committed(given)
        return _by_place(given)

    def _rewind(self, consumer: Any) -> Mapping[Place, int]:
        partitions = [TopicPartition(topic, number) for topic in self.topics for number in _numbers(consumer, topic)]
        oldest = consumer.beginning_offsets(partitions, timeout_ms=ANSWER_SECONDS * 1000)
        consumer.commit(_offsets(oldest), timeout_ms=PATIENCE_SECONDS * 1000)
        owned = self._buffer.owned
        self._buffer.forget()
        self._buffer.on_partitions_assigned(owned)
        for partition in owned:
            consumer.seek(partition, oldest[partition])
        return _by_place(oldest)


def _by_place(offsets: Mapping[TopicPartition, int]) -> Mapping[Place, int]:
    return {(partition.topic, partition.partition): offset for partition, offset in offsets.items()}


def _numbers(consumer: Any, topic: str) -> Sequence[int]:
    return sorted(consumer.partitions_for_topic(topic))


def _offsets(offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {partition: OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}
