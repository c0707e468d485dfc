"""Migrations beside everybody else: several at once, on tables that are in use, cut off and taken up again."""

import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from ocs_adapters.clock import new_id
from ocs_adapters.sql import migrations
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.drivers import driver
from ocs_adapters.sql.migrations import REVISIONS, SchemaRefused, as_sql, current, migrate, problem, steps
from ocs_adapters.sql.migrations.releases import works_since
from ocs_core.testkit.contracts.subject import at_once
from tests.contract.stores import postgres_cluster
from tests.contract.test_schema import _catalogue

BEFORE = "0004"
"""The revision before the first that takes long on big tables."""
LONGEST_WAIT = 5.0
"""Far above what anybody waits for: half a second behind a lock that is tried."""


def _url(kind: str, tmp_path: Path, name: str) -> str:
    return f"sqlite:///{tmp_path}/{name}.sqlite3" if kind == "sqlite" else postgres_cluster().create(f"migrated_{name}")


def _libpq(database: Database) -> str:
    """The URL as PostgreSQL's own programs take it."""
    return postgres_cluster().url(str(database.engine.url.database))


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(Path(migrations.__file__).parent))


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_revision_says_whether_the_release_before_it_goes_on(revision) -> None:
    assert isinstance(_script().get_revision(revision).module.older_release_goes_on, bool)
    assert works_since(revision) <= revision


