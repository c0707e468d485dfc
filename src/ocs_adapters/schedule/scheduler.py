"""The scheduler: waits until the collection run is due, and starts it."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import attrs
import structlog

from ocs_adapters.schedule.cron import cron_times
from ocs_adapters.schedule.state import SqlSchedule
from ocs_adapters.telling import told
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, ProcessRun
from ocs_core.errors import RequestRejected
from ocs_core.messages import format_instant
from ocs_core.ports import Clock, Ids, RunStore
from ocs_core.queries import Queries
from ocs_core.schedule import Schedule, Seen, seen_at
from ocs_core.usecases.perform import Caller
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest

CALLER = Caller("schedule")
LOOK_SECONDS = 30.0
"""How long it rests at the most: so soon a changed configuration counts, and a clock that was set."""
PATIENCE_SECONDS = 1.0
"""How long it rests when the database does not answer."""

log: Any = structlog.get_logger()


@attrs.frozen
class Scheduler:
    """Starts a run as of now for each time that is due, in the transaction that remembers it: any number may work at once.

    A run that is refused is refused for that time; the next one is another.
    """

    schedule: SqlSchedule
    queries: Queries
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    started: Callable[[], None] = attrs.field(kw_only=True)
    """Told when there is a new run."""
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)
    _threads: list[threading.Thread] = attrs.field(factory=list, init=False)

    def step(self) -> float:
        """Start what is due; gives how many seconds may pass before the next step. Raises what the store raises."""
        # The configuration is read second: what another has seen of a newer one is then never replaced by an older one.
        before = self.schedule.seen()
        schedule, now = Schedule.of(self.queries.configuration(), cron_times), self.clock()
        seen = seen_at(now, schedule, before)
        if before is None:
            self.schedule.begin(seen)
        elif seen.fired_for != before.fired_for:
            self._tell(self.schedule.advance(before, lambda store: self._fired(store, seen)))
        elif seen != before:
            self.schedule.advance(before, lambda store: seen)
        due = schedule.after(now)
        return LOOK_SECONDS if due is None else min((due - now).total_seconds(), LOOK_SECONDS)

    def start(self) -> None:
        """Keep at it, in the background."""
        thread = threading.Thread(target=self._work, name="scheduler", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End after the step in hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                seconds = self.step()
            except Exception as error:
                log.error("schedule interrupted; what is due is done later", error=told(error))
                seconds = PATIENCE_SECONDS
            self._stop.wait(seconds)

    def _fired(self, store: RunStore, seen: Seen) -> Seen:
        start = StartCollectionRun(store, clock=self.clock, ids=self.ids)
        try:
            (step,) = start(_request(seen.fired_for), caller=CALLER).steps
        except RequestRejected as rejected:
            because = " ".join(f"{v.message} ({v.code})" for v in rejected.violations)
            return attrs.evolve(seen, run=None, refused_because=because)
        assert isinstance(step.object, ProcessRun)
        return attrs.evolve(seen, run=step.object.ref_id, refused_because=None)

    def _tell(self, fired: Seen | None) -> None:
        match fired:
            case Seen(fired_for=dt.datetime() as due, run=None):
                log.warning("no run was started at its time", due=format_instant(due), because=fired.refused_because)
            case Seen(fired_for=dt.datetime() as due):
                log.info("a run was started at its time", due=format_instant(due), run=str(fired.run))
                self.started()


def _request(due: dt.datetime | None) -> StartCollectionRunRequest:
    assert due is not None
    # One id for each time: should what was seen ever be lost, with a database restored, the run is not started again.
    return StartCollectionRunRequest(request_id=f"schedule:{CALCULATE_COLLECTION_BALANCE}:{format_instant(due)}")
