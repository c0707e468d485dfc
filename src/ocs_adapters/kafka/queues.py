"""A topic as queues that readers divide among them evenly: one for each partition."""

from typing import Any
from uuid import UUID

from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import KafkaError
from kafka.partitioner import Partitioner

from ocs_adapters.kafka.client import open_admin
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.errors import OcsError, PlatformUnavailable


class _ByNumber(Partitioner):  # type: ignore[misc]
    """The key is the number of the queue."""

    def partition(
        self, topic: str, key: Any, serialized_key: bytes, value: Any, serialized_value: bytes, cluster: Any
    ) -> int:
        partitions = sorted(cluster.partitions_for_topic(topic))
        number: int = partitions[UUID(serialized_key.decode()).int % len(partitions)]
        return number


def count(connection: KafkaConnection, topic: str) -> int:
    """How many queues there are. Raises `PlatformUnavailable`, and `OcsError` where there is no such topic."""
    try:
        admin = open_admin(connection)
        try:
            if topic not in admin.list_topics():
                raise OcsError(f"There is no topic {topic}; run: ocs kafka init")
            (found,) = admin.describe_topics([topic])
        finally:
            admin.close()
    except KafkaError as error:
        raise PlatformUnavailable(f"Kafka does not answer: {error}") from error
    return len(found["partitions"])


def publisher(connection: KafkaConnection) -> KafkaPublisher:
    """What puts messages into the queue that their key's number says."""
    return KafkaPublisher(connection, {"partitioner": _ByNumber()})


def reader(connection: KafkaConnection, topic: str, name: str) -> KafkaStream:
    """One of those who share the queues: neighbouring ones go to different readers, so that few messages do, too."""
    return KafkaStream(connection, [topic], name, {"partition_assignment_strategy": [RoundRobinPartitionAssignor]})
