"""Broken publishers and streams: each is the event log in memory with one thing wrong."""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar
from uuid import uuid4

import attrs

from ocs_core.memory import MemoryEventLog, MemoryStream
from ocs_core.ports import Delivered, Gap, OutboxRow, Published
from ocs_core.testkit.broken.planted import planting
from ocs_core.testkit.contracts import PublisherSubject, StreamSubject, publisher_contract, stream_contract


def _published(log: type[MemoryEventLog]) -> type:
    @contextmanager
    def make() -> Iterator[PublisherSubject]:
        platform = log()
        yield PublisherSubject(platform, lambda: list(platform.kept.values()))

    return publisher_contract(make)


_breaks = planting(publisher_contract, _published, MemoryEventLog)


@_breaks("test_what_it_says_it_kept_is_kept_exactly")
class DropsWhatIsTooLarge(MemoryEventLog):
    """The platform refuses a large message, and the error is logged."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        super().publish([row for row in rows if len(row.value) < 65_536])
        return Published(kept=rows)


@_breaks("test_what_it_says_it_kept_is_kept_exactly")
class MendsText(MemoryEventLog):
    """Values are decoded, put into normal form and encoded again."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        super().publish(
            [attrs.evolve(row, value=unicodedata.normalize("NFC", row.value.decode()).encode()) for row in rows]
        )
        return Published(kept=rows)


@_breaks("test_what_it_says_it_kept_is_kept_exactly")
class WritesHeadersInLatin1(MemoryEventLog):
    """Headers are of the time before Unicode, and what does not fit becomes a question mark."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        super().publish([attrs.evolve(row, headers={k: _latin(v) for k, v in row.headers.items()}) for row in rows])
        return Published(kept=rows)


@_breaks("test_messages_of_a_key_are_kept_in_the_order_given")
class SendsWithoutOrder(MemoryEventLog):
    """Several sends are in flight at once, and the last may arrive first."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        super().publish(rows[::-1])
        return Published(kept=rows)


@_breaks("test_messages_of_a_key_are_kept_in_the_order_given")
class AcknowledgesWhatIsQueued(MemoryEventLog):
    """A queue in the client is full after twenty, and its answer is not looked at."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        super().publish(rows[:20])
        return Published(kept=rows)


@_breaks("test_a_message_published_again_is_known_by_its_id")
class MakesAnIdForEachSend(MemoryEventLog):
    """`ce_id` is made where the message is sent: the same one sent again is another."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        renamed = [attrs.evolve(row, ref_id=uuid4()) for row in rows]
        super().publish([attrs.evolve(row, headers={**row.headers, "ce_id": str(row.ref_id)}) for row in renamed])
        return Published(kept=rows)


@_breaks("test_nothing_is_given_back_that_was_not_given")
class GivesBackItsCopies(MemoryEventLog):
    """It answers with the messages as it keeps them, at positions of its own."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        super().publish(rows)
        return Published(kept=[attrs.evolve(row, position=len(self.kept)) for row in rows])


class Log(MemoryEventLog):
    """What broken streams are made of."""

    stream: ClassVar[type[MemoryStream]] = MemoryStream

    def reader(self, name: str) -> MemoryStream:
        return self.stream(self, name, self.begins_at(name))

    def begins_at(self, name: str) -> int:
        return self.committed.get(name, 0)


def _read(log: type[Log]) -> type:
    @contextmanager
    def make() -> Iterator[StreamSubject]:
        platform = log()
        yield StreamSubject(platform, platform.reader)

    return stream_contract(make)


_stream_breaks = planting(stream_contract, _read, Log)


class _Eager(MemoryStream):
    def next(self, limit: int) -> Sequence[Delivered]:
        given = super().next(limit)
        self.commit()
        return given


@_stream_breaks("test_what_was_not_committed_comes_again")
class CommitsWhatItGives(Log):
    """Commits by itself as it reads, as consumers do unless they are told not to."""

    stream = _Eager


class _AtTheEnd(MemoryStream):
    def commit(self) -> None:
        self.position = len(self.log.kept)
        super().commit()


@_stream_breaks("test_a_commit_covers_what_was_given_and_nothing_else")
class CommitsTheEndOfTheLog(Log):
    """A commit is of all there is, read or not."""

    stream = _AtTheEnd


@_stream_breaks("test_a_reader_of_another_name_begins_at_the_start")
class BeginsAtTheEnd(Log):
    """A reader without a position begins with what comes next, as consumers do unless they are told not to."""

    def begins_at(self, name: str) -> int:
        return self.committed.get(name, len(self.kept))


@_stream_breaks("test_a_reader_of_another_name_begins_at_the_start")
class KeepsOnePositionForAll(Log):
    """What one has read is gone for the others."""

    def reader(self, name: str) -> MemoryStream:
        return super().reader("anybody")


@_stream_breaks("test_a_new_reader_of_a_name_goes_on_behind_what_was_committed")
class CommitsTheLastAsTheNext(Log):
    """The position is of the last message that was given, and the next one begins behind the one after it."""

    def begins_at(self, name: str) -> int:
        return self.committed[name] + 1 if self.committed.get(name) else 0


class _Latest(MemoryStream):
    def next(self, limit: int) -> Sequence[Delivered]:
        return sorted(super().next(limit), key=lambda message: message.headers["ce_id"])


@_stream_breaks("test_a_reader_is_given_everything_in_order_per_key")
class SortsWhatItGives(Log):
    """A batch is put in the order of its ids."""

    stream = _Latest


def _latin(text: str) -> str:
    return text.encode("latin-1", errors="replace").decode("latin-1")


class _RewindsForNow(MemoryStream):
    def rewind(self) -> None:
        self.position = 0


@_stream_breaks("test_a_reader_that_rewinds_is_given_everything_again")
class RewindsThisReaderAlone(Log):
    """A rewind that is forgotten when the process ends in the middle of it."""

    stream = _RewindsForNow


class _CriesWolf(MemoryStream):
    def gaps(self) -> Sequence[Gap]:
        return [Gap(topic="t", partition=0, expected=0, begins=self.position)] if self.position else []


@_stream_breaks("test_a_reader_that_was_given_everything_missed_nothing")
class TakesWhatWasReadForLost(Log):
    """Whatever lies before the position was missed."""

    stream = _CriesWolf


class _CommitsAtTheEnd(MemoryStream):
    def close(self) -> None:
        self.commit()


@_stream_breaks("test_a_reader_that_is_closed_makes_room_and_keeps_what_it_committed")
class CommitsWhenItIsClosed(Log):
    """What was given and not dealt with is taken for dealt with, as consumers do at their end unless told not to."""

    stream = _CommitsAtTheEnd
