"""librdkafka's broker in this process: Kafka's protocol over memory, made in milliseconds and without Java."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import cimpl

PRODUCER = 0
PARTITIONS = 3


def _library() -> ctypes.CDLL:
    """The library that comes with confluent-kafka, whose Python part cannot make topics, nor let members join at once."""
    library = ctypes.CDLL(cimpl.__file__)  # what it is linked with is found through it
    handle, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    library.rd_kafka_new.restype = handle
    library.rd_kafka_new.argtypes = [number, handle, text, ctypes.c_size_t]
    library.rd_kafka_destroy.argtypes = [handle]
    library.rd_kafka_mock_cluster_new.restype = handle
    library.rd_kafka_mock_cluster_new.argtypes = [handle, number]
    library.rd_kafka_mock_cluster_bootstraps.restype = text
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [handle]
    library.rd_kafka_mock_cluster_destroy.argtypes = [handle]
    library.rd_kafka_mock_topic_create.argtypes = [handle, text, number, number]
    library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [handle, ctypes.c_int32]
    return library


@contextmanager
def double(topics: Sequence[str]) -> Iterator[str]:
    """A broker with these topics, empty; gives `127.0.0.1:PORT`."""
    library = _library()
    owner = library.rd_kafka_new(PRODUCER, None, ctypes.create_string_buffer(512), 512)
    cluster = library.rd_kafka_mock_cluster_new(owner, 1)
    try:
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
        for topic in topics:
            library.rd_kafka_mock_topic_create(cluster, topic.encode(), PARTITIONS, 1)
        yield library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(owner)
