"""The embedded streaming platform: an append-only log of what was published, in the same database."""

import functools
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_core.ports import Clock, Delivered, OutboxRow, Published

_LOG, _READERS = tables.event_log, tables.event_readers
_APPEND = sa.text(
    'INSERT INTO event_log (ref_id, topic, "key", headers, value, logged_at) '
    "VALUES (:ref_id, :topic, :key, :headers, :value, :logged_at) ON CONFLICT (ref_id) DO NOTHING"
).bindparams(
    bindparam("ref_id", type_=_LOG.c.ref_id.type),
    bindparam("key", type_=_LOG.c.key.type),
    bindparam("logged_at", type_=_LOG.c.logged_at.type),
)
_AFTER = (
    sa.select(_LOG.c.offset, _LOG.c.topic, _LOG.c.key, _LOG.c.headers, _LOG.c.value)
    .where(_LOG.c.offset > bindparam("after"))
    .order_by(_LOG.c.offset)
    .limit(bindparam("limit"))
)
_AFTER_OF: Any = functools.cache(lambda driver: _AFTER.where(driver.one_of(_LOG.c.topic, "topics")))
_COMMITTED = sa.select(_READERS.c.offset).where(_READERS.c.name == bindparam("name"))
_COMMIT = sa.text(
    'INSERT INTO event_readers (name, "offset") VALUES (:name, :offset) '
    'ON CONFLICT (name) DO UPDATE SET "offset" = excluded."offset"'
)
_ENDS = sa.select(sa.func.min(_LOG.c.offset), sa.func.max(_LOG.c.offset))


@functools.cache
def _one_at_a_time(driver_name: str) -> list[Call]:
    """Offsets become visible in their order only where one publisher writes at a time; SQLite has no other way."""
    return [Call(sa.text("SELECT pg_advisory_xact_lock(7241)"))] if driver_name == "postgresql" else []


@attrs.frozen(kw_only=True)
class LoggedEvent:
    """One message of the log; `offset` rises in the order of publication."""

    offset: int
    topic: str
    key: UUID
    headers: dict[str, str]
    value: Any


@attrs.frozen
class SqlEventLog:
    """A `Publisher`, and what reads the log. A message that comes twice is kept once."""

    database: Database
    clock: Clock

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        now = self.clock()
        parameters = [
            {
                "ref_id": row.ref_id,
                "topic": row.topic,
                "key": row.key,
                "headers": msgspec.json.encode(row.headers).decode(),
                "value": row.value.decode(),
                "logged_at": now,
            }
            for row in rows
        ]
        self.database.write(*_one_at_a_time(self.database.driver.name), Call(_APPEND, parameters))
        return Published(kept=rows)

    def close(self) -> None:
        """There is nothing to let go of: the database is its owner's."""

    def after(self, offset: int, limit: int = 1000) -> Sequence[LoggedEvent]:
        """The events behind an offset, the oldest first."""
        return [
            LoggedEvent(
                offset=number,
                topic=event.topic,
                key=event.key,
                headers=dict(event.headers),
                value=msgspec.json.decode(event.value),
            )
            for number, event in self.delivered_after(offset, limit)
        ]

    def delivered_after(
        self, offset: int, limit: int, topics: Collection[str] | None = None
    ) -> Sequence[tuple[int, Delivered]]:
        """The same with the bytes that were published, each with its offset; of these topics only, None: of all."""
        driver, bound = self.database.driver, {"after": offset, "limit": limit}
        if topics is None:
            call = Call(_AFTER, bound)
        else:
            call = Call(_AFTER_OF(driver), {**bound, "topics": driver.bind_list(sorted(topics))})
        (rows,) = self.database.read(call)
        to_id = driver.decoder(UUID)
        return [
            (
                number,
                Delivered(
                    topic=topic,
                    key=to_id(key) if to_id else key,
                    headers=msgspec.json.decode(headers),
                    value=value.encode(),
                ),
            )
            for number, topic, key, headers, value in rows
        ]

    def ends(self) -> tuple[int, int]:
        """The offsets of the first and the last event; 1 and 0 in a log that is empty. The first ever has offset 1."""
        (((first, last),),) = self.database.read(Call(_ENDS))
        return first or 1, last or 0

    def reader(self, name: str, topics: Collection[str] | None = None) -> "SqlStream":
        """What was published to these topics, None: to all, as the reader of that name sees it."""
        (rows,) = self.database.read(Call(_COMMITTED, {"name": name}))
        return SqlStream(self, name, rows[0][0] if rows else 0, topics)


@attrs.define
class SqlStream:
    """One reader of the log: a `Stream`. `offset` is that of the last event it was given, or that was committed before."""

    log: SqlEventLog
    name: str
    offset: int
    topics: Collection[str] | None = None

    def next(self, limit: int) -> Sequence[Delivered]:
        given = self.log.delivered_after(self.offset, limit, self.topics)
        if given:
            self.offset = given[-1][0]
        return [event for _, event in given]

    def commit(self) -> None:
        self.log.database.write(Call(_COMMIT, {"name": self.name, "offset": self.offset}))

    def rewind(self) -> None:
        self.offset = 0
        self.commit()

    def close(self) -> None:
        """There is nothing to let go of: the database is its owner's."""
