"""The runner of collection runs: it loops over the slices, and decides nothing."""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import attrs
import structlog

from ocs_adapters.process.crew import Crew
from ocs_adapters.process.dispatcher import Dispatcher
from ocs_adapters.telling import told
from ocs_core.entities.configuration import CollectionSetting
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.errors import Conflict
from ocs_core.queries import Queries
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceDone, SliceFailed

ATTEMPTS = 8
"""How often a slice is tried when its payers change under it each time, each time with half of them."""
SLICE_SECONDS = 2.0
"""A transaction that takes longer is followed by one of half as many payers: others wait for what it holds."""
PATIENCE_SECONDS = 1.0
"""How long the background waits before it goes on with a run that a store's absence interrupted."""
POLL_SECONDS = 0.25
"""How often who finds nothing left looks whether others have done their slices, or have left them."""

log = structlog.get_logger()


@attrs.define
class Pace:
    """How many payers one transaction calculates: at the most `most`, fewer where that takes too long."""

    most: int
    limit: int = attrs.field(init=False)

    @limit.default
    def _begin_with_all(self) -> int:
        return self.most

    def took(self, seconds: float) -> None:
        if seconds > SLICE_SECONDS:
            self.halve()
        elif seconds < SLICE_SECONDS / 4:
            self.limit = min(self.limit * 2, self.most)

    def halve(self) -> None:
        self.limit = max(self.limit // 2, 1)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing of a slice refers to itself, and to look for what does among so many objects takes a third of the time."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


@attrs.define
class _Telling:
    """Tells of progress, in no more than a tenth of the time: to know it, all slices of a run are read."""

    tell: Callable[[], None]
    _rests_until: float = attrs.field(default=0.0, init=False)

    def __call__(self) -> None:
        began = time.monotonic()
        if began >= self._rests_until:
            self.tell()
            self._rests_until = began + 10 * (time.monotonic() - began)


@attrs.frozen
class CollectionRunner:
    """Takes runs to their end: in the calling thread, by a crew of processes, by workers of other machines. In the background
    those that store go one after the other, and dry runs so beside them: nobody waits for who only looks."""

    calculate: CalculateCollectionBalance
    queries: Queries
    crew: Crew | None = None
    """Who shares the slices; None: they are calculated here, one after the other."""
    dispatcher: Dispatcher | None = None
    """Who has them calculated elsewhere, unless a number of processes is asked for."""
    _wakes: Mapping[bool, threading.Event] = attrs.field(
        factory=lambda: {dry_run: threading.Event() for dry_run in (False, True)}, init=False
    )
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)
    _threads: list[threading.Thread] = attrs.field(factory=list, init=False)

    def run(self, run_ref_id: UUID, on_slice: Callable[[SliceDone], None] = lambda done: None) -> ProcessRun:
        """Calculate slice by slice, telling each, until the run is over or this is to stop.

        A run begun earlier goes on where it was; others may be at it, too. Raises `LookupError` where there is no such run.
        """
        pace = self.pace(run_ref_id)
        while not self._stop.is_set():
            for done in self._slice(run_ref_id, pace):
                on_slice(done)
                if done.part is None and done.run.state is RunState.RUNNING:
                    self._stop.wait(POLL_SECONDS)
            if done.run.state is not RunState.RUNNING:
                break
        return self._of(run_ref_id)

    def pace(self, run_ref_id: UUID) -> Pace:
        """How fast a run's slices are calculated, to begin with. Raises `LookupError` where there is no such run."""
        return Pace(self._setting(self._of(run_ref_id)).slice_size)

    def run_slice(self, run_ref_id: UUID, number: int, pace: Pace) -> Iterator[SliceDone]:
        """Calculate one slice of a run to its end, telling each transaction; nothing where it is done, others hold it, or the
        run is over. Raises `LookupError` where there is no such run."""
        is_done = False
        while not is_done:
            for done in self._slice(run_ref_id, pace, number):
                if done.part is None:
                    return
                yield done
                is_done = done.part.done

    def finish(
        self,
        run_ref_id: UUID,
        workers: int | None = None,
        on_progress: Callable[[ProcessRun], None] = lambda run: None,
        *,
        beside_others: bool = False,
    ) -> ProcessRun:
        """The same by the dispatcher's workers, or by so many processes: `workers`, else as the run's configuration says;
        telling how far it is. `beside_others`: the machine has more to do. Raises `PlatformUnavailable` where the workers cannot
        be told."""
        run = self._of(run_ref_id)
        wanted = workers or self._setting(run).workers
        tell = _Telling(lambda: on_progress(self._of(run_ref_id)))
        if run.slices_total - run.slices_done > 1:
            if self.dispatcher is not None and workers is None:
                self.dispatcher.work(run_ref_id, self._stop, tell)
            elif self.crew is not None:
                self.crew.work(run_ref_id, wanted, self._stop, tell, beside_others=beside_others)
        # Whoever finds nothing left ends the run.
        run = self.run(run_ref_id, lambda done: tell())
        on_progress(run)
        return run

    def start(self) -> None:
        """Begin to take every run that is RUNNING to its end, in the background: those of before a crash, too."""
        self.wake()
        for dry_run in self._wakes:
            thread = threading.Thread(target=self._work, args=(dry_run,), name="collection-runner", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Tell the background that there is a new run."""
        for wake in self._wakes.values():
            wake.set()

    def stop(self) -> None:
        """End after the slice in hand; the run goes on at the next start."""
        self.end_soon()
        for thread in self._threads:
            thread.join()

    def end_soon(self) -> None:
        """The same without waiting for it."""
        self._stop.set()
        self.wake()

    def _of(self, run_ref_id: UUID) -> ProcessRun:
        run = self.queries.run(run_ref_id)
        if run is None:
            raise LookupError(f"there is no run {run_ref_id}")
        return run

    def _setting(self, run: ProcessRun) -> CollectionSetting:
        return (run.configuration or self.queries.configuration()).collection

    def _work(self, dry_run: bool) -> None:
        wake = self._wakes[dry_run]
        while not self._stop.is_set():
            wake.wait()
            wake.clear()
            try:
                while not self._stop.is_set() and (running := self._running(dry_run)):
                    run = min(running, key=lambda r: (r.started_at, r.ref_id))
                    self.finish(run.ref_id, beside_others=True)
            except Exception as error:
                log.error("collection run interrupted", error=told(error))
                if not self._stop.wait(PATIENCE_SECONDS):
                    wake.set()

    def _running(self, dry_run: bool) -> list[ProcessRun]:
        return [run for run in self.queries.running() if run.dry_run is dry_run]

    def _slice(self, run_ref_id: UUID, pace: Pace, number: int | None = None) -> Iterator[SliceDone]:
        began = time.monotonic()
        try:
            yield self._attempt(run_ref_id, pace, number)
            pace.took(time.monotonic() - began)
        except SliceFailed as failed:
            log.warning(
                "slice failed, going on around who spoils it", run=str(run_ref_id), error=repr(failed.__cause__)
            )
            yield from self._around(run_ref_id, pace.limit, number)

    def _around(self, run_ref_id: UUID, payers: int, number: int | None) -> Iterator[SliceDone]:
        """Some of the next payers spoil the slice: the part in which one is is halved until it stands alone and is given up;
        behind it the parts grow again."""
        part, narrowing = Pace(payers), True
        part.halve()
        while payers > 0:
            tried = part.limit
            try:
                done = self._attempt(run_ref_id, part, number)
            except SliceFailed as failed:
                narrowing = tried > 1
                part.halve()
                if narrowing:
                    continue
                done = self.calculate.give_up_next(failed)
            else:
                part.limit = max(part.limit // 2, 1) if narrowing else min(part.limit * 2, payers)
            yield done
            if done.part is None or done.part.done:
                return
            payers -= tried

    def _attempt(self, run_ref_id: UUID, pace: Pace, number: int | None) -> SliceDone:
        for remaining in reversed(range(ATTEMPTS)):
            try:
                with _uncollected():
                    return self.calculate(run_ref_id, pace.limit, number)
            except Conflict:
                if not remaining:
                    raise
                pace.halve()
        raise AssertionError
