"""Kafka as a `Publisher`: acknowledged by all replicas, in order per key, and told apart what can never be kept."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
from kafka import KafkaProducer
from kafka.errors import InvalidRecordError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.headers import to_record
from ocs_core.errors import PlatformUnavailable
from ocs_core.ports import HeldRow, OutboxRow, Published

PATIENCE_SECONDS = 30.0
"""How long a batch may take to be acknowledged."""
METADATA_SECONDS = 10.0
"""How long the broker may take to say where a topic is."""
REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError)
"""What is wrong with the message itself, whenever it comes."""


@attrs.define
class _Attempt:
    """What became of one sending: the rows that were acknowledged, and the first error of each key."""

    kept: list[OutboxRow] = attrs.field(factory=list)
    errors: dict[UUID, Exception] = attrs.field(factory=dict)


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
        attempt = self._send(rows)
        if not attempt.errors:
            return Published(kept=attempt.kept)
        self.close()
        errors = list(attempt.errors.values())
        if all(getattr(error, "retriable", True) for error in errors):
            if attempt.kept:
                return Published(kept=attempt.kept)
            raise PlatformUnavailable(f"Kafka does not answer: {errors[0]!r}") from errors[0]
        kept = {row.ref_id for row in attempt.kept}
        rest = self._one_by_one([row for row in rows if row.ref_id not in kept])
        return attrs.evolve(rest, kept=[*attempt.kept, *rest.kept])

    def close(self) -> None:
        """Let go of the broker; what is not acknowledged comes again."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=1)
            except KafkaError:
                # It complains of what it could not send, which is nobody's loss, and has ended all the same.
                return

    def _send(self, rows: Sequence[OutboxRow]) -> _Attempt:
        attempt, sent = _Attempt(), []
        lost: set[UUID] = set()
        try:
            producer = self._open()
        except KafkaError as error:
            raise PlatformUnavailable(f"Kafka does not answer: {error!r}") from error
        for row in rows:
            if row.key not in attempt.errors:
                try:
                    sent.append((row, producer.send(**_record(row))))
                except KafkaError as error:
                    attempt.errors[row.key] = error
        ends = time.monotonic() + PATIENCE_SECONDS
        for row, future in sent:
            if row.key in lost:
                continue
            try:
                future.get(timeout=max(ends - time.monotonic(), 0.0))
            except KafkaError as error:
                lost.add(row.key)
                attempt.errors[row.key] = error
            else:
                attempt.kept.append(row)
        return attempt

    def _one_by_one(self, rows: Sequence[OutboxRow]) -> Published:
        """Which message it is that the broker refuses: the error of a batch is told of all its messages."""
        kept: list[OutboxRow] = []
        refused: list[HeldRow] = []
        blocked: set[UUID] = set()
        for row in rows:
            if row.key in blocked:
                continue
            attempt = self._send([row])
            kept += attempt.kept
            for error in attempt.errors.values():
                self.close()
                blocked.add(row.key)
                if isinstance(error, REFUSALS):
                    refused.append(HeldRow(row, f"Kafka refuses it: {error}"))
        return Published(kept=kept, refused=refused)

    def _open(self) -> Any:
        if self._producer is None:
            self._producer = KafkaProducer(
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                linger_ms=2,
                delivery_timeout_ms=int(PATIENCE_SECONDS * 1000),
                request_timeout_ms=int(PATIENCE_SECONDS * 500),
                bootstrap_timeout_ms=int(METADATA_SECONDS * 1000),
                max_block_ms=int(METADATA_SECONDS * 1000),
                **self.connection.options(),
                **self.options,
            )
        return self._producer


def _record(row: OutboxRow) -> dict[str, Any]:
    return {"topic": row.topic, "key": str(row.key).encode(), "headers": to_record(row.headers), "value": row.value}
