"""SQLite through the standard library."""

import datetime as dt
import functools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from ocs_adapters.sql import writing
from ocs_adapters.sql.drivers import driver
from ocs_adapters.sql.drivers.driver import NOTHING, Call, Compiler, Copy, Row
from ocs_adapters.sql.writing import Columns, Rows
from ocs_core.messages import format_instant

LOG_BYTES = 4_000_000
"""What is left of the write-ahead log after one who read for long made it grow: as much as SQLite lets it have by itself."""

_TO_SQLITE: Mapping[type, Callable[[Any], Any]] = {
    UUID: str,
    dt.datetime: format_instant,
    dt.date: dt.date.isoformat,
}
_FROM_SQLITE: Mapping[type, Callable[[Any], Any]] = {
    UUID: functools.lru_cache(maxsize=16_384)(UUID),  # an account's comes again with each of its items
    dt.datetime: dt.datetime.fromisoformat,
    dt.date: dt.date.fromisoformat,
    bool: bool,
}


def _encode(value: Any) -> Any:
    encode = _TO_SQLITE.get(type(value))
    return value if encode is None else encode(value)


def _encoded(values: Row) -> Row:
    return tuple(map(_encode, values))


@attrs.define(eq=False)
class SqliteDriver:
    """The standard library's sqlite3."""

    name: str = "sqlite"
    round_trips: int = 0
    compile: Compiler = attrs.field(factory=lambda: Compiler(sqlite.dialect(paramstyle="qmark")))

    @staticmethod
    def prepare(connection: sqlite3.Connection) -> None:
        """Set a new connection up: bounded waits, write-ahead log, durable commits."""
        connection.execute(f"PRAGMA busy_timeout = {driver.LOCK_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")

    def begin(self, connection: Any, *, snapshot: bool, writing: bool, seconds: int | None = None) -> None:
        connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    def join(self, connection: Any) -> None:
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")  # a savepoint outside a transaction would commit when it is released
        connection.execute("SAVEPOINT ocs")

    def leave(self, connection: Any) -> None:
        connection.execute("RELEASE SAVEPOINT ocs")

    def run(self, connection: Any, calls: Sequence[Call | Copy], *, commit: bool = False) -> list[Any]:
        self.round_trips += 1
        answers = [
            self._insert(connection, call) if isinstance(call, Copy) else self._execute(connection, call)
            for call in calls
        ]
        if commit:
            connection.execute("COMMIT")
        return answers

    def stream(self, connection: Any, call: Call) -> Iterator[Row]:
        self.round_trips += 1
        assert isinstance(call.parameters, Mapping)
        compiled = self.compile(call.statement)
        yield from connection.execute(compiled.sql, _encoded(compiled.bind(call.parameters)))

    def _execute(self, connection: Any, call: Call) -> Any:
        compiled = self.compile(call.statement)
        if isinstance(call.parameters, Mapping):
            cursor = connection.execute(compiled.sql, _encoded(compiled.bind(call.parameters)))
        else:
            rows = [_encoded(compiled.bind(p)) for p in call.parameters]
            cursor = connection.executemany(compiled.sql, rows)
        return cursor.fetchall() if cursor.description else cursor.rowcount

    def _insert(self, connection: Any, copy: Copy) -> Any:
        compiled = self.compile(writing.insert_one(copy.table))
        columns = [list(map(_encode, copy.columns[name])) for name in compiled.names]
        return connection.executemany(compiled.sql, zip(*columns, strict=True)).rowcount

    def insert(
        self, rows: Mapping[sa.Table, Rows], columns: Mapping[sa.Table, Columns] = NOTHING
    ) -> Sequence[Call | Copy]:
        every = {**{table: writing.as_columns(table, of) for table, of in rows.items() if of}, **columns}
        return [Copy(table, of) for table, of in every.items() if writing.count_of(of)]

    def update(self, table: sa.Table, columns: Columns) -> Call:
        return Call(writing.update_one(table, tuple(columns)), writing.as_rows(columns))

    def given(self, columns: "Mapping[str, sa.Column[Any]]") -> Any:
        rows = sa.func.json_each(sa.bindparam("given", type_=sa.Text())).table_valued("value")
        values = [sa.func.json_extract(rows.c.value, f"$[{at}]").label(name) for at, name in enumerate(columns)]
        return sa.select(*values).subquery("given")

    def bind_given(self, columns: "Mapping[str, sa.Column[Any]]", rows: Columns) -> Mapping[str, Any]:
        return {"given": json.dumps([_encoded(row) for row in zip(*(rows[name] for name in columns), strict=True)])}

    def one_of(self, column: Any, name: str) -> Any:
        listed = sa.func.json_each(sa.bindparam(name, type_=sa.Text())).table_valued("value")
        return column.in_(sa.select(listed.c.value))

    def bind_list(self, values: Sequence[Any]) -> Any:
        return json.dumps([_encode(value) for value in values])

    def decoder(self, kind: type) -> Callable[[Any], Any] | None:
        return _FROM_SQLITE.get(kind)
