"""The embedded streaming platform: an append-only log of what was published, in the same database."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_core.ports import Clock, OutboxRow

_LOG = tables.event_log
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
_PRUNE = sa.delete(_LOG).where(_LOG.c.logged_at < bindparam("before"))


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

    def publish(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
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
        return rows

    def after(self, offset: int, limit: int = 1000) -> Sequence[LoggedEvent]:
        """The events behind an offset, the oldest first."""
        (rows,) = self.database.read(Call(_AFTER, {"after": offset, "limit": limit}))
        to_id = self.database.driver.decoder(UUID)
        return [
            LoggedEvent(
                offset=number,
                topic=topic,
                key=to_id(key) if to_id else key,
                headers=msgspec.json.decode(headers),
                value=msgspec.json.decode(value),
            )
            for number, topic, key, headers, value in rows
        ]

    def prune(self, before: dt.datetime) -> int:
        """Forget events that were logged before an instant; gives how many."""
        (forgotten,) = self.database.write(Call(_PRUNE, {"before": before}))
        return int(forgotten)
