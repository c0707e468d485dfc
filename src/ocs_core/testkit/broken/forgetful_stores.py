"""Broken stores, third part: what is left out where there is much, where it is old, or where it is of another kind."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName, AccountState
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentType
from ocs_core.entities.process import ProcessRun, RunFailure, RunSlice
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.performed import Performed
from ocs_core.ports import (
    AccountsNamed,
    AdjustmentsOf,
    E,
    LiveSettlements,
    Lookup,
    Series,
    SlicePlan,
    SliceWanted,
    TakenEvents,
)
from ocs_core.testkit.broken.stores import UnitOfWork, breaks, breaks_runs

T = TypeVar("T")
A_PAGE = 100


def _some_of(found: Any) -> Any:
    return found[:A_PAGE]


@breaks("test_whatever_is_kept_is_kept_once_under_its_id")
class ForgetsTheHistory(UnitOfWork):
    """The table of a payment's history was never made; nobody reads it."""

    def add(self, entity: E) -> E:
        return entity if isinstance(entity, PaymentHistory) else super().add(entity)


@breaks("test_whatever_is_kept_is_kept_once_under_its_id")
class PutsWhatIsAddedInThePlaceOfWhatIsThere(UnitOfWork):
    """`INSERT OR REPLACE`."""

    def add(self, entity: E) -> E:
        self.put(self.store.entities[type(entity)], entity.ref_id, None)
        return super().add(entity)


@breaks("test_what_was_never_kept_cannot_be_changed")
class KeepsWhatIsChangedWhereverItIsNot(UnitOfWork):
    """An upsert."""

    def save(self, entity: E) -> E:
        if self.one(type(entity), entity.ref_id) is None:
            return self.add(entity)
        return super().save(entity)


@breaks("test_a_unique_value_stays_taken_whatever_becomes_of_its_owner")
class FreesTheNumbersOfWhatIsCancelled(UnitOfWork):
    """The unique index leaves cancelled rows out."""

    def save(self, entity: E) -> E:
        saved = super().save(entity)
        if getattr(saved, "cancelled", False):
            for constraint, ref_id in list(self.store.unique.items()):
                if ref_id == saved.ref_id and "external" in constraint[0]:  # type: ignore[index]
                    self.put(self.store.unique, constraint, None)
        return saved


@breaks("test_what_is_cancelled_is_still_found_by_its_numbers")
class HidesWhatIsCancelled(UnitOfWork):
    """Deleted softly: every look-up leaves out what is cancelled."""

    def answer(self, lookup: Lookup[T]) -> Any:
        found = super().answer(lookup)
        return None if isinstance(found, Payment | Document) and found.cancelled else found


@breaks("test_an_event_is_found_with_all_its_adjustments")
class FindsAPageOfAdjustments(UnitOfWork):
    """A limit that was meant for lists."""

    def answer(self, lookup: Lookup[T]) -> Any:
        return _some_of(super().answer(lookup)) if isinstance(lookup, AdjustmentsOf) else super().answer(lookup)


@breaks("test_an_item_is_found_with_all_its_live_settlements")
class FindsAPageOfSettlements(UnitOfWork):
    """The same limit, elsewhere."""

    def answer(self, lookup: Lookup[T]) -> Any:
        return _some_of(super().answer(lookup)) if isinstance(lookup, LiveSettlements) else super().answer(lookup)


@breaks("test_a_settlement_is_found_from_either_side_whatever_its_sides_are")
class TakesEverySourceForAPayment(UnitOfWork):
    """A document is looked for among the targets alone."""

    def answer(self, lookup: Lookup[T]) -> Any:
        found: Any = super().answer(lookup)
        if not isinstance(lookup, LiveSettlements) or lookup.document is None:
            return found
        return tuple(s for s in found if s.source_ref_id != lookup.document.ref_id)


