"""The outbox of a store in memory, and the streaming platform behind it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import attrs

from ocs_core.memory.store import MemoryStore
from ocs_core.messages import Payload
from ocs_core.ports import Delivered, OutboxRow


@attrs.frozen
class MemoryOutbox:
    """The relay's side of a `MemoryStore`. `encode` makes the bytes of a payload: the core itself knows no format."""

    store: MemoryStore
    encode: Callable[[Payload], bytes]

    def waiting(self, limit: int) -> Sequence[OutboxRow]:
        with self.store.lock:
            messages = list(self.store.outbox.values())[:limit]
        return [
            OutboxRow(
                position=position,
                ref_id=message.ref_id,
                topic=f"ocs.rm.{message.family}",
                key=message.key,
                headers=message.headers,
                value=self.encode(message.payload),
            )
            for position, message in enumerate(messages, 1)
        ]

    def done(self, rows: Sequence[OutboxRow]) -> None:
        with self.store.lock:
            for row in rows:
                self.store.outbox.pop(row.ref_id, None)


@attrs.frozen
class MemoryEventLog:
    """A `Publisher`, and the `Stream` of whoever reads it. A message that comes twice is kept once."""

    kept: dict[UUID, Delivered] = attrs.field(factory=dict)
    committed: dict[str, int] = attrs.field(factory=dict)
    lock: Any = attrs.field(factory=threading.Lock, repr=False)

    def publish(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        with self.lock:
            for row in rows:
                message = Delivered(topic=row.topic, key=row.key, headers=row.headers, value=row.value)
                self.kept.setdefault(row.ref_id, message)
        return rows

    def reader(self, name: str) -> "MemoryStream":
        """What was published, as the reader of that name sees it."""
        return MemoryStream(self, name, self.committed.get(name, 0))


@attrs.define
class MemoryStream:
    """One reader of a `MemoryEventLog`; `position` is how many messages it was given, by it and those before it."""

    log: MemoryEventLog
    name: str
    position: int

    def next(self, limit: int) -> Sequence[Delivered]:
        with self.log.lock:
            given = list(self.log.kept.values())[self.position : self.position + limit]
        self.position += len(given)
        return given

    def commit(self) -> None:
        self.log.committed[self.name] = self.position
