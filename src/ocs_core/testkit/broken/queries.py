"""Broken queries: the searches in memory, each with one filter, page or look that is not what it says."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attrs

from ocs_core.entities.account import Payer
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import ProcessRun, RunFailure, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.memory.queries import T
from ocs_core.queries import DocumentSearch, Page, PaymentSearch, ProcessRunSearch, Search
from ocs_core.testkit.broken.planted import planting
from ocs_core.testkit.contracts import Subject, published_in, queries_contract
from ocs_core.testkit.examples import configuration

Matches = Callable[[T], bool]


def _held(queries: type[MemoryQueries]) -> type:
    @contextmanager
    def make() -> Iterator[Subject]:
        store = MemoryStore(configuration())
        yield Subject(store, queries(store), lambda: published_in(store))

    return queries_contract(make)


_breaks = planting(queries_contract, _held, MemoryQueries)


@_breaks("test_texts_compare_exactly")
class SearchesWithoutCase(MemoryQueries):
    """A search that was meant kindly: small and capital letters are the same."""

    def payments(self, search: PaymentSearch) -> Page[Payment]:
        wanted = (search.payment_ref or "").casefold()

        def matches(payment: Payment) -> bool:
            references = (payment.payment_ref1, payment.payment_ref2, payment.payment_ref3)
            return not wanted or wanted in {(reference or "").casefold() for reference in references}

        found = super().payments(attrs.evolve(search, payment_ref=None, limit=200)).items
        return Page.of([p for p in found if matches(p)][: search.limit + 1], search.limit)


@_breaks("test_any_of_the_three_references_is_found")
class SearchesTheFirstReferenceOnly(MemoryQueries):
    """The second and third reference were added later."""

    def payments(self, search: PaymentSearch) -> Page[Payment]:
        found = super().payments(attrs.evolve(search, limit=200)).items
        matching = [p for p in found if search.payment_ref in {None, p.payment_ref1}]
        return Page.of(matching[: search.limit + 1], search.limit)


@_breaks("test_each_filter_finds_exactly_what_it_says")
class LosesUnidentifiedPayments(MemoryQueries):
    """An inner join with the accounts."""

    def payments(self, search: PaymentSearch) -> Page[Payment]:
        return super().payments(attrs.evolve(search, identified=True))


@_breaks("test_filters_together_find_what_each_of_them_finds")
class DropsTheSecondFilter(MemoryQueries):
    """A query put together by hand, where the one with an account forgets what else was asked for."""

    def documents(self, search: DocumentSearch) -> Page[Document]:
        return super().documents(attrs.evolve(search, state=None) if search.account_ref_id else search)


@_breaks("test_from_is_included_and_to_is_not_but_for_amounts")
class IncludesTheLastDay(MemoryQueries):
    """`BETWEEN` includes both ends: a document on the first of the month is in two months."""

    def documents(self, search: DocumentSearch) -> Page[Document]:
        date_to = search.date_to + dt.timedelta(days=1) if search.date_to else None
        return super().documents(attrs.evolve(search, date_to=date_to))


@_breaks("test_from_is_included_and_to_is_not_but_for_amounts")
class LeavesTheFirstInstantOut(MemoryQueries):
    """`>` where `>=` was meant: what came at midnight is in no month."""

    def payments(self, search: PaymentSearch) -> Page[Payment]:
        begins = isinstance(search.date_from, dt.datetime)
        date_from = search.date_from + dt.timedelta(microseconds=1) if begins and search.date_from else search.date_from
        return super().payments(attrs.evolve(search, date_from=date_from))


@_breaks("test_from_is_included_and_to_is_not_but_for_amounts")
class LeavesTheHighestAmountOut(MemoryQueries):
    """Amounts are handled as dates are."""

    def documents(self, search: DocumentSearch) -> Page[Document]:
        amount_to = None if search.amount_to is None else search.amount_to - 1
        return super().documents(attrs.evolve(search, amount_to=amount_to))


@_breaks("test_the_newest_come_first")
class GivesThemAsTheyWereWritten(MemoryQueries):
    """No order is asked for, and the table happens to be in one."""

    def _page(self, cls: type[T], search: Search, matches: Matches[T]) -> Page[T]:
        found: list[T] = [e for e in self.store.entities[cls].values() if matches(e)]
        behind = [e.ref_id for e in found].index(search.cursor) + 1 if search.cursor else 0
        return Page.of(found[behind : behind + search.limit + 1], search.limit)


@_breaks("test_pages_follow_one_another_without_gap_or_repetition")
class RepeatsTheLastRow(MemoryQueries):
    """The next page begins at the cursor, not behind it."""

    def _page(self, cls: type[T], search: Search, matches: Matches[T]) -> Page[T]:
        cursor = UUID(int=search.cursor.int + 1) if search.cursor else None
        return super()._page(cls, attrs.evolve(search, cursor=cursor), matches)


@_breaks("test_pages_follow_one_another_without_gap_or_repetition")
class LosesARowBetweenPages(MemoryQueries):
    """The cursor is the row that was fetched to know whether there are more."""

    def _page(self, cls: type[T], search: Search, matches: Matches[T]) -> Page[T]:
        more = super()._page(cls, attrs.evolve(search, limit=search.limit + 1), matches).items
        return Page(more[: search.limit], more[-1].ref_id if len(more) > search.limit else None)


@_breaks("test_a_page_is_not_moved_by_what_comes_meanwhile")
class CountsPages(MemoryQueries):
    """A page is so many rows from the top, wherever the top has come to be."""

    def _page(self, cls: type[T], search: Search, matches: Matches[T]) -> Page[T]:
        found = super()._page(cls, attrs.evolve(search, cursor=None, limit=200), matches).items
        skipped = search.cursor.int if search.cursor else 0
        shown = skipped + search.limit
        return Page(found[skipped:shown], UUID(int=shown) if len(found) > shown else None)


@_breaks("test_what_was_changed_is_found_as_it_is_now")
class SearchesACopy(MemoryQueries):
    """An index beside the database that is filled when something is new, and not when it changes."""

    def _page(self, cls: type[T], search: Search, matches: Matches[T]) -> Page[T]:
        first = [self._as_first_seen(e) for e in self.store.entities[cls].values()]
        return Page.of(sorted(filter(matches, first), key=lambda e: e.ref_id, reverse=True), search.limit)

    def _as_first_seen(self, entity: Any) -> Any:
        return self.store.related["copy", entity.ref_id].setdefault(entity.ref_id, entity)


@_breaks("test_a_ledger_has_all_that_ever_was")
class LedgersOfOpenItemsOnly(MemoryQueries):
    """What is paid is of no interest, until somebody asks for last month's balance."""

    def ledger(self, account_ref_id: UUID) -> Ledger | None:
        ledger = super().ledger(account_ref_id)
        return ledger and attrs.evolve(ledger, documents=tuple(d for d in ledger.documents if d.due_amount))


