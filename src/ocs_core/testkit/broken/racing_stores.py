"""Broken stores, second part: what shows only beside others, or in a collection run."""

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, Payer
from ocs_core.entities.process import ProcessRun, RunSlice, RunState
from ocs_core.errors import Conflict
from ocs_core.ledger import Ledger
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Found, Lookup, PayerBalance, SliceWanted
from ocs_core.testkit.broken.stores import DoesNotCheckVersions, UnitOfWork, breaks, breaks_runs

T = TypeVar("T")
A_MOMENT = 0.001
"""Seconds in which a reader comes between two writes, one time of fifty at the least."""
A_WHILE = 0.05
"""Seconds in which all who begin at once have begun, on a busy machine too."""


@breaks("test_nothing_is_seen_before_the_commit")
class ShowsWhatIsNotCommitted(UnitOfWork):
    """Readers do not wait, and read what is being written."""

    readers_wait = False


@breaks("test_a_reader_never_sees_half_an_assignment")
class ShowsHalfOfIt(UnitOfWork):
    """A reader comes between the writing of the payment and that of the document."""

    readers_wait = False

    def save(self, entity: E) -> E:
        saved = super().save(entity)
        time.sleep(A_MOMENT)
        return saved


@breaks("test_of_many_who_register_one_external_number_one_succeeds")
class LooksButDoesNotDecide(UnitOfWork):
    """Whether a number is taken is looked up first, and nothing stops who looked at the same moment."""

    store_locks = False

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        found = super().find(*lookups, key=key)
        time.sleep(A_WHILE)
        return found

    def _take(self, constraints: list[tuple[str, str]], ref_id: UUID) -> None:
        self.store.unique.update(dict.fromkeys(constraints, ref_id))


@breaks("test_of_many_who_send_one_request_id_one_performs_and_all_get_its_answer")
class PerformsARequestThatIsBeingPerformed(LooksButDoesNotDecide):
    """Whether a request was performed is looked up first, and nothing stops who looked at the same moment."""

    def remember(self, performed: Performed) -> None:
        self.store.performed[performed.key] = performed


@breaks("test_racing_assignments_never_assign_more_than_remains")
class ReadsWithoutLocking(DoesNotCheckVersions):
    """What will be changed is read like anything else: ten see the same remaining amount, and each takes its part."""

    store_locks = False

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        found = super().find(*lookups, key=key)
        time.sleep(A_WHILE)
        return found


@breaks("test_of_many_who_change_what_they_all_read_one_succeeds")
class ChecksVersionsTooEarly(UnitOfWork):
    """The version is compared in the application, and the row is written later, whatever it has become."""

    store_locks = False

    def save(self, entity: E) -> E:
        stored = self.one(type(entity), entity.ref_id)
        if stored is None or stored.version != entity.version:
            raise Conflict(str(entity.ref_id))
        time.sleep(A_WHILE)
        saved = attrs.evolve(entity, version=entity.version + 1)
        self._keep(saved)
        return saved


@breaks_runs("test_a_snapshot_stays_of_one_instant")
class HasNoSnapshots(UnitOfWork):
    """Each query of a unit of work sees what is there by then."""

    store_locks = False


@breaks("test_no_command_lands_on_an_account_after_its_deactivation")
class RemembersAccountsForEver(UnitOfWork):
    """A cache of accounts is never told that one was deactivated."""

    def answer(self, lookup: Lookup[T]) -> Any:
        found: Any = super().answer(lookup)
        if not isinstance(found, Account):
            return found
        return self.store.related["cache", found.ref_id].setdefault(found.ref_id, found)


@breaks_runs("test_a_slice_gives_each_payer_once_in_order_with_all_that_counts")
class BeginsASliceWithTheLastOne(UnitOfWork):
    """A slice begins at the key where the last one ended, not behind it."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        before = UUID(int=wanted.after.int - 1) if wanted.after else None
        return super().ledgers(attrs.evolve(wanted, after=before))


@breaks_runs("test_a_slice_knows_what_was_settled_and_cancelled_after_its_instant")
class FetchesOnlyWhatIsOpen(UnitOfWork):
    """What is paid by now is not fetched, even where it was open at the run's instant."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        return [
            attrs.evolve(
                ledger,
                documents=tuple(d for d in ledger.documents if d.due_amount),
                payments=tuple(p for p in ledger.payments if p.remaining_amount),
            )
            for ledger in super().ledgers(wanted)
        ]


