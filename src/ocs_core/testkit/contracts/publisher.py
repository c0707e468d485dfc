"""The laws of a `Publisher`: what it says it kept is kept, exactly, and in order per key."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.ports import Delivered, OutboxRow, Publisher
from ocs_core.testkit.contracts.subject import TEXT_THAT_HURTS, at_once
from ocs_core.testkit.contracts.values import id_of

KEYS = tuple(id_of(n) for n in range(1, 6))
LARGE = 900_000
"""Bytes: what Apache Kafka takes as it is shipped, headers included, and no more."""
VALUES = {
    "an amount beyond two to the 53": b'{"paymentAmount":9223372036854775807}',
    "white space, and keys out of order": b'{ "b" : 1,\n\t"a":2.50 }',
    "characters of many bytes": f'{{"note":"{"💶é" * 100}"}}'.encode(),
    "two normal forms of one text": '{"a":"\u00e9","b":"e\u0301"}'.encode(),
    "escapes": b'{"note":"\\u0000 \\u2028 \\ud83d\\udcb6 \\" \\\\"}',
    "a line separator": '{"note":"\u2028\ufeff"}'.encode(),
    "a large one": b'{"note":"' + b"x" * LARGE + b'"}',
}


@attrs.frozen
class PublisherSubject:
    """A publisher to an empty platform, and all that the platform has, the oldest of each key first."""

    publisher: Publisher
    kept: Callable[[], Sequence[Delivered]]


def publisher_contract(make: Callable[[], AbstractContextManager[PublisherSubject]]) -> type:
    """The laws of a `Publisher`: what it says it kept is kept, exactly, and in order per key."""

    class PublisherContract:
        @pytest.fixture
        def subject(self) -> Any:
            with make() as subject:
                yield subject

        @pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
        def test_what_it_says_it_kept_is_kept_exactly(self, subject: PublisherSubject, value: bytes) -> None:
            """The outbox forgets what the publisher says it kept: a message that is not there by then is lost for ever."""
            row = a_row(7, KEYS[0], value, note=TEXT_THAT_HURTS)
            said = subject.publisher.publish([row]).kept
            assert list(said) == [row], "it did not keep a message that every platform can keep"
            assert [without_size(d) for d in subject.kept()] == [without_size(delivered(row))]

        def test_messages_of_a_key_are_kept_in_the_order_given(self, subject: PublisherSubject) -> None:
            """Per key, the order of the commits is the order in which the world learns of them, over many batches."""
            rows = [a_row(number, KEYS[number * 7 % 5]) for number in range(300, 100, -1)]
            for start in range(0, len(rows), 30):
                publish_all(subject.publisher, rows[start : start + 30])
            assert by_key(subject.kept()) == by_key([delivered(row) for row in rows])

        def test_a_message_published_again_is_known_by_its_id(self, subject: PublisherSubject) -> None:
            """A relay that crashed publishes again: once is best, and twice is told apart by `ce_id` alone."""
            rows = [a_row(number, KEYS[0]) for number in range(10, 15)]
            publish_all(subject.publisher, rows)
            publish_all(subject.publisher, rows)
            assert once(subject.kept()) == [delivered(row) for row in rows]

        def test_nothing_is_given_back_that_was_not_given(self, subject: PublisherSubject) -> None:
            """What a relay marks as done must be its own."""
            rows = [a_row(number, KEYS[0]) for number in range(10, 13)]
            assert [row for row in subject.publisher.publish(rows).kept if row not in rows] == []
            assert list(subject.publisher.publish([]).kept) == []

        def test_relays_at_once_keep_everything(self, subject: PublisherSubject) -> None:
            """Two servers have two relays."""
            batches = [[a_row(1000 * index + n, key) for n in range(20)] for index, key in enumerate(KEYS)]
            at_once([lambda b=b: publish_all(subject.publisher, b) for b in batches])  # type: ignore[misc]
            rows = [row for batch in batches for row in batch]
            assert by_key(once(subject.kept())) == by_key([delivered(row) for row in rows])

    return PublisherContract


def a_row(number: int, key: UUID, value: bytes = b"{}", **headers: str) -> OutboxRow:
    """A message as it waits in an outbox."""
    ref_id = id_of(number)
    headers = {"ce_id": str(ref_id), "ce_specversion": "1.0", "content-type": "application/json"} | headers
    return OutboxRow(
        position=number, ref_id=ref_id, topic="ocs.rm.notifications", key=key, headers=headers, value=value
    )


def publish_all(publisher: Publisher, rows: Sequence[OutboxRow]) -> None:
    """Publish as a relay does: what was not kept is tried again, and what follows it waits."""
    for _ in range(20):
        kept = publisher.publish(rows).kept
        if not (rows := [row for row in rows if row not in kept]):
            return
    raise AssertionError(f"the publisher does not keep {rows[0].ref_id}, and does not say why")


def delivered(row: OutboxRow) -> Delivered:
    """A row as its readers are to see it."""
    return Delivered(topic=row.topic, key=row.key, headers=dict(row.headers), value=row.value)


def once(messages: Sequence[Delivered]) -> list[Delivered]:
    """The first of each `ce_id`: what a consumer deals with."""
    first: dict[str, Delivered] = {}
    for message in messages:
        first.setdefault(message.headers["ce_id"], message)
    return list(first.values())


def by_key(messages: Sequence[Delivered]) -> dict[UUID, list[str]]:
    """The ids of each key's messages, in their order."""
    ids: dict[UUID, list[str]] = {}
    for message in messages:
        ids.setdefault(message.key, []).append(message.headers["ce_id"])
    return ids


def without_size(message: Delivered) -> tuple[object, ...]:
    """A message such that a difference can be printed."""
    value = message.value if len(message.value) < 1000 else (len(message.value), message.value[:20])
    return message.topic, message.key, dict(message.headers), value
