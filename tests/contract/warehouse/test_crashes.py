"""Whatever happens at whatever moment: every message is in the warehouse, once."""

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import attrs
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.bootstrap import consumers, platform
from ocs_adapters.clock import new_id
from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.consumers.warehouse import warehouse
from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_adapters.consumers.warehouse.manifest import Manifest
from ocs_adapters.consumers.warehouse.questions import Questions
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import connect
from tests.contract.warehouse.scene import Crash, Scene, row

LITTLE = {"MANY": 3, "SMALL_ROWS": 6, "LARGE_ROWS": 12}
CRASHES = st.none() | st.integers(0, 25)
STEPS = st.one_of(
    st.tuples(st.just("publish"), st.lists(st.integers(-1, 1), min_size=1, max_size=5)),
    st.tuples(st.just("again"), st.integers(0, 100)),
    st.tuples(st.just("read"), CRASHES),
    st.tuples(st.just("compact"), CRASHES),
    st.tuples(st.just("restart"), CRASHES),
)


@given(st.lists(STEPS, min_size=4, max_size=14), st.sampled_from([1, 3, 1000]))
def test_every_message_is_kept_once_whatever_crashes_at_whatever_step(steps, batch) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.multiple(warehouse, **LITTLE):
        scene = Scene(Path(folder), batch=batch)
        for what, how in steps:
            _perform(scene, what, how)
        scene.restart()
        scene.consumer.drain()
        scene.warehouse.compact()
        expected = scene.kept_later()
        assert scene.globbed() == scene.kept() == expected
        assert list((scene.root / "writing").iterdir()) == []
        assert scene.consumer.processor.inbox.dead_letters() == []
        scene.close()


def _perform(scene: Scene, what: str, how) -> None:
    if what == "publish":
        scene.publish_some(how)
    elif what == "again" and scene.published:
        scene.publish(row(scene.published[how % len(scene.published)]))
    else:
        work = {"read": scene.consumer.drain, "compact": scene.warehouse.compact, "restart": scene.restart}
        scene.fuse.steps = how
        try:
            work.get(what, lambda: None)()
            scene.fuse.steps = None
        except Crash:
            scene.fuse.steps = None
            for ref_id, path in scene.folder.written().items():
                if not scene.manifest.known([ref_id]):  # a machine that dies leaves anything of what was not listed
                    path.write_bytes(path.read_bytes()[: random.randrange(0, 100)])
            _look(scene)
            scene.restart()


def _look(scene: Scene) -> None:
    """Between a crash and the next start the warehouse can be asked as well."""
    with mock.patch("ocs_adapters.consumers.warehouse.questions.PATIENCE_SECONDS", 0):
        kept = scene.kept()
    assert len(kept) == len(set(kept)), "none twice"
    assert {str(ce_id) for ce_id in scene.published} >= set(kept)


@pytest.mark.parametrize("what", ["read", "compact"])
def test_a_crash_at_each_single_step_costs_and_doubles_nothing_not_even_for_a_glob(tmp_path: Path, what: str) -> None:
    crashed = 0
    with mock.patch.multiple(warehouse, **LITTLE):
        while _crashes_at(tmp_path / str(crashed), what, crashed):
            crashed += 1
    assert crashed >= 18, "every step was reached"


def _crashes_at(root: Path, what: str, step: int) -> bool:
    scene = Scene(root)
    for _ in range(2):
        scene.publish_some([0, 0])
        scene.consumer.drain()
    before = set(scene.globbed())
    if what == "read":
        scene.publish_some([0, 1])
    scene.fuse.steps = step
    try:
        {"read": scene.consumer.drain, "compact": scene.warehouse.compact}[what]()
        return False
    except Crash:
        scene.fuse.steps = None
        assert set(scene.globbed()) >= before, "who reads the folder misses nothing at any moment"
        _look(scene)
        scene.restart()
        assert not scene.folder.written()
        assert scene.globbed() == scene.kept(), "after a start, the folder has what the manifest lists"
        scene.consumer.drain()
        assert scene.globbed() == scene.kept() == scene.kept_later()
        return True
    finally:
        scene.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = Settings(database_url=f"sqlite:///{tmp_path}/ocs.sqlite3", warehouse_folder=str(tmp_path / "warehouse"))
    made = platform(given)
    made.migrate()
    made.services.close()
    return given


