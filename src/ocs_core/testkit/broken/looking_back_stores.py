"""Broken stores: what runs went through is told wrongly, and a balance goes back in time."""

from collections.abc import Sequence
from uuid import UUID

import attrs

from ocs_core.entities.process import GoneThrough, ProcessRun, RunState
from ocs_core.ports import SliceWanted
from ocs_core.testkit.broken.stores import UnitOfWork, breaks_runs


@breaks_runs("test_whatever_runs_are_made_nobody_is_stored_as_of_an_earlier_instant")
class KnowsWhatWasStoredAlone(UnitOfWork):
    """A payer's own balance tells when it was calculated last; where nothing changed, it does not."""

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        return ()


@breaks_runs("test_what_a_worker_still_holds_of_a_cancelled_run_is_waited_for")
class LooksBackBesideASliceInHand(UnitOfWork):
    """It is read without a lock: what another has found by now, and is about to write, is not there yet."""

    store_locks = False


@breaks_runs("test_who_was_found_unchanged_is_not_stored_as_of_an_earlier_instant")
class LooksForRunsThatBeganLater(UnitOfWork):
    """Which of them saw a payer as of a later instant is taken for when this run begins, and not as of when it is."""

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        now = max(run.started_at for run in self.store.entities[ProcessRun].values())
        return super().gone_through(process, attrs.evolve(wanted, as_of=now))


@breaks_runs("test_a_run_shuts_the_past_for_those_alone_whom_it_went_through")
class TakesOneAccountForAll(UnitOfWork):
    """A run is a run, whomever it was limited to."""

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        return [attrs.evolve(each, accounts=frozenset()) for each in super().gone_through(process, wanted)]


@breaks_runs("test_whatever_runs_are_made_nobody_is_stored_as_of_an_earlier_instant")
class ForgetsRunsThatWereCancelled(UnitOfWork):
    """What was cancelled is as if it had never been, though it stored and told what it found until then."""

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        ended = {run.started_at for run in self._storing() if run.state is not RunState.CANCELLED}
        return [each for each in super().gone_through(process, wanted) if each.started_at in ended]

    def _storing(self) -> list[ProcessRun]:
        return [run for run in self.store.entities[ProcessRun].values() if not run.dry_run]


@breaks_runs("test_a_slice_is_told_what_runs_went_through_in_it")
class TakesEverySliceFromTheFirst(UnitOfWork):
    """Where a slice began stands in the one before it, and is not looked up."""

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        return [attrs.evolve(each, after=None) for each in super().gone_through(process, wanted)]


@breaks_runs("test_what_a_cancelled_run_did_not_come_to_is_shut_for_nobody")
class TakesASliceForDoneThatIsNot(UnitOfWork):
    """A run that is over went through all: also one that was cancelled in the middle."""

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        runs = [run for run in self.store.entities[ProcessRun].values() if run.state is not RunState.RUNNING]
        later = [run for run in runs if run.started_at > wanted.as_of and not run.dry_run]
        return [
            GoneThrough(
                as_of=run.as_of, as_of_day=None, started_at=run.started_at, after=None, through=UUID(int=2**128 - 1)
            )
            for run in later
        ]
