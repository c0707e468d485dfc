"""Databases that are lent to one test after the other: to make one and drop it takes fifty times as long as to clean it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import psycopg

from tests.contract.postgres import Cluster

MOST_BYTES = 8_000_000
"""A table that has grown beyond it costs those who come next: its database is dropped."""
_SIZES = """
    SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_SHAPE = " UNION ALL ".join(
    f"SELECT count(*), sum(hashtextextended(xmin::text || ctid::text, 0)) FROM {catalogue}"
    for catalogue in (
        "pg_class WHERE relnamespace = 'public'::regnamespace",
        "pg_attribute WHERE attrelid > 16384",
        "pg_index WHERE indexrelid > 16384",
        "pg_constraint",
        "pg_trigger",
        "pg_proc",
        "pg_namespace",
        "pg_db_role_setting",
    )
)
"""Every change of the schema writes rows of the catalogue anew, with the number of its transaction."""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_SEQUENCES = (
    "SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"
)


_numbers = itertools.count(1)


@attrs.define
class Lender:
    """The databases of a server that are made of one template."""

    server: Cluster
    template: str
    _free: list[str] = attrs.field(factory=list, init=False)
    _shapes: dict[str, list[Any]] = attrs.field(factory=dict, init=False)
    _rows: dict[str, bytes] = attrs.field(init=False)
    """What each table of the template has in it."""

    def __attrs_post_init__(self) -> None:
        with psycopg.connect(self.server.url(self.template), autocommit=True) as connection:
            self._rows = {table: _rows(connection, table) for table, _ in _run(connection, _SIZES)}

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a database that is as the template is; nobody else has it meanwhile."""
        name = self._free.pop() if self._free else self._new()
        try:
            yield self.server.url(name)
        finally:
            if self._cleaned(name):
                self._free.append(name)
            else:
                self.server.drop(name)

    def _new(self) -> str:
        name = f"{self.template}_{next(_numbers)}"
        with psycopg.connect(self.server.create(name, self.template), autocommit=True) as connection:
            self._shapes[name] = _run(connection, _SHAPE)
        return name

    def _cleaned(self, name: str) -> bool:
        """Take out what a test left behind; whether it is as the template is then."""
        try:
            with psycopg.connect(self.server.url(name), autocommit=True) as connection:
                _run(connection, _OTHERS)
                sizes = [size for _, size in _run(connection, _SIZES)]
                if max(sizes) > MOST_BYTES or _run(connection, _SHAPE) != self._shapes[name]:
                    return False
                self._empty(connection)
                _run(connection, _SEQUENCES)
                return True
        except psycopg.Error:
            return False

    def _empty(self, connection: psycopg.Connection) -> None:
        tables = list(self._rows)
        (filled,) = _run(connection, f"SELECT {', '.join(f'EXISTS (SELECT FROM {table})' for table in tables)}")
        for table in (name for name, has_rows in zip(tables, filled, strict=True) if has_rows):
            if not self._rows[table]:
                _run(connection, f"DELETE FROM {table} RETURNING 1")
            elif _rows(connection, table) != self._rows[table]:
                _run(connection, f"DELETE FROM {table} RETURNING 1")
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type]
                    copy.write(self._rows[table])


def _run(connection: psycopg.Connection, statement: str) -> list[Any]:
    return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:  # type: ignore[arg-type]
        return b"".join(copy)
