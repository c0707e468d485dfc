"""The lines of a balance in pages: together they are all of them, whatever the pages' size and whatever happens meanwhile."""

import datetime as dt
from typing import Any
from uuid import UUID

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.collection import balance_lines
from ocs_core.ledger import Ledger
from ocs_core.lines import lines_page
from ocs_core.open_balance import open_lines
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, an_account
from ocs_core.testkit.examples import NOW, configuration
from ocs_core.testkit.strategies import ledgers

CONFIGURATION = configuration()
ACCOUNT = an_account(1)
instants = st.integers(-70, 70).map(lambda days: NOW + dt.timedelta(days=days))


def pages(ledger: Ledger, limit: int | None) -> list[Ledger]:
    found = [lines_page(ledger, limit, None)]
    while found[-1].next is not None:
        found.append(lines_page(ledger, limit, found[-1].next))
    return [page.part for page in found]


def items(ledger: Ledger) -> list[UUID]:
    return [item.ref_id for item in (*ledger.documents, *ledger.payments)]


@given(ledger=ledgers(), limit=st.integers(1, 9) | st.none(), random=st.randoms())
def test_pages_follow_one_another_without_gap_or_repetition_in_whatever_order_a_store_has_the_items(
    ledger: Ledger, limit: int | None, random: Any
) -> None:
    def shuffled(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(rows, len(rows)))

    found = pages(attrs.evolve(ledger, documents=shuffled(ledger.documents), payments=shuffled(ledger.payments)), limit)
    told = [ref_id for page in found for ref_id in items(page)]
    assert told == [*sorted(d.ref_id for d in ledger.documents), *sorted(p.ref_id for p in ledger.payments)]
    assert all(len(items(page)) == limit for page in found[:-1])
    assert len(found) == 1 or items(found[-1])


@given(ledger=ledgers(), limit=st.integers(1, 9), instant=instants)
def test_a_line_says_the_same_on_its_page_as_among_all(ledger: Ledger, limit: int, instant: dt.datetime) -> None:
    for lines_of in (balance_lines, open_lines):
        whole = {line.ref_id: line for line in lines_of(ledger, CONFIGURATION, instant)}
        told = [line for page in pages(ledger, limit) for line in lines_of(page, CONFIGURATION, instant)]
        assert told == [whole[line.ref_id] for line in told]
        assert len(told) == len(whole)


def test_pages_go_on_where_the_last_item_of_a_page_has_left_the_payer() -> None:
    documents, payments = (
        (a_document(9, ACCOUNT),),
        (a_payment(2, ACCOUNT), a_payment(3, ACCOUNT), a_payment(4, ACCOUNT)),
    )
    ledger = Ledger(account=ACCOUNT, payer=a_payer(ACCOUNT), documents=documents, payments=payments)
    first = lines_page(ledger, 2, None)
    assert first.next == payments[0].ref_id
    rest = lines_page(attrs.evolve(ledger, payments=payments[1:]), 2, first.next)
    assert (rest.part.documents, rest.part.payments, rest.next) == ((), payments[1:], None)
