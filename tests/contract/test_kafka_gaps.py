"""A consumer that was away for longer than Kafka keeps messages, or its own position, is told what it missed."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from ocs_adapters.consumers.gaps import SqlPositions
from ocs_adapters.kafka import consumer, topics
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.ports import Gap
from ocs_core.testkit.contracts.publisher import publish_all
from tests.contract.on_kafka import FORGETS_SOCKETS, TOPICS, WANTED, empty
from tests.contract.stores import sqlite_database
from tests.contract.test_gaps import TABLES
from tests.contract.test_kafka_stream import NOTIFICATIONS, _rows

pytestmark = [FORGETS_SOCKETS, pytest.mark.usefixtures("forgotten_here")]
ALL = 60


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "WAIT_SECONDS", 20.0)


@attrs.define
class Scene:
    connection: object
    publisher: KafkaPublisher
    admin: KafkaAdminClient
    noted: SqlPositions
    _number: int = 1000

    def publish(self) -> None:
        publish_all(self.publisher, _rows(self._number, ALL))
        self._number += ALL

    def expire(self) -> None:
        """As retention does, all that is there now."""
        self.admin.delete_records({TopicPartition(NOTIFICATIONS, n): -1 for n in range(3)})

    def read(self) -> tuple[int, list[Gap]]:
        """How much a reader is given that begins and ends, and what it missed."""
        stream, given = KafkaStream(self.connection, [NOTIFICATIONS], "finance", positions=self.noted), 0
        try:
            while some := stream.next(1000):
                given += len(some)
            gaps = list(stream.gaps())
            stream.commit()
            return given, gaps
        finally:
            stream.close()


@contextmanager
def _scene() -> Iterator[Scene]:
    with empty() as connection, sqlite_database() as database:
        TABLES.prepare(database)
        admin, publisher = KafkaAdminClient(**connection.options()), KafkaPublisher(connection)
        try:
            if "finance" in {group["group_id"] for group in admin.list_groups()}:
                admin.delete_groups(["finance"])
            yield Scene(connection, publisher, admin, SqlPositions(database, TABLES))
        finally:
            publisher.close()
            admin.close()


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["position kept", "group forgotten"])
def test_what_expired_meanwhile_is_told_once_and_read_on_behind(is_forgotten) -> None:
    """Kafka forgets a group's position as fast as `ocs kafka init` lets messages expire: in a week."""
    with _scene() as scene:
        scene.publish()
        assert scene.read() == (ALL, [])
        scene.publish()
        scene.expire()
        scene.publish()
        if is_forgotten:
            scene.admin.delete_groups(["finance"])
        given, gaps = scene.read()
        assert given == ALL
        assert sum(gap.begins - gap.expected for gap in gaps) == ALL
        assert [gap.is_made_anew for gap in gaps] == [False] * 3
        assert scene.read() == (0, []), "it is told once"


def test_a_group_that_kafka_forgot_goes_on_where_it_was() -> None:
    with _scene() as scene:
        scene.publish()
        assert scene.read() == (ALL, [])
        scene.admin.delete_groups(["finance"])
        scene.publish()
        assert scene.read() == (ALL, [])


def test_a_new_reader_begins_at_the_oldest_and_knows_from_then_on_what_it_misses() -> None:
    with _scene() as scene:
        scene.publish()
        scene.expire()
        assert scene.read() == (0, [])
        scene.publish()
        scene.expire()
        given, gaps = scene.read()
        assert (given, sum(gap.begins - gap.expected for gap in gaps)) == (0, ALL)
        assert scene.read() == (0, []), "it goes on behind, although nothing was given"


def test_a_topic_that_was_made_anew_is_told_and_read_from_its_beginning() -> None:
    with _scene() as scene:
        scene.publish()
        scene.publish()
        assert scene.read() == (2 * ALL, [])
        scene.admin.delete_topics([NOTIFICATIONS])
        while NOTIFICATIONS in scene.admin.list_topics():
            pass
        topics.create_topics(scene.connection, TOPICS, WANTED)
        scene.publisher.close()
        scene.publish()
        given, gaps = scene.read()
        assert given == ALL
        assert [(gap.begins, gap.is_made_anew) for gap in gaps] == [(0, True)] * 3
        scene.admin.delete_groups(["finance"])
        scene.publish()
        assert scene.read() == (ALL, []), "it goes on where it was in the new one"
