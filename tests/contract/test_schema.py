"""The schema: migrated as it is described, from every revision, and refused when it is stale."""

import datetime as dt
import warnings
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from ocs_adapters.sql import migrations, tables
from ocs_adapters.sql.database import Database, connect
from ocs_core.ports import share_of
from ocs_core.testkit.examples import Desk
from tests.contract.stores import DATABASES, postgres_cluster, subject_on


def test_a_file_of_the_history_begins_with_the_number_that_alembic_knows() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert [r.revision for r in reversed(list(script.walk_revisions()))] == migrations.REVISIONS


_CATALOGUES = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql IS NOT NULL",
    "postgresql": """
        SELECT 'column', table_name || '.' || column_name,
               concat_ws(' ', data_type, is_nullable, column_default, is_identity, character_maximum_length)
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT relkind::text, relname, reloptions::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace""",
}


def _catalogue(database: Database) -> set[tuple[str, ...]]:
    """Everything a database says of its schema, white space and quotes aside: SQLite quotes the name of a table made anew."""
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(_CATALOGUES[database.driver.name]).all()
    return {tuple("".join(str(v).replace('"', "").split()) for v in row) for row in rows if "alembic" not in str(row)}


@DATABASES
def test_a_migrated_database_is_the_schema_that_the_code_describes(make, tmp_path) -> None:
    with make() as database:
        url = f"sqlite:///{tmp_path}/described.sqlite3"
        if database.driver.name == "postgresql":
            url = postgres_cluster().create("described")
        described = connect(url)
        with described.engine.connect() as connection:
            tables.metadata.create_all(connection)
            connection.commit()
        assert _catalogue(database) == _catalogue(described)
        described.close()


@pytest.mark.parametrize("revision", migrations.REVISIONS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_each_migration_keeps_what_the_revision_before_it_filled(kind, revision, tmp_path) -> None:
    before = migrations.REVISIONS[: migrations.REVISIONS.index(revision)]
    url = f"sqlite:///{tmp_path}/m.sqlite3" if kind == "sqlite" else postgres_cluster().create(f"m_{revision}")
    database = connect(url)
    if before:
        migrations.migrate(database.engine, before[-1])
        kept = _fill(database)
    migrations.migrate(database.engine, revision)
    assert migrations.current(database.engine) == revision
    if before:
        assert _counts(database, kept) == kept
    if revision == "0002":
        with database.engine.connect() as connection:
            shares = connection.execute(sa.text('SELECT "key", share FROM outbox')).all()
        assert [share for _, share in shares] == [share_of(UUID(str(key))) for key, _ in shares]
        assert len(shares) == 1
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_bank_details_keep_their_values_under_the_documented_names(kind, tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/m.sqlite3" if kind == "sqlite" else postgres_cluster().create("bank_details")
    database = connect(url)
    migrations.migrate(database.engine, "0005")
    details = ("bank_account_name", "bank_account_number", "bank_number_code", "iban", "bic")
    before = [f"{whose}_{name}" for name in details for whose in ("payer", "provider")]
    after = [name for detail in details for name in (detail, f"{detail}_provider")]
    _fill(database)
    with database.engine.begin() as connection:
        values = ", ".join(f"{name} = '{name}'" for name in before)
        connection.execute(sa.text(f"UPDATE payments SET {values}"))  # noqa: S608
    migrations.migrate(database.engine, "0006")
    with database.engine.connect() as connection:
        row = connection.execute(sa.text(f"SELECT {', '.join(after)} FROM payments")).one()  # noqa: S608
    assert tuple(row) == tuple(before)
    database.close()


def _fill(database: Database) -> dict[str, int]:
    """A row in every table, whatever its columns are at that revision."""
    with database.engine.begin() as connection:
        reflected = sa.MetaData()
        with warnings.catch_warnings(
            category=sa.exc.SAWarning, action="ignore"
        ):  # indices of expressions are passed over
            reflected.reflect(connection)
        counts = {}
        for table in reflected.sorted_tables:
            if table.name != "alembic_version" and not connection.scalar(sa.select(sa.func.count()).select_from(table)):
                values = {
                    c.name: _something(c) for c in table.columns if not c.nullable and c.autoincrement is not True
                }
                connection.execute(sa.insert(table).values(values))
            counts[table.name] = connection.scalar(sa.select(sa.func.count()).select_from(table))
    return counts


def _something(column: sa.Column) -> object:
    now = dt.datetime(2024, 5, 14, tzinfo=dt.UTC)
    if str(column.type) in {"UUID", "VARCHAR(36)"}:
        return "018f3a5c-7b1e-7cc0-8000-0123456789ab"
    if column.name == "amount":  # a settlement's is positive
        return 1
    samples = {int: 0, str: "{}", bool: False, bytes: b"x", dt.datetime: now, dt.date: now.date()}
    return samples[column.type.python_type]


def _counts(database: Database, names: dict[str, int]) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {n: connection.execute(sa.text(f'SELECT count(*) FROM "{n}"')).scalar_one() for n in names}  # noqa: S608


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_without_a_schema_is_refused_with_the_command_that_helps(kind, tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/empty.sqlite3" if kind == "sqlite" else postgres_cluster().create("empty")
    database = connect(url)
    assert migrations.problem(database.engine) == "The database has no schema yet; run: ocs migrate"
    database.close()


@DATABASES
def test_a_schema_of_a_newer_release_is_refused(make) -> None:
    with make() as database:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
            if database.driver.name == "postgresql":
                connection.commit()
        assert "a newer release" in (migrations.problem(database.engine) or "")


@DATABASES
def test_migrating_twice_changes_nothing(make) -> None:
    with make() as database:
        account = Desk(subject_on(database).store).account("A-1")
        migrations.migrate(database.engine)
        assert subject_on(database).queries.ledger(account.ref_id) is not None
