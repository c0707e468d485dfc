"""PostgreSQL through psycopg 3."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID

import attrs
import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from ocs_adapters.sql import arrays, writing
from ocs_adapters.sql.arrays import array
from ocs_adapters.sql.drivers import driver
from ocs_adapters.sql.drivers.driver import NOTHING, Call, Compiler, Copy, Row
from ocs_adapters.sql.writing import Columns, Rows

STREAMED_AT_ONCE = 5000
FEW = 8
"""Up to so many rows of a table go into one statement."""
_IDLE = psycopg.pq.TransactionStatus.IDLE
_psycopg: Any = PGDialect_psycopg


def _answer(cursor: Any) -> Any:
    result = cursor.pgresult  # asking for the description instead would build an object for every column
    return cursor.fetchall() if result is not None and result.nfields else cursor.rowcount


def is_pooled(connection: Any) -> bool:
    """Whether a pooler such as pgbouncer is between us and the server, which gives each transaction any connection it has."""
    return connection.prepare_threshold is None


def limits() -> dict[str, str]:
    """How long a statement may wait, as settings of the server's."""
    return {"lock_timeout": f"{driver.LOCK_SECONDS}s"}


def finds_pooler(connection: Any) -> bool:
    """Whether there is one: it answers for many, and the process that it gave us as ours is none of the server's."""
    (server,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(server != connection.info.backend_pid)


def _set(command: str, settings: Mapping[str, Any]) -> str:
    return "".join(f"{command} {name} = '{value}';" for name, value in settings.items())


@attrs.define(eq=False)
class PostgresDriver:
    """psycopg 3. Several statements go through its pipeline, BEGIN and COMMIT included; one goes by itself."""

    name: str = "postgresql"
    round_trips: int = 0
    compile: Compiler = attrs.field(factory=lambda: Compiler(_psycopg(paramstyle="numeric_dollar")))
    _names: Iterator[int] = attrs.field(factory=count)

    @staticmethod
    def prepare(connection: "psycopg.Connection[Any]") -> None:
        """Set a new connection up: UTC, the isolation that our statements are made for, bounded waits, one width for whole
        numbers so that prepared statements are found.

        The server, too, is to notice who is cut off: what a lost worker holds would be held for ever. Through a pooler nothing
        is left behind on the server's connection, which serves another client next: neither settings nor prepared statements.
        """
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        arrays.use(connection)
        settings: dict[str, Any] = {"timezone": "UTC"}  # which poolers keep for each client
        pooled = finds_pooler(connection)
        connection.rollback()
        if pooled:
            connection.prepare_threshold = None
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        else:
            settings |= {"default_transaction_isolation": "read committed", **limits(), **driver.CUT_OFF}
        connection.execute(_set("SET", settings))
        connection.commit()

    def begin(self, connection: Any, *, snapshot: bool, writing: bool, seconds: int | None = None) -> None:
        own = limits() if is_pooled(connection) else {}
        settings = _set("SET LOCAL", own if seconds is None else {**own, "statement_timeout": f"{seconds}s"})
        if snapshot:
            settings += "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        if settings:
            connection.execute(settings)
            self.round_trips += 1

    def join(self, connection: Any) -> None:
        """A limit of the transaction's own is kept; rolled back, the savepoint takes ours back by itself."""
        bound = f"set_config('lock_timeout', '{driver.LOCK_SECONDS}s', TRUE), set_config('ocs.bound', 'on', TRUE)"
        connection.execute(f"SAVEPOINT ocs; SELECT {bound} WHERE current_setting('lock_timeout') = '0'")

    def leave(self, connection: Any) -> None:
        free = "set_config('lock_timeout', '0', TRUE), set_config('ocs.bound', '', TRUE)"
        connection.execute(f"SELECT {free} WHERE current_setting('ocs.bound', TRUE) = 'on'; RELEASE SAVEPOINT ocs")

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
        compiled, name = self.compile(call.statement), f"ocs_{next(self._names)}"
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

    def _send(self, connection: Any, call: Call) -> Any:
        compiled = self.compile(call.statement)
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
