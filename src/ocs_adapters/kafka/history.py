"""What the topics have, read beside every consumer group: nothing is committed, nobody is disturbed."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
from kafka import TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError, UnsupportedCodecError

from ocs_adapters.kafka import codecs
from ocs_adapters.kafka.client import open_consumer
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.headers import read
from ocs_core.errors import PlatformUnavailable
from ocs_core.ports import Delivered

PATIENCE_SECONDS = 10.0
"""How long the broker may be silent."""
POLL_SECONDS = 0.5


@attrs.frozen(kw_only=True)
class Reach:
    """From where to where a topic's partitions reach: the offset of the first record, and that behind the last one."""

    topic: str
    begins: Mapping[int, int]
    ends: Mapping[int, int]

    @property
    def is_whole(self) -> bool:
        """Whether nothing has expired: every partition still begins with the first record it ever had."""
        return not any(self.begins.values())


def reach(
    connection: KafkaConnection, topics: Sequence[str], options: Mapping[str, Any] | None = None
) -> Sequence[Reach]:
    """How far each of the topics reaches back. Raises `PlatformUnavailable`, also for a topic that does not exist."""
    with _consumer(connection, options) as consumer:
        return [_reach(consumer, topic) for topic in topics]


def read_all(
    connection: KafkaConnection, topics: Sequence[str], options: Mapping[str, Any] | None = None
) -> Generator[Delivered, None, None]:
    """Everything that the topics have when it begins, the oldest of each partition first.

    Records that are none of our messages go to the log. Raises `PlatformUnavailable`, also for a topic that does not exist.
    """
    with _consumer(connection, options) as consumer:
        ends = {
            TopicPartition(found.topic, number): end
            for found in (_reach(consumer, topic) for topic in topics)
            for number, end in found.ends.items()
            if end > found.begins[number]
        }
        consumer.assign(list(ends))
        heard_at = time.monotonic()
        while ends:
            fetched = consumer.poll(int(POLL_SECONDS * 1000))
            for partition, records in fetched.items():
                yield from filter(None, (read(record) for record in records if record.offset < ends[partition]))
                heard_at = time.monotonic()
            # A partition may end with what is no record, a transaction's mark for one: its position tells.
            if done := [partition for partition, end in ends.items() if _position(consumer, partition) >= end]:
                ends = {partition: end for partition, end in ends.items() if partition not in done}
                consumer.pause(*done)
            if time.monotonic() - heard_at > PATIENCE_SECONDS:
                raise KafkaTimeoutError(f"nothing was heard for {PATIENCE_SECONDS:.0f} seconds")


@contextmanager
def _consumer(connection: KafkaConnection, options: Mapping[str, Any] | None) -> Iterator[Any]:
    try:
        consumer = open_consumer(connection, options or {})
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False)
    except UnsupportedCodecError as error:
        raise PlatformUnavailable(f"Kafka cannot be read: {codecs.missing()}") from error
    except KafkaError as error:
        raise PlatformUnavailable(f"Kafka cannot be read: {error!r}") from error


def _reach(consumer: Any, topic: str) -> Reach:
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
    if not partitions:
        raise UnknownTopicOrPartitionError(f"there is no topic {topic}")
    begins = consumer.beginning_offsets(partitions, timeout_ms=PATIENCE_SECONDS * 1000)
    ends = consumer.end_offsets(partitions, timeout_ms=PATIENCE_SECONDS * 1000)
    return Reach(
        topic=topic,
        begins={partition.partition: begins[partition] for partition in partitions},
        ends={partition.partition: ends[partition] for partition in partitions},
    )


def _position(consumer: Any, partition: TopicPartition) -> int:
    position = consumer.position(partition, timeout_ms=0)
    return -1 if position is None else int(position)
