"""What the tests of Kafka's adapter share: one broker, its topics, and what they have."""

import atexit
import datetime as dt
import functools
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from ocs_adapters.kafka import headers, topics
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_core.ports import Delivered
from tests.contract.broker import Broker, broker

TOPICS = ("ocs.rm.business-transactions", "ocs.rm.notifications")
FORGETS_SOCKETS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""For where the client cannot connect, or crashes as far as others can tell: those sockets are the garbage collector's."""
NOTHING = logging.CRITICAL + 1
"""What is logged then would keep the sockets for as long as the tests run."""
WANTED = topics.Wanted(partitions=3, replication=1, retention=dt.timedelta(days=7))


@functools.cache
def server() -> Broker:
    """One broker for the whole test session; it ends with the process."""
    running = broker()
    started = running.__enter__()
    atexit.register(running.__exit__, None, None, None)
    return started


@contextmanager
def empty() -> Iterator[KafkaConnection]:
    """A platform with empty topics."""
    connection = KafkaConnection(servers=server().server)
    admin = KafkaAdminClient(**connection.options())
    try:
        while there := {*TOPICS} & {*admin.list_topics()}:
            with suppress(UnknownTopicOrPartitionError):  # it is told of for a while after it went
                admin.delete_topics(sorted(there))
            time.sleep(0.05)
    finally:
        admin.close()
    asked = topics.create_topics(connection, TOPICS, WANTED)
    assert (asked.made, asked.differences) == (sorted(TOPICS), [])
    yield connection


def kept(connection: KafkaConnection) -> Sequence[Delivered]:
    """All that the topics have, the oldest of each partition first, as any other consumer reads it."""
    consumer = KafkaConsumer(auto_offset_reset="earliest", enable_auto_commit=False, **connection.options())
    try:
        partitions = [TopicPartition(t, p) for t in TOPICS for p in sorted(consumer.partitions_for_topic(t))]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Delivered] = []
        while any(consumer.position(p) < ends[p] for p in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                found += [headers.delivered(r.topic, r.key, r.headers, r.value) for r in records]
        return found
    finally:
        consumer.close()
