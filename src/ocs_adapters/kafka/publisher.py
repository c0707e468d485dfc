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
)

from ocs_adapters.kafka.client import open_client
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
    """What became of one sending: the rows that were acknowledged, and the first error of each key."""

    kept: list[OutboxRow] = attrs.field(factory=list)
    errors: dict[UUID, KafkaError] = attrs.field(factory=dict)


@attrs.define
class KafkaPublisher:
    """One relay's producer; not for several threads at once. At most one batch is in flight, so memory is bounded by it.

    A producer that met an error which is not to be retried is of no use any more: it is closed, and made anew.
    """

    connection: KafkaConnection
    options: Mapping[str, Any] = attrs.field(factory=dict)
    """Further options of the client."""
    _producer: Any = None

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        try:
            self._open()
        except KafkaError as error:  # which none of the rows is to blame for
            raise PlatformUnavailable(f"Kafka keeps nothing: {error!r}") from error
        attempt = self._send(rows)
        if not attempt.errors:
            return Published(kept=attempt.kept)
        self.close()
        rest = Published()
        if not all(error.retriable for error in attempt.errors.values()):
            kept = {row.ref_id for row in attempt.kept}
            rest = self._one_by_one([row for row in rows if row.ref_id not in kept])
        if not (attempt.kept or rest.kept or rest.refused):
            cause = next(iter(attempt.errors.values()))
            raise PlatformUnavailable(f"Kafka keeps nothing: {cause!r}") from cause
        return attrs.evolve(rest, kept=[*attempt.kept, *rest.kept])

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
        """Give the rows to the client. A topic that nobody knows of is waited for once, and its keys stand still."""
        sent: list[tuple[OutboxRow, Any]] = []
        unknown: dict[str, KafkaError] = {}
        for row in rows:
            if row.topic in unknown:
                attempt.errors.setdefault(row.key, unknown[row.topic])
            if row.key not in attempt.errors:
                try:
                    sent.append((row, producer.send(**_record(row))))
                except KafkaTimeoutError as error:
                    attempt.errors[row.key] = unknown[row.topic] = error
                except KafkaError as error:
                    attempt.errors[row.key] = error
                except ValueError as error:
                    attempt.errors[row.key] = InvalidTopicError(str(error))
        return sent

    def _one_by_one(self, rows: Sequence[OutboxRow]) -> Published:
        """Which message it is that the broker refuses: the error of a batch is told of all its messages."""
        kept: list[OutboxRow] = []
        refused: list[HeldRow] = []
        blocked: set[UUID | str] = set()  # keys, and topics that each message would wait for again
        for row in rows:
            if not blocked.isdisjoint({row.key, row.topic}):
                blocked.add(row.key)
                continue
            attempt = self._send([row])
            kept += attempt.kept
            if error := attempt.errors.get(row.key):
                self.close()
                blocked.add(row.key)
                if isinstance(error, REFUSALS):
                    refused.append(HeldRow(row, f"Kafka refuses it: {error!r}"))
                elif error.retriable:
                    blocked.add(row.topic)
        return Published(kept=kept, refused=refused)

    def _open(self) -> Any:
        if self._producer is None:
            told = {
                "acks": "all",
                "enable_idempotence": True,
                "compression_type": "zstd",
                "linger_ms": 2,
                "delivery_timeout_ms": int(PATIENCE_SECONDS * 1000),
                "request_timeout_ms": int(PATIENCE_SECONDS * 500),
                "bootstrap_timeout_ms": int(METADATA_SECONDS * 1000),
                "max_block_ms": int(METADATA_SECONDS * 1000),
            }
            self._producer = open_client(KafkaProducer, {**told, **self.connection.options(), **self.options})
        return self._producer


def _record(row: OutboxRow) -> dict[str, Any]:
    return {"topic": row.topic, "key": str(row.key).encode(), "headers": to_record(row.headers), "value": row.value}
