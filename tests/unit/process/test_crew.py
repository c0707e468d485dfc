"""A crew of processes: how many there are, and how much each takes."""

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ocs_adapters.process.crew import NICENESS, SLICES_AT_ONCE, Crew

IBAN = "DE02120300000000202051"
PROCESSORS = len(os.sched_getaffinity(0))


def work(folder: Path, run_ref_id: UUID, is_to_stop: Callable[[], bool], slices_at_once: int) -> None:
    (folder / str(os.getpid())).write_text(f"{os.nice(0)} {slices_at_once}", encoding="utf-8")


@pytest.mark.parametrize(
    ("asked", "beside_others", "workers"),
    [(None, False, PROCESSORS), (None, True, max(PROCESSORS - 1, 1)), (3, False, 3), (3, True, 3)],
)
def test_beside_others_a_processor_is_left_free_and_the_workers_take_what_nobody_needs(
    tmp_path: Path, asked: int | None, beside_others: bool, workers: int
) -> None:
    crew = Crew(functools.partial(work, tmp_path))
    crew.work(uuid4(), asked, threading.Event(), lambda: None, beside_others=beside_others)
    niceness, slices = (min(os.nice(0) + NICENESS, 19), 1) if beside_others else (os.nice(0), SLICES_AT_ONCE)
    assert [file.read_text(encoding="utf-8") for file in tmp_path.iterdir()] == [f"{niceness} {slices}"] * workers


BOSS = """
import functools, os, sys, threading
from pathlib import Path
from uuid import uuid4

from ocs_adapters.clock import new_id
from ocs_adapters.process.crew import Crew

known = []

def work(run_ref_id, is_to_stop, slices_at_once):
    Path(sys.argv[1], str(os.getpid())).write_text(f"{known} {new_id().hex[-15:]}")  # behind the time and the version

if __name__ == "__main__":
    known.append(new_id().version)
    over = threading.Event()
    if sys.argv[2] == "more":
        threading.Thread(target=over.wait).start()
    Crew(work).work(uuid4(), 4, threading.Event(), lambda: None)
    over.set()
"""


@pytest.mark.parametrize(("threads", "known"), [("one", "[7]"), ("more", "[]")])
def test_a_process_with_one_thread_hires_copies_of_itself_which_draw_ids_of_their_own(
    tmp_path: Path, threads: str, known: str
) -> None:
    boss, found = tmp_path / "boss.py", tmp_path / "found"
    boss.write_text(BOSS, encoding="utf-8")
    found.mkdir()
    subprocess.run([sys.executable, boss, found, threads], check=True)
    workers = [file.read_text(encoding="utf-8").split() for file in found.iterdir()]
    assert [worker[0] for worker in workers] == [known] * 4
    assert len({worker[1] for worker in workers}) == 4


FAILING = """
import sys, threading
from uuid import uuid4

from ocs_adapters import logs
from ocs_adapters.process import crew
from ocs_core.errors import OcsError, StoreUnavailable

def work(run_ref_id, is_to_stop, slices_at_once):
    try:
        raise ValueError(sys.argv[3])
    except ValueError as error:
        if sys.argv[1] == "of ours":
            raise StoreUnavailable("PostgreSQL does not answer") from error
        raise

if __name__ == "__main__":
    logs.configure()
    crew.LOST_AT_MOST = 3
    over = threading.Event()
    if sys.argv[2] == "more":
        threading.Thread(target=over.wait).start()
    try:
        crew.Crew(work).work(uuid4(), 3, threading.Event(), lambda: None)
    except OcsError as error:
        print(error)
    over.set()
"""


@pytest.mark.parametrize("threads", ["one", "more"])
@pytest.mark.parametrize(("error", "bytes_each"), [("of ours", 200), ("another", 3_000)])
def test_workers_that_fail_one_after_the_other_say_little_of_it_and_nothing_of_anybodys_data(
    tmp_path: Path, error: str, bytes_each: int, threads: str
) -> None:
    """A pipe that nobody reads takes 64 KB: one who has more to say stands still, and a run with him."""
    boss = tmp_path / "boss.py"
    boss.write_text(FAILING, encoding="utf-8")
    ended = subprocess.run([sys.executable, boss, error, threads, IBAN], capture_output=True, text=True, check=True)
    number, _, lost = ended.stdout.partition(" ")
    assert lost == "workers were lost, the last one with exit code 1.\n"
    told = ended.stderr.count("a worker ends")
    assert told >= int(number) > 3
    assert IBAN not in ended.stderr
    assert len(ended.stderr) < told * bytes_each + 1000
