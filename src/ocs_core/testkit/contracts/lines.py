"""The laws of a balance's lines that are read page by page: a part of `Queries`."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.collection import balance_lines
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage
from ocs_core.open_balance import open_lines
from ocs_core.queries import Queries
from ocs_core.testkit.contracts.subject import Subject, keep
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_settlement, an_account, id_of
from ocs_core.testkit.examples import UNIT, configuration
from ocs_core.testkit.fakes import NOW

DAY = dt.timedelta(days=1)
ANN, BOB, NEW, TECHNICAL = an_account(1), an_account(2), an_account(3), an_account(4, account_type="technical")
BETWEEN = a_payment(26, ANN, 50 * UNIT)
MOVED = a_payment(23, ANN, 40 * UNIT)
"""Ann's by now, and Bob's when it was settled with what he owed."""
CAME_BACK = {"cancelled": True, "cancelled_at": NOW + 2 * DAY}
PAYMENTS = (a_payment(21, ANN, 10 * UNIT), MOVED, BETWEEN, a_payment(29, ANN), a_payment(31, ANN))
DOCUMENTS = tuple(a_document(number, ANN, 30 * UNIT, due_amount=20 * UNIT) for number in (20, 22, 25, 30))
OF_BOB = (a_document(24, BOB, 40 * UNIT), a_document(32, BOB), a_payment(19, BOB), a_payment(28, BOB))
SETTLEMENTS = (
    a_settlement(40, PAYMENTS[0], DOCUMENTS[0], 10 * UNIT),
    a_settlement(41, BETWEEN, DOCUMENTS[2], 10 * UNIT, effective_at=NOW + DAY),
    a_settlement(42, BETWEEN, DOCUMENTS[3], 10 * UNIT, effective_at=NOW + 3 * DAY),
    a_settlement(43, MOVED, OF_BOB[0], 40 * UNIT, **CAME_BACK),
    a_settlement(44, OF_BOB[2], OF_BOB[1], 20 * UNIT),
)
EVERYTHING: tuple[Any, ...] = (
    *(ANN, BOB, NEW, TECHNICAL, a_payer(ANN), a_payer(BOB), a_payer(NEW)),
    *(*PAYMENTS, *DOCUMENTS, *OF_BOB, *SETTLEMENTS),
)
COMING = 3
"""Of each kind, how many come while pages are turned."""
INSTANTS = tuple(NOW + n * DAY + dt.timedelta(hours=1) for n in range(-1, 5))


def line_laws() -> type:
    """A payer may have a hundred thousand items: its lines are read by the page, and a page costs what is on it."""

    class LineLaws:
        @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 8, 9, 10, None])
        def test_pages_of_lines_are_together_all_items(self, subject: Subject, limit: int | None) -> None:
            """Documents come first, then payments, each by its ref_id: what two pages lose is a debt that nobody sees."""
            keep(subject, *EVERYTHING)
            pages = list(_pages(subject.queries, limit))
            told = [ref_id for page in pages for ref_id in _items(page.part)]
            assert told == sorted(d.ref_id for d in DOCUMENTS) + sorted(p.ref_id for p in PAYMENTS)
            assert all(len(_items(page.part)) == limit for page in pages[:-1])
            assert _items(pages[-1].part)

        @pytest.mark.parametrize("limit", [1, 4, None])
        def test_a_line_says_on_its_page_what_it_says_among_all(self, subject: Subject, limit: int | None) -> None:
            """What was open of an item as of an instant goes by all that it was settled with, on whatever account and page."""
            keep(subject, *EVERYTHING)
            whole = subject.queries.ledger(ANN.ref_id)
            assert whole is not None
            pages = list(_pages(subject.queries, limit))
            assert all((page.part.account, page.part.payer) == (whole.account, whole.payer) for page in pages)
            for as_of in INSTANTS:
                for lines_of in (balance_lines, open_lines):
                    expected = {line.ref_id: line for line in lines_of(whole, configuration(), as_of)}
                    told = [line for page in pages for line in lines_of(page.part, configuration(), as_of)]
                    assert {line.ref_id: line for line in told} == expected, as_of

        @pytest.mark.parametrize("limit", [1, 2, 3, 5])
        def test_pages_of_lines_are_not_moved_by_what_comes_and_goes_meanwhile(
            self, subject: Subject, limit: int
        ) -> None:
            """Invoices and payments are entered, and payments leave for another payer, while pages are turned: none that was
            there all the time is left out, and none is told twice."""
            keep(subject, *EVERYTHING)
            told: list[UUID] = []
            left: set[UUID] = set()
            for turned, page in enumerate(_pages(subject.queries, limit)):
                told += _items(page.part)
                with subject.store.begin() as uow:
                    if turned < COMING:
                        uow.add(a_document(18 - turned, ANN))
                        uow.add(a_document(50 + turned, ANN))
                        uow.add(a_payment(70 + turned, ANN))
                    for payment in page.part.payments[-1:]:
                        uow.save(attrs.evolve(payment, account=BOB.ref))
                        left.add(payment.ref_id)
            assert len(told) == len({*told})
            assert {d.ref_id for d in DOCUMENTS} | ({p.ref_id for p in PAYMENTS} - left) <= {*told}

        def test_only_a_payer_has_lines(self, subject: Subject) -> None:
            """Who has nothing has an empty page; who is no payer has none."""
            keep(subject, *EVERYTHING)
            for cursor in (None, id_of(20), id_of(21)):
                assert subject.queries.lines(TECHNICAL.ref_id, 9, cursor) is None
                assert subject.queries.lines(id_of(99), 9, cursor) is None
                empty = subject.queries.lines(NEW.ref_id, 9, cursor)
                assert empty is not None
                assert (empty.part.payer, _items(empty.part), empty.next) == (a_payer(NEW), [], None)

    return LineLaws


def _pages(queries: Queries, limit: int | None) -> Iterator[LinesPage]:
    """The pages of Ann's lines, each asked for when the one before was used."""
    page = queries.lines(ANN.ref_id, limit, None)
    while page is not None:
        yield page
        page = queries.lines(ANN.ref_id, limit, page.next) if page.next else None


def _items(part: Ledger) -> list[UUID]:
    return [*(d.ref_id for d in part.documents), *(p.ref_id for p in part.payments)]
