"""The embedded streaming platform: an append-only log of what was published, in the same database."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call, Row
from ocs_adapters.sql.reading import reader
from ocs_core.entities.process import CLOCKS_APART
from ocs_core.ports import Clock, Delivered, Gap, OutboxRow, Published

_LOG, _READERS, _FORGOTTEN = tables.event_log, tables.event_readers, tables.event_log_forgotten
_AFTER = (
    sa.select(_LOG.c.offset, _LOG.c.topic, _LOG.c.key, _LOG.c.headers, _LOG.c.value)
    .where(_LOG.c.offset > bindparam("after"))
    .order_by(_LOG.c.offset)
    .limit(bindparam("limit"))
)
_AFTER_OF: Any = functools.cache(lambda driver: _AFTER.where(driver.one_of(_LOG.c.topic, "topics")))
_COMMITTED = sa.select(_READERS.c.offset).where(_READERS.c.name == bindparam("name"))
_REWIND = (
    'INSERT INTO event_readers (name, "offset") VALUES (:name, :offset) '
    'ON CONFLICT (name) DO UPDATE SET "offset" = excluded."offset"'
)
# Two that read under one name by mistake, such as one that is about to end: the slower one puts nobody back.
_COMMIT = sa.text(f'{_REWIND} WHERE excluded."offset" > event_readers."offset"')
_FORGOTTEN_AFTER = sa.select(_FORGOTTEN).where(_FORGOTTEN.c.offset > bindparam("after")).order_by(_FORGOTTEN.c.topic)
_LAST = sa.select(sa.func.max(_LOG.c.offset))


@functools.cache
def _append(driver_name: str) -> Any:
    """No event is logged earlier than the one before it, by whatever clock: what is forgotten by its time is the log's oldest
    part then, and a reader is told from where on nothing is missing. A clock that runs ahead of the database's does not hold
    up for as long what comes behind it."""
    is_server = driver_name == "postgresql"
    later = sa.func.greatest if is_server else sa.func.max
    last = sa.select(_LOG.c.logged_at).order_by(_LOG.c.offset.desc()).limit(1).scalar_subquery()
    now: Any = bindparam("logged_at", type_=_LOG.c.logged_at.type)
    if is_server:
        now = sa.func.least(now, sa.func.clock_timestamp() + CLOCKS_APART)
    told: dict[str, Any] = {
        c.name: bindparam(c.name) for c in (_LOG.c.ref_id, _LOG.c.topic, _LOG.c.key, _LOG.c.headers, _LOG.c.value)
    }
    appended = postgresql.insert(_LOG).values(**told, logged_at=later(now, sa.func.coalesce(last, now)))
    return appended.on_conflict_do_nothing(index_elements=[_LOG.c.ref_id])


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
        driver = self.database.driver.name
        self.database.write(*_one_at_a_time(driver), Call(_append(driver), parameters))
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
        return self.read_on(offset, limit, topics)[0]

    def read_on(
        self, offset: int, limit: int, topics: Collection[str] | None
    ) -> tuple[Sequence[tuple[int, Delivered]], Mapping[str, int]]:
        """The same, and by topic the offset of the last event behind that one which is forgotten, as of one instant."""
        driver, bound = self.database.driver, {"after": offset, "limit": limit}
        if topics is None:
            call = Call(_AFTER, bound)
        else:
            call = Call(_AFTER_OF(driver), {**bound, "topics": driver.bind_list(sorted(topics))})
        rows, forgotten = self.database.read(call, Call(_FORGOTTEN_AFTER, {"after": offset}))
        marks = {topic: int(last) for topic, last in forgotten if topics is None or topic in topics}
        return self._delivered(rows), marks

    def _delivered(self, rows: Sequence[Row]) -> Sequence[tuple[int, Delivered]]:
        read = reader(Delivered, self.database.driver)
        return [(row[0], read(row[1:])) for row in rows]

    def last(self) -> int:
        """The offset of the last event; 0 in a log that is empty."""
        (((last,),),) = self.database.read(Call(_LAST))
        return last or 0

    def reader(self, name: str, topics: Collection[str] | None = None) -> "SqlStream":
        """What was published to these topics, None: to all, as the reader of that name sees it."""
        (rows,) = self.database.read(Call(_COMMITTED, {"name": name}))
        if rows:
            return SqlStream(self, name, rows[0][0], topics)
        made = SqlStream(self, name, 0, topics)
        made.rewind()
        return made

    def forgotten(self, topics: Collection[str] | None) -> Mapping[str, int]:
        """Of these topics, None: of all, the offset of the last event that is forgotten."""
        return self.read_on(0, 1, topics)[1]

    def oldest(self, topics: Collection[str] | None) -> int:
        """The offset behind which a new reader begins: that of the last event of these topics which is forgotten."""
        first, forgotten = self.read_on(0, 1, topics)
        last = max(forgotten.values(), default=0)
        return min([last, *(offset - 1 for offset, _ in first)])


@attrs.define
class SqlStream:
    """One reader of the log: a `Stream`. `offset` is that of the last event it was given, or that was committed before."""

    log: SqlEventLog
    name: str
    offset: int
    topics: Collection[str] | None = None
    _gaps: list[Gap] = attrs.field(factory=list, init=False)
    _told: dict[str, int] = attrs.field(factory=dict, init=False)

    def next(self, limit: int) -> Sequence[Delivered]:
        given, forgotten = self.log.read_on(self.offset, limit, self.topics)
        self._tell(forgotten)
        self.offset = given[-1][0] if given else max([self.offset, *forgotten.values()])
        return [event for _, event in given]

    def commit(self) -> None:
        self.log.database.write(Call(_COMMIT, {"name": self.name, "offset": self.offset}))

    def rewind(self) -> None:
        self.offset = self.log.oldest(self.topics)
        self.log.database.write(Call(sa.text(_REWIND), {"name": self.name, "offset": self.offset}))

    def gaps(self) -> Sequence[Gap]:
        """What was forgotten before this reader came so far; the log has one partition, 0."""
        met, self._gaps = self._gaps, []
        return met

    def close(self) -> None:
        """There is nothing to let go of: the database is its owner's."""

    def _tell(self, forgotten: Mapping[str, int]) -> None:
        for topic, last in forgotten.items():
            if last > self._told.get(topic, 0):
                self._told[topic] = last
                self._gaps.append(Gap(topic=topic, partition=0, expected=self.offset + 1, begins=last + 1))