def test_a_revision_that_only_adds_leaves_the_release_before_it_at_work() -> None:
    assert [works_since(revision) for revision in REVISIONS[:5]] == ["0001", "0002", "0002", "0002", "0005"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_several_migrations_at_once_one_works_and_the_others_find_it_done(kind, tmp_path) -> None:
    url = _url(kind, tmp_path, "at_once")

    def one() -> list[str]:
        database = connect(url)
        try:
            return migrate(database.engine)
        finally:
            database.close()

    assert sorted(at_once([one] * 3), key=len) == [[], [], REVISIONS]


def test_a_migration_waits_for_who_holds_a_new_file_however_long(tmp_path, monkeypatch) -> None:
    """It is taken into its mode when it is connected to, and on a busy machine another migrates for longer than that waits."""
    monkeypatch.setattr(driver, "LOCK_SECONDS", 0)
    holder = sqlite3.connect(tmp_path / "held.sqlite3", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    letting_go = threading.Timer(0.5, holder.execute, ["COMMIT"])
    letting_go.start()
    database = connect(_url("sqlite", tmp_path, "held"))
    assert migrate(database.engine) == REVISIONS
    letting_go.join()
    holder.close()
    database.close()


@contextmanager
def _filled(name: str) -> Iterator[Database]:
    """A database of the revision before, with many documents."""
    database = connect(_url("postgresql", Path(), name))
    migrate(database.engine, BEFORE)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("""
            INSERT INTO documents
            SELECT gen_random_uuid(), n::text, NULL, 'INVOICE', NULL, gen_random_uuid(), 'EUR', '2024-01-01', '2024-01-01',
                   '2024-02-01', 100, 0, 100, 0, 100, 'DEBIT', NULL, NULL, NULL, FALSE, NULL, NULL, 1
            FROM generate_series(1, 20000) n""")
    try:
        yield database
    finally:
        database.close()


class _Worker(threading.Thread):
    """Reads and writes as commands do, and remembers the longest that it had to wait."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.longest, self.times, self.ended = url, 0.0, 0, threading.Event()

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.ended.wait(0.01):
                began = time.monotonic()
                connection.execute("UPDATE documents SET version = version + 1 WHERE document_no = '1'")
                connection.execute("SELECT count(*) FROM documents WHERE due_amount <> 0 AND document_no = '1'")
                connection.execute("SELECT state FROM process_runs")
                self.longest, self.times = max(self.longest, time.monotonic() - began), self.times + 1


@contextmanager
def _dump(url: str) -> Iterator[subprocess.Popen]:
    """A dump that is not read on: it holds every table and its snapshot for as long as it is let."""
    with subprocess.Popen(["pg_dump", url], stdout=subprocess.PIPE) as dump:
        dump.stdout.read(100_000)
        yield dump
        dump.stdout.read()


def test_a_big_table_is_migrated_beside_a_dump_and_writers_and_none_of_them_waits_for_long(monkeypatch) -> None:
    monkeypatch.setattr(steps, "REST_SECONDS", (0.1, 0.2))
    with _filled("beside") as database:
        url = _libpq(database)
        worker = _Worker(url)
        worker.start()
        migrating = threading.Thread(target=migrate, args=(database.engine,))
        with _dump(url):
            migrating.start()
            time.sleep(3)
            assert migrating.is_alive(), "the dump holds what the migration needs"
        migrating.join(60)
        worker.ended.set()
        worker.join()
        assert not migrating.is_alive()
        assert worker.times > 10
        assert worker.longest < LONGEST_WAIT
        assert _is_newest(database)


def _is_newest(database: Database) -> bool:
    """Whether it is what a new one would be."""
    fresh = connect(
        _url(database.driver.name, Path(str(database.engine.url.database)).parent, f"fresh_{new_id().hex[-12:]}")
    )
    migrate(fresh.engine)
    try:
        return problem(database.engine) is None and _catalogue(database) == _catalogue(fresh)
    finally:
        fresh.close()


def test_an_index_that_a_migration_left_invalid_is_made_anew() -> None:
    with _filled("invalid") as database:
        url = _libpq(database)
        _leave_invalid(url, "CREATE INDEX CONCURRENTLY ix_documents_open_new ON documents (ref_id)")
        assert migrate(database.engine) == [r for r in REVISIONS if r > BEFORE]
        assert _is_newest(database)


def _leave_invalid(url: str, create: str) -> None:
    """Somebody's snapshot keeps the index from being completed, and who makes it gives up."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as maker:
        holder.execute("SELECT count(*) FROM documents")
        holder.execute("UPDATE documents SET version = 2 WHERE document_no = '1'")
        maker.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            maker.execute(create)
        invalid = maker.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        assert invalid == (1,)


@pytest.mark.parametrize("cut_after", range(0, 7, 2))
def test_a_migration_that_was_cut_off_anywhere_goes_on_where_it_was(cut_after, monkeypatch) -> None:
    """Each change of tables is a place where it may be killed: after what it did, before the revision is written down."""
    with _filled(f"cut_{cut_after}") as database:
        attempts = iter(range(100))
        persist = steps._persist

        def cut(attempt):
            persist(attempt)
            if next(attempts) == cut_after:
                raise KeyboardInterrupt

        monkeypatch.setattr(steps, "_persist", cut)
        try:
            migrate(database.engine, "0005")
        except KeyboardInterrupt:
            assert current(database.engine) in {BEFORE, "0005"}
        monkeypatch.setattr(steps, "_persist", persist)
        migrate(database.engine)
        assert _is_newest(database)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("before", [None, BEFORE])
def test_the_statements_that_are_printed_do_what_a_migration_does(kind, before, tmp_path) -> None:
    database = connect(_url(kind, tmp_path, f"sql_{before}"))
    if before:
        migrate(database.engine, before)
    sql = as_sql(database.engine)
    assert current(database.engine) == before
    if kind == "sqlite":
        with database.engine.connect() as connection:
            connection.connection.driver_connection.executescript(sql)
    else:
        url = _libpq(database)
        subprocess.run(
            ["psql", "-q", "-v", "ON_ERROR_STOP=1", url], input=sql, text=True, check=True, capture_output=True
        )
    assert _is_newest(database)
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_release_goes_on_beside_a_newer_schema_that_says_so_and_beside_no_other(kind, tmp_path) -> None:
    database = connect(_url(kind, tmp_path, "newer"))
    migrate(database.engine)
    for works_with, goes_on in (
        (f"{REVISIONS[-1]}..9999", True),
        ("9998..9999", False),
        (f"{REVISIONS[-1]}..9998", False),
    ):
        with database.engine.begin() as connection:
            sql = sa.text("UPDATE alembic_version SET version_num = '9999', works_with = :works_with")
            connection.execute(sql, {"works_with": works_with})
        assert (problem(database.engine) is None) is goes_on
        assert migrate(database.engine) == []
    database.close()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_name_is_refused_with_a_sentence(encoding) -> None:
    name = f"in_{encoding.lower()}"
    server = connect(postgres_cluster().url())
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
    server.close()
    database = connect(postgres_cluster().url(name))
    with pytest.raises(SchemaRefused, match=f"encoding is {encoding}.*UTF8"):
        migrate(database.engine)
    assert current(database.engine) is None
    database.close()
