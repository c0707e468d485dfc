"""Processes of one machine that share the slices of a run."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID

import attrs
import structlog

from ocs_core.errors import OcsError

PROGRESS_SECONDS = 0.5
LOST_AT_MOST = 20
"""So many workers may be lost in one run before it is given up: what kills each of them is not bad luck."""

log = structlog.get_logger()


@attrs.frozen
class Crew:
    """Workers that take a run to its end. The truth is in the run's slices: who is lost leaves nothing but a slice to take."""

    work_at: Callable[[UUID, Callable[[], bool]], None]
    """What each of them does, in a process of its own, until the run is over or it is told that it is to stop; it is sent
    there, so a function of a module."""

    def work(
        self, run_ref_id: UUID, workers: int | None, stop: threading.Event, on_progress: Callable[[], None]
    ) -> None:
        """Take a run to its end by that many processes, by default one for each processor; tells of progress now and then.

        Raises `OcsError` where worker after worker is lost.
        """
        crew = [self._hire(run_ref_id) for _ in range(workers or len(os.sched_getaffinity(0)))]
        lost = 0
        try:
            while crew and not stop.is_set():
                wait([worker.sentinel for worker in crew], PROGRESS_SECONDS)
                on_progress()
                for gone in [worker for worker in crew if not worker.is_alive()]:
                    crew.remove(gone)
                    if gone.exitcode:
                        lost += 1
                        if lost > LOST_AT_MOST:
                            raise OcsError(f"{lost} workers were lost, the last one with exit code {gone.exitcode}.")
                        log.warning("a worker was lost, another one takes its place", exit_code=gone.exitcode)
                        crew.append(self._hire(run_ref_id))
        finally:
            for worker in crew:
                worker.terminate()
            for worker in crew:
                worker.join()

    def _hire(self, run_ref_id: UUID) -> BaseProcess:
        worker: BaseProcess = _context().Process(
            target=_work, args=(self.work_at, run_ref_id, os.getpid()), daemon=True
        )
        worker.start()
        return worker


def _context() -> Any:
    """How a worker begins: as a copy of this process where that is safe, which spares it a second or two of imports."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "spawn")


def _work(work_at: Callable[[UUID, Callable[[], bool]], None], run_ref_id: UUID, boss: int) -> None:
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the terminal; the boss passes on what it wants to
    # Nothing here refers to itself, and to look for what does among a slice's objects takes a third of the time.
    gc.disable()
    work_at(run_ref_id, lambda: told.is_set() or os.getppid() != boss)
