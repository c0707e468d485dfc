"""`ocs maintenance prune`, and what the relay of a server does by itself."""

import datetime as dt
import os
import re
import sqlite3
import subprocess
import sys
import time
from uuid import uuid4

import pytest

from ocs_adapters.bootstrap import consumers, platform
from ocs_adapters.clock import utc_now
from ocs_adapters.settings import Settings
from ocs_adapters.sql import tables
from ocs_adapters.sql.retention import PRUNABLES
from tests.unit.cli.conftest import Ocs

EVERY = [*PRUNABLES, *(each for kind in consumers.KINDS.values() for each in kind.tables.prunables)]
SETTINGS = [*dict.fromkeys(prunable.setting for prunable in EVERY)]
PRUNE = [sys.executable, "-c", "from ocs_adapters.cli import main; main(['maintenance', 'prune'])"]


def _published(ocs: Ocs, days_ago: int, count: int = 1) -> None:
    at = utc_now() - dt.timedelta(days=days_ago)
    event = {"topic": "t", "headers": "{}", "value": "{}", "logged_at": at}
    made = ocs.platform()
    rows = [event | {"ref_id": uuid4(), "key": uuid4()} for _ in range(count)]
    made.database.write(*made.database.driver.insert({tables.event_log: rows}))
    made.services.close()


def _in_log(ocs: Ocs) -> int:
    connection = sqlite3.connect(ocs.folder / "ocs.sqlite3")
    ((count,),) = connection.execute("SELECT count(*) FROM event_log").fetchall()
    connection.close()
    return int(count)


def told(out: str, table: str) -> list[str]:
    (line,) = (line for line in out.splitlines() if line.startswith(table))
    return re.split(r" {2,}", line.strip())


def test_each_table_is_told_with_its_setting_its_days_and_the_instant(ocs: Ocs, monkeypatch) -> None:
    monkeypatch.setenv("OCS_EVENTS_KEEP_DAYS", "30")
    _published(ocs, days_ago=31, count=3)
    _published(ocs, days_ago=29)
    out = ocs("maintenance", "prune", "--dry-run").done().out
    table, what, setting, days, before, number = told(out, "event_log")
    assert (table, what, setting, days, number) == (
        "event_log",
        "published messages",
        "OCS_EVENTS_KEEP_DAYS",
        "30",
        "3",
    )
    age = utc_now() - dt.datetime.fromisoformat(before)
    assert dt.timedelta(days=30) < age < dt.timedelta(days=30, minutes=1)
    assert "would be forgotten" in out
    assert told(out, "requests")[2:4] == ["OCS_ANSWERS_KEEP_DAYS", "90"]
    assert told(out, "process_runs")[2:] == ["OCS_RUNS_KEEP_DAYS", "for ever", "0"]
    assert _in_log(ocs) == 4, "a dry run forgets nothing"


def test_what_is_old_is_forgotten_once(ocs: Ocs, monkeypatch) -> None:
    monkeypatch.setenv("OCS_EVENTS_KEEP_DAYS", "30")
    _published(ocs, days_ago=31, count=3)
    _published(ocs, days_ago=29)
    assert told(ocs("maintenance", "prune").done().out, "event_log")[-1] == "3"
    assert told(ocs("maintenance", "prune").done().out, "event_log")[-1] == "0"
    assert _in_log(ocs) == 1


def test_without_a_setting_nothing_published_is_forgotten(ocs: Ocs) -> None:
    _published(ocs, days_ago=10_000)
    assert told(ocs("maintenance", "prune").done().out, "event_log")[-2:] == ["for ever", "0"]
    assert _in_log(ocs) == 1


def test_killed_in_the_middle_it_is_completed_by_two_at_once(ocs: Ocs) -> None:
    _published(ocs, days_ago=31, count=30_000)
    _published(ocs, days_ago=29)
    env = {**os.environ, "OCS_DATABASE_URL": ocs.url, "OCS_EVENTS_KEEP_DAYS": "30"}
    quiet = {"env": env, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    killed = subprocess.Popen(PRUNE, **quiet)
    ends = time.monotonic() + 60
    while _in_log(ocs) == 30_001 and killed.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    left = _in_log(ocs)
    assert left < 30_001, "it was killed before it began"
    together = [subprocess.Popen(PRUNE, **quiet) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in together]
    assert [process.returncode for process in together] == [0, 0]
    assert sum(int(told(out, "event_log")[-1]) for out in printed) == left - 1
    assert _in_log(ocs) == 1


def test_the_help_names_every_setting(empty: Ocs) -> None:
    out = empty("maintenance", "prune", "--help").done().out.partition("Parameters")[0]
    assert re.findall(r"OCS_\w+_KEEP_DAYS", out) == [f"OCS_{setting.upper()}" for setting in SETTINGS]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_wrong_setting_is_told_with_its_name_and_nothing_is_forgotten(ocs: Ocs, monkeypatch, setting: str) -> None:
    _published(ocs, days_ago=10_000)
    for value in ("-1", "0", "a week", "36501"):
        monkeypatch.setenv("OCS_EVENTS_KEEP_DAYS", "30")
        monkeypatch.setenv(f"OCS_{setting.upper()}", value)
        assert f"OCS_{setting.upper()} is" in ocs("maintenance", "prune").refused()
    assert _in_log(ocs) == 1


def test_a_relay_forgets_by_itself_in_batches_until_nothing_old_is_left(ocs: Ocs) -> None:
    _published(ocs, days_ago=31, count=4001)
    _published(ocs, days_ago=29)
    made = platform(Settings(database_url=ocs.url, events_keep_days=30))
    assert [made.relay.tidy_up() for _ in range(4)] == [True, True, True, False]
    _published(ocs, days_ago=31)
    made.services.start()
    ends = time.monotonic() + 30
    while _in_log(ocs) > 1 and time.monotonic() < ends:
        time.sleep(0.01)
    made.services.close()
    assert _in_log(ocs) == 1
