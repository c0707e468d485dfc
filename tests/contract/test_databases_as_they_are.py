"""Databases as people have them: other isolation, several hosts, no room, an embedder's own engine, files of SQLite."""

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from ocs_adapters.consumers.finance.tables import tables as finance_tables
from ocs_adapters.sql.backup import back_up
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.drivers import driver
from ocs_adapters.sql.drivers.sqlite import LOG_BYTES
from ocs_adapters.sql.store import SqlStore
from ocs_adapters.sql.urls import parsed
from ocs_core.errors import OcsError, StoreBusy, StoreUnavailable
from ocs_core.queries import PaymentSearch
from ocs_core.testkit.contracts.subject import at_once
from ocs_core.testkit.examples import Desk
from tests.contract.stores import postgres_cluster, postgres_database, sqlite_database, subject_on


def test_what_a_database_takes_for_granted_is_not_what_commands_get() -> None:
    with postgres_database() as database:
        name = database.engine.url.database
        with psycopg.connect(postgres_cluster().url(), autocommit=True) as server:
            server.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        paid = at_once([lambda: [desk.payment(account=account).ref_id for _ in range(5)]] * 8)
        assert [one for one in paid if isinstance(one, Exception)] == []
        with database.transaction() as transaction:
            assert transaction.connection.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgres://u@h/d", "h", None),
        ("postgres://u:p%40@h:1/d", "h", "1"),
        ("postgresql://u@a:1,b:2/d?target_session_attrs=read-write", "a,b", "1,2"),
        ("postgresql://u@a,b:2/d", "a,b", ",2"),
        ("postgresql://u@[::1]:1,[::2]/d", "::1,::2", "1,"),
        ("postgresql://u@/d?host=a,b&port=1,2", "a,b", "1,2"),
    ],
)
def test_a_url_is_understood_as_postgresqls_own_programs_do(url, host, port) -> None:
    made = parsed(url)
    _, options = made.get_dialect()().create_connect_args(made)
    found = options.get("port")
    assert (options["host"], None if found is None else str(found)) == (host, port)
    assert (options["user"], options["dbname"]) == ("u", "d")
    assert options.get("target_session_attrs") == made.query.get("target_session_attrs")


def test_of_several_hosts_the_first_that_answers_and_can_be_written_to_is_taken(tmp_path) -> None:
    server = postgres_cluster()
    with postgres_database() as direct:
        url = f"postgres://postgres@/{direct.engine.url.database}?host={tmp_path},{server.folder}"
        database = connect(f"{url}&target_session_attrs=read-write")
        assert Desk(SqlStore(database)).account("A-1").external_id == "A-1"
        database.close()


def test_a_server_without_room_is_waited_for_and_not_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(driver, "LOCK_SECONDS", 2)
    with postgres_database() as direct, ExitStack() as others:
        name = direct.engine.url.database
        with psycopg.connect(postgres_cluster().url(), autocommit=True) as server:
            server.execute("DROP ROLE IF EXISTS guest")
            server.execute("CREATE ROLE guest LOGIN CONNECTION LIMIT 1")
            server.execute("GRANT pg_write_all_data, pg_read_all_data TO guest")
        url = f"postgresql://guest@/{name}?host={postgres_cluster().folder}"
        only = others.enter_context(closing(psycopg.connect(url)))
        database = connect(url)
        with (
            pytest.raises(StoreBusy, match="all connections that PostgreSQL allows are in use"),
            database.transaction(),
        ):
            pass
        threading.Timer(0.5, only.close).start()
        with database.transaction() as transaction:
            assert transaction.connection.execute("SELECT 1").fetchone() == (1,)
        database.close()


def test_a_pool_is_as_large_as_it_is_told_to_be() -> None:
    with postgres_database() as direct:
        database = connect(direct.engine.url.render_as_string(hide_password=False), pool=2)
        desk = Desk(SqlStore(database))
        at_once([lambda number=number: desk.account(f"A-{number}") for number in range(12)])
        assert database.engine.pool.checkedin() <= 2
        assert len(subject_on(direct).published()) == 24
        database.close()


def test_a_server_that_takes_no_writes_any_more_is_left_for_one_that_does() -> None:
    with postgres_database() as database:
        with database.transaction() as transaction:
            transaction.connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            transaction.connection.commit()
        assert Desk(SqlStore(database)).account("A-1").external_id == "A-1"


def test_a_consumers_database_that_cannot_keep_every_name_is_refused_with_a_sentence() -> None:
    with psycopg.connect(postgres_cluster().url(), autocommit=True) as server:
        server.execute("CREATE DATABASE finance_in_latin1 ENCODING 'LATIN1' TEMPLATE template0")
    database = connect(postgres_cluster().url("finance_in_latin1"))
    with pytest.raises(OcsError, match=r"encoding is LATIN1"):
        finance_tables.prepare(database)
    database.close()


