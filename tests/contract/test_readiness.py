"""Ready means that commands are performed: tried with databases that take no writes, have no room, or do not answer."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from litestar.testing import TestClient

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database
from ocs_core.access import ApiKey, digest_of_key
from ocs_core.testkit.examples import NOW
from ocs_http.app import create_app
from ocs_http.auth import API_KEY, APPLICATION_ID
from tests.contract.postgres import cluster
from tests.contract.stores import DATABASES, MakeDatabase, postgres_database, sqlite_database

BODY = {
    "paymentAmount": 1_000_000,
    "currency": "EUR",
    "paymentMethod": "bankTransfer",
    "paymentDateReceived": "2024-05-14T07:15:00Z",
}
SLOW = """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION slow()
"""
"""Nobody's payment is kept within a minute."""
READ_ONLY = "The database takes no writes: it is read-only, or a copy of another."


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")


@contextmanager
def application(url: str, *, has_key: bool = False, set_up: str = "", **settings: Any) -> Iterator[Any]:
    """The application on a database, and a client with a key for everything; `set_up`: what each connection begins with."""
    made = platform(Settings(database_url=url, relay=False, schedule=False, **settings))
    for database in (made.database, made.beside) if set_up else ():
        sa.event.listen(database.engine, "connect", lambda connection, _: connection.execute(set_up))
    if not has_key:
        digest, ref_id = digest_of_key("key"), made.services.ids()
        made.services.keys.add(
            ApiKey(ref_id=ref_id, application="crm", digest=digest, privileges={"*"}, created_at=NOW)
        )
    try:
        with TestClient(create_app(made.services, background=False)) as client:
            client.headers.update({API_KEY: "key", APPLICATION_ID: "crm"})
            yield client
    finally:
        made.services.close()


def performed(client: Any, request_id: str) -> bool:
    answer = client.post("/v1/rm/payments/register-payment", json=BODY | {"requestId": request_id})
    assert answer.status_code in {200, 503}, answer.text
    return bool(answer.status_code == 200)


def readiness(client: Any) -> tuple[int, str | None]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json().get("detail")


@DATABASES
def test_where_commands_are_performed_the_server_is_ready(make: MakeDatabase) -> None:
    with make() as database, application(url_of(database)) as client:
        assert (performed(client, "r-1"), readiness(client)) == (True, (200, None))


def test_a_database_that_is_set_read_only_is_not_ready_at_once_and_ready_again_afterwards() -> None:
    with postgres_database() as database, application(url_of(database)) as client:
        assert (performed(client, "r-1"), readiness(client)) == (True, (200, None))
        name = database.engine.url.database
        for on in ("on", "off"):
            with psycopg.connect(
                url_of(database), autocommit=True, options="-c default_transaction_read_only=off"
            ) as other:
                other.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {on}')  # type: ignore[arg-type]
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
                other.execute(others, [name])
            readiness(client)  # which finds that its connection is gone
            told = readiness(client)
            assert (performed(client, f"r-{on}"), told) == (
                (False, (503, READ_ONLY)) if on == "on" else (True, (200, None))
            )


def test_a_file_that_cannot_be_written_is_not_ready() -> None:
    with sqlite_database() as database:
        with application(url_of(database)) as client:
            assert readiness(client) == (200, None)
        with application(url_of(database), has_key=True, set_up="PRAGMA query_only = ON") as client:
            assert (performed(client, "r-1"), readiness(client)) == (False, (503, READ_ONLY))


@DATABASES
def test_a_writer_that_takes_long_leaves_the_server_ready(make: MakeDatabase) -> None:
    with make() as database, application(url_of(database)) as client, database.transaction() as transaction:
        transaction.connection.execute("UPDATE alembic_version SET version_num = version_num")
        transaction.connection.execute("DELETE FROM requests")
        assert readiness(client) == (200, None)


def test_a_disk_that_is_full_is_not_ready_until_there_is_room() -> None:
    """As PostgreSQL says it: reads go on, and whatever needs another page is refused."""
    full = """
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION full_disk()
    """
    with postgres_database() as database, application(url_of(database)) as client:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(full)
        assert not performed(client, "r-1")
        assert readiness(client) == (503, "The database takes no writes: there is no room left.")
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER full_disk ON requests")
        assert (readiness(client), performed(client, "r-1")) == ((200, None), True)
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM requests").scalar() == 1


def test_backends_that_hang_are_told_within_seconds_and_the_rest_goes_on() -> None:
    with cluster() as server:
        url = server.create("ocs")
        made = platform(Settings(database_url=url))
        made.migrate()
        made.services.close()
        with application(url) as client:
            assert readiness(client) == (200, None)
            with psycopg.connect(server.url(), autocommit=True) as other:
                hung = [
                    p for (p,) in other.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'ocs'").fetchall()
                ]
            hung.append(int((server.folder / "data" / "postmaster.pid").read_text().split()[0]))
            for pid in hung:
                os.kill(pid, signal.SIGSTOP)
            try:
                begun = time.monotonic()
                status, told = readiness(client)
                assert (status, told) == (503, "The database does not answer within 3 seconds.")
                assert client.get("/health/live").status_code == 200
                metrics = client.get("/metrics")
                assert (metrics.status_code, "ocs_database_up 0.0" in metrics.text) == (200, True)
                assert time.monotonic() - begun < 30
            finally:
                for pid in hung:
                    os.kill(pid, signal.SIGCONT)
            ends = time.monotonic() + 30
            while readiness(client)[0] != 200:
                assert time.monotonic() < ends
                time.sleep(0.1)


@DATABASES
def test_a_newer_schema_that_this_release_can_work_on_leaves_it_ready(make: MakeDatabase) -> None:
    with make() as database, application(url_of(database)) as client:
        with database.engine.begin() as connection:
            noted = "UPDATE alembic_version SET works_with = version_num || '..9999', version_num = '9999'"
            connection.exec_driver_sql(noted)
        assert (performed(client, "r-1"), readiness(client)) == (True, (200, None))
        with database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET works_with = '9998..9999'")
        status, told = readiness(client)
        assert status == 503
        assert told is not None
        assert "which a newer release made" in told


def test_a_statement_that_takes_longer_than_the_url_says_is_ended_and_nothing_is_performed() -> None:
    with postgres_database() as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(SLOW)
        with application(f"{url_of(database)}&options=-c%20statement_timeout%3D200ms") as client:
            begun = time.monotonic()
            assert not performed(client, "r-1")
            assert time.monotonic() - begun < 30
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER slow ON payments")
            assert connection.exec_driver_sql("SELECT count(*) FROM requests").scalar() == 0
