"""How rows are written: a statement for each table and way, composed once. What is sent with it is the drivers' business."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

Rows = Sequence[Mapping[str, Any]]
Columns = Mapping[str, Sequence[Any]]
"""The same rows, column by column: many are faster so."""


def given_columns(table: sa.Table) -> list[str]:
    """The columns that are written: all but those that the database counts up itself."""
    return [c.name for c in table.columns if c.autoincrement is not True]


def count_of(columns: Columns) -> int:
    """How many rows these columns are."""
    return len(next(iter(columns.values())))


def as_columns(table: sa.Table, rows: Rows) -> Columns:
    """Rows of a table as columns."""
    return {name: [row[name] for row in rows] for name in given_columns(table)}


def as_rows(columns: Columns) -> Rows:
    """Columns as rows."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@functools.cache
def copy_into(table: sa.Table) -> str:
    """The COPY that takes rows of a table's given columns, in that order."""
    quoted = ", ".join(f'"{name}"' for name in given_columns(table))
    return f"COPY {table.name} ({quoted}) FROM STDIN (FORMAT BINARY)"


@functools.cache
def insert_one(table: sa.Table) -> Any:
    """One row; its parameters have the columns' names."""
    return _once(table, postgresql.insert(table).values({name: sa.bindparam(name) for name in given_columns(table)}))


def _once(table: sa.Table, insert: Any) -> Any:
    """Both databases say it alike; only PostgreSQL's construct needs its own dialect, and SQLite compiles it too."""
    once = table.info.get("once")
    return insert.on_conflict_do_nothing(index_elements=[once]) if once else insert


@functools.cache
def insert_unnested(table: sa.Table) -> Any:
    """Many rows, out of one array for each column, bound under its name in the plural."""
    names = given_columns(table)
    rows = unnested({name: table.c[name] for name in names})
    return _once(table, postgresql.insert(table).from_select(names, sa.select(*rows.c)))


def unnested(columns: Mapping[str, "sa.Column[Any]"]) -> Any:
    """Rows out of one array for each column, bound under the column's name in the plural, in the order of the arrays."""
    arrays = [sa.cast(sa.bindparam(f"{name}s"), sa.ARRAY(column.type)) for name, column in columns.items()]
    return sa.func.unnest(*arrays).table_valued(*columns, name="given", joins_implicitly=True).render_derived()


def _key(table: sa.Table) -> "sa.Column[Any]":
    return next(iter(table.primary_key))


_READ = ("key_read", "version_read")


def columns_of(table: sa.Table, names: Sequence[str]) -> Mapping[str, "sa.Column[Any]"]:
    """The table's columns by the names under which they are given to an update."""
    read = {"key_read": _key(table), "version_read": table.c.version}
    return {name: read[name] if name in read else table.c[name] for name in names}


@functools.cache
def update_one(table: sa.Table, names: tuple[str, ...]) -> Any:
    """These columns of the row whose key is `key_read`, while its version is `version_read`."""
    return _update_by(table, names, {name: sa.bindparam(name) for name in names})


@functools.cache
def update_unnested(table: sa.Table, names: tuple[str, ...]) -> Any:
    """The same of many rows, out of one array for each name, bound in the plural."""
    return _update_by(table, names, unnested(columns_of(table, names)).c)


def _update_by(table: sa.Table, names: tuple[str, ...], given: Any) -> Any:
    is_as_read = (_key(table) == given["key_read"], table.c.version == given["version_read"])
    return sa.update(table).where(*is_as_read).values({name: given[name] for name in names if name not in _READ})


@functools.lru_cache(maxsize=1000)
def names_together(table: str, index: int, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The parameters' names of one row among others."""
    return tuple(f"{table}_{index}_{name}" for name in columns)


@functools.lru_cache(maxsize=1000)
def insert_together(counts: tuple[tuple[sa.Table, int], ...]) -> Any:
    """One statement that inserts that many rows into each table."""
    inserts = [
        _once(
            table,
            postgresql.insert(table).values(
                [
                    dict(zip(given, map(sa.bindparam, names_together(table.name, index, given)), strict=True))
                    for given in (tuple(given_columns(table)),)
                    for index in range(count)
                ]
            ),
        )
        for table, count in counts
    ]
    *others, last = inserts
    for insert, (table, _) in zip(others, counts, strict=False):
        last = last.add_cte(insert.cte(f"into_{table.name}"))
    return last