def test_a_store_over_an_engine_is_refused_at_once_with_a_sentence() -> None:
    with pytest.raises(TypeError, match=r"given Engine.*connect\(URL\)"):
        SqlStore(sa.create_engine("sqlite://"))  # type: ignore[arg-type]


@contextmanager
def _own_transaction(database: Database) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database.engine.url)
    with engine.connect() as connection, connection.begin():
        yield connection
    engine.dispose()


def test_within_an_embedders_transaction_locks_are_waited_for_so_long_and_its_own_limit_is_left_as_it_was(
    monkeypatch,
) -> None:
    monkeypatch.setattr(driver, "LOCK_SECONDS", 1)
    with postgres_database() as database:
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        limit = sa.text("SHOW lock_timeout")
        with database.engine.connect() as other:
            other.exec_driver_sql("SELECT 1 FROM accounts FOR UPDATE")
            with _own_transaction(database) as own:
                desk.store = SqlStore(own)
                with pytest.raises(StoreBusy):
                    desk.payment(account=account)
                assert own.scalar(limit) == "0"
            other.rollback()
        for given in ("0", "7s"):
            with _own_transaction(database) as own:
                own.exec_driver_sql(f"SET LOCAL lock_timeout = '{given}'")
                desk.store = SqlStore(own)
                desk.payment(account=account)
                assert own.scalar(limit) == given


def test_files_of_sqlite_are_for_nobody_else_to_read(tmp_path) -> None:
    before = os.umask(0)
    try:
        database = connect(f"sqlite:///{tmp_path}/private.sqlite3")
        with database.engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE one (x)")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes == {f"private.sqlite3{suffix}": 0o600 for suffix in ("", "-wal", "-shm")}


def test_what_is_wrong_with_a_file_names_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(driver, "LOCK_SECONDS", 0)
    torn = tmp_path / "torn.sqlite3"
    torn.write_bytes(b"not a database at all" * 100)
    for file in (torn, tmp_path / "nowhere" / "at-all.sqlite3"):
        database = connect(f"sqlite:///{file}")
        with pytest.raises(StoreUnavailable, match=file.name), database.transaction():
            pass
        database.close()
    with sqlite_database() as database, closing(sqlite3.connect(database.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"ocs\.sqlite3"):
            Desk(SqlStore(database)).account("A-1")


def test_the_log_of_sqlite_does_not_stay_as_long_as_one_who_read_for_long_made_it() -> None:
    with sqlite_database() as database:
        log = database.file.with_name("ocs.sqlite3-wal")
        desk = Desk(SqlStore(database))
        with database.transaction(writing=False) as reading:
            reading.connection.execute("SELECT count(*) FROM accounts").fetchall()
            with database.transaction() as writing:
                writing.connection.execute("CREATE TABLE big (x)")
                writing.connection.execute("INSERT INTO big VALUES (zeroblob(20000000))")
                writing.connection.execute("COMMIT")
            assert log.stat().st_size > 20_000_000
        for number in range(3):
            desk.account(f"A-{number}")
        assert log.stat().st_size <= LOG_BYTES + 1_000_000


def test_a_backup_taken_while_others_write_has_every_payment_of_before_and_is_whole(tmp_path) -> None:
    with sqlite_database() as database:
        desk = Desk(SqlStore(database))
        account = desk.account("A-1")
        for _ in range(50):
            desk.payment(account=account)
        ended = threading.Event()

        def write() -> None:
            while not ended.is_set():
                desk.payment(account=account)

        writer = threading.Thread(target=write)
        writer.start()
        target, told = tmp_path / "copy.sqlite3", []
        try:
            back_up(database, target, lambda done, total: told.append((done, total)))
        finally:
            ended.set()
            writer.join()
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert told[-1][0] == told[-1][1] > 0
        assert [file.name for file in tmp_path.iterdir()] == ["copy.sqlite3"]
        copy = connect(f"sqlite:///{target}")
        with copy.transaction(writing=False) as transaction:
            assert transaction.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert len(subject_on(copy).queries.payments(PaymentSearch(limit=200)).items) >= 50
        copy.close()
        with pytest.raises(OcsError, match="is there already"):
            back_up(database, target)


def test_a_backup_of_postgresql_is_refused_with_the_program_for_it(tmp_path) -> None:
    with postgres_database() as database, pytest.raises(OcsError, match="pg_dump"):
        back_up(database, tmp_path / "copy")
