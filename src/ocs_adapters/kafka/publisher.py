"""Kafka as a `Publisher`: acknowledged by all replicas, in order per key, and told apart what can never be kept."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
from kafka import KafkaProducer
from kafka.errors import (
    InvalidRecordError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from ocs_adapters.kafka.client import open_client
from ocs_adapters.kafka.codecs import GZIP
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.headers import to_record
from ocs_core.errors import PlatformUnavailable
from ocs_core.ports import HeldRow, OutboxRow, Published

PATIENCE_SECONDS = 30.0
"""How long the client tries to send a message before it gives up."""
LATENESS_SECONDS = 5.0
"""How much longer we wait for it to say so."""
METADATA_SECONDS = 10.0
"""How long the broker may take to say where a topic is."""
REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError, InvalidTopicError)
"""What is wrong with the message itself, whenever it comes."""


@attrs.define
class _Attempt:
    """What became of one sending: the rows that were acknowledged, those that the client itself refused, the first other error
    of each key, and the topics that nobody knows of. Of a key none is kept behind one that is not."""

    kept: list[OutboxRow] = attrs.field(factory=list)
    refused: list[HeldRow] = attrs.field(factory=list)
    errors: dict[UUID, KafkaError] = attrs.field(factory=dict)
    unknown: dict[str, KafkaError] = attrs.field(factory=dict)

    def left(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those of these rows that are to be sent again."""
        settled = {row.ref_id for row in (*self.kept, *(held.row for held in self.refused))}
        still = {held.row.key for held in self.refused}
        return [row for row in rows if row.ref_id not in settled and row.key not in still]


@attrs.define
class KafkaPublisher:
    """One relay's producer; not for several threads at once. At most one batch is in flight, so memory is bounded by it.

    A producer that met an error which is not to be retried is of no use any more: it is closed, and made anew.
    """

    connection: KafkaConnection
    options: Mapping[str, Any] = attrs.field(factory=dict)
    """Further options of the client."""
    compression: str = attrs.field(default=GZIP, kw_only=True)
    """gzip, none, lz4, snappy or zstd."""
    _producer: Any = None

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        try:
            self._open()
        except KafkaError as error:  # which none of the rows is to blame for
            raise PlatformUnavailable(f"Kafka keeps nothing: {error!r}") from error
        attempt = self._send(rows)
        if not attempt.errors:
            return Published(kept=attempt.kept, refused=attempt.refused)
        self.close()
        rest = Published()
        if not all(error.retriable for error in attempt.errors.values()):
            rest = self._apart(attempt.left(rows), {*attempt.unknown})
        kept, refused = [*attempt.kept, *rest.kept], [*attempt.refused, *rest.refused]
        if not (kept or refused):
            cause = next(iter(attempt.errors.values()))
            raise PlatformUnavailable(f"Kafka keeps nothing: {cause!r}") from cause
        return Published(kept=kept, refused=refused)

    def close(self) -> None:
        """Let go of the broker; what is not acknowledged comes again."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=LATENESS_SECONDS)
            except KafkaError:
                # Its thread would go on, and send behind what the next producer sends; nothing else ends it.
                producer._sender.force_close()
                producer._sender.join()

    def _send(self, rows: Sequence[OutboxRow]) -> _Attempt:
        attempt = _Attempt()
        try:
            sent = self._hand_over(self._open(), rows, attempt)
        except KafkaError as error:
            return _Attempt(errors={row.key: error for row in rows})
        ends = time.monotonic() + PATIENCE_SECONDS + LATENESS_SECONDS
        lost: set[UUID] = set()
        for row, future in sent:
            if row.key not in lost:
                try:
                    future.get(timeout=max(ends - time.monotonic(), 0.0))
                    attempt.kept.append(row)
                except KafkaError as error:
                    lost.add(row.key)
                    attempt.errors[row.key] = error
        return attempt

    def _hand_over(self, producer: Any, rows: Sequence[OutboxRow], attempt: _Attempt) -> list[tuple[OutboxRow, Any]]:
        """Give the rows to the client. A topic that nobody knows of is waited for once, and its keys stand still. What the
        client itself refuses costs nobody else anything."""
        sent: list[tuple[OutboxRow, Any]] = []
        still: set[UUID] = set()
        for row in rows:
            if row.topic in attempt.unknown:
                attempt.errors.setdefault(row.key, attempt.unknown[row.topic])
            if row.key in attempt.errors or row.key in still:
                continue
            try:
                sent.append((row, producer.send(**_record(row))))
            except KafkaTimeoutError as error:
                attempt.errors[row.key] = attempt.unknown[row.topic] = error
            except (*REFUSALS, ValueError) as error:  # a name that no topic can have is a ValueError
                attempt.refused.append(_refused(row, error))
                still.add(row.key)
            except KafkaError as error:
                attempt.errors[row.key] = error
        return sent

    def _apart(self, rows: Sequence[OutboxRow], blocked: set[UUID | str]) -> Published:
        """Which messages it is that the broker refuses: the error of a batch is told of all that are in it, so each half is
        sent by itself. `blocked` are keys that stand still, and topics that each message would wait for again."""
        if not (rows := _not_blocked(rows, blocked)):
            return Published()
        attempt = self._send(rows)
        blocked.update(attempt.unknown, (held.row.key for held in attempt.refused))
        if attempt.errors:
            self.close()
        left = attempt.left(rows)
        if not attempt.errors or not left:
            return Published(kept=attempt.kept, refused=attempt.refused)
        if len(rows) == 1:
            return self._alone(left[0], attempt.errors[left[0].key], blocked)
        middle = (len(left) + 1) // 2
        halves = [self._apart(half, blocked) for half in (left[:middle], left[middle:])]
        return Published(
            kept=[*attempt.kept, *(row for half in halves for row in half.kept)],
            refused=[*attempt.refused, *(held for half in halves for held in half.refused)],
        )

    def _alone(self, row: OutboxRow, error: KafkaError, blocked: set[UUID | str]) -> Published:
        blocked.add(row.key)
        if isinstance(error, REFUSALS):
            return Published(refused=[_refused(row, error)])
        if error.retriable or isinstance(error, TopicAuthorizationFailedError):
            blocked.add(row.topic)
        return Published()

    def _open(self) -> Any:
        if self._producer is None:
            told = {
                "acks": "all",
                "enable_idempotence": True,
                "compression_type": None if self.compression == "none" else self.compression,
                "linger_ms": 2,
                "delivery_timeout_ms": int(PATIENCE_SECONDS * 1000),
                "request_timeout_ms": int(PATIENCE_SECONDS * 500),
                "bootstrap_timeout_ms": int(METADATA_SECONDS * 1000),
                "max_block_ms": int(METADATA_SECONDS * 1000),
            }
            self._producer = open_client(KafkaProducer, {**told, **self.connection.options(), **self.options})
        return self._producer


def _not_blocked(rows: Sequence[OutboxRow], blocked: set[UUID | str]) -> Sequence[OutboxRow]:
    free = []
    for row in rows:
        if blocked.isdisjoint({row.key, row.topic}):
            free.append(row)
        else:
            blocked.add(row.key)
    return free


def _refused(row: OutboxRow, error: Exception) -> HeldRow:
    return HeldRow(row, f"Kafka refuses it: {error!r}")


def _record(row: OutboxRow) -> dict[str, Any]:
    return {"topic": row.topic, "key": str(row.key).encode(), "headers": to_record(row.headers), "value": row.value}
