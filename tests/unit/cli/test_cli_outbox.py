"""`ocs outbox` and `ocs relay`."""

import json
import os
import signal
import subprocess
import sys
import time
from uuid import uuid4

import pytest

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings
from ocs_core.ports import HeldRow, OutboxRow
from ocs_core.testkit.examples import Desk
from tests.unit.cli.conftest import Ocs

RELAY = [sys.executable, "-c", "from ocs_adapters.cli import main; main(['relay'])"]


def _held(ocs: Ocs) -> OutboxRow:
    made = ocs.platform()
    Desk(made.services.store).account("A-1")
    row = made.outbox.waiting(1)[0]
    made.outbox.hold([HeldRow(row, "it is too large")])
    made.services.close()
    return row


def _published(ocs: Ocs) -> list[str]:
    lines = ocs("events").done().out.splitlines()
    return [json.loads(line)["headers"]["X-Ocs-Io-message-code"] for line in lines]


def test_an_empty_outbox_is_told(ocs: Ocs) -> None:
    assert ocs("outbox", "status").done().out == "0 in the outbox; 0 held.\n"


def test_a_held_message_is_shown_with_its_reason_and_may_be_retried(ocs: Ocs) -> None:
    row = _held(ocs)
    shown = ocs("outbox", "status").done().out
    assert shown.startswith("2 in the outbox, the oldest since 2024-05-14T10:00:00.000000Z; 1 held.\n")
    assert all(text in shown for text in (str(row.ref_id), "io.ocs.rm.account", str(row.key), "it is too large"))
    assert _published(ocs) == []
    assert "1 message waits to be published again" in ocs("outbox", "retry", str(row.ref_id)).done().out
    assert _published(ocs) == ["account", "payer"]


def test_many_held_messages_may_be_retried_at_once(ocs: Ocs) -> None:
    made = ocs.platform()
    desk = Desk(made.services.store)
    for number in range(5):
        desk.account(f"A-{number}")
    rows = made.outbox.waiting(100)[::2]
    made.outbox.hold([HeldRow(row, "it is too large") for row in rows])
    made.services.close()
    first, second, *_ = (str(row.ref_id) for row in rows)
    ended = ocs("outbox", "retry", first, second, str(uuid4()))
    assert (ended.code, ended.out) == (1, "2 messages wait to be published again.\n")
    assert ended.err.count("is held; ocs outbox status shows") == 1
    assert ocs("outbox", "retry", "--all").done().out == "3 messages wait to be published again.\n"
    assert ocs("outbox", "retry", "--all").done().out == "0 messages wait to be published again.\n"
    assert "Give the ids of messages, or --all" in ocs("outbox", "retry").refused()
    assert "Give the ids of messages, or --all" in ocs("outbox", "retry", first, "--all").refused()


def test_a_held_message_may_be_discarded_and_those_behind_it_go_on(ocs: Ocs) -> None:
    row = _held(ocs)
    assert "was forgotten" in ocs("outbox", "discard", str(row.ref_id)).done().out
    assert _published(ocs) == ["payer"]


def test_only_what_is_held_can_be_decided_on(ocs: Ocs) -> None:
    assert "is held; ocs outbox status shows" in ocs("outbox", "discard", str(uuid4())).refused()
    assert "is not the id of a message" in ocs("outbox", "retry", "first").refused()


def test_a_relay_of_its_own_publishes_until_it_is_terminated_and_hands_over(ocs: Ocs) -> None:
    made = ocs.platform()
    desk = Desk(made.services.store)
    desk.account("A-1")
    env = {**os.environ, "OCS_DATABASE_URL": ocs.url}
    first, second = (subprocess.Popen(RELAY, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2))
    try:
        assert first.stdout.readline() == "Publishing what waits in the outbox.\n"
        _wait(lambda: len(made.events.after(0)) == 2)
        first.kill()  # as a machine dies: it hands nothing over
        for number in range(2, 8):
            desk.account(f"A-{number}")
        _wait(lambda: len(made.events.after(0)) == 14)
        second.send_signal(signal.SIGTERM)
        assert second.wait(timeout=20) == 0
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
            process.stdout.close()
    assert made.outbox.backlog().rows == 0
    made.services.close()


@pytest.mark.parametrize("relays", [True, False])
def test_a_server_publishes_unless_it_is_told_to_leave_that_to_others(ocs: Ocs, relays: bool) -> None:
    made = platform(Settings(database_url=ocs.url, relay=relays))
    Desk(made.services.store).account("A-1")
    made.services.start()
    if relays:
        _wait(lambda: made.outbox.backlog().rows == 0)
    made.services.close()
    left = ocs.platform()
    assert left.outbox.backlog().rows == (0 if relays else 2)
    left.services.close()


def _wait(until) -> None:
    ends = time.monotonic() + 30
    while not until():
        assert time.monotonic() < ends
        time.sleep(0.1)
