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
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import structlog

from ocs_adapters import logs, telling
from ocs_core.errors import OcsError

PROGRESS_SECONDS = 0.5
SLICES_AT_ONCE = 2
"""Of one worker: while one waits for the database, the other is calculated."""
NICENESS = 10
LOST_AT_MOST = 20
"""So many workers may be lost in one run before it is given up: what kills each of them is not bad luck."""

log = structlog.get_logger()


@attrs.frozen
class Crew:
    """Workers that take a run to its end. The truth is in the run's slices: who is lost leaves nothing but a slice to take."""

    work_at: Callable[[UUID, Callable[[], bool], int], None]
    """What each of them does, in a process of its own, until the run is over or it is told that it is to stop, with so many
    slices at once; it is sent there, so a function of a module."""

    def work(
        self,
        run_ref_id: UUID,
        workers: int | None,
        stop: threading.Event,
        on_progress: Callable[[], None],
        *,
        beside_others: bool = False,
    ) -> None:
        """Take a run to its end by that many processes, by default one for each processor; tells of progress now and then.

        `beside_others`: who asks something meanwhile is not to wait for it, so a processor is left free, and workers take no
        more than one each, and only what nobody else needs. Raises `OcsError` where worker after worker is lost.
        """
        processors = len(os.sched_getaffinity(0)) - beside_others
        crew = [self._hire(run_ref_id, beside_others) for _ in range(workers or max(processors, 1))]
        lost = 0
        try:
            while crew and not stop.is_set():
                wait([worker.sentinel for worker in crew], PROGRESS_SECONDS)
                on_progress()
                gone = [worker for worker in crew if not worker.is_alive()]
                crew = [worker for worker in crew if worker not in gone]
                if failed := [worker.exitcode for worker in gone if worker.exitcode]:
                    lost += len(failed)
                    if lost > LOST_AT_MOST:
                        raise OcsError(f"{lost} workers were lost, the last one with exit code {failed[-1]}.")
                    log.warning("workers were lost, others take their places", exit_codes=failed)
                    stop.wait(PROGRESS_SECONDS)  # what one was lost by is perhaps not over yet
                    crew += [self._hire(run_ref_id, beside_others) for _ in failed]
        finally:
            for worker in crew:
                worker.terminate()
            for worker in crew:
                worker.join()

    def _hire(self, run_ref_id: UUID, beside_others: bool) -> BaseProcess:
        worker: BaseProcess = _context().Process(
            target=_work, args=(self.work_at, run_ref_id, os.getpid(), beside_others), daemon=True
        )
        worker.start()
        return worker


def _context() -> Any:
    """How a worker begins: as a copy of this process where that is safe, which spares it a second or two of imports."""
    return multiprocessing.get_context("fork" if _has_one_thread() else "spawn")


def _has_one_thread() -> bool:
    """As the system counts them: Python does not know of all."""
    return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1


def _work(
    work_at: Callable[[UUID, Callable[[], bool], int], None], run_ref_id: UUID, boss: int, beside_others: bool
) -> None:
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the terminal; the boss passes on what it wants to
    # Of two slices at once, the one that is done first would switch the collector on under the other.
    gc.disable()
    if beside_others:
        os.nice(NICENESS)
    if not structlog.is_configured():  # a copy of the boss has its configuration
        logs.configure()
    try:
        work_at(run_ref_id, lambda: told.is_set() or os.getppid() != boss, 1 if beside_others else SLICES_AT_ONCE)
    except OcsError as error:
        log.error("a worker ends", error=telling.told(error))
        sys.exit(1)
    except Exception as error:
        log.error("a worker ends", exc_info=error)
        sys.exit(1)
