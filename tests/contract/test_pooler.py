"""Behind pgbouncer in transaction mode: the store's contract, the relay, a run with workers, and a server's commands at once."""

import functools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from ocs_adapters.bootstrap import platform
from ocs_adapters.cli.commands import example_text
from ocs_adapters.cli.master_data import read_entries
from ocs_adapters.settings import Settings
from ocs_adapters.sql import bell
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.drivers.postgres import is_pooled
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.keys import SqlApiKeys
from ocs_adapters.sql.migrations import SchemaRefused, current, migrate
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.shares import SqlShares
from ocs_adapters.sql.store import SqlStore
from ocs_adapters.streaming.relay import Relay
from ocs_core.access import ApiKey, digest_of_key, new_key
from ocs_core.entities.process import RunState
from ocs_core.errors import StoreBusy
from ocs_core.testkit.contracts import Subject, outbox_contract, store_contract
from ocs_core.testkit.contracts.subject import at_once
from ocs_core.testkit.contracts.values import id_of
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from ocs_http.errors import TOO_SLOW
from tests.contract.night import OCS, Night
from tests.contract.pooler import POOL, pooler, url_through
from tests.contract.stores import postgres_cluster, postgres_database, sql_outbox, subject_on
from tests.contract.test_readiness import BODY, SLOW, application, url_of
from tests.crash.clients import Clients

COMMANDS_SECONDS = 4.0
SLOW_RUNS = """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.3); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON process_runs FOR EACH ROW EXECUTE FUNCTION slow()
"""


@functools.cache
def _pooler() -> Path:
    """One for the whole test session; it ends with the process."""
    import atexit

    running = pooler(postgres_cluster())
    folder = running.__enter__()
    atexit.register(running.__exit__, None, None, None)
    return folder


def _url(direct: Database) -> str:
    return url_through(_pooler(), str(direct.engine.url.database))


@contextmanager
def pooled_database() -> Iterator[Database]:
    with postgres_database() as direct:
        database = connect(_url(direct))
        try:
            yield database
        finally:
            database.close()


@contextmanager
def pooled() -> Iterator[Subject]:
    with pooled_database() as database:
        yield subject_on(database)


TestPooled = store_contract(pooled)
TestPooledOutbox = outbox_contract(sql_outbox(pooled_database))


def test_a_pooler_is_noticed_and_nothing_is_left_on_the_servers_connections() -> None:
    with postgres_database() as direct:
        database = connect(_url(direct))
        with direct.transaction() as one, database.transaction() as other:
            assert [is_pooled(t.connection) for t in (one, other)] == [False, True]
            assert other.connection.execute("SHOW lock_timeout").fetchone() == ("5s",)
        desk = Desk(SqlStore(database))
        at_once([lambda number=number: desk.account(f"A-{number}") for number in range(4 * POOL)])
        with psycopg.connect(_url(direct), prepare_threshold=None) as stranger:
            for _ in range(2 * POOL):
                assert stranger.execute("SHOW lock_timeout").fetchone() == ("0",)
                assert stranger.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
                stranger.commit()
        database.close()


def test_what_others_hold_is_waited_for_so_long_and_no_longer_behind_a_pooler(monkeypatch) -> None:
    monkeypatch.setattr("ocs_adapters.sql.drivers.driver.LOCK_SECONDS", 1)
    with pooled_database() as database:
        desk = Desk(SqlStore(database))
        account = desk.account("A-1")
        with database.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM accounts FOR UPDATE")
            with pytest.raises(StoreBusy):
                desk.payment(account=account)
            connection.rollback()


@pytest.mark.parametrize("is_pooled_too", [False, True], ids=["directly", "behind a pooler"])
def test_a_statement_that_takes_longer_than_is_allowed_is_a_503_that_says_so(is_pooled_too: bool) -> None:
    with postgres_database() as direct:
        with direct.engine.begin() as connection:
            connection.exec_driver_sql(SLOW)
        url = _url(direct) if is_pooled_too else url_of(direct)
        with application(url, database_statement_seconds=1) as client:
            refused = client.post("/v1/rm/payments/register-payment", json=BODY | {"requestId": "r-1"})
            assert (refused.status_code, refused.json()["detail"]) == (503, TOO_SLOW)
        with direct.engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM payments").scalar() == 0
        bounded = connect(url).bounded(1)
        with bounded.transaction() as transaction:
            assert transaction.connection.execute("SHOW statement_timeout").fetchone() == ("1s",)
        with bounded.bounded(None).transaction() as transaction:
            assert transaction.connection.execute("SHOW statement_timeout").fetchone() == ("0",)
        bounded.close()


