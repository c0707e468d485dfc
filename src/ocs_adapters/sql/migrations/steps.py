"""What migrations are made of, so that nobody waits for one for long.

On PostgreSQL each step is a transaction of its own, or works beside everybody else: what locks a table waits for it so briefly
that those behind it hardly notice, and is tried again. A step that was done changes nothing when it comes again, so a migration
that was cut off goes on where it was. On SQLite a migration is one transaction, all of it or nothing.
"""

import functools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op
from psycopg import errors

LOCK_MILLISECONDS = 500
"""How long a change waits for a table at a time; whoever comes meanwhile stands behind it."""
REST_SECONDS = (0.5, 1.5)
"""Between two attempts: those who stood behind it are let through."""
TELL_SECONDS = 15.0
"""How often it is said that a table is waited for."""
ROWS_AT_ONCE = 5000
_IN_THE_WAY = (errors.LockNotAvailable, errors.DeadlockDetected)

log: Any = structlog.get_logger()


def on_sqlite() -> bool:
    """Whether it is SQLite that is migrated."""
    return op.get_context().dialect.name == "sqlite"


def has_table(name: str) -> bool:
    """Whether the database has that table."""
    return sa.inspect(op.get_bind()).has_table(name)


def has_column(table: str, name: str) -> bool:
    """Whether that table has that column."""
    return name in _columns(table)


def at_once(change: Callable[[], object], *, unless: Callable[[], bool]) -> None:
    """Change tables in one transaction, quickly; on PostgreSQL tried again until it has its locks.

    `unless`: tells that it was done before. Keep to one table where its users must not wait for another's.
    """
    if _writes_sql():
        _in_transaction(change)
    elif unless():
        return
    elif on_sqlite():
        change()
    else:
        _persist(lambda: _in_transaction(change))