def _publish(settings: Settings, count: int) -> list[str]:
    made = platform(settings)
    rows = [row(new_id(), day=n % 3) for n in range(count)]
    made.events.publish([_to(settings.business_transactions_topic, r) for r in rows])
    made.services.close()
    return sorted(r.headers["ce_id"] for r in rows)


def _to(topic: str, given):
    return attrs.evolve(given, topic=topic)


def _kept(settings: Settings) -> list[str]:
    folder = Folder(Path(settings.warehouse_folder))
    database = connect(f"sqlite:///{folder.root}/manifest.sqlite3")
    with Questions(folder, Manifest(database)).answered("SELECT ce_id FROM messages ORDER BY ce_id") as answer:
        found = [ce_id for (ce_id,) in answer.rows]
    database.close()
    return found


def _in_folder(settings: Settings) -> int:
    with duckdb.connect() as connection:
        glob = Folder(Path(settings.warehouse_folder)).glob
        return connection.execute("SELECT count(*) FROM read_parquet(?)", [glob]).fetchone()[0]


KIND = consumers.KINDS["warehouse"]


@pytest.mark.parametrize(
    ("owner", "step"),
    [(Manifest, "say_all_gone"), (ConsumerTables, "drop"), (ConsumerTables, "prepare"), (Folder, "remove")],
)
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_crash_on_the_way_to_the_beginning_costs_and_doubles_nothing(settings, owner, step, done) -> None:
    published = _publish(settings, 20)
    with consumers.consumer(KIND, settings) as consumer:
        consumer.drain()
    assert _kept(settings) == published
    original = getattr(owner, step)

    def crash(self, *args):
        if done:
            original(self, *args)
        raise Crash

    with mock.patch.object(owner, step, crash), pytest.raises(Crash):
        _from_beginning(settings)
    with consumers.consumer(KIND, settings) as consumer:
        consumer.drain()
    assert _kept(settings) == published
    assert _in_folder(settings) == len(published)


def _from_beginning(settings: Settings) -> None:
    with consumers.consumer(KIND, settings, from_beginning=True):
        pass


def test_from_the_beginning_everything_is_kept_anew(settings) -> None:
    published = _publish(settings, 20)
    for again in (False, True, True):
        with consumers.consumer(KIND, settings, from_beginning=again) as consumer:
            consumer.drain()
        assert _kept(settings) == published
        assert _in_folder(settings) == len(published)


KILLED = """
import attrs, os, random, signal, time
from ocs_adapters.bootstrap import consumers
from ocs_adapters.consumers.warehouse import warehouse
from ocs_adapters.settings import load
warehouse.MANY = 4
kind = attrs.evolve(consumers.KINDS["warehouse"], batch=20, window=0.0)
consumers.warehouse()
ready, tell = os.pipe()
for _ in range(6):
    reader = os.fork()
    if not reader:
        with consumers.consumer(kind, load()) as consumer:
            os.write(tell, b".")
            consumer.drain()
        os._exit(0)
    os.read(ready, 1)
    time.sleep(random.uniform(0.05, 0.3))
    os.kill(reader, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]))
"""


def test_a_process_that_is_killed_again_and_again_keeps_every_message_once(settings) -> None:
    published = _publish(settings, 1200)
    env = {
        **os.environ,
        "OCS_DATABASE_URL": settings.database_url,
        "OCS_WAREHOUSE_FOLDER": settings.warehouse_folder,
    }
    ended = subprocess.run([sys.executable, "-c", KILLED], env=env, capture_output=True, text=True, check=True)
    assert str(-signal.SIGKILL) in ended.stdout.split()
    with consumers.consumer(KIND, settings) as consumer:
        consumer.drain()
    assert _kept(settings) == published
    assert _in_folder(settings) == len(published)
