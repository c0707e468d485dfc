"""A relay that rests is woken by the commit, and misses nothing that was committed without a ring."""

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from ocs_adapters.sql.bell import Bell
from ocs_adapters.sql.database import connect
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.store import SqlStore
from ocs_adapters.streaming.relay import Relay
from ocs_core.errors import StoreUnavailable
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import NOW
from tests.contract.stores import postgres_cluster, postgres_database


@contextmanager
def _waiting(bell: Bell, seconds: float):
    bell.wait(0)  # it listens from here on
    woken = threading.Event()
    thread = threading.Thread(target=lambda: (bell.wait(seconds), woken.set()))
    thread.start()
    yield woken
    thread.join()
    bell.close()


def test_a_commit_wakes_who_waits_and_what_was_abandoned_does_not() -> None:
    with postgres_database() as database:
        desk = Desk(SqlStore(database))
        with _waiting(Bell(database), 60) as woken:
            with pytest.raises(ZeroDivisionError), desk.store.begin():
                raise ZeroDivisionError
            assert not woken.wait(0.3)
            desk.account("A-1")
            assert woken.wait(10)


def test_a_bell_that_cannot_be_rung_keeps_nobody_from_committing_and_who_waits_is_told() -> None:
    with postgres_database() as database:
        bell = Bell(database)
        bell.wait(0)
        server = connect(postgres_cluster().url())
        with server.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN ocs_outbox'"
            )
        server.close()
        with pytest.raises(StoreUnavailable):
            bell.wait(10)
        bell.wait(0)
        bell.close()
    gone = Bell(connect("postgresql://nobody@/nothing?host=/nowhere"))
    gone.ring()


def test_a_relay_that_sleeps_until_it_is_woken_misses_nothing_though_not_every_commit_rings() -> None:
    with postgres_database() as database:
        log = SqlEventLog(database, lambda: NOW)
        bell = Bell(database)
        relay = Relay(SqlOutbox(database), log, wait=lambda _: bell.wait(60))
        relay.start()
        desk = Desk(SqlStore(database))
        for number in range(40):
            time.sleep(0.02 * (number % 3))
            desk.account(f"A-{number}")
            _await(lambda wanted=2 * number + 2: len(log.after(0)) == wanted)
        ending = threading.Thread(target=relay.stop)
        ending.start()
        _await(lambda: Bell(database).ring() or not ending.is_alive())
        bell.close()


def _await(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends, "nobody woke the relay"
        time.sleep(0.01)
