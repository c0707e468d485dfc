"""A ledger of every day, imported again and taken back in any order: what was received is what the last file says."""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.bootstrap import Platform, platform_on
from ocs_adapters.clock import new_id
from ocs_adapters.files.undoing import Undoing
from ocs_adapters.settings import Settings
from ocs_core.entities.account import AccountName
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.ports import TakeOver
from ocs_core.queries import DocumentSearch, PaymentSearch
from ocs_core.testkit.examples import UNIT, Desk
from ocs_core.usecases.take_over_receivables import Invoice, Problem
from tests.contract.stores import DATABASES, postgres_database, sqlite_database
from tests.contract.test_take_overs import DAY, a_take_over, importer_on
from tests.contract.test_taking_back import in_background, until_somebody_waits

AMOUNT = 5 * UNIT


@attrs.define
class Daily:
    """One invoice of one customer, and what was taken over of it: the last import that made something last."""

    platform: Platform
    number: str
    standing: list[tuple[TakeOver, tuple[int, int]]] = attrs.field(factory=list)

    def invoice(self, paid: int) -> Invoice:
        return Invoice(
            line=2,
            customer=f"C-{self.number}",
            number=self.number,
            currency="EUR",
            issued=DAY - dt.timedelta(days=9),
            due=None,
            amount=AMOUNT,
            paid=paid,
        )

    def take(self, paid: int) -> Sequence[Problem]:
        """Import a file that says so; what keeps it from being taken, else nothing."""
        before, importer = self.state, importer_on(self.platform)
        checked = importer.check([self.invoice(paid)])
        if checked.conflicts:
            return checked.conflicts
        importer.begin(take_over := a_take_over(digest=str(new_id())))
        done = importer.write(take_over, checked.lacking)
        if checked.lacking:
            self.standing.append((done, before))
        return ()

    @property
    def undoing(self) -> Undoing:
        services = self.platform.services
        return Undoing(services.queries, self.platform.taking_over, clock=services.clock, ids=services.ids)

    def take_back(self, take_over: TakeOver) -> Sequence[Problem]:
        undoing = self.undoing
        problems = undoing.check(take_over)
        if not problems:
            undoing.take_back(take_over)
        return problems

    @property
    def state(self) -> tuple[int, int]:
        """What the customer paid in all, and what is open of the invoice."""
        queries = self.platform.services.queries
        documents = queries.documents(DocumentSearch(external_document_no=self.number)).items
        payments = [
            payment
            for payment in queries.payments(PaymentSearch(cancelled=False, limit=200)).items
            if str(payment.external_payment_no).split("/")[0] == self.number
        ]
        return sum(p.payment_amount for p in payments), sum(d.due_amount for d in documents)


@pytest.fixture(scope="module")
def daily() -> Iterator[Iterator[Daily]]:
    with sqlite_database() as database:
        platform = platform_on(database, Settings())
        yield (Daily(platform, f"N{number}") for number in itertools.count(1))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from([1, 2, 1, 2, 0, -1]).map(lambda more: more * UNIT)),
        st.tuples(st.just("take back"), st.integers(0, 3)),
    ),
    min_size=3,
    max_size=9,
)


@given(steps=STEPS)
def test_what_was_received_is_what_the_last_file_says_whatever_was_taken_back(daily, steps) -> None:
    one = next(daily)
    for what, value in steps:
        before = one.state
        if what == "take":
            paid = max(0, before[0] + value)
            refused = one.take(paid)
            assert bool(refused) is (paid < before[0]), "only less than before is refused"
            assert one.state == (before if refused else (paid, max(0, AMOUNT - paid)))
        elif one.standing:
            place = value % len(one.standing)
            take_over, was = one.standing[place]
            is_last = place == len(one.standing) - 1
            problems = one.take_back(take_over)
            assert bool(problems) is not is_last, "others rest on what is not the last"
            assert one.state == (was if is_last else before)
            if is_last:
                one.standing.pop()


