"""`ocs consume warehouse` and `ocs warehouse`."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ocs_adapters.bootstrap import consumers
from ocs_adapters.clock import new_id
from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_core.ports import OutboxRow
from ocs_core.testkit.examples import UNIT, Desk
from tests.interrupts import deaf
from tests.unit.cli.conftest import Ocs

CONSUME = [sys.executable, "-c", "from ocs_adapters.cli import main; main(['consume', 'warehouse'])"]


@pytest.fixture
def sold(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> Ocs:
    """An account, its invoice and a payment are published."""
    monkeypatch.setenv("OCS_WAREHOUSE_FOLDER", str(ocs.folder / "warehouse"))
    made = ocs.platform()
    desk = Desk(made.services.store)
    payer = desk.account("A-1")
    desk.document(account=payer)
    desk.payment(account=payer)
    made.services.close()
    ocs("events").done()
    return ocs


@pytest.fixture
def kept(sold: Ocs) -> Ocs:
    """They are in the warehouse."""
    assert sold("consume", "warehouse", "--once").done().out == "8 messages.\n"
    return sold


def test_what_was_published_is_answered_as_a_table_as_csv_and_as_json(kept: Ocs) -> None:
    question = "SELECT paymentNo, paymentAmount, ce_time, account FROM payment"
    table = kept("warehouse", "sql", question).done().out
    assert table.splitlines()[0].split() == ["paymentNo", "paymentAmount", "ce_time", "account"]
    (row,) = csv.DictReader(io.StringIO(kept("warehouse", "sql", question, "--csv").done().out))
    (told,) = map(json.loads, kept("warehouse", "sql", question, "--json").done().out.splitlines())
    assert told["paymentAmount"] == 50 * UNIT
    assert row["paymentAmount"] == str(50 * UNIT)
    assert row["ce_time"] == told["ce_time"] == "2024-05-14T10:00:00.000000Z"
    assert told["account"]["externalId"] == json.loads(row["account"])["externalId"] == "A-1"


def test_numbers_lists_and_nothing_are_written_as_they_are(kept: Ocs) -> None:
    question = (
        f"SELECT {2**100}::HUGEINT AS large, NULL AS nothing, [1, 2] AS list, DATE '2026-11-25' AS day, 0.10 AS fine"
    )
    (told,) = map(json.loads, kept("warehouse", "sql", question, "--json").done().out.splitlines())
    assert told == {"large": 2**100, "nothing": None, "list": [1, 2], "day": "2026-11-25", "fine": "0.10"}
    assert kept("warehouse", "sql", question, "--csv").done().out.splitlines()[1] == (
        f'{2**100},,"[1, 2]",2026-11-25,0.10'
    )


def test_a_wrong_question_is_refused_in_a_sentence(kept: Ocs) -> None:
    assert 'syntax error at or near "SELEC"' in kept("warehouse", "sql", "SELEC").refused()
    assert "one SELECT" in kept("warehouse", "sql", "COPY messages TO 'x.csv'").refused()
    assert "disabled" in kept("warehouse", "sql", "SELECT * FROM read_text('/etc/passwd')").refused()
    assert "not both" in kept("warehouse", "sql", "SELECT 1", "--csv", "--json").refused()


def test_the_status_counts_and_tells_what_is_missing(kept: Ocs) -> None:
    told = dict(line.rsplit(maxsplit=1) for line in kept("warehouse", "status").done().out.splitlines() if line.strip())
    assert {name.strip(): value for name, value in told.items()} | {"bytes": ""} == {
        "files": "1",
        "rows": "8",
        "days": "1",
        "first day": "2024-05-14",
        "last day": "2024-05-14",
        "bytes": "",
        "dead letters": "0",
        "missing files": "0",
        "torn files": "0",
    }
    (path,) = kept("warehouse", "files").done().out.splitlines()
    Path(path).unlink()
    assert "is missing" in kept("warehouse", "status").refused()
    assert "--from-beginning" in kept("warehouse", "sql", "SELECT 1").refused()
    assert kept("consume", "warehouse", "--once", "--from-beginning").done().out == "8 messages.\n"
    kept("warehouse", "status").done()


@pytest.mark.parametrize("tear", ["cut off", "empty", "its end", "other rows"])
def test_the_status_tells_what_is_torn(kept: Ocs, tear: str) -> None:
    paths = [Path(line) for line in kept("warehouse", "files").done().out.splitlines()]
    whole = paths[0].read_bytes()
    if tear == "other rows":
        pq.write_table(pq.read_table(paths[0], partitioning=None).slice(0, 1), paths[0])
    else:
        torn = {"cut off": whole[: len(whole) // 2], "empty": b"", "its end": whole[:-100] + bytes(100)}[tear]
        paths[0].write_bytes(torn)
    ended = kept("warehouse", "status")
    assert ended.code == 1
    assert next(line for line in ended.err.splitlines() if "is torn" in line).startswith(str(paths[0]))
    assert ended.err.count("is torn") == 1
    paths[0].write_bytes(whole)
    kept("warehouse", "status").done()


def _publish_one_more(ocs: Ocs, topic: str) -> None:
    made = ocs.platform()
    ((_, event),) = made.events.delivered_after(0, 1)
    ce_id = new_id()
    headers = {**event.headers, "ce_id": str(ce_id)}
    made.events.publish(
        [OutboxRow(position=0, ref_id=ce_id, topic=topic, key=event.key, headers=headers, value=event.value)]
    )
    made.services.close()


def test_files_are_merged_on_demand(kept: Ocs) -> None:
    _publish_one_more(kept, "ocs.rm.notifications")
    kept("consume", "warehouse", "--once").done()
    assert kept("warehouse", "compact").done().out == "2 files were merged.\n"
    counted = kept("warehouse", "sql", "SELECT count(*), count(DISTINCT ce_id) FROM messages", "--csv")
    assert counted.done().out.endswith("\n9,9\n")


def test_what_is_not_merged_because_somebody_reads_is_told(kept: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocs_adapters.cli.warehouse.PATIENCE_SECONDS", 0.1)
    _publish_one_more(kept, "ocs.rm.notifications")
    kept("consume", "warehouse", "--once").done()
    with Folder(kept.folder / "warehouse").reading():
        assert "2 files were left as they are" in kept("warehouse", "compact").refused()
    assert kept("warehouse", "compact").done().out == "2 files were merged.\n"


def test_a_further_topic_is_read_as_well(sold: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish_one_more(sold, "due")
    monkeypatch.setenv("OCS_NOTIFICATIONS_FURTHER_TOPICS", "due")
    assert sold("consume", "warehouse", "--once").done().out == "9 messages.\n"


def test_nothing_can_be_asked_before_anything_was_read(ocs: Ocs) -> None:
    for command in (["sql", "SELECT 1"], ["status"], ["files"], ["compact"]):
        assert "run: ocs consume warehouse" in ocs("warehouse", *command).refused()
    assert not (ocs.folder / "ocs-warehouse").exists()


def test_one_process_at_a_time_has_the_folder_and_others_may_ask(kept: Ocs) -> None:
    with Folder(kept.folder / "warehouse").alone():
        for command in (
            ["consume", "warehouse", "--once"],
            ["warehouse", "compact"],
            ["dead-letters", "retry", "warehouse", "ALL"],
        ):
            assert "only one can at a time" in kept(*command).refused()
        assert "0 dead letters" in kept("dead-letters", "list", "warehouse").done().out
        assert kept("warehouse", "sql", "SELECT count(*) FROM messages", "--csv").done().out.endswith("\n8\n")


def test_a_consumer_runs_until_it_is_terminated_and_keeps_what_it_has_in_hand(sold: Ocs) -> None:
    env = {**os.environ, "OCS_DATABASE_URL": sold.url}
    with subprocess.Popen(CONSUME, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "Reading as warehouse.\n"
            second = sold("consume", "warehouse", "--from-beginning")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    assert "only one can at a time" in second.refused()
    sold("consume", "warehouse", "--once").done()
    assert sold("warehouse", "sql", "SELECT count(*) FROM messages", "--csv").done().out.endswith("\n8\n")


def test_what_is_not_installed_is_named(sold: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ocs_adapters.bootstrap.warehouse", raising=False)
    monkeypatch.delattr("ocs_adapters.bootstrap.warehouse", raising=False)
    monkeypatch.setitem(sys.modules, "ocs_adapters.consumers.warehouse.questions", None)
    assert "install ocs-rm[warehouse]" in sold("consume", "warehouse", "--once").refused()
    assert "warehouse" in consumers.KINDS


def test_a_question_that_takes_for_ever_ends_when_it_is_told_to(kept: Ocs) -> None:
    question = "SELECT count(*) FROM range(100000000000) a, range(1000) b"
    program = f"from ocs_adapters.cli import main; main(['warehouse', 'sql', {question!r}])"
    env = {**os.environ, "OCS_DATABASE_URL": kept.url}
    asking = subprocess.Popen([sys.executable, "-c", program], env=env, preexec_fn=deaf)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            asking.wait(8)
        asking.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            asking.wait(1)
        asking.terminate()
        assert asking.wait(10) == -signal.SIGTERM
    finally:
        asking.kill()
        asking.wait()