@breaks("test_many_accounts_are_found_each_by_the_name_it_was_asked_by")
class FindsAPageOfAccounts(UnitOfWork):
    """A list of parameters was cut where the driver's manual said."""

    def answer(self, lookup: Lookup[T]) -> Any:
        if isinstance(lookup, AccountsNamed):
            return super().answer(AccountsNamed(_some_of(lookup.names)))
        return super().answer(lookup)


@breaks("test_many_accounts_are_found_each_by_the_name_it_was_asked_by")
class FindsAccountsByTheirRefIdAlone(UnitOfWork):
    """What is asked by external id is answered by ref_id."""

    def answer(self, lookup: Lookup[T]) -> Any:
        found: Any = super().answer(lookup)
        if isinstance(lookup, AccountsNamed):
            return {AccountName(ref_id=account.ref_id): account for account in found.values()}
        return found


@breaks("test_of_many_external_ids_all_that_are_taken_are_told")
class LooksAtAPageOfExternalIds(UnitOfWork):
    """The same cut, elsewhere."""

    def answer(self, lookup: Lookup[T]) -> Any:
        if isinstance(lookup, TakenEvents):
            return super().answer(TakenEvents(_some_of(lookup.external_ids)))
        return super().answer(lookup)


@breaks("test_each_series_counts_for_itself")
class DrawsAllNumbersFromOneSeries(UnitOfWork):
    """One counter for everything, so that no number comes twice."""

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        return super().draw(attrs.evolve(series, name="all"), count)


@breaks("test_an_answer_comes_back_with_everything_that_was_in_it")
class RemembersTheFirstStepOfAnAnswer(UnitOfWork):
    """Of the answer what matters most is kept."""

    def remember(self, performed: Performed) -> None:
        answer = performed.answer and attrs.evolve(performed.answer, steps=performed.answer.steps[:1])
        super().remember(attrs.evolve(performed, answer=answer))


@breaks("test_an_answer_comes_back_with_everything_that_was_in_it")
class RemembersAPageOfWhatWasTouched(UnitOfWork):
    """The ids fit a column of so many bytes."""

    def remember(self, performed: Performed) -> None:
        super().remember(attrs.evolve(performed, ref_ids=performed.ref_ids[:A_PAGE]))


@breaks_runs("test_everybody_is_calculated_but_the_deactivated")
class PlansForTheDeactivated(UnitOfWork):
    """The plan counts every payer, the slices leave out those that are gone."""

    def plan_slices(self, accounts: tuple[UUID, ...], size: int) -> SlicePlan:
        payers = sorted(ref for ref in self._every_payer() if not accounts or ref in accounts)
        return SlicePlan(len(payers), [payers[last] for last in range(size - 1, len(payers) - 1, size)])

    def _every_payer(self) -> list[UUID]:
        return [a.ref_id for a in self.store.entities[Account].values() if a.payer_account == a.ref]


@breaks_runs("test_everybody_is_calculated_but_the_deactivated")
class CalculatesActiveAccountsAlone(UnitOfWork):
    """Who is suspended is left in peace."""

    def _to_calculate(self, accounts: tuple[UUID, ...]) -> list[UUID]:
        states = self.store.entities[Account]
        return [ref for ref in super()._to_calculate(accounts) if states[ref].state is AccountState.ACTIVE]


@breaks_runs("test_a_payer_that_was_never_calculated_is_calculated_like_any_other")
class PassesOverNewPayers(UnitOfWork):
    """`collection_balance_as_of <= T` is not true of nothing."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        return [each for each in super().ledgers(wanted) if each.payer.collection_balance_as_of is not None]


class _FetchesSome(UnitOfWork):
    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        return [
            attrs.evolve(
                each,
                documents=tuple(d for d in each.documents if self.has(d)),
                payments=tuple(p for p in each.payments if self.has(p)),
            )
            for each in super().ledgers(wanted)
        ]

    def has(self, item: Document | Payment) -> bool:
        raise NotImplementedError


@breaks_runs("test_whatever_is_open_of_a_payer_is_in_its_slice")
class FetchesReceivablesAlone(_FetchesSome):
    """What the provider owes is another department's."""

    def has(self, item: Document | Payment) -> bool:
        return isinstance(item, Payment) or item.due_amount_type is DueAmountType.AR


