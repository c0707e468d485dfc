"""What the warehouse keeps, and what it answers."""

import datetime as dt
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import duckdb
import pyarrow.parquet as pq
import pytest

from ocs_adapters.clock import new_id
from ocs_adapters.consumers.warehouse import parquet, questions, warehouse
from ocs_adapters.consumers.warehouse.manifest import Manifest
from ocs_adapters.consumers.warehouse.parquet import SCHEMA
from ocs_adapters.consumers.warehouse.views import views
from ocs_adapters.consumers.warehouse.warehouse import Merged, Warehouse
from ocs_adapters.serial import encode
from ocs_adapters.sql.drivers import driver
from ocs_core.errors import OcsError, StoreUnavailable
from ocs_core.memory import MemoryOutbox, MemoryStore
from ocs_core.messages import BUSINESS_TRANSACTIONS, NOTIFICATIONS
from ocs_core.testkit.examples import UNIT, Desk, configuration
from ocs_core.testkit.fakes import NOW
from tests.contract.warehouse.scene import DAY, Scene, row


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "it's a warehouse")
    yield made
    made.close()


def _real(scene: Scene) -> list:
    """What a desk's work publishes."""
    store = MemoryStore(configuration())
    desk = Desk(store)
    payer = desk.account("A-1")
    document, payment = desk.document(account=payer), desk.payment(account=payer)
    desk.assign(payment, document, 30 * UNIT)
    desk.event(account=payer)
    desk.payment()
    rows = MemoryOutbox(store, encode).waiting(1000)
    scene.publish(*rows)
    return rows


def test_the_values_come_back_byte_by_byte_with_what_the_headers_say(scene: Scene) -> None:
    rows = _real(scene)
    scene.consumer.drain()
    found = {ce_id: told for ce_id, *told in scene.asked(f"SELECT {', '.join(SCHEMA.names)} FROM messages")}  # noqa: S608
    assert len(found) == len(rows)
    for published in rows:
        headers = published.headers
        notification = "X-Ocs-Io-notification-code" in headers
        decoded = json.loads(published.value)
        version = (
            None if notification else decoded.get("version", decoded.get("monetaryTransaction", {}).get("version"))
        )
        assert found[headers["ce_id"]] == [
            dt.datetime.fromisoformat(headers["ce_time"]),
            "notifications" if notification else "business-transactions",
            headers["ce_type"].removeprefix("io.ocs.rm."),
            headers["ce_subject"],
            str(published.key),
            headers["X-Ocs-Io-transaction-id"],
            version,
            headers["ce_dataschema"],
            published.value.decode(),
        ]


def test_spaces_and_letters_of_a_value_stay_as_they_were_published(scene: Scene) -> None:
    value = '{ "version" :1,\n "note":"\\u00e9 é €",  "x": 9007199254740993 }'.encode()
    scene.publish(row(new_id(), value=value))
    scene.consumer.drain()
    assert scene.asked("SELECT value FROM messages") == [(value.decode(),)]


def test_a_message_stands_in_the_folder_of_its_day_in_utc(scene: Scene) -> None:
    scene.publish(row(new_id(), ce_time="2026-11-26T00:30:00+01:00"), row(new_id(), ce_time="2026-11-26T00:30:00Z"))
    scene.consumer.drain()
    days = [path.parent.name for path in sorted(scene.root.glob("messages/*/*.parquet"))]
    assert days == ["day=2026-11-25", "day=2026-11-26"]
    assert scene.asked("SELECT DISTINCT day FROM messages WHERE day < '2026-11-26'") == [(dt.date(2026, 11, 25),)]


def test_an_entity_is_its_newest_version_with_its_fields_as_columns(scene: Scene) -> None:
    _real(scene)
    scene.consumer.drain()
    assert scene.asked(
        "SELECT version, dueAmount, documentDueDate, cancelled, account->>'externalId' FROM document"
    ) == [(2, 70 * UNIT, (NOW + 14 * DAY).date(), False, "A-1")]
    assert scene.asked("SELECT version, remainingAmount FROM payment ORDER BY ALL") == [(1, 50 * UNIT), (2, 20 * UNIT)]
    assert scene.asked("SELECT dueAmount FROM documentOpenBalanceChanged") == [(70 * UNIT,)]
    types = scene.asked("SELECT DISTINCT typeof(dueAmount), typeof(cancelledAt) FROM document")
    assert types == [("BIGINT", "TIMESTAMP WITH TIME ZONE")]


