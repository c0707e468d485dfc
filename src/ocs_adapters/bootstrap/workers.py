"""Workers of any machine, put together: who sends them slices of collection runs, and one of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from ocs_adapters.bootstrap import Platform
from ocs_adapters.bootstrap.kafka import kafka_connection, kafka_queues
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.slices import SliceWorker

GROUP = "process-slices"
"""The consumer group of all workers."""


@contextmanager
def worker(platform: Platform) -> Iterator[Consumer[SliceWorker]]:
    """A worker, ready to work; it leaves the group at the end. Raises `OcsError` where Kafka's client is not installed."""
    settings = platform.settings
    stream = kafka_queues().reader(kafka_connection(settings), settings.process_slices_topic, GROUP)
    try:
        # One at a time: what is not in hand is others' as soon as they join.
        yield Consumer(stream=stream, processor=SliceWorker(platform.services.runner), batch=1)
    finally:
        stream.close()
