"""How far Kafka's topics reach back, and all they have, read beside every consumer group."""

import time

import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from ocs_adapters.kafka import history
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.errors import PlatformUnavailable
from ocs_core.testkit.contracts.publisher import KEYS, a_row, by_key, delivered, publish_all
from tests.contract.on_kafka import FORGETS_SOCKETS, TOPICS, empty

pytestmark = [FORGETS_SOCKETS, pytest.mark.usefixtures("forgotten_here")]


def test_everything_there_was_at_the_beginning_is_read_and_nothing_else() -> None:
    with empty() as connection:
        made = KafkaPublisher(connection)
        try:
            rows = [a_row(number, KEYS[number % 5]) for number in range(1000, 1300)]
            assert list(history.read_all(connection, TOPICS)) == []
            publish_all(made, rows)
            found = history.read_all(connection, TOPICS, {"max_poll_records": 10})
            first = next(found)
            publish_all(made, [a_row(2000, KEYS[0])])
            assert by_key([first, *found]) == by_key([delivered(row) for row in rows])
            assert by_key(list(history.read_all(connection, [TOPICS[0]]))) == {}
        finally:
            made.close()


def test_a_topic_tells_whether_something_of_it_has_expired() -> None:
    with empty() as connection:
        made = KafkaPublisher(connection)
        try:
            publish_all(made, [a_row(number, KEYS[number % 5]) for number in range(1000, 1100)])
            before = history.reach(connection, TOPICS)
            assert [found.topic for found in before] == list(TOPICS)
            assert [found.is_whole for found in before] == [True, True]
            assert [sum(found.ends.values()) for found in before] == [0, 100]
            partition, end = max(before[1].ends.items(), key=lambda item: item[1])
            admin = KafkaAdminClient(**connection.options())
            try:
                admin.delete_records({TopicPartition(TOPICS[1], partition): end - 1})
            finally:
                admin.close()
            after = history.reach(connection, TOPICS)
            assert [found.is_whole for found in after] == [True, False]
            assert after[1].begins[partition] == end - 1
            assert len(list(history.read_all(connection, TOPICS))) == 100 - (end - 1)
        finally:
            made.close()


def test_a_topic_that_does_not_exist_is_told_of() -> None:
    with empty() as connection:
        name = f"nobody-made-{time.time_ns()}"
        with pytest.raises(PlatformUnavailable, match=f"there is no topic {name}"):
            history.reach(connection, [*TOPICS, name])
        with pytest.raises(PlatformUnavailable, match=f"there is no topic {name}"):
            list(history.read_all(connection, [name]))