def test_of_two_messages_with_one_version_the_later_one_counts_whatever_comes_first(scene: Scene) -> None:
    subject = str(new_id())
    for version, refs in ((2, "late"), (1, "old"), (2, "early")):
        day = 1 if refs == "late" else 0
        value = json.dumps({"version": version, "paymentRef1": refs, "paymentAmount": 2**63 - 1}).encode()
        scene.publish(row(new_id(), day=day, value=value, ce_subject=subject))
    scene.consumer.drain()
    assert scene.asked("SELECT paymentRef1, paymentAmount FROM payment") == [("late", 2**63 - 1)]


def test_every_code_has_a_view_even_of_an_empty_warehouse(scene: Scene) -> None:
    codes = [*BUSINESS_TRANSACTIONS, *NOTIFICATIONS]
    assert len(list(views())) == len(codes)
    for code in codes:
        assert scene.asked(f"FROM {code}") == []
    assert scene.kept() == []


@pytest.mark.parametrize(
    ("headers", "value", "reason"),
    [
        ({}, b"{", "cannot be read"),
        ({}, b"[1]", "cannot be read"),
        ({}, b'{"version":1,"note":"\xff"}', "cannot be read"),
        ({"ce_time": "yesterday"}, b"{}", "cannot be read"),
        ({"ce_time": "2026-11-25T10:00:00"}, b"{}", "has no offset"),
        ({"ce_subject": ""}, b"{}", "no header 'ce_subject'"),
        ({}, b'{"version":99999999999999999999}', ""),
    ],
)
def test_what_cannot_be_kept_is_set_aside_and_all_others_are_kept_in_few_files(
    scene: Scene, headers, value, reason
) -> None:
    scene.publish_some([0] * 40)
    good = scene.kept_later()
    scene.log.publish([row(new_id(), value=value, **headers)])
    scene.publish_some([0] * 23)
    scene.consumer.drain()
    (letter,) = scene.consumer.processor.inbox.dead_letters()
    assert reason in letter.reason
    assert scene.kept() == scene.kept_later() > good
    assert len(scene.manifest.all()) <= 12


def test_a_batch_like_those_before_compiles_no_statement_anew(scene: Scene) -> None:
    for _ in range(2):
        scene.publish_some([0])
        scene.consumer.drain()
    with mock.patch.object(driver, "compiled_for", side_effect=AssertionError):
        scene.publish_some([0])
        scene.consumer.drain()
    assert scene.kept() == scene.kept_later()


def test_what_somebody_else_left_among_the_files_is_let_be(scene: Scene) -> None:
    scene.folder.make()
    day = scene.root / "writing" / "day=2024-05-14"
    day.mkdir()
    ours = new_id()
    strays = [day / f"{name}.parquet.tmp" for name in ("copy of y", f"{ours}.1", str(ours).upper(), "")]
    for stray in strays:
        stray.touch()
    scene.publish_some([0, 1])
    scene.consumer.drain()
    scene.restart()
    assert scene.kept() == scene.kept_later()
    assert scene.consumer.processor.inbox.dead_letters() == []
    assert all(stray.exists() for stray in strays)


def test_a_message_of_a_newer_schema_is_kept_all_the_same(scene: Scene) -> None:
    scene.publish(row(new_id(), ce_dataschema="urn:ocs-rm:schema:PaymentEx:9", value=b'{"version":1,"new":[{}]}'))
    scene.consumer.drain()
    assert scene.asked("SELECT schema FROM messages") == [("urn:ocs-rm:schema:PaymentEx:9",)]


