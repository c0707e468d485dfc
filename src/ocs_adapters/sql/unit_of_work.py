"""One transaction of the store in SQL."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.serial import encode_answer
from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import ConfigurationCache
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Copy
from ocs_adapters.sql.lookups import find
from ocs_adapters.sql.numbers import draw
from ocs_adapters.sql.outbox import outbox_columns
from ocs_adapters.sql.rows import Rows, rows_of
from ocs_core.errors import Conflict
from ocs_core.messages import Message, TopicNames
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Found, Lookup, Series

_CLOCK = sa.select(sa.func.clock_timestamp())

MESSAGES_AT_ONCE = 2000


@attrs.define
class SqlUnitOfWork:
    """Reads at once; what is written waits for `flush`, of messages only so many as memory should hold."""

    _transaction: Transaction
    _cache: ConfigurationCache
    _topics: TopicNames
    _has_clock: bool
    _inserts: dict[sa.Table, list[Mapping[str, Any]]] = attrs.field(factory=lambda: defaultdict(list))
    _saved: dict[type, list[Any]] = attrs.field(factory=lambda: defaultdict(list))
    _messages: list[Message] = attrs.field(factory=list)
    has_published: bool = attrs.field(default=False, init=False)

    def now(self) -> dt.datetime | None:
        if not self._has_clock or self._transaction.driver.name == "sqlite":
            return None  # SQLite goes by the machine's
        (((now,),),) = self._transaction.run([Call(_CLOCK)])
        return cast(dt.datetime, now).astimezone(dt.UTC)

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        return find(self._transaction, self._cache, lookups, key)

    def add(self, entity: E) -> E:
        rows = rows_of(type(entity))
        self._inserts[rows.table].append(rows.write(entity))
        return entity

    def save(self, entity: E) -> E:
        saved = attrs.evolve(entity, version=entity.version + 1)
        self._saved[type(entity)].append(saved)
        return saved

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        return draw(self._transaction, series, count)

    def publish(self, message: Message) -> None:
        self.has_published = True
        self._messages.append(message)
        if len(self._messages) >= MESSAGES_AT_ONCE:
            self._transaction.run(self._transaction.driver.insert({}, self._outbox()))

    def remember(self, performed: Performed) -> None:
        self._inserts[tables.requests].append(
            {
                "application": performed.key.application,
                "request_id": performed.key.request_id,
                "operation": performed.operation,
                "digest": performed.digest,
                "ref_ids": msgspec.json.encode(performed.ref_ids).decode(),
                "performed_at": performed.performed_at,
                "answer": encode_answer(performed.answer).decode() if performed.answer else None,
            }
        )

    def flush(self, *, commit: bool) -> None:
        """Send what waits. Where a version is named, the answer is looked at before the commit is sent."""
        updates: list[Call | Copy] = [self._update(cls, saved) for cls, saved in self._saved.items()]
        inserts = self._transaction.driver.insert(self._inserts, self._outbox())
        answers = self._transaction.run([*updates, *inserts], commit=commit and not updates)
        for (cls, saved), touched in zip(self._saved.items(), answers, strict=False):
            if touched != len(saved):
                raise Conflict(f"a version of {rows_of(cls).table.name}")
        if commit and updates:
            self._transaction.run([], commit=True)

    def _update(self, cls: type, saved: Sequence[Any]) -> Call:
        rows: Rows[Any] = rows_of(cls)
        key_and_version = {
            "key_read": [entity.ref_id for entity in saved],
            "version_read": [entity.version - 1 for entity in saved],
        }
        return self._transaction.driver.update(rows.table, rows.columns_to_update(saved) | key_and_version)

    def _outbox(self) -> dict[sa.Table, dict[str, list[Any]]]:
        """The messages that wait, which do so no longer."""
        columns = outbox_columns(self._messages, self._topics)
        self._messages.clear()
        return {tables.outbox: columns}
