"""What others have on an account or did with what was taken over keeps it, also where they come at the last moment."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from ocs_adapters.bootstrap import Platform, platform_on
from ocs_adapters.files.undoing import Undoing
from ocs_adapters.settings import Settings
from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.configuration import Currency
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.errors import RequestRejected
from ocs_core.ports import TakeOver
from ocs_core.queries import DocumentSearch, PaymentSearch
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.usecases.take_over_receivables.taking_back import REASON
from tests.contract.stores import DATABASES, postgres_database
from tests.contract.test_take_overs import EVERYWHERE, a_take_over, importer_on, invoices

LONG = 30
"""Seconds that are far more than anything here takes."""


@attrs.frozen
class Taken:
    """A take-over of two invoices of two customers, 2 of 5 EUR of each paid."""

    platform: Platform
    take_over: TakeOver
    desk: Desk = attrs.field(init=False)

    @desk.default
    def _make_desk(self) -> Desk:
        services = self.platform.services
        return Desk(services.store, clock=services.clock, ids=services.ids)  # type: ignore[arg-type]

    @property
    def undoing(self) -> Undoing:
        services = self.platform.services
        return Undoing(services.queries, self.platform.taking_over, clock=services.clock, ids=services.ids)

    def account(self, customer: str) -> Account | None:
        return self.platform.services.queries.account(AccountName(external_id=customer))

    def document(self, number: str) -> Document:
        return self.platform.services.queries.documents(DocumentSearch(external_document_no=number)).items[0]

    def payment(self, number: str) -> Payment:
        return self.platform.services.queries.payments(PaymentSearch(external_payment_no=number)).items[0]


@contextmanager
def taken_over(make: Callable[[], Any]) -> Iterator[Taken]:
    with make() as database:
        platform = platform_on(database, Settings())
        importer = importer_on(platform)
        importer.begin(begun := a_take_over())
        yield Taken(platform, importer.write(begun, invoices(1, 2, paid=2 * UNIT)))


@EVERYWHERE
@pytest.mark.parametrize(
    ("put", "is_used"),
    [
        (lambda desk, account: None, False),
        (lambda desk, account: desk.document(account=account), True),
        (lambda desk, account: desk.cancel_document(desk.document(account=account)), True),
        (lambda desk, account: desk.cancel_payment(desk.payment(account=account)), True),
        (lambda desk, account: desk.payment(account=account), True),
        (lambda desk, account: desk.event(account=account), True),
        (lambda desk, account: desk.account(parent=named(account)), True),
        (lambda desk, account: desk.document(account=desk.account()), False),
    ],
    ids=["nothing", "document", "cancelled document", "cancelled payment", "payment", "event", "below", "elsewhere"],
)
def test_an_account_is_used_by_all_that_is_on_it_or_below_it(opened, put, is_used: bool) -> None:
    with opened() as transactions:
        with transactions() as (store, _):
            desk = Desk(store)
            account = desk.account("A-1")
            put(desk, account)
        with transactions() as (_, note):
            assert note.is_used(account.ref_id, REASON) is is_used


@DATABASES
def test_an_account_with_others_below_it_stays(make) -> None:
    with taken_over(make) as taken:
        account = taken.account("C-1")
        assert account is not None
        taken.desk.account("below", parent=named(account))
        undoing = taken.undoing
        undoing.take_back(taken.take_over)
        assert undoing.accounts_kept == 1
        assert (taken.account("C-0"), taken.account("C-1") is None) == (None, False)


@DATABASES
def test_what_others_settled_for_a_time_only_is_not_taken_back(make) -> None:
    """As of a day in that time, what paid it would have paid nothing that was ever there."""
    with taken_over(make) as taken:
        account, document = taken.account("C-1"), taken.document("N-1")
        assert account is not None
        theirs = taken.desk.payment(account=account, amount=UNIT)
        taken.desk.assign(theirs, document, UNIT)
        taken.desk.cancel_assignment(theirs, document)
        (problem,) = taken.undoing.check(taken.take_over)
        assert "document N-1 was settled by others" in problem.reason
        with pytest.raises(Exception, match="document N-1 was settled by others"):
            taken.undoing.take_back(taken.take_over)
        assert not taken.document("N-1").cancelled


@DATABASES
def test_a_payment_that_others_assigned_for_a_time_only_is_not_taken_back(make) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        importer = importer_on(platform)
        importer.begin(begun := a_take_over())
        taken = Taken(platform, importer.write(begun, [attrs.evolve(invoices(1)[0], paid=7 * UNIT)]))
        account, payment = taken.account("C-1"), taken.payment("N-1")
        assert account is not None
        theirs = taken.desk.document(account=account, amount=2 * UNIT)
        taken.desk.assign(payment, theirs, 2 * UNIT)
        taken.desk.cancel_assignment(payment, theirs)
        (problem,) = taken.undoing.check(taken.take_over)
        assert "payment N-1 was assigned to others" in problem.reason


def until_somebody_waits(platform: Platform) -> None:
    """Until another connection stands at a lock of the database."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    ends = time.monotonic() + LONG
    while time.monotonic() < ends:
        with platform.database.engine.connect() as connection:
            if connection.execute(waiting).scalar():
                return
        time.sleep(0.02)
    raise TimeoutError("nobody waited")