def test_a_folder_that_cannot_be_written_to_costs_no_message(scene: Scene) -> None:
    scene.publish_some([0, 0])
    full = mock.patch.object(parquet, "write", side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(StoreUnavailable, match="No space left"):
        scene.consumer.step()
    scene.consumer.drain()
    assert scene.kept() == scene.kept_later()
    assert scene.consumer.processor.inbox.dead_letters() == []


def test_many_small_files_of_a_day_become_one_sorted_by_key_and_time(scene: Scene) -> None:
    keys = [new_id() for _ in range(3)]
    for number in range(warehouse.MANY):
        scene.publish(*(row(new_id(), key=key, ce_subject=str(number)) for key in reversed(keys)), row(new_id(), day=1))
        scene.consumer.drain()
    today = NOW.date()
    (file,) = [file for file in scene.manifest.all() if file.day == today]
    table = pq.read_table(scene.folder.path(file), partitioning=None).to_pylist()
    assert [(r["key"], r["subject"]) for r in table] == [
        (str(key), str(number)) for key in sorted(keys) for number in range(warehouse.MANY)
    ]
    assert scene.kept() == scene.kept_later() == scene.globbed()


def test_files_are_merged_up_to_a_size_and_no_further(scene: Scene) -> None:
    with mock.patch.multiple(warehouse, LARGE_ROWS=10, SMALL_ROWS=5):
        for _ in range(7):
            scene.publish_some([0] * 4)
            scene.consumer.drain()
        assert scene.warehouse.compact().files == 6
        assert sorted(file.rows for file in scene.manifest.all()) == [4, 8, 8, 8]
        assert scene.warehouse.compact().files == 0


def test_files_are_merged_up_to_a_size_in_memory_however_small_they_are_on_the_disk(scene: Scene) -> None:
    for _ in range(5):
        scene.publish(*(row(new_id(), value=b'{"version":1,"note":"%s"}' % (b"." * 100_000)) for _ in range(10)))
        scene.consumer.drain()
    assert sum(file.bytes for file in scene.manifest.all()) < 100_000
    with mock.patch.object(warehouse, "LARGE_BYTES", 2_500_000):
        assert scene.warehouse.compact().files == 4
    assert sorted(file.rows for file in scene.manifest.all()) == [10, 20, 20]
    assert scene.kept() == scene.kept_later()


def test_while_it_is_read_nothing_is_merged_and_what_comes_is_kept(scene: Scene) -> None:
    for _ in range(3):
        scene.publish_some([0])
        scene.consumer.drain()
    with scene.folder.reading():
        assert scene.warehouse.compact() == Merged(files=0, left=3)
        scene.publish_some([0])
        scene.consumer.drain()
        assert scene.kept() == scene.kept_later()
    assert scene.warehouse.compact().files == 4


def test_readers_who_always_overlap_do_not_keep_files_from_being_merged_for_ever(scene: Scene) -> None:
    for _ in range(3):
        scene.publish_some([0])
        scene.consumer.drain()
    stop = threading.Event()

    def read(after: float) -> None:
        stop.wait(after)
        while not stop.is_set():
            with scene.folder.reading():
                stop.wait(0.2)

    readers = [threading.Thread(target=read, args=(after,)) for after in (0, 0.07, 0.14)]
    for reader in readers:
        reader.start()
    try:
        time.sleep(0.2)
        assert scene.warehouse.compact(patience=10) == Merged(files=3, left=0)
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_a_question_fills_no_disk(scene: Scene) -> None:
    ((whole,),) = scene.asked("SELECT current_setting('max_temp_directory_size')")
    with mock.patch.object(questions, "SPILL_AT_MOST", 1_000_000):
        ((little,),) = scene.asked("SELECT current_setting('max_temp_directory_size')")
    assert whole.endswith("GiB")
    assert little == "976.5 KiB"


def test_a_missing_file_is_told_and_what_comes_is_kept(scene: Scene, capsys) -> None:
    for _ in range(2):
        scene.publish_some([0])
        scene.consumer.drain()
    lost, _ = (scene.folder.path(file) for file in scene.manifest.all())
    lost.unlink()
    scene.restart()
    assert "missing" in capsys.readouterr().out
    scene.publish_some([0])
    scene.consumer.drain()
    assert scene.warehouse.missing() == [lost]
    assert len(scene.globbed()) == 2
    assert scene.warehouse.compact().files == 2
    with (
        mock.patch("ocs_adapters.consumers.warehouse.questions.PATIENCE_SECONDS", 0),
        pytest.raises(OcsError, match="is missing; bring it back"),
    ):
        scene.kept()


def test_a_file_that_stands_aside_or_is_merged_at_this_moment_is_not_missing(scene: Scene) -> None:
    for _ in range(2):
        scene.publish_some([0])
        scene.consumer.drain()
    aside, _ = scene.manifest.all()
    scene.folder.path(aside).replace(scene.folder.begin(aside))
    assert scene.warehouse.missing() == []
    scene.restart()

    class Merging(Manifest):
        def all(self):
            listed = super().all()
            assert scene.warehouse.compact().files == 0
            return listed

    assert Warehouse(scene.folder, Merging(scene.database)).missing() == []
    assert scene.warehouse.compact().files == 2


def test_a_file_that_cannot_be_read_is_told_and_not_merged(scene: Scene, capsys) -> None:
    for _ in range(2):
        scene.publish_some([0])
        scene.consumer.drain()
    spoilt, _ = (scene.folder.path(file) for file in scene.manifest.all())
    spoilt.write_bytes(b"no parquet")
    for _ in range(2):
        scene.publish_some([0])
        scene.consumer.drain()
    assert scene.warehouse.compact().files == 3
    assert "cannot be read" in capsys.readouterr().out


REFUSED = [
    "COPY (SELECT 1) TO 'x.csv'",
    "COPY messages TO '{kept}' (USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'",
    "ATTACH 'x.db'",
    "INSTALL httpfs",
    "SET enable_external_access = true",
    "CREATE TABLE t (i INTEGER)",
    "DROP VIEW messages",
    "DELETE FROM messages",
    "SELECT 1; SELECT 2",
    "SELECT * FROM '{other}'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_parquet('{other}')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_csv('https://example.org/x.csv')",
    "WITH t AS (COPY (SELECT 1) TO '{kept}' (USE_TMP_FILE false)) FROM t",
    "SELECT * FROM query('WITH t AS (COPY (SELECT 1) TO ''{kept}'' (USE_TMP_FILE false)) FROM t')",
    "SELECT * FROM read_parquet('{kept}')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{kept}'' (USE_TMP_FILE false)')",
    "SELECT * FROM scene",
    "SELEC 1",
    "SELECT nothing FROM messages",
    "SELECT 1 / 'x'",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("question", REFUSED)
def test_a_question_that_is_wrong_or_wants_more_than_to_read_is_refused_in_a_sentence(scene: Scene, question) -> None:
    scene.publish_some([0])
    scene.consumer.drain()
    other = scene.root / "other.parquet"
    (kept,) = scene.root.glob("messages/*/*.parquet")
    pq.write_table(SCHEMA.empty_table(), other)
    before = kept.read_bytes()
    asked = question
    for name, path in (("{other}", other), ("{kept}", kept)):
        quoted = str(path).replace("'", "''")
        asked = asked.replace(name, quoted.replace("'", "''") if "query(" in question else quoted)
    with pytest.raises(OcsError) as refused:
        scene.asked(asked)
    assert str(refused.value)
    assert "\n" not in str(refused.value)
    assert kept.read_bytes() == before
    assert not Path("x.csv").exists()


def test_a_second_process_on_one_folder_is_refused(scene: Scene) -> None:
    second = pytest.raises(OcsError, match="Another process works on the warehouse")
    with scene.folder.alone(), second, scene.folder.alone():
        pass
    with scene.folder.alone():
        pass


def test_other_readers_of_parquet_find_the_messages_by_a_glob_and_their_days(scene: Scene) -> None:
    scene.publish_some([0, 1, 1])
    scene.consumer.drain()
    with duckdb.connect() as connection:
        days = connection.execute(
            "SELECT day, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL", [scene.folder.glob]
        )
        assert days.fetchall() == [(NOW.date(), 1), ((NOW + DAY).date(), 2)]


MEMORY = """
import resource, sys
from pathlib import Path
from uuid import UUID
from ocs_adapters.consumers.warehouse import warehouse
from ocs_core.ports import Delivered
from tests.contract.warehouse.scene import Scene, row
warehouse.MANY, warehouse.SMALL_ROWS, warehouse.LARGE_ROWS = 4, 2_000, 4_000

class Endless:
    def __init__(self):
        self.number = 0
    def next(self, limit):
        first, self.number = self.number, self.number + limit
        rows = (row(UUID(int=n), value=b'{"version":1,"note":"%07000d"}' % (n * n)) for n in range(first, self.number))
        return [Delivered(topic="t", key=r.key, headers=r.headers, value=r.value) for r in rows]
    def commit(self):
        pass
    def gaps(self):
        return ()

scene = Scene(Path(sys.argv[1]))
scene.consumer.stream, scene.consumer.batch = Endless(), 1_000
for _ in range(20):
    scene.consumer.step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
assert sum(file.rows for file in scene.manifest.all()) == 20_000
assert len(scene.manifest.all()) == 5, "all were merged meanwhile"
"""


def test_memory_stays_bounded_however_many_messages_come(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "w")], capture_output=True, text=True, check=False, cwd=_ROOT
    )
    assert ended.returncode == 0, ended.stderr
    megabytes = list(map(int, ended.stdout.split()))
    after_first_merge, at_the_end = megabytes[3], megabytes[-1]
    assert at_the_end < after_first_merge * 1.25, megabytes
    assert at_the_end < 500, megabytes


_ROOT = Path(__file__).parents[3]
