"""Workers over real Kafka: several processes share a run, whoever dies or joins, and every payer is calculated once."""

import datetime as dt
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError

from ocs_adapters.bootstrap.workers import GROUP
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.topics import Wanted, create_topics
from ocs_adapters.settings import Settings
from tests.contract.night import OCS, Night, ended
from tests.contract.on_kafka import FORGETS_SOCKETS, server
from tests.contract.stores import postgres_database

pytestmark = [FORGETS_SOCKETS, pytest.mark.usefixtures("forgotten_here")]
QUEUES = 60
SLICES, SMALL_SLICES = 15, 2
"""Payers in each."""
PATIENCE_SECONDS = 60.0
OVER_KAFKA = {"OCS_COLLECTION_WORKERS": "kafka"}


@pytest.fixture(scope="module")
def _night() -> Iterator[Night]:
    with postgres_database() as database:
        topic, connection = Settings().process_slices_topic, KafkaConnection(servers=server().server)
        create_topics(connection, [topic], Wanted(partitions=QUEUES, replication=1, retention=dt.timedelta(days=1)))
        url = database.engine.url.render_as_string(hide_password=False)
        environment = {"OCS_DATABASE_URL": url, "OCS_KAFKA_SERVERS": connection.servers}
        yield Night(database=database, environment=environment, payers=4_000, slice_size=SLICES)


@pytest.fixture
def night(_night: Night) -> Iterator[Night]:
    _night.cut(SLICES)
    _night.next_run()
    try:
        yield _night
    finally:
        _night.end()


def _until(reached: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < ends, "it never came to it"
        time.sleep(0.05)


def _queues() -> list[int]:
    """How many queues each worker has."""
    admin = KafkaAdminClient(bootstrap_servers=server().server)
    try:
        group = admin.describe_groups([GROUP])[GROUP]
        given = [m["member_assignment"]["assigned_partitions"] for m in group["members"] if m["member_assignment"]]
        return sorted(sum(len(topic["partitions"]) for topic in topics) for topics in given)
    except CoordinatorNotAvailableError:  # nobody ever was in a group of this broker
        return []
    finally:
        admin.close()


def test_four_workers_share_a_run_evenly(night: Night) -> None:
    workers = night.workers(4)
    _until(lambda: _queues() == [QUEUES // 4] * 4)
    told, _ = night.collect(**OVER_KAFKA).communicate(timeout=PATIENCE_SECONDS)
    assert "DONE" in told
    night.check()
    slices, payers = zip(*map(ended, workers), strict=True)
    print(f"slices {slices}, payers {payers}")
    assert (sum(slices), sum(payers)) == (night.slices, night.calculated)
    fair = night.calculated / 4
    assert all(abs(share - fair) <= 0.15 * fair for share in payers)


def test_another_worker_joins_four_and_one_is_killed_and_the_run_is_none_the_worse(night: Night) -> None:
    night.cut(SMALL_SLICES)  # so that there is still something to do when it has joined
    workers = night.workers(4)
    _until(lambda: _queues() == [QUEUES // 4] * 4)
    run = night.collect(**OVER_KAFKA)
    _until(lambda: night.done() > 0)
    workers += night.workers(1)
    _until(lambda: night.done() > night.slices / 2)
    workers.pop(0).kill()
    told, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert "DONE" in told
    night.check()
    shares = [ended(worker) for worker in workers]
    print(f"slices and payers of those who live: {shares}")
    assert all(payers for _, payers in shares)


def test_who_sends_for_the_slices_may_die_and_another_goes_on_with_the_run(night: Night) -> None:
    workers, run = night.workers(2), night.collect(**OVER_KAFKA)
    _until(lambda: night.done() > night.slices / 8)
    run.kill()
    assert run.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    night.begin("schedule", "run", **OVER_KAFKA)
    _until(lambda: night.state() == "DONE")
    night.check()
    assert sum(slices for slices, _ in map(ended, workers)) == night.slices


def test_a_worker_without_kafka_or_on_sqlite_says_what_it_needs(tmp_path: Path) -> None:
    environment = {**os.environ, "OCS_DATABASE_URL": f"sqlite:///{tmp_path}/ocs.sqlite3"}
    told = subprocess.run([OCS, "worker"], env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr.splitlines() == [
        "Workers are sent slices over Kafka: set OCS_KAFKA_SERVERS to HOST:PORT of its brokers.",
        "Workers need PostgreSQL, since SQLite has one writer at a time: set OCS_DATABASE_URL.",
    ]
