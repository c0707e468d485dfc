"""The outbox of a store in memory, and the streaming platform behind it."""

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

import attrs

from ocs_core.memory.store import MemoryStore
from ocs_core.messages import Payload, TopicNames
from ocs_core.ports import MOST_COUNTED, SHARES, Backlog, Delivered, Gap, HeldRow, OutboxRow, Published, share_of


@attrs.frozen
class MemoryOutbox:
    """The relay's side of a `MemoryStore`. `encode` makes the bytes of a payload: the core itself knows no format."""

    store: MemoryStore
    encode: Callable[[Payload], bytes]
    topics: TopicNames = attrs.field(factory=TopicNames)

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        wanted = range(SHARES) if shares is None else shares
        with self.store.lock:
            still = {self.store.outbox[ref_id].key for ref_id in self.store.held}
            rows = (row for row in self._rows() if row.key not in still and share_of(row.key) in wanted)
            return list(itertools.islice(rows, limit))

    def done(self, rows: Sequence[OutboxRow]) -> None:
        with self.store.lock:
            for row in rows:
                self.store.outbox.pop(row.ref_id, None)
                self.store.held.pop(row.ref_id, None)

    def hold(self, refused: Sequence[HeldRow]) -> None:
        with self.store.lock:
            there = [held for held in refused if held.row.ref_id in self.store.outbox]
            self.store.held.update({held.row.ref_id: held.reason for held in there})

    def held(self) -> Sequence[HeldRow]:
        with self.store.lock:
            reasons = self.store.held
            return [HeldRow(row, reasons[row.ref_id]) for row in self._rows() if row.ref_id in reasons]

    def release(self, ref_ids: Collection[UUID] | None = None) -> int:
        with self.store.lock:
            released = [each for each in self.store.held if ref_ids is None or each in ref_ids]
            for each in released:
                del self.store.held[each]
        return len(released)

    def discard(self, ref_ids: Collection[UUID]) -> int:
        with self.store.lock:
            discarded = [each for each in self.store.held if each in ref_ids]
            for each in discarded:
                del self.store.held[each], self.store.outbox[each]
        return len(discarded)

    def backlog(self) -> Backlog:
        with self.store.lock:
            oldest = next(self._rows(), None)
            return Backlog(
                rows=min(len(self.store.outbox), MOST_COUNTED),
                held=min(len(self.store.held), MOST_COUNTED),
                oldest=dt.datetime.fromisoformat(oldest.headers["ce_time"]) if oldest else None,
            )

    def _rows(self) -> Iterator[OutboxRow]:
        for position, message in enumerate(self.store.outbox.values(), 1):
            yield OutboxRow(
                position=position,
                ref_id=message.ref_id,
                topic=self.topics.of(message),
                key=message.key,
                headers=message.headers,
                value=self.encode(message.payload),
            )


@attrs.frozen
class MemoryEventLog:
    """A `Publisher`, and the `Stream` of whoever reads it. A message that comes twice is kept once."""

    kept: dict[UUID, Delivered] = attrs.field(factory=dict)
    committed: dict[str, int] = attrs.field(factory=dict)
    lock: Any = attrs.field(factory=threading.Lock, repr=False)

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        with self.lock:
            for row in rows:
                message = Delivered(topic=row.topic, key=row.key, headers=row.headers, value=row.value)
                self.kept.setdefault(row.ref_id, message)
        return Published(kept=rows)

    def close(self) -> None:
        """There is nothing to let go of."""

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

    def rewind(self) -> None:
        self.position = 0
        self.commit()

    def gaps(self) -> Sequence[Gap]:
        """This log forgets nothing."""
        return ()

    def close(self) -> None:
        """There is nothing to let go of."""
