"""A broker that asks for a name and a password."""

import time
from collections.abc import Iterator

import attrs
import pytest

from ocs_adapters.kafka import topics
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.history import reach
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.errors import PlatformUnavailable
from ocs_core.testkit.contracts.publisher import KEYS, a_row, delivered, publish_all
from tests.contract.broker import PASSWORD, USER
from tests.contract.on_kafka import FORGETS_SOCKETS, NOTHING, TOPICS, WANTED, empty, server

PATIENCE_SECONDS = 60.0
"""Far more than a broker needs that is asked for a password for the first time, on a machine that is busy."""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, forgotten_here: None) -> Iterator[KafkaConnection]:
    monkeypatch.setattr("ocs_adapters.kafka.client.CONNECT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr("ocs_adapters.kafka.publisher.METADATA_SECONDS", PATIENCE_SECONDS)
    with empty():
        yield KafkaConnection(
            servers=server().sasl_server,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_username=USER,
            sasl_password=PASSWORD,
        )


def test_who_is_known_publishes_and_reads(known: KafkaConnection) -> None:
    made = KafkaPublisher(known)
    stream = KafkaStream(known, TOPICS, f"finance-{time.time_ns()}")
    try:
        publish_all(made, [a_row(10, KEYS[0])])
        assert list(stream.next(10)) == [delivered(a_row(10, KEYS[0]))]
        stream.commit()
    finally:
        stream.close()
        made.close()


@FORGETS_SOCKETS
def test_a_wrong_password_is_told_of_and_never_shown(known: KafkaConnection, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(NOTHING, "kafka")
    wrong = attrs.evolve(known, sasl_password="battery-staple")
    made = KafkaPublisher(wrong)
    stream = KafkaStream(wrong, TOPICS, "finance")
    try:
        for attempt in (
            lambda: made.publish([a_row(10, KEYS[0])]),
            lambda: stream.next(10),
            lambda: stream.rewind(),
            lambda: reach(wrong, TOPICS),
            lambda: topics.create_topics(wrong, TOPICS, WANTED),
        ):
            begun = time.monotonic()
            with pytest.raises(PlatformUnavailable, match="Authentication failed") as refused:
                attempt()
            assert time.monotonic() - begun < PATIENCE_SECONDS, "it is told at once, not when time is over"
            assert "battery-staple" not in f"{refused.value}{wrong}"
    finally:
        stream.close()
        made.close()
