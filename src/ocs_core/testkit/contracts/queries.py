"""The laws of `Queries`: what each filter means, how pages follow one another, and that all of a ledger is there."""

import datetime as dt
import itertools
from typing import Any

import attrs
import pytest

from ocs_core.configuring import Use
from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import KINDS
from ocs_core.entities.document import Document, DocumentState
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import FAILURES_TOLD, RunFailure, RunSlice, RunState
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.ports import Store
from ocs_core.queries import (
    AccountSearch,
    ChargeableEventSearch,
    DocumentSearch,
    PaymentSearch,
    ProcessRunSearch,
    Queries,
    Search,
)
from ocs_core.testkit.contracts.lines import line_laws
from ocs_core.testkit.contracts.subject import Make, Subject, contract
from ocs_core.testkit.contracts.values import (
    a_payer,
    a_payment,
    a_run,
    an_account,
    id_of,
)
from ocs_core.testkit.contracts.world import (
    ACCOUNTS,
    ANN,
    ANN_TOO,
    DAY,
    DOCUMENTS,
    EVERYTHING,
    FILTERS,
    GONE,
    LISTS,
    RUNS,
    SETTLEMENTS,
    TECHNICAL,
    TODAY,
)
from ocs_core.testkit.examples import UNIT, configuration, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.read_open_balance import OpenBalanceView, ReadOpenBalance, ReadOpenBalanceRequest

EDGES = {
    "a payment on the first instant": (PaymentSearch(date_from=NOW, date_to=NOW + DAY), [10, 14]),
    "a payment on the first day": (PaymentSearch(date_from=TODAY, date_to=TODAY + DAY), [10, 14, 16]),
    "a document on the first day": (DocumentSearch(date_from=TODAY, date_to=TODAY + DAY), [20, 22, 23, 24]),
    "a chargeable event on the first instant": (ChargeableEventSearch(date_from=NOW, date_to=NOW + DAY), [30, 32]),
    "a payment of exactly the amount": (PaymentSearch(amount_from=20 * UNIT, amount_to=20 * UNIT), [11, 13, 16]),
    "a document of exactly the amount": (DocumentSearch(amount_from=20 * UNIT, amount_to=20 * UNIT), [21, 23, 25]),
    "a charge of exactly the amount": (ChargeableEventSearch(amount_from=-4 * UNIT, amount_to=-4 * UNIT), [31]),
}


def queries_contract(make: Make, *, runs: bool = True) -> type:
    """The laws of `Queries`: what each filter means, how pages follow one another, and that all of a ledger is there. `runs`:
    those of runs, too."""
    return contract("QueriesContract", make, _lists(), _looks(), line_laws(), *([_runs()] if runs else []))


