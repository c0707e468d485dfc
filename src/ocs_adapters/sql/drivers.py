"""Two small drivers under one interface. Statements are composed with SQLAlchemy Core, compiled once, and run on the
driver's own connection: executing through Core costs two to three times as much (ADR 2).
"""

import datetime as dt
import functools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Protocol
from uuid import UUID

import attrs
import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from ocs_adapters.sql import arrays, writing
from ocs_adapters.sql.arrays import array
from ocs_adapters.sql.writing import Columns, Rows
from ocs_core.messages import format_instant

Row = tuple[Any, ...]
NOTHING: Mapping[Any, Any] = {}
LOCK_SECONDS = 5
"""How long a statement waits for what others hold."""
STREAMED_AT_ONCE = 5000
FEW = 8
"""Up to so many rows of a table go into one statement."""


@attrs.frozen
class Call:
    """A statement with its parameters; with several sets of them, it is run once for each."""

    statement: Any
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = attrs.field(factory=dict)


@attrs.frozen
class Copy:
    """Many rows for one table, by PostgreSQL's COPY: twice as fast as to insert them."""

    table: sa.Table
    columns: Columns


@attrs.frozen(eq=False)
class Compiled:
    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def bind(self, parameters: Mapping[str, Any]) -> Row:
        constants = self.constants
        return tuple([parameters[n] if n in parameters else constants[n] for n in self.names])


class Driver(Protocol):
    """What differs between the databases."""

    name: str
    round_trips: int

    def __hash__(self) -> int: ...

    def begin(self, connection: Any, *, snapshot: bool, writing: bool) -> None: ...

    def run(self, connection: Any, calls: Sequence[Call | Copy], *, commit: bool = False) -> list[Any]:
        """Run the calls in order, waiting for the answers once; then commit, if asked to. A query gives its rows, anything
        else the number of rows that it touched."""

    def stream(self, connection: Any, call: Call) -> Iterator[Row]:
        """The rows of a query, fetched while they are gone through: more of them than memory should hold. In a transaction of
        one snapshot, so that it does not matter when that is."""

    def insert(
        self, rows: Mapping[sa.Table, Rows], columns: Mapping[sa.Table, Columns] = NOTHING
    ) -> Sequence[Call | Copy]:
        """How these rows, and others that are given as columns, are inserted, in as few statements as is good."""

    def update(self, table: sa.Table, columns: Columns) -> Call:
        """How columns of many rows are updated: of those whose key is `key_read` and whose version still `version_read`, two
        columns beside those that are written."""

    def given(self, columns: "Mapping[str, sa.Column[Any]]") -> Any:
        """Rows that are bound later, for a statement to select from: what is like which column under which name."""

    def bind_given(self, columns: "Mapping[str, sa.Column[Any]]", rows: Columns) -> Mapping[str, Any]:
        """The parameters that `given` asks for."""

    def one_of(self, column: Any, name: str) -> Any:
        """The condition that a column is one of a list that is bound later."""

    def bind_list(self, values: Sequence[Any]) -> Any: ...

    def decoder(self, kind: type) -> Callable[[Any], Any] | None:
        """How a stored value of a Python type is read; None: as it is."""


def _answer(cursor: Any) -> Any:
    result = cursor.pgresult  # asking for the description instead would build an object for every column
    return cursor.fetchall() if result is not None and result.nfields else cursor.rowcount


_IDLE = psycopg.pq.TransactionStatus.IDLE
_psycopg: Any = PGDialect_psycopg


def _compile(statement: Any, dialect: sa.Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)
    return Compiled(compiled.string, tuple(compiled.positiontup or ()), compiled.construct_params(None, _check=False))