@breaks_runs("test_whatever_is_open_of_a_payer_is_in_its_slice")
class FetchesTheAccountsOwnCurrency(_FetchesSome):
    """What does not count is not fetched, and so nowhere told of."""

    def has(self, item: Document | Payment) -> bool:
        return item.currency == "EUR"


@breaks_runs("test_whatever_is_open_of_a_payer_is_in_its_slice")
class FetchesIncomingPaymentsAlone(_FetchesSome):
    """Whether money that was sent counts is decided where it is not to be."""

    def has(self, item: Document | Payment) -> bool:
        return isinstance(item, Document) or item.payment_type is PaymentType.IN


@breaks_runs("test_a_payment_is_in_the_ledger_of_its_own_account_alone")
class LeavesAPaymentWhereItWas(UnitOfWork):
    """The index of an account's payments is added to, and never taken from."""

    def save(self, entity: E) -> E:
        stored = self.one(type(entity), entity.ref_id)
        saved = super().save(entity)
        if isinstance(stored, Payment) and stored.account:
            self.put(self.store.related[Payment, stored.account.ref_id], saved.ref_id, saved)
        return saved


@breaks_runs("test_a_payment_that_moved_to_another_account_takes_its_past_into_the_slice")
class FetchesSettlementsByTheirAccount(UnitOfWork):
    """A settlement belongs to the account it was made on, wherever its payment is by now."""

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        def own(ledger: Ledger) -> tuple[Settlement, ...]:
            return tuple(s for s in ledger.settlements if s.account == ledger.account.ref)

        return [attrs.evolve(each, settlements=own(each)) for each in super().ledgers(wanted)]


def _changed(kind: type, entity: E, **changes: Any) -> E:
    """An entity with something else in its place, if it is of that kind."""
    return attrs.evolve(entity, **changes) if isinstance(entity, kind) else entity


def _failures(entity: Any) -> tuple[RunFailure, ...]:
    return entity.failures if isinstance(entity, RunSlice) else ()


@breaks_runs("test_what_a_slice_found_is_kept_whole")
class KeepsAPageOfFailures(UnitOfWork):
    """A slice tells of so many failures at the most."""

    def save(self, entity: E) -> E:
        return super().save(_changed(RunSlice, entity, failures=_failures(entity)[:A_PAGE]))


@breaks_runs("test_what_a_slice_found_is_kept_whole")
class KeepsFailuresWithoutTheirSentence(UnitOfWork):
    """The code says it all."""

    def save(self, entity: E) -> E:
        bare = tuple(attrs.evolve(failure, message=failure.code) for failure in _failures(entity))
        return super().save(_changed(RunSlice, entity, failures=bare))


@breaks_runs("test_a_run_is_kept_whole")
class ForgetsWhoARunIsOver(UnitOfWork):
    """A run over two accounts goes on as one over all."""

    def add(self, entity: E) -> E:
        return super().add(_changed(ProcessRun, entity, accounts=()))


@breaks_runs("test_runs_that_are_over_and_other_processes_are_in_nobodys_way")
class CountsRunsThatAreOver(UnitOfWork):
    """Any run there ever was is in the way of the next."""

    def runs(self, process: str) -> Sequence[ProcessRun]:
        return [run for run in self.store.entities[ProcessRun].values() if run.process == process]


@breaks_runs("test_a_run_that_goes_on_keeps_its_configuration")
class LosesTheConfigurationOnTheWay(UnitOfWork):
    """What is not compared was taken for not needed, and is not written again."""

    def save(self, entity: E) -> E:
        return super().save(_changed(ProcessRun, entity, configuration=None))