def in_background(call: Callable[[], Any]) -> Callable[[], Any]:
    """Starts a call, and gives what waits for its end: what it returned or raised."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(call())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait() -> Any:
        thread.join(LONG)
        return ended[0]

    return wait


def test_a_payment_that_arrives_while_an_account_is_taken_back_keeps_it() -> None:
    with taken_over(postgres_database) as taken:
        account, undoing = taken.account("C-1"), taken.undoing
        assert account is not None
        with taken.platform.together() as store:
            Desk(store).payment(account=account)
            ended = in_background(lambda: undoing.take_back(taken.take_over))
            until_somebody_waits(taken.platform)
        assert isinstance(ended(), TakeOver)
        assert undoing.accounts_kept == 1
        assert taken.account("C-1") is not None


def test_a_payment_that_arrives_while_its_currency_is_changed_is_seen() -> None:
    with postgres_database() as database:
        platform = platform_on(database, Settings())
        platform.configure([Currency(code="XTS", minor_digits=2)])
        with platform.together() as store:
            Desk(store).payment(currency="XTS", amount=12_340_000)
            ended = in_background(lambda: platform.configure([Currency(code="XTS", minor_digits=0)]))
            until_somebody_waits(platform)
        refused = ended()
        assert isinstance(refused, RequestRejected), refused
        assert [v.code for v in refused.violations] == ["ENTRY_IN_USE"]
        assert platform.services.queries.configuration().currencies["XTS"].minor_digits == 2


def test_a_command_that_began_before_a_currency_was_changed_does_not_land_behind_the_change() -> None:
    """It has read the configuration, and not yet written: the change waits for it, and sees what it wrote."""
    with postgres_database() as database:
        platform = platform_on(database, Settings())
        platform.configure([Currency(code="XTS", minor_digits=2)])
        with platform.together() as store:
            desk = Desk(store)
            desk.account("before")  # reads the configuration in this transaction
            ended = in_background(lambda: platform.configure([Currency(code="XTS", minor_digits=0)]))
            until_somebody_waits(platform)
            desk.payment(currency="XTS", amount=12_340_000)
        assert isinstance(ended(), RequestRejected)


@DATABASES
def test_what_is_not_used_is_changed_and_what_was_there_is_given_back(make) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        platform.configure([Currency(code="XTS", minor_digits=2)])
        before = platform.configure([Currency(code="XTS", minor_digits=0)])
        assert before.currencies["XTS"].minor_digits == 2
        assert platform.services.queries.configuration().currencies["XTS"].minor_digits == 0
