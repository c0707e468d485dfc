"""The runner of collection runs: it loops over the slices, and decides nothing."""

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import attrs
import structlog

from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.errors import Conflict, StoreUnavailable
from ocs_core.queries import Queries
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceDone

ATTEMPTS = 8
"""How often a slice is tried when its payers change under it each time."""
PATIENCE_SECONDS = 1.0
"""How long the background waits before it goes on with a run that a store's absence interrupted."""

log = structlog.get_logger()


@attrs.frozen
class CollectionRunner:
    """Takes runs to their end: in the calling thread, or one after the other in a thread of its own."""

    calculate: CalculateCollectionBalance
    queries: Queries
    _wake: threading.Event = attrs.field(factory=threading.Event, init=False)
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)
    _threads: list[threading.Thread] = attrs.field(factory=list, init=False)

    def run(self, run_ref_id: UUID, on_slice: Callable[[SliceDone], None] = lambda done: None) -> ProcessRun:
        """Calculate slice by slice until the run is done, telling each. A run begun earlier goes on where it was."""
        while True:
            for done in self._slice(run_ref_id):
                on_slice(done)
            if done.run.state is not RunState.RUNNING or self._stop.is_set():
                return done.run

    def start(self) -> None:
        """Begin to take every run that is RUNNING to its end, in the background: those of before a crash, too."""
        thread = threading.Thread(target=self._work, name="collection-runner", daemon=True)
        self._threads.append(thread)
        self._wake.set()
        thread.start()

    def wake(self) -> None:
        """Tell the background that there is a new run."""
        self._wake.set()

    def stop(self) -> None:
        """End after the slice in hand; the run goes on at the next start."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                while not self._stop.is_set() and (running := self.queries.running()):
                    self.run(min(running, key=lambda r: (r.started_at, r.ref_id)).ref_id)
            except Exception as error:
                log.error("collection run interrupted", error=repr(error))
                if not self._stop.wait(PATIENCE_SECONDS):
                    self._wake.set()

    def _slice(self, run_ref_id: UUID) -> Iterator[SliceDone]:
        try:
            yield self._attempt(run_ref_id, None)
            return
        except (Conflict, StoreUnavailable):
            raise
        except Exception as error:
            log.warning("slice failed, going on payer by payer", run=str(run_ref_id), error=repr(error))
        # Some payer spoils the slice: alone, each shows whether it is the one.
        for _ in range(self.queries.configuration().collection.slice_size):
            done = self._one_payer(run_ref_id)
            yield done
            if done.run.state is not RunState.RUNNING:
                return

    def _one_payer(self, run_ref_id: UUID) -> SliceDone:
        try:
            return self._attempt(run_ref_id, 1)
        except (Conflict, StoreUnavailable):
            raise
        except Exception as error:
            return SliceDone(run=self.calculate.give_up_next(run_ref_id, error))

    def _attempt(self, run_ref_id: UUID, limit: int | None) -> SliceDone:
        for remaining in reversed(range(ATTEMPTS)):
            try:
                return self.calculate(run_ref_id, limit)
            except Conflict:
                if not remaining:
                    raise
        raise AssertionError