@breaks_runs("test_a_slice_knows_what_was_settled_and_cancelled_after_its_instant")
class FetchesOnlyLiveSettlements(UnitOfWork):
    """A settlement that was cancelled is not fetched, even where it was in effect at the run's instant."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        return [
            attrs.evolve(ledger, settlements=tuple(s for s in ledger.settlements if not s.cancelled))
            for ledger in super().ledgers(wanted)
        ]


@breaks_runs("test_an_account_of_ten_thousand_documents_is_whole")
class FetchesAThousandAtTheMost(UnitOfWork):
    """A limit that nobody ever meets in a test."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        return [attrs.evolve(ledger, documents=ledger.documents[:1000]) for ledger in super().ledgers(wanted)]


@breaks_runs("test_the_slices_of_a_run_have_each_payer_once")
class EndsASliceBeforeItsEnd(UnitOfWork):
    """The end of a slice is taken to be outside of it."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        return [each for each in super().ledgers(wanted) if each.account.ref_id != wanted.through]


@breaks_runs("test_each_slice_is_taken_by_one_worker")
class TakesASliceThatIsDone(UnitOfWork):
    """Where nothing is left, the last one is given once more."""

    def take_slice(self, run_ref_id: UUID, number: int | None = None) -> RunSlice | None:
        taken, again = super().take_slice(run_ref_id, number), self.store.related["again", run_ref_id]
        if taken is None and not again:
            again[run_ref_id] = taken = self.slices(run_ref_id)[-1]
        return taken


@breaks_runs("test_a_run_that_is_cancelled_at_its_end_is_cancelled_or_done")
class KeepsARunWhateverItHasBecome(DoesNotCheckVersions):
    """A run is read without a lock, and kept without a look at what others made of it."""

    store_locks = False

    def run(self, ref_id: UUID) -> ProcessRun | None:
        found = super().run(ref_id)
        time.sleep(A_WHILE)
        return found


@breaks_runs("test_another_run_begins_as_soon_as_one_is_cancelled")
class LetsNobodyStartWhatWasEverBegun(UnitOfWork):
    """That a run is over is read off its slices, of which a cancelled one has some left."""

    def runs(self, process: str) -> Sequence[ProcessRun]:
        storing = [run for run in self.store.entities[ProcessRun].values() if not run.dry_run]
        left = [run for run in storing if self.take_slice(run.ref_id)]
        return [attrs.evolve(run, state=RunState.RUNNING) for run in left] + storing


@breaks_runs("test_a_slice_that_is_named_is_taken_by_one_worker_or_not_at_all")
class TakesAnotherSliceThanTheOneNamed(UnitOfWork):
    """Whatever is asked for, the first that is left is given."""

    def take_slice(self, run_ref_id: UUID, number: int | None = None) -> RunSlice | None:
        return super().take_slice(run_ref_id)


@breaks_runs("test_the_slices_that_are_left_are_those_that_are_not_done")
class TellsOfSlicesThatAreDone(UnitOfWork):
    """All that a run has is told to be left."""

    def slices_left(self, run_ref_id: UUID) -> Sequence[int]:
        return [part.number for part in self.slices(run_ref_id)]


@breaks_runs("test_what_a_run_found_is_kept_and_the_payers_given_back_whole")
class GivesPayersBackAsTheirRowsCome(UnitOfWork):
    """The order of the answer is taken for that of the question."""

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        return sorted(super().keep_balances(found, as_of, calculated_at), key=lambda payer: payer.ref_id)


@breaks_runs("test_what_a_run_found_is_kept_and_the_payers_given_back_whole")
class KeepsTheBalanceAlone(UnitOfWork):
    """Whether a payer is in collection is not written, and so told of again the next night."""

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        return super().keep_balances([each._replace(in_collection=False) for each in found], as_of, calculated_at)


@breaks_runs("test_a_run_takes_nothing_of_what_is_changed_of_a_payer_meanwhile")
class WritesPayersAsTheyWereWhenCalculated(UnitOfWork):
    """A payer is read with its slice, and written whole at the slice's end, whatever it has become."""

    store_locks = False

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        found = super().ledgers(wanted)
        self.store.related["read"].update({ledger.account.ref_id: ledger.payer for ledger in found})
        return found

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        kept = []
        for each in found:
            payer = self.store.related["read"][each.account.ref_id]
            kept.append(attrs.evolve(payer, collection_balance=each.collection_balance, version=payer.version + 1))
            self._keep(kept[-1])
        return kept


@breaks_runs("test_a_run_keeps_the_configuration_it_was_started_with")
class GoesByTheConfigurationOfToday(UnitOfWork):
    """What a run goes by is looked up when it goes on."""

    def run(self, ref_id: UUID) -> ProcessRun | None:
        run = super().run(ref_id)
        return run and attrs.evolve(run, configuration=self.store.configuration)
