"""Kafka's `Stream` on a real broker: the contract, and what happens to members of a group."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ocs_adapters.kafka import consumer
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.testkit.contracts import StreamSubject, stream_contract
from tests.contract.on_kafka import TOPICS, empty


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with other work to do takes its time to join a group; what is tested is not how long."""
    monkeypatch.setattr(consumer, "WAIT_SECONDS", 20.0)


@contextmanager
def _stream() -> Iterator[StreamSubject]:
    """Readers of which the last one of a name is gone when the next one comes: a member that only seems dead is none."""
    with empty() as connection:
        made = KafkaPublisher(connection)
        readers: dict[str, KafkaStream] = {}
        run = time.time_ns()

        def reader(name: str) -> KafkaStream:
            if name in readers:
                readers[name].close()
            readers[name] = KafkaStream(connection, TOPICS, f"{name}-{run}")
            return readers[name]

        try:
            yield StreamSubject(made, reader)
        finally:
            for opened in readers.values():
                opened.close()
            made.close()


TestKafkaStream = stream_contract(_stream)