def create_table(name: str, *columns: Any, **options: Any) -> None:
    """Make a table."""
    at_once(lambda: op.create_table(name, *columns, **options), unless=lambda: has_table(name))


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column that may be NULL."""
    again = None if on_sqlite() else True
    at_once(lambda: op.add_column(table, column, if_not_exists=again), unless=lambda: has_column(table, column.name))


def drop_column(table: str, name: str) -> None:
    """Remove a column with its values."""
    at_once(lambda: op.drop_column(table, name), unless=lambda: not has_column(table, name))


def rename_columns(table: str, names: Mapping[str, str]) -> None:
    """Give columns other names, all at once: old names to new ones."""

    def rename() -> None:
        for old, new in names.items():
            op.execute(f'ALTER TABLE {table} RENAME COLUMN "{old}" TO "{new}"')

    at_once(rename, unless=lambda: all(has_column(table, new) for new in names.values()))


def add_required_column(
    table: str, column: sa.Column[Any], *, value: str, key: str, sqlite_table: Mapping[str, Any] | None = None
) -> None:
    """Add a column that may not be NULL, with a value for the rows that are there: an expression over their other columns.

    `key`: the table's primary key, in whose order they are filled. `sqlite_table`: what SQLite has to know to make it anew.
    """
    name, kind = column.name, column.type
    if not _writes_sql() and name in (columns := _columns(table)) and not columns[name]["nullable"]:
        return
    add_column(table, sa.Column(name, kind))
    fill(table, name, value=value, key=key)
    if on_sqlite():
        with op.batch_alter_table(table, table_kwargs=sqlite_table or {}) as batch:
            batch.alter_column(name, existing_type=kind, nullable=False)
        return
    check = f"required_{table}_{name}"
    at_once(
        lambda: op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID"),
        unless=lambda: check in _checks(table),
    )
    fill(table, name, value=value, key=key)  # what came meanwhile
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {check}")  # reads all of it, and locks nobody out

    def require() -> None:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL")  # the check spares it the reading
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")

    at_once(require, unless=lambda: check not in _checks(table))


def fill(table: str, column: str, *, value: str, key: str) -> None:
    """Give a column a value in the rows that have none, on PostgreSQL so many at a time."""
    update = f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL"  # noqa: S608
    if on_sqlite() or _writes_sql():
        op.execute(update)
        return
    after: Any = None
    while True:
        end = _end_of_batch(table, key, after)
        behind = "" if after is None else f' AND "{key}" > :after'
        until = "" if end is None else f' AND "{key}" <= :end'
        batch = sa.text(update + behind + until).bindparams(**_given(after=after, end=end))
        _persist(functools.partial(op.get_bind().execute, batch))
        if end is None:
            return
        after = end


def create_index(
    name: str,
    table: str,
    columns: Sequence[Any],
    *,
    unique: bool = False,
    where: str | None = None,
    include: Sequence[str] = (),
) -> None:
    """Make an index; on PostgreSQL beside everybody else, and anew where an attempt left it invalid."""
    condition = None if where is None else sa.text(where)
    options: dict[str, Any] = {"unique": unique, "sqlite_where": condition, "postgresql_where": condition}
    if include:
        options["postgresql_include"] = list(include)
    if on_sqlite():
        op.create_index(name, table, list(columns), **options)
        return
    options["postgresql_concurrently"] = True
    if _writes_sql():
        op.create_index(name, table, list(columns), if_not_exists=True, **options)
    elif not _is_valid(name):
        _persist(lambda: _make_index(name, lambda: op.create_index(name, table, list(columns), **options)))


def drop_index(name: str, table: str) -> None:
    """Remove an index; on PostgreSQL beside everybody else."""
    if on_sqlite():
        op.drop_index(name, table)
    else:
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def replace_index(
    name: str, table: str, columns: Sequence[str], *, include: Sequence[str] = (), **options: Any
) -> None:
    """Make an index over other columns; until it is there, the one before serves."""
    if on_sqlite():
        drop_index(name, table)
        create_index(name, table, columns, include=include, **options)
        return
    if not _writes_sql() and _columns_of_index(name) == [*columns, *include]:
        return
    new = f"{name}_new"
    create_index(new, table, columns, include=include, **options)
    drop_index(name, table)
    at_once(lambda: op.execute(f"ALTER INDEX {new} RENAME TO {name}"), unless=lambda: _is_valid(new) is None)


def _end_of_batch(table: str, key: str, after: Any) -> Any:
    behind = "" if after is None else f' WHERE "{key}" > :after'
    sql = f'SELECT "{key}" FROM {table}{behind} ORDER BY "{key}" OFFSET {ROWS_AT_ONCE - 1} LIMIT 1'  # noqa: S608
    return op.get_bind().execute(sa.text(sql), _given(after=after)).scalar()


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _writes_sql() -> bool:
    return op.get_context().as_sql


def _in_transaction(change: Callable[[], object]) -> None:
    op.execute("BEGIN")
    try:
        op.execute(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
        change()
    except sa.exc.DBAPIError:
        op.execute("ROLLBACK")
        raise
    op.execute("COMMIT")


def _persist(attempt: Callable[[], object]) -> None:
    """Try until nobody is in the way."""
    told_at = time.monotonic()
    while True:
        try:
            attempt()
            return
        except sa.exc.DBAPIError as error:
            if not isinstance(error.orig, _IN_THE_WAY):
                raise
        if time.monotonic() - told_at > TELL_SECONDS:
            told_at = time.monotonic()
            log.info("the migration waits for those who hold a table, such as a dump; it goes on by itself")
        time.sleep(random.uniform(*REST_SECONDS))


def _make_index(name: str, make: Callable[[], object]) -> None:
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    try:
        make()
    except sa.exc.DBAPIError:
        # One that must be unique would be heeded though it is invalid.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        raise


def _is_valid(name: str) -> bool | None:
    """None where there is no such index."""
    sql = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return op.get_bind().execute(sql, {"name": name}).scalar()


def _columns_of_index(name: str) -> list[str]:
    sql = sa.text("SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:name) ORDER BY attnum")
    return list(op.get_bind().execute(sql, {"name": name}).scalars())


def _columns(table: str) -> dict[str, Any]:
    return {column["name"]: column for column in sa.inspect(op.get_bind()).get_columns(table)}


def _checks(table: str) -> set[str | None]:
    return {check["name"] for check in sa.inspect(op.get_bind()).get_check_constraints(table)}