@attrs.define(eq=False)
class PostgresDriver:
    """psycopg 3. Several statements go through its pipeline, BEGIN and COMMIT included; one goes by itself."""

    name: str = "postgresql"
    round_trips: int = 0
    _dialect: sa.Dialect = attrs.field(factory=lambda: _psycopg(paramstyle="numeric_dollar"))
    _compiled: dict[Any, Compiled] = attrs.field(factory=dict)
    _names: Iterator[int] = attrs.field(factory=count)

    @staticmethod
    def prepare(connection: "psycopg.Connection[Any]") -> None:
        """Set a new connection up: UTC, bounded waits, one width for whole numbers so that prepared statements are found."""
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        arrays.use(connection)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.commit()

    def begin(self, connection: Any, *, snapshot: bool, writing: bool) -> None:
        if snapshot:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self.round_trips += 1

    def run(self, connection: Any, calls: Sequence[Call | Copy], *, commit: bool = False) -> list[Any]:
        statements = [call for call in calls if isinstance(call, Call)]
        if len(statements) == len(calls) > 1:  # no pipeline takes a COPY
            return self._pipelined(connection, statements, commit=commit)
        # One statement at a time costs less than half the processor time of a pipeline, and waits a little longer.
        self.round_trips += len(calls) + commit + (bool(calls) and connection.info.transaction_status == _IDLE)
        cursors = [
            self._copy(connection, call) if isinstance(call, Copy) else self._send(connection, call) for call in calls
        ]
        if commit:
            connection.commit()
        return list(map(_answer, cursors))

    def stream(self, connection: Any, call: Call) -> Iterator[Row]:
        """Through a cursor of the server's, which ends with the transaction."""
        compiled, name = self._compile(call), f"ocs_{next(self._names)}"
        declare = f"DECLARE {name} NO SCROLL CURSOR FOR {compiled.sql}"
        assert isinstance(call.parameters, Mapping)
        psycopg.RawCursor(connection).execute(declare, compiled.bind(call.parameters), prepare=False)
        fetch = f"FETCH {STREAMED_AT_ONCE} FROM {name}"
        while rows := psycopg.RawCursor(connection).execute(fetch, binary=True, prepare=False).fetchall():
            yield from rows

    def _pipelined(self, connection: Any, calls: Sequence[Call], *, commit: bool) -> list[Any]:
        self.round_trips += 1
        with connection.pipeline():
            cursors = [self._send(connection, call) for call in calls]
            if commit:
                connection.execute("COMMIT")
        return list(map(_answer, cursors))

    def _compile(self, call: Call) -> Compiled:
        compiled = self._compiled.get(call.statement)
        if compiled is None:
            compiled = self._compiled[call.statement] = _compile(call.statement, self._dialect)
        return compiled

    def _send(self, connection: Any, call: Call) -> Any:
        compiled = self._compile(call)
        cursor: Any = psycopg.RawCursor(connection)  # speaks $1, and so does not take each statement apart again
        if isinstance(call.parameters, Mapping):
            return cursor.execute(compiled.sql, compiled.bind(call.parameters), binary=True)
        cursor.executemany(compiled.sql, [compiled.bind(p) for p in call.parameters])
        return cursor

    def _copy(self, connection: Any, copy: Copy) -> Any:
        """Where some are there that may be there once only, which is rare, it is taken back, and they are inserted."""
        table = copy.table
        names = writing.given_columns(table)
        content = arrays.rows([table.c[name].type for name in names], [copy.columns[name] for name in names])
        once = "once" in table.info
        cursor = connection.cursor()
        if once:
            connection.execute("SAVEPOINT ocs_copy")
        try:
            with cursor.copy(writing.copy_into(table)) as copying:
                copying.write(content)
            if once:
                connection.execute("RELEASE SAVEPOINT ocs_copy")
        except errors.UniqueViolation:
            if not once:
                raise
            connection.execute("ROLLBACK TO SAVEPOINT ocs_copy")
            return self._send(connection, _insert_many(table, copy.columns))
        return cursor

    def insert(self, rows: Mapping[sa.Table, Rows], columns: Mapping[sa.Table, Columns] = NOTHING) -> list[Call | Copy]:
        many: list[Call | Copy] = [Copy(table, of) for table, of in columns.items() if writing.count_of(of) > FEW]
        many += [Copy(table, writing.as_columns(table, of)) for table, of in rows.items() if len(of) > FEW]
        few = {table: of for table, of in rows.items() if 0 < len(of) <= FEW}
        few |= {table: writing.as_rows(of) for table, of in columns.items() if 0 < writing.count_of(of) <= FEW}
        if not few:
            return many
        # Every statement costs the driver as much as twenty parameters: the few go together.
        parameters: dict[str, Any] = {}
        for table, of_table in few.items():
            for index, row in enumerate(of_table):
                parameters.update(zip(writing.names_together(table.name, index, tuple(row)), row.values(), strict=True))
        return [Call(writing.insert_together(tuple((table, len(of)) for table, of in few.items())), parameters), *many]

    def update(self, table: sa.Table, columns: Columns) -> Call:
        names = tuple(columns)
        if len(columns["key_read"]) <= FEW:
            return Call(writing.update_one(table, names), writing.as_rows(columns))
        return Call(writing.update_unnested(table, names), self.bind_given(writing.columns_of(table, names), columns))

    def given(self, columns: "Mapping[str, sa.Column[Any]]") -> Any:
        return writing.unnested(columns)

    def bind_given(self, columns: "Mapping[str, sa.Column[Any]]", rows: Columns) -> Mapping[str, Any]:
        return {f"{name}s": array(column.type, rows[name]) for name, column in columns.items()}

    def one_of(self, column: Any, name: str) -> Any:
        return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type)))

    def bind_list(self, values: Sequence[Any]) -> Any:
        return array(sa.Uuid(), values) if values and isinstance(values[0], UUID) else list(values)

    def decoder(self, kind: type) -> Callable[[Any], Any] | None:
        return None


