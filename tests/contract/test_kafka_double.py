"""Kafka's adapter on librdkafka's broker in this process: the contracts in seconds, without Java.

It keeps messages in memory and answers in the protocol; what a broker does when it dies is the real one's to show.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.history import read_all
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.testkit.contracts import PublisherSubject, StreamSubject, publisher_contract, stream_contract
from tests.contract.double import double
from tests.contract.on_kafka import FORGETS_SOCKETS, TOPICS

pytestmark = FORGETS_SOCKETS
OPTIONS = {"api_version": (2, 1)}
"""It says of itself what it cannot do: with what it offers, the client finds no broker."""
MEMBER = {**OPTIONS, "session_timeout_ms": 1500, "heartbeat_interval_ms": 300}


@contextmanager
def _double() -> Iterator[KafkaConnection]:
    with double(TOPICS) as server:
        yield KafkaConnection(servers=server)


@contextmanager
def _publisher() -> Iterator[PublisherSubject]:
    with _double() as connection:
        made = KafkaPublisher(connection, OPTIONS)
        try:
            yield PublisherSubject(made, lambda: list(read_all(connection, TOPICS, OPTIONS)))
        finally:
            made.close()


@contextmanager
def _stream() -> Iterator[StreamSubject]:
    with _double() as connection:
        made = KafkaPublisher(connection, OPTIONS)
        readers: dict[str, KafkaStream] = {}

        def reader(name: str) -> KafkaStream:
            if name in readers:
                readers[name].close()
            readers[name] = KafkaStream(connection, TOPICS, name, MEMBER)
            return readers[name]

        try:
            yield StreamSubject(made, reader)
        finally:
            for opened in readers.values():
                opened.close()
            made.close()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with other work to do takes its time; what is tested is not how long."""
    monkeypatch.setattr("ocs_adapters.kafka.consumer.WAIT_SECONDS", 20.0)


TestPublisherOnTheDouble = publisher_contract(_publisher)
TestStreamOnTheDouble = stream_contract(_stream)