@_breaks("test_what_settles_a_document_is_what_is_not_cancelled")
class SettlementsOfAllTimes(MemoryQueries):
    """What was cancelled is still in the table, and was paid for a time."""

    def settlements(self, document_ref_id: UUID) -> Sequence[Settlement]:
        return list(self.store.related[Settlement, document_ref_id].values())


@_breaks("test_a_payer_is_what_was_stored_of_it_last")
class PayersAsTheyWereMade(MemoryQueries):
    """A row that was read once is kept for good: runs change it every night."""

    def payer(self, account_ref_id: UUID) -> Payer | None:
        payer = super().payer(account_ref_id)
        return payer and attrs.evolve(payer, collection_balance=None, in_collection=False)


@_breaks("test_an_open_balance_is_that_of_its_instant")
class LedgersWithoutSettlements(MemoryQueries):
    """What is open is in the row already, as it is now; the history was taken for what only an audit looks at."""

    def ledger(self, account_ref_id: UUID) -> Ledger | None:
        ledger = super().ledger(account_ref_id)
        return ledger and attrs.evolve(ledger, settlements=())


@_breaks("test_pages_of_lines_are_together_all_items")
class EndsPagesWithTheDocuments(MemoryQueries):
    """A page is full when the documents end: nobody asks whether there are payments, too."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        page = super().lines(account_ref_id, limit, cursor)
        ledger = self.ledger(account_ref_id)
        if page and ledger and page.next == max((d.ref_id for d in ledger.documents), default=None):
            return attrs.evolve(page, next=None)
        return page


@_breaks("test_a_line_says_on_its_page_what_it_says_among_all")
class PagesWithoutWhatWasSettledElsewhere(MemoryQueries):
    """Settlements are read by account, and a payment came from another one."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        page = super().lines(account_ref_id, limit, cursor)
        if page is None:
            return None
        own = tuple(s for s in page.part.settlements if s.account.ref_id == account_ref_id)
        return attrs.evolve(page, part=attrs.evolve(page.part, settlements=own))


@_breaks("test_a_line_says_on_its_page_what_it_says_among_all")
class PagesWithSettlementsWithinThem(MemoryQueries):
    """Settlements are read where both of their sides are on the page."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        page = super().lines(account_ref_id, limit, cursor)
        if page is None:
            return None
        items = {d.ref_id for d in page.part.documents} | {p.ref_id for p in page.part.payments}
        within = tuple(s for s in page.part.settlements if {s.source_ref_id, s.target_ref_id} <= items)
        return attrs.evolve(page, part=attrs.evolve(page.part, settlements=within))


@_breaks("test_pages_of_lines_are_not_moved_by_what_comes_and_goes_meanwhile")
class BeginsAnewWhereThePaymentHasLeft(MemoryQueries):
    """A cursor that is not found among the payer's items is taken for none."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        ledger = self.ledger(account_ref_id)
        if ledger and cursor not in {d.ref_id for d in ledger.documents} | {p.ref_id for p in ledger.payments}:
            cursor = None
        return super().lines(account_ref_id, limit, cursor)


@_breaks("test_only_a_payer_has_lines")
class LinesOfAnybody(MemoryQueries):
    """Who is not found has nothing, and nothing is an empty page."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        return super().lines(account_ref_id, limit, cursor) or super().lines(self._anybody(), limit, cursor)

    def _anybody(self) -> UUID:
        payers = self.store.entities[Payer]
        return next(ref_id for ref_id in payers if not self.store.related[Document, ref_id])


@_breaks("test_a_cancelled_run_counts_what_was_kept_of_it_afterwards")
class TakesARunThatIsOverAsItWas(MemoryQueries):
    """A run that is not going on any more is taken to be at rest, and its slices are not asked."""

    def run(self, ref_id: UUID) -> ProcessRun | None:
        run = self.store.entities[ProcessRun].get(ref_id)
        return super().run(ref_id) if run and run.state is RunState.RUNNING else run


@_breaks("test_runs_are_listed_as_far_as_they_are")
class ListsRunsAsTheyBegan(MemoryQueries):
    """The slices, where the progress is, were thought of for one run only."""

    def runs(self, search: ProcessRunSearch) -> Page[ProcessRun]:
        return self._page(ProcessRun, search, lambda run: True)


@_breaks("test_every_failure_of_a_run_is_told")
class TellsTheFirstFailuresOnly(MemoryQueries):
    """The failures that a run tells are taken for all of them."""

    def failures(self, run_ref_id: UUID) -> Sequence[RunFailure]:
        run = self.run(run_ref_id)
        return run.failures if run else ()
