"""Where a partition is read on from. The client is told of no rule for that: what has expired would be passed over in silence."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import attrs
from kafka import TopicPartition
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
)

from ocs_adapters.kafka import codecs
from ocs_adapters.kafka.buffer import Buffer
from ocs_core.ports import Gap

ANSWER_SECONDS = 5.0
"""How long the broker may take to say where a partition begins and ends."""
Place = tuple[str, int]
"""A topic and the number of a partition."""


class NotReadable(KafkaError):  # type: ignore[misc]
    """What is there cannot be read by us: we may not, or it is compressed in a way that nothing here can undo."""


class Positions(Protocol):
    """A reader's own note of how far it has come: Kafka forgets a group that was away for a week."""

    def known(self) -> Mapping[Place, int]:
        """Of every partition that was ever read the offset to go on at."""

    def note(self, positions: Mapping[Place, int]) -> None:
        """Note the offsets to go on at. One that is noted already and further on stays: another member of the group may have
        taken a partition over, and noted more of it, before this one comes to note what it had committed."""

    def reset(self, positions: Mapping[Place, int]) -> None:
        """Note the offsets to go on at, further on or not: it is begun again there."""


class NoPositions:
    """Nothing is noted: for a reader to whom what has expired is nothing."""

    def known(self) -> Mapping[Place, int]:
        return {}

    def note(self, positions: Mapping[Place, int]) -> None:
        """It is not noted."""

    def reset(self, positions: Mapping[Place, int]) -> None:
        """It is not noted."""


@attrs.frozen
class Resumption:
    """Where the partitions of one reader are gone on with. What had expired is told in the buffer, between the records."""

    positions: Positions
    buffer: Buffer

    def poll(self, consumer: Any, **how: Any) -> Mapping[TopicPartition, Sequence[Any]]:
        """What the client's poll gives; none where a partition had first to be told where to go on."""
        try:
            polled: Mapping[TopicPartition, Sequence[Any]] = consumer.poll(**how)
            return polled
        except NoOffsetForPartitionError as error:
            self._begin(consumer, *error.args)
        except OffsetOutOfRangeError as error:
            self._go_on(consumer, *error.args)
        except UnsupportedCodecError as error:
            raise NotReadable(codecs.missing()) from error
        except TopicAuthorizationFailedError as error:
            raise NotReadable(repr(error)) from error
        except LogTruncationError as error:
            self._go_on(consumer, {partition: consumer.position(partition) for partition in error.divergent_offsets})
        return {}

    def _begin(self, consumer: Any, partitions: Iterable[TopicPartition]) -> None:
        """Partitions of which the group knows nothing: new ones, or it was away for so long that Kafka forgot it."""
        known = self.positions.known()
        self._go_on(consumer, {p: known[p] for p in partitions if p in known})
        new = [p for p in partitions if p not in known]
        oldest = consumer.beginning_offsets(new, timeout_ms=ANSWER_SECONDS * 1000) if new else {}
        # A reader that found nothing yet has missed what expires before it comes again.
        self.positions.note({(p.topic, p.partition): offset for p, offset in oldest.items()})
        for partition, offset in oldest.items():
            consumer.seek(partition, offset)

    def _go_on(self, consumer: Any, expected: Mapping[TopicPartition, int]) -> None:
        if not expected:
            return
        begins = consumer.beginning_offsets([*expected], timeout_ms=ANSWER_SECONDS * 1000)
        ends = consumer.end_offsets([*expected], timeout_ms=ANSWER_SECONDS * 1000)
        for partition, offset in expected.items():
            if begins[partition] <= offset <= ends[partition]:
                consumer.seek(partition, offset)
                continue
            self.buffer.put_gap(Gap(**partition._asdict(), expected=offset, begins=begins[partition]))
            consumer.seek(partition, begins[partition])