@DATABASES
def test_an_import_on_which_a_later_one_rests_is_not_taken_back(make) -> None:
    """Its place among the payments would be free, and what stands behind it be received once more."""
    with make() as database:
        one = Daily(platform_on(database, Settings()), "N-1")
        for paid in (1 * UNIT, 2 * UNIT, 3 * UNIT):
            assert not one.take(paid)
        (problem,) = one.take_back(one.standing[1][0])
        assert problem.reason == (
            "a later import received more of invoice N-1 (payment N-1/payment/3): take that back first"
        )
        (problem,) = one.take_back(one.standing[0][0])
        assert "(payment N-1/payment/2)" in problem.reason, "the document is settled by what came later, too"
        assert one.state == (3 * UNIT, 2 * UNIT)
        assert not one.take_back(one.standing[2][0])
        assert not one.take_back(one.standing[1][0])
        assert not one.take(3 * UNIT)
        assert one.state == (3 * UNIT, 2 * UNIT)


def test_an_import_that_comes_while_another_is_taken_back_goes_by_what_is_left() -> None:
    with postgres_database() as database:
        one = Daily(platform_on(database, Settings()), "N-1")
        assert not one.take(1 * UNIT)
        assert not one.take(2 * UNIT)
        taken_back, _ = one.standing[-1]
        undoing = one.undoing
        with one.platform.taking_over() as (store, note):
            undoing._take_some_back(taken_back.ref_id, store, note)
            ended = in_background(lambda: one.take(4 * UNIT))
            until_somebody_waits(one.platform)
        assert not ended()
        assert one.state == (4 * UNIT, 1 * UNIT)
        assert not one.take(4 * UNIT)


def desk_of(one: Daily) -> Desk:
    services = one.platform.services
    return Desk(services.store, clock=services.clock, ids=services.ids)  # type: ignore[arg-type]


def of_invoice(one: Daily) -> tuple[Document, Payment]:
    queries = one.platform.services.queries
    (document,) = queries.documents(DocumentSearch(external_document_no=one.number)).items
    (payment,) = queries.payments(PaymentSearch(external_payment_no=one.number)).items
    return document, payment


@DATABASES
@pytest.mark.parametrize("is_settled_by_others", [False, True])
def test_a_payment_that_was_assigned_to_others_contradicts_a_file_that_says_it_paid(make, is_settled_by_others) -> None:
    with make() as database:
        one = Daily(platform_on(database, Settings()), "N-1")
        assert not one.take(AMOUNT)
        desk, (document, payment) = desk_of(one), of_invoice(one)
        account = one.platform.services.queries.account(AccountName(external_id="C-N-1"))
        assert account is not None
        desk.cancel_assignment(payment, document)
        desk.assign(of_invoice(one)[1], desk.document(account=account, amount=AMOUNT), AMOUNT)
        if is_settled_by_others:
            desk.assign(desk.payment(account=account, amount=AMOUNT), of_invoice(one)[0], AMOUNT)
        (problem,) = one.take(AMOUNT)
        assert "invoice N-1" in problem.reason
        assert ("somebody assigned it to others" in problem.reason) is not is_settled_by_others


@DATABASES
def test_what_was_taken_off_an_invoice_is_assigned_again_or_told(make) -> None:
    """Never is an import done that would have something to do each time it is given."""
    with make() as database:
        one = Daily(platform_on(database, Settings()), "N-1")
        assert not one.take(3 * UNIT)
        desk, (document, payment) = desk_of(one), of_invoice(one)
        desk.cancel_assignment(payment, document)
        (problem,) = one.take(5 * UNIT)
        assert problem.reason == (
            "3.00 EUR of what was received for invoice N-1 is not assigned to it any more: "
            "assign what is left of payment N-1 to it first"
        )
        assert not one.take(3 * UNIT)
        assert one.state == (3 * UNIT, 2 * UNIT)
        assert not one.take(4 * UNIT)
        document, payment = of_invoice(one)
        desk.cancel_assignment(payment, document)
        assert not one.take(4 * UNIT), "the first of two has it, not the last"
        assert one.state == (4 * UNIT, 1 * UNIT)
        standing = len(one.standing)
        assert not one.take(4 * UNIT)
        assert len(one.standing) == standing, "nothing was lacking any more"