def _lists() -> type:
    class ListLaws:
        @pytest.mark.parametrize("cls", LISTS, ids=LISTS.values())
        def test_each_filter_finds_exactly_what_it_says(self, subject: Subject, cls: type[Search]) -> None:
            """Whatever an adapter makes of a filter, it finds what the shortest reading of it finds in memory."""
            _fill(subject.store)
            reference = _reference()
            tried = {f"{name}={v!r}": cls(limit=200, **{name: v}) for name, vs in FILTERS[cls].items() for v in vs}
            found = {told: _numbers(subject.queries, search) for told, search in tried.items()}
            assert found == {told: _numbers(reference, search) for told, search in tried.items()}

        @pytest.mark.parametrize("cls", LISTS, ids=LISTS.values())
        def test_filters_together_find_what_each_of_them_finds(self, subject: Subject, cls: type[Search]) -> None:
            """A second filter narrows the first; one that is dropped shows a customer what is another's."""
            _fill(subject.store)
            for one, other in itertools.combinations(FILTERS[cls], 2):
                first, second = {one: FILTERS[cls][one][0]}, {other: FILTERS[cls][other][0]}
                alone = [_numbers(subject.queries, cls(limit=200, **given)) for given in (first, second)]
                together = _numbers(subject.queries, cls(limit=200, **first, **second))
                assert together == [n for n in alone[0] if n in alone[1]], f"{first} with {second}"

        @pytest.mark.parametrize(("search", "expected"), EDGES.values(), ids=EDGES)
        def test_from_is_included_and_to_is_not_but_for_amounts(
            self, subject: Subject, search: Search, expected: list[int]
        ) -> None:
            """Months that follow one another have each payment once; an amount that is searched for is found."""
            _fill(subject.store)
            assert _numbers(subject.queries, search) == expected[::-1]

        def test_texts_compare_exactly(self, subject: Subject) -> None:
            """`R-1` and `r-1` are two customers' references: a search that takes them for one pairs money with the wrong debt."""
            _fill(subject.store)
            assert _numbers(subject.queries, PaymentSearch(payment_ref="r-1")) == [14]
            assert _numbers(subject.queries, AccountSearch(customer="ann")) == [2]
            assert _numbers(subject.queries, DocumentSearch(external_document_no="e-1")) == [22]
            assert _numbers(subject.queries, ChargeableEventSearch(event_type="Call")) == [33]

        def test_any_of_the_three_references_is_found(self, subject: Subject) -> None:
            """A bank puts what the customer wrote wherever it likes."""
            _fill(subject.store)
            assert _numbers(subject.queries, PaymentSearch(payment_ref="R-1")) == [16, 12, 11, 10]
            assert _numbers(subject.queries, DocumentSearch(payment_ref="R-1")) == [22, 21, 20]

        @pytest.mark.parametrize("cls", LISTS, ids=LISTS.values())
        def test_the_newest_come_first(self, subject: Subject, cls: type[Search]) -> None:
            """Whoever looks at a list looks for what has just happened, in whatever order it was written."""
            _fill(subject.store, sorted(EVERYTHING, key=lambda entity: _number(entity) * 7 % 11))
            numbers = _numbers(subject.queries, cls(limit=200))
            assert numbers == sorted(numbers, reverse=True)
            assert len(numbers) >= 4

        @pytest.mark.parametrize("cls", LISTS, ids=LISTS.values())
        def test_pages_follow_one_another_without_gap_or_repetition(self, subject: Subject, cls: type[Search]) -> None:
            """A list that is read page by page is the list: a row that two pages lose is a payment nobody ever sees."""
            _fill(subject.store)
            narrowings: list[dict[str, Any]] = [{}, {"account_external_id": "A-1"}]
            for limit, given in itertools.product((1, 2, 3, 200), narrowings):
                whole, cursor = _numbers(subject.queries, cls(limit=200, **given)), None
                seen: list[int] = []
                for _ in range(len(whole) + 1):
                    page = getattr(subject.queries, LISTS[cls])(cls(limit=limit, cursor=cursor, **given))
                    assert len(page.items) <= limit
                    seen += [_number(item) for item in page.items]
                    if (cursor := page.next) is None:
                        break
                assert (seen, cursor) == (whole, None), f"in pages of {limit}, narrowed by {given}"

        def test_a_page_is_not_moved_by_what_comes_meanwhile(self, subject: Subject) -> None:
            """Payments arrive while a clerk turns pages: none that was there may be shown twice, or never."""
            _fill(subject.store)
            first = subject.queries.payments(PaymentSearch(limit=3))
            with subject.store.begin() as uow:
                uow.add(a_payment(90))
            rest = subject.queries.payments(PaymentSearch(limit=200, cursor=first.next))
            assert [_number(p) for p in (*first.items, *rest.items)] == [16, 15, 14, 13, 12, 11, 10]

        def test_what_was_changed_is_found_as_it_is_now(self, subject: Subject) -> None:
            """A list that still shows a paid invoice as open sends its payer a reminder."""
            _fill(subject.store)
            before = _numbers(subject.queries, DocumentSearch(state=DocumentState.OPEN))
            with subject.store.begin() as uow:
                uow.save(attrs.evolve(DOCUMENTS[2], due_amount=0))
            after = _numbers(subject.queries, DocumentSearch(state=DocumentState.OPEN))
            settled = _numbers(subject.queries, DocumentSearch(state=DocumentState.SETTLED))
            assert (before, after, settled) == ([23, 22], [23], [22, 20])

    return ListLaws


