"""The laws of a `Stream`: everything, in order per key, from where the reader of that name was."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs
import pytest

from ocs_core.ports import Delivered, OutboxRow, Publisher, Stream
from ocs_core.testkit.contracts.publisher import KEYS, VALUES, a_row, by_key, delivered, once, publish_all, without_size
from ocs_core.testkit.contracts.subject import TEXT_THAT_HURTS


@attrs.frozen
class StreamSubject:
    """A publisher to an empty platform, and `reader(name)`: what was published, as a new reader of that name sees it."""

    publisher: Publisher
    reader: Callable[[str], Stream]


def stream_contract(make: Callable[[], AbstractContextManager[StreamSubject]]) -> type:
    """The laws of a `Stream`: everything, in order per key, from where the reader of that name was."""

    class StreamContract:
        @pytest.fixture
        def subject(self) -> Any:
            with make() as subject:
                yield subject

        @pytest.mark.parametrize("limit", [1, 7, 1000])
        def test_a_reader_is_given_everything_in_order_per_key(self, subject: StreamSubject, limit: int) -> None:
            """A consumer rebuilds entities from messages: one that is missing, or out of turn, leaves them wrong for good."""
            rows = _rows(60)
            publish_all(subject.publisher, rows)
            given = _all_of(subject.reader("finance"), limit)
            assert by_key(given) == by_key([delivered(row) for row in rows])

        def test_a_message_is_given_as_it_was_published(self, subject: StreamSubject) -> None:
            """A signature or a digest of it must still be right."""
            rows = [a_row(n, KEYS[0], value, note=TEXT_THAT_HURTS) for n, value in enumerate(VALUES.values(), 10)]
            publish_all(subject.publisher, rows)
            given = _all_of(subject.reader("finance"))
            assert [without_size(message) for message in given] == [without_size(delivered(row)) for row in rows]

        def test_a_limit_is_kept(self, subject: StreamSubject) -> None:
            """A reader takes what it can deal with in one transaction."""
            publish_all(subject.publisher, _rows(10))
            assert len(subject.reader("finance").next(3)) <= 3

        def test_a_new_reader_of_a_name_goes_on_behind_what_was_committed(self, subject: StreamSubject) -> None:
            """A server that is restarted has neither forgotten what it did nor what it has to do."""
            rows = _rows(10)
            publish_all(subject.publisher, rows)
            first = subject.reader("finance")
            before = list(first.next(4))
            first.commit()
            after = _all_of(subject.reader("finance"))
            assert by_key([*before, *after]) == by_key([delivered(row) for row in rows])

        def test_what_was_not_committed_comes_again(self, subject: StreamSubject) -> None:
            """A reader that crashed while it dealt with a message has not dealt with it."""
            publish_all(subject.publisher, _rows(10))
            given = list(subject.reader("finance").next(4))
            assert given
            again = _all_of(subject.reader("finance"))
            assert [m for m in given if m not in again] == [], "messages that were given, not committed, and lost"
            assert len(again) == 10

        def test_a_commit_covers_what_was_given_and_nothing_else(self, subject: StreamSubject) -> None:
            """What was published while the reader worked is still to come."""
            rows = _rows(10)
            publish_all(subject.publisher, rows[:6])
            reader = subject.reader("finance")
            given = list(reader.next(4))
            publish_all(subject.publisher, rows[6:])
            reader.commit()
            rest = _all_of(subject.reader("finance"))
            assert len(given) + len(rest) == 10
            assert by_key([*given, *rest]) == by_key([delivered(row) for row in rows])

        def test_a_commit_before_anything_was_given_passes_over_nothing(self, subject: StreamSubject) -> None:
            """A reader that starts and stops at once has read nothing."""
            publish_all(subject.publisher, _rows(5))
            subject.reader("finance").commit()
            assert len(_all_of(subject.reader("finance"))) == 5

        def test_a_reader_of_another_name_begins_at_the_start(self, subject: StreamSubject) -> None:
            """A warehouse that is connected later wants the history too, and each goes at its own pace."""
            publish_all(subject.publisher, _rows(10))
            finance = subject.reader("finance")
            _all_of(finance)
            finance.commit()
            warehouse = subject.reader("warehouse")
            assert len(_all_of(warehouse)) == 10
            assert list(subject.reader("finance").next(10)) == []
            assert len(_all_of(subject.reader("Finance"))) == 10, "names compare exactly"

        def test_a_reader_at_the_end_is_given_what_comes_next(self, subject: StreamSubject) -> None:
            """Nothing new is no end: the reader stays, and misses nothing."""
            rows = _rows(10)
            reader = subject.reader("finance")
            assert list(reader.next(10)) == []
            publish_all(subject.publisher, rows[:5])
            first = _all_of(reader)
            publish_all(subject.publisher, rows[5:])
            assert by_key([*first, *_all_of(reader)]) == by_key([delivered(row) for row in rows])

        def test_a_reader_that_rewinds_is_given_everything_again(self, subject: StreamSubject) -> None:
            """A consumer that lost what it kept, or keeps it another way now, rebuilds it from the messages."""
            rows = _rows(10)
            publish_all(subject.publisher, rows)
            reader = subject.reader("finance")
            _all_of(reader)
            reader.commit()
            reader.rewind()
            assert by_key(_all_of(reader)) == by_key([delivered(row) for row in rows])
            assert len(_all_of(subject.reader("finance"))) == 10, "a rewind is no less lasting than a commit"

        def test_a_reader_that_is_closed_makes_room_and_keeps_what_it_committed(self, subject: StreamSubject) -> None:
            """A process that ends in order hands over at once."""
            rows = _rows(10)
            publish_all(subject.publisher, rows)
            first = subject.reader("finance")
            before = list(first.next(4))
            first.commit()
            first.next(3)
            first.close()
            assert by_key([*before, *_all_of(subject.reader("finance"))]) == by_key([delivered(row) for row in rows])

        def test_a_reader_that_was_given_everything_missed_nothing(self, subject: StreamSubject) -> None:
            """An operator who is told of lost messages publishes everything once more."""
            assert list(subject.reader("finance").gaps()) == []
            publish_all(subject.publisher, _rows(10))
            reader = subject.reader("finance")
            reader.next(4)
            reader.commit()
            again = subject.reader("finance")
            _all_of(again)
            assert [*reader.gaps(), *again.gaps()] == []

        def test_nothing_is_lost_however_often_a_reader_crashes(self, subject: StreamSubject) -> None:
            """Read, deal with, commit: wherever it ends, the next reader sees what the last one did not finish."""
            rows = _rows(20)
            publish_all(subject.publisher, rows)
            dealt_with: list[Delivered] = []
            for turn in range(30):
                reader = subject.reader("finance")
                given = reader.next(3)
                if turn % 3 == 0:
                    continue  # it crashed before it dealt with anything
                dealt_with += given
                if turn % 3 == 1:
                    continue  # it crashed before it committed
                reader.commit()
            assert by_key(once(dealt_with)) == by_key([delivered(row) for row in rows])

    return StreamContract


def _rows(count: int) -> list[OutboxRow]:
    return [a_row(1000 - number, KEYS[number % 3], b'{"number":%d}' % number) for number in range(count)]


def _all_of(stream: Stream, limit: int = 100) -> Sequence[Delivered]:
    """Everything that the reader is given until there is nothing more."""
    given: list[Delivered] = []
    for _ in range(200):
        if not (some := stream.next(limit)):
            break
        given += some
    return given