def test_a_run_is_planned_and_calculated_however_long_that_takes() -> None:
    with postgres_database() as direct:
        Desk(SqlStore(direct)).account("A-1")
        with direct.engine.begin() as connection:
            connection.exec_driver_sql(SLOW_RUNS)
        made = platform(Settings(database_url=url_of(direct), database_statement_seconds=1))
        made.services.use_case(StartCollectionRun)(StartCollectionRunRequest(request_id="r-1"))
        (run,) = made.services.queries.running()
        while (run := made.services.runner.calculate(run.ref_id).run).state is RunState.RUNNING:
            pass
        assert run.state is RunState.DONE
        made.services.close()


def test_a_relay_behind_a_pooler_looks_by_itself_and_publishes_all() -> None:
    with pooled_database() as database:
        log, waiting = SqlEventLog(database, lambda: NOW), bell.Bell(database)
        relay = Relay(SqlOutbox(database), log, sharing=SqlShares(database, "r"), wait=waiting.wait)
        relay.start()
        desk = Desk(SqlStore(database))
        for number in range(20):
            desk.account(f"A-{number}")
            time.sleep(0.02)
        ends = time.monotonic() + 30
        while len(log.after(0)) < 40:
            assert time.monotonic() < ends, "the relay stands still"
            time.sleep(0.05)
        relay.stop()
        waiting.close()
        assert database.engine.pool.checkedout() == 0


def test_a_run_with_workers_behind_a_pooler_calculates_everybody_once() -> None:
    with postgres_database() as direct:
        night = Night(database=direct, environment={"OCS_DATABASE_URL": _url(direct)}, payers=600, slice_size=50)
        night.next_run()
        try:
            told, failed = night.collect("--workers", "2").communicate(timeout=120)
            assert "DONE" in told, failed
            night.check()
        finally:
            night.end()


def test_a_servers_commands_at_once_behind_a_pooler_are_all_answered(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with postgres_database() as direct:
        key = new_key()
        SqlApiKeys(direct).add(
            ApiKey(
                ref_id=id_of(1),
                application="clients",
                digest=digest_of_key(key),
                privileges=frozenset("*"),
                created_at=NOW,
            )
        )
        write_entries(direct, read_entries(example_text(), "the example"))
        environment = {**os.environ, "OCS_DATABASE_URL": _url(direct)}
        command = [OCS, "serve", "--port", str(port)]
        with (
            (tmp_path / "log").open("w") as log,
            subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server,
        ):
            try:
                _await_server(port)
                headers = {"X-Ocs-Io-API-Key": key, "X-Ocs-Io-Application-Id": "clients"}
                clients = Clients(f"http://127.0.0.1:{port}", headers, 3 * POOL)
                ended = threading.Event()
                threads = clients.write(ended)
                time.sleep(COMMANDS_SECONDS)
                ended.set()
                for thread in threads:
                    thread.join()
            finally:
                server.terminate()
        assert (clients.failures, clients.repeated) == ([], 0)
        assert len(clients.payments) > POOL
        assert "interrupted" not in (tmp_path / "log").read_text()


def _await_server(port: int) -> None:
    ends = time.monotonic() + 60
    while True:
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == httpx.codes.OK
            return
        except (httpx.TransportError, AssertionError):
            assert time.monotonic() < ends, "the server does not come up"
            time.sleep(0.2)


def test_a_migration_refuses_to_work_through_a_pooler() -> None:
    url = postgres_cluster().create("not_through_a_pooler")
    database = connect(url_through(_pooler(), "not_through_a_pooler"))
    with pytest.raises(SchemaRefused, match=r"pooler.*OCS_DATABASE_URL"):
        migrate(database.engine)
    database.close()
    direct = connect(url)
    assert current(direct.engine) is None
    direct.close()