def _looks() -> type:
    class LookLaws:
        def test_an_account_is_found_by_either_id(self, subject: Subject) -> None:
            """Ids compare exactly, and nobody is found where there is nobody."""
            _fill(subject.store)
            for account in ACCOUNTS:
                assert subject.queries.account(AccountName(ref_id=account.ref_id)) == account
                assert subject.queries.account(named(account)) == account
            assert subject.queries.account(AccountName(external_id="a-1")) == ANN_TOO
            assert subject.queries.account(AccountName(external_id="nobody")) is None
            assert subject.queries.account(AccountName(ref_id=id_of(99))) is None

        def test_what_goes_by_an_entry_of_the_configuration_is_known(self, subject: Subject) -> None:
            """How fine a currency is, and who is a payer, must not change under what is kept."""
            codes = {Account: "AUD", Payment: "BRL", Document: "CAD", ChargeableEvent: "DKK"}
            uses = [Use("currencies", code) for code in (*codes.values(), "EUR")]
            uses += [Use("account_types", code) for code in ("odd", "payer")]
            assert not any(map(subject.queries.is_used, uses))
            one_of_each = {type(entity): entity for entity in EVERYTHING}
            with subject.store.begin() as uow:
                for cls, code in codes.items():
                    more = {"account_type": "odd"} if cls is Account else {}
                    uow.add(attrs.evolve(one_of_each[cls], currency=code, **more))
            used = [use.code for use in uses if subject.queries.is_used(use)]
            assert used == [*codes.values(), "odd"]

        def test_a_ledger_has_all_that_ever_was(self, subject: Subject) -> None:
            """A balance of the past needs what is paid or cancelled by now, and an explanation tells of it."""
            _fill(subject.store)
            ledger = subject.queries.ledger(ANN.ref_id)
            assert ledger is not None
            assert (ledger.account, ledger.payer) == (ANN, a_payer(ANN))
            assert {_number(d) for d in ledger.documents} == {20, 21, 22, 24, 25}
            assert {_number(p) for p in ledger.payments} == {10, 11, 14}
            assert ledger.settlements == SETTLEMENTS

        def test_what_settles_a_document_is_what_is_not_cancelled(self, subject: Subject) -> None:
            """Who asks whether a payment pays this document is not told of what was taken back."""
            _fill(subject.store)
            (one,) = SETTLEMENTS
            assert list(subject.queries.settlements(one.target_ref_id)) == [one]
            with subject.store.begin() as uow:
                uow.save(attrs.evolve(one, cancelled=True, cancel_reason="mistake", cancelled_at=NOW))
            assert list(subject.queries.settlements(one.target_ref_id)) == []
            assert list(subject.queries.settlements(id_of(99))) == []

        def test_a_payer_is_what_was_stored_of_it_last(self, subject: Subject) -> None:
            """The balance that the last run stored is read from the payer alone, however much it has."""
            _fill(subject.store)
            stored = attrs.evolve(a_payer(ANN), collection_balance=7 * UNIT, in_collection=True)
            with subject.store.begin() as uow:
                uow.save(stored)
            assert subject.queries.payer(ANN.ref_id) == attrs.evolve(stored, version=2)
            assert subject.queries.payer(GONE.ref_id) == a_payer(GONE)
            assert subject.queries.payer(TECHNICAL.ref_id) is None
            assert subject.queries.payer(id_of(99)) is None

        def test_an_open_balance_is_that_of_its_instant(self, subject: Subject) -> None:
            """Who asks what was open before a payment came is not told what is left of it now; what is due changes by itself."""
            _fill(subject.store)
            instants = (NOW - dt.timedelta(microseconds=1), NOW, NOW + DAY, NOW + 15 * DAY)
            told = [_open(subject.queries, as_of) for as_of in instants]
            own = [view.figures for view in told if view.figures]
            figures = [tuple(a // UNIT for a in (f.due, f.future, f.overpayment, f.open_balance)) for f in own]
            assert figures == [(0, 80, 0, 80), (0, 30, 0, 30), (0, 31, 20, 11), (30, 1, 20, 11)]
            for view, as_of in zip(told, instants, strict=True):
                expected = _open(_reference(), as_of)
                assert attrs.evolve(view, lines=None) == attrs.evolve(expected, lines=None)
                assert {*(view.lines or ())} == {*(expected.lines or ())}

        def test_only_a_payer_has_a_ledger(self, subject: Subject) -> None:
            """A technical account owes nothing itself; somebody who does not exist owes nothing either."""
            _fill(subject.store)
            assert subject.queries.ledger(TECHNICAL.ref_id) is None
            assert subject.queries.ledger(id_of(99)) is None
            gone = subject.queries.ledger(GONE.ref_id)
            assert gone is not None
            assert (gone.documents, gone.payments, gone.settlements) == ((), (), ())

        def test_the_configuration_is_the_one_that_was_configured(self, subject: Subject) -> None:
            """Rules are only as good as the master data they are asked with."""
            found, expected = subject.queries.configuration(), configuration()
            assert {kind: getattr(found, kind) for kind in KINDS} == {k: getattr(expected, k) for k in KINDS}

    return LookLaws


def _runs() -> type:
    class RunLaws:
        def test_runs_are_read_as_they_are_and_those_that_go_on_are_listed(self, subject: Subject) -> None:
            """After a restart, what was begun and is not done is taken up again, dry runs too."""
            _fill(subject.store, RUNS)
            assert [subject.queries.run(run.ref_id) for run in RUNS] == list(RUNS)
            assert subject.queries.run(id_of(99)) is None
            assert {_number(run) for run in subject.queries.running()} == {50, 52}

        def test_runs_are_listed_as_far_as_they_are(self, subject: Subject) -> None:
            """An operator looks at the list to see whether the night's work is done, and how much of it."""
            ended = a_run(54, state=RunState.DONE, payers_done=4, slices_done=1, slices_total=1, progressed_at=NOW)
            _fill(subject.store, (*RUNS, a_run(53, state=RunState.CANCELLED), ended))
            _fill(subject.store, [_slice_of(n, payers_done=n - 50, done=True, calculated_at=NOW) for n in (50, 53, 54)])
            first = subject.queries.runs(ProcessRunSearch(limit=3))
            second = subject.queries.runs(ProcessRunSearch(limit=3, cursor=first.next))
            listed = [*first.items, *second.items]
            assert [(_number(run), run.payers_done, run.slices_done) for run in listed] == [
                *((54, 4, 1), (53, 3, 1), (52, 0, 0)),
                *((51, 0, 0), (50, 0, 1)),
            ]
            assert second.next is None
            assert listed == [subject.queries.run(run.ref_id) for run in listed]

        def test_every_failure_of_a_run_is_told(self, subject: Subject) -> None:
            """Who is not on the list is taken for calculated, and nobody looks at why not."""
            told = [RunFailure(an_account(n + 100).ref, "X", "It failed.") for n in range(FAILURES_TOLD + 1)]
            before_slices = a_run(51, state=RunState.DONE_WITH_FAILURES, failures=(told[0],))
            slices = [_slice_of(50, 2, failures=tuple(told[1:])), _slice_of(50, 1, failures=tuple(told[:1]))]
            _fill(subject.store, [a_run(50), before_slices, *slices])
            assert list(subject.queries.failures(id_of(50))) == told
            assert list(subject.queries.failures(id_of(51))) == told[:1]
            assert list(subject.queries.failures(id_of(99))) == []

        def test_a_cancelled_run_counts_what_was_kept_of_it_afterwards(self, subject: Subject) -> None:
            """Whoever has a slice in hand when a run is cancelled may keep it: what is stored is then what is told."""
            part = _slice_of(53)
            _fill(subject.store, [a_run(53, state=RunState.CANCELLED, slices_total=1), part])
            with subject.store.begin() as uow:
                uow.save(attrs.evolve(part, payers_done=3, balances={"EUR": 7 * UNIT}, calculated_at=NOW))
            found = subject.queries.run(id_of(53))
            assert found is not None
            assert (found.state, found.payers_done, found.balances) == (RunState.CANCELLED, 3, {"EUR": 7 * UNIT})

    return RunLaws


def _fill(store: Store, entities: Any = EVERYTHING) -> None:
    with store.begin() as uow:
        for entity in entities:
            uow.add(entity)


def _reference() -> Queries:
    store = MemoryStore(configuration())
    _fill(store)
    return MemoryQueries(store)


def _open(queries: Queries, as_of: dt.datetime) -> OpenBalanceView:
    """The open balance of Ann, with all its parts, asked for when everything has happened."""
    read = ReadOpenBalance(queries, clock=lambda: NOW + 30 * DAY)
    return read(
        ReadOpenBalanceRequest(ref_id=ANN.ref_id, document_types_included=True, detail_included=True, as_of=as_of)
    )


def _slice_of(run: int, number: int = 1, **more: Any) -> RunSlice:
    """A slice of the run with that number in the world."""
    return RunSlice(ref_id=id_of(100 * run + number), run_ref_id=id_of(run), number=number, **more)


def _numbers(queries: Queries, search: Search) -> list[int]:
    return [_number(item) for item in getattr(queries, LISTS[type(search)])(search).items]


def _number(entity: Any) -> int:
    """An entity's number in the world above."""
    return int(entity.ref_id.int & 0xFFFF)