def _insert_many(table: sa.Table, columns: Columns) -> Call:
    names = writing.given_columns(table)
    return Call(
        writing.insert_unnested(table), {f"{name}s": array(table.c[name].type, columns[name]) for name in names}
    )


_TO_SQLITE: Mapping[type, Callable[[Any], Any]] = {
    UUID: str,
    dt.datetime: format_instant,
    dt.date: dt.date.isoformat,
}
_FROM_SQLITE: Mapping[type, Callable[[Any], Any]] = {
    UUID: UUID,
    dt.datetime: dt.datetime.fromisoformat,
    dt.date: dt.date.fromisoformat,
    bool: bool,
}


def _encode_for_sqlite(value: Any) -> Any:
    encode = _TO_SQLITE.get(type(value))
    return value if encode is None else encode(value)


def _encoded(values: Row) -> Row:
    return tuple(map(_encode_for_sqlite, values))


@attrs.define(eq=False)
class SqliteDriver:
    """The standard library's sqlite3."""

    name: str = "sqlite"
    round_trips: int = 0
    _dialect: sa.Dialect = attrs.field(factory=lambda: sqlite.dialect(paramstyle="qmark"))
    _compiled: dict[Any, Compiled] = attrs.field(factory=dict)

    @staticmethod
    def prepare(connection: sqlite3.Connection) -> None:
        """Set a new connection up: bounded waits, write-ahead log, durable commits."""
        connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    def begin(self, connection: Any, *, snapshot: bool, writing: bool) -> None:
        connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    def run(self, connection: Any, calls: Sequence[Call | Copy], *, commit: bool = False) -> list[Any]:
        self.round_trips += 1
        answers = [self._execute(connection, call) for call in calls if isinstance(call, Call)]
        if commit:
            connection.execute("COMMIT")
        return answers

    def stream(self, connection: Any, call: Call) -> Iterator[Row]:
        self.round_trips += 1
        assert isinstance(call.parameters, Mapping)
        compiled = self._compile(call)
        yield from connection.execute(compiled.sql, _encoded(compiled.bind(call.parameters)))

    def _compile(self, call: Call) -> Compiled:
        compiled = self._compiled.get(call.statement)
        if compiled is None:
            compiled = self._compiled[call.statement] = _compile(call.statement, self._dialect)
        return compiled

    def _execute(self, connection: Any, call: Call) -> Any:
        compiled = self._compile(call)
        if isinstance(call.parameters, Mapping):
            cursor = connection.execute(compiled.sql, _encoded(compiled.bind(call.parameters)))
        else:
            rows = [_encoded(compiled.bind(p)) for p in call.parameters]
            cursor = connection.executemany(compiled.sql, rows)
        return cursor.fetchall() if cursor.description else cursor.rowcount

    def insert(
        self, rows: Mapping[sa.Table, Rows], columns: Mapping[sa.Table, Columns] = NOTHING
    ) -> Sequence[Call | Copy]:
        every = [*rows.items(), *((table, writing.as_rows(of)) for table, of in columns.items())]
        return [Call(writing.insert_one(table), of_table) for table, of_table in every if of_table]

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
        return json.dumps([_encode_for_sqlite(value) for value in values])

    def decoder(self, kind: type) -> Callable[[Any], Any] | None:
        return _FROM_SQLITE.get(kind)


@functools.cache
def driver_for(dialect_name: str) -> Driver:
    """The driver of a database; statements it compiled are shared by all stores of that kind."""
    drivers: Mapping[str, Callable[[], Driver]] = {"postgresql": PostgresDriver, "sqlite": SqliteDriver}
    return drivers[dialect_name]()
