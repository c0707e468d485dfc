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
