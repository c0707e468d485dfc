"""Whether nothing was lost can be told, and what was lost is told."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.finance.figures import Figures, by_age
from ocs_adapters.consumers.finance.keeping import KeepFinance
from ocs_adapters.consumers.finance.tables import documents, entities
from ocs_adapters.consumers.finance.tables import tables as finance_tables
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.reconcile.comparing import side_by_side
from ocs_adapters.reconcile.reconciliation import Read, Reconciliation, Report
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.holdings import Holding, Republish
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.tables import event_log
from ocs_adapters.streaming.relay import Relay
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.memory import MemoryIds
from ocs_core.messages import TopicNames
from ocs_core.testkit.contracts import Subject
from ocs_core.testkit.examples import UNIT, Desk, configuration
from ocs_core.testkit.fakes import NOW, SettableClock
from ocs_core.testkit.stateful import RevenueMachine
from tests.contract.figures import open_items
from tests.contract.stores import postgres_database, sqlite_database, subject_on

TOPIC = TopicNames().business_transactions


@attrs.frozen
class Scene:
    """A database with its event log, and a finance system in the same database that reads it."""

    database: Database
    desk: Desk = attrs.field(default=attrs.Factory(lambda self: Desk(subject_on(self.database).store), takes_self=True))
    beyond: bool = False
    """Whether messages have expired."""

    @property
    def log(self) -> SqlEventLog:
        return SqlEventLog(self.database, lambda: NOW)

    def tell_finance(self) -> None:
        finance_tables.prepare(self.database)
        Relay(SqlOutbox(self.database), self.log).drain()
        inbox = Inbox(self.database, finance_tables, lambda: NOW)
        handle = KeepFinance(dt.UTC)
        Consumer(stream=self.log.reader("finance", [TOPIC]), processor=Processor(inbox=inbox, handle=handle)).drain()

    def reconcile(self, pause: Any = lambda seconds: None) -> Report:
        @contextmanager
        def read() -> Iterator[Read]:
            messages = (m for _, m in self.log.delivered_after(0, 100_000, [TOPIC]))
            yield Read(messages=messages, reaches_back=not self.beyond)

        return Reconciliation(database=self.database, finance=self.database, read=read, pause=pause)()

    def republish(self, report: Report) -> list[bool]:
        again = Republish(
            self.database, TopicNames(), SettableClock(), MemoryIds(SettableClock(NOW + dt.timedelta(days=1)))
        )
        return [again(d.code, d.ref_id, "again") for d in report.differences]

    def run(self, statement: Any, **parameters: Any) -> Any:
        return self.database.write(Call(statement, parameters))[0]

    def busy(self) -> Payment:
        """Some of everything; gives a payment that was changed since."""
        desk = self.desk
        account = desk.account("A-1")
        payment, document = desk.payment(account=account), desk.document(account=account)
        desk.event(account=account)
        desk.payment()
        desk.assign(payment, document, UNIT)
        desk.update_payer(account, payment_ref1="R-1")
        return payment


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with request.param() as database:
        yield Scene(database)


BOTH = pytest.mark.parametrize(
    "scene", [sqlite_database, postgres_database], ids=["sqlite", "postgresql"], indirect=True
)


def _machine(make: Any) -> Any:
    """Random use-cases; at the end all three parties are compared, and figures with sums over the store."""

    class Reconciled(RevenueMachine):
        @staticmethod
        @contextmanager
        def make() -> Iterator[Subject]:
            with make() as database:
                Reconciled.scene = Scene(database)
                yield subject_on(database)

        def teardown(self) -> None:
            try:
                self.scene.tell_finance()
                report = self.scene.reconcile()
                assert report.is_equal, [str(d) for d in report.differences]
                assert sum(report.compared.values()) >= len(self.reference.entities[Document])
                self.figures_are_the_stores()
            finally:
                super().teardown()

        def figures_are_the_stores(self) -> None:
            """As of now and of days gone by, they are the sums of what the core says of each payer in the reference."""
            now, configured = self.desk.clock(), configuration()
            figures = Figures(database=self.scene.database, configuration=configured, now=now)
            for day in (None, *(now.date() - dt.timedelta(days=days) for days in (0, 1, 5, 40))):
                assert figures.open_items(day) == open_items(self.reference, configured, now, day)
            payments = [p for p in self.reference.entities[Payment].values() if not p.cancelled]
            amounts: Counter[Any] = Counter()
            for p in payments:
                instant = p.payment_date_received or p.payment_date_sent
                amounts[instant and instant.date(), p.payment_type, p.payment_method, p.currency] += p.payment_amount
            told = figures.payments(dt.date.min, now.date())
            assert {(f.day, f.payment_type, f.payment_method, f.currency): f.amount for f in told} == dict(amounts)

    case = Reconciled.TestCase
    case.settings = settings(settings.default, max_examples=4, stateful_step_count=30)
    return case


TestSqlite = _machine(sqlite_database)
TestPostgres = _machine(postgres_database)


@BOTH
def test_three_that_hold_the_same_are_equal(scene) -> None:
    scene.busy()
    scene.tell_finance()
    report = scene.reconcile()
    assert report.is_equal
    assert report.compared == {
        "account": 1, "chargeableEvent": 1, "document": 1, "documentPayments": 1, "payer": 1, "payment": 2,
        "paymentDocuments": 1, "paymentHistory": 4,
    }  # fmt: skip
    assert report.reach == "15 messages, from the beginning"


@BOTH
def test_an_entity_that_finance_lost_is_told_and_published_again(scene) -> None:
    payment = scene.busy()
    scene.tell_finance()
    scene.run(sa.delete(entities).where(entities.c.ref_id == payment.ref_id))
    report = scene.reconcile()
    assert [str(d) for d in report.differences] == [
        f"payment {payment.ref_id}: database version 2, finance nothing, topics version 2"
    ]
    assert scene.republish(report) == [True]
    scene.tell_finance()
    assert scene.reconcile().is_equal


@BOTH
def test_another_content_of_the_same_version_is_told_and_repaired(scene) -> None:
    payment = scene.busy()
    scene.tell_finance()
    scene.run(sa.update(entities).where(entities.c.ref_id == payment.ref_id).values(value='{"version": 2}'))
    (difference,) = scene.reconcile().differences
    assert str(difference).endswith("database version 2, finance version 2, topics version 2; the contents differ")
    scene.republish(scene.reconcile())
    scene.tell_finance()
    assert scene.reconcile().is_equal


@BOTH
def test_a_message_that_the_topics_lost_is_told_and_published_again(scene) -> None:
    scene.busy()
    scene.tell_finance()
    first, message = scene.log.delivered_after(0, 1)[0]
    assert message.headers["ce_type"] == "io.ocs.rm.account"
    scene.run(sa.delete(event_log).where(event_log.c.offset == first))
    (difference,) = scene.reconcile().differences
    assert (difference.code, difference.topics) == ("account", None)
    scene.republish(scene.reconcile())
    scene.tell_finance()
    assert scene.reconcile().is_equal


@BOTH
def test_what_has_expired_is_beyond_reach_and_no_difference(scene) -> None:
    scene.busy()
    scene.tell_finance()
    scene.run(sa.delete(event_log).where(event_log.c.offset <= 3))
    report = attrs.evolve(scene, beyond=True).reconcile()
    assert report.is_equal
    assert report.beyond_reach > 0
    assert report.reach.startswith("12 messages, since 2024-05-14T10:00:00")


@BOTH
def test_what_nobody_registered_is_told_and_cannot_be_published(scene) -> None:
    scene.busy()
    scene.tell_finance()
    made_up = UUID(int=1)
    scene.run(
        sa.insert(entities).values({c.name: sa.bindparam(c.name) for c in entities.columns}),
        code="payment", ref_id=made_up, version=1, changed_at=NOW, value="{}",
    )  # fmt: skip
    report = scene.reconcile()
    assert [(d.code, d.ref_id) for d in report.differences] == [("payment", made_up)]
    assert scene.republish(report) == [False]


@BOTH
def test_what_was_only_on_its_way_is_no_difference(scene) -> None:
    scene.busy()
    scene.tell_finance()
    payment = scene.desk.payment()
    assert [(d.code, d.ref_id) for d in scene.reconcile().differences if d.code == "payment"] == [
        ("payment", payment.ref_id)
    ]
    assert scene.reconcile(pause=lambda seconds: scene.tell_finance()).is_equal


@BOTH
def test_what_is_not_newer_is_ignored(scene) -> None:
    document = scene.desk.document(account=scene.desk.account("A-1"))
    payment = scene.desk.payment(account=scene.desk.account("A-2"))
    scene.tell_finance()
    told = [m for _, m in scene.log.delivered_after(0, 100, [TOPIC])]
    scene.desk.cancel_document(document)
    scene.desk.cancel_payment(payment)
    scene.tell_finance()
    with scene.database.transaction() as transaction:
        KeepFinance(dt.UTC)(transaction, told)
        transaction.run([], commit=True)
    assert scene.reconcile().is_equal
    (rows,) = scene.database.read(Call(sa.select(documents.c.version, documents.c.cancelled)))
    assert [(version, bool(cancelled)) for version, cancelled in rows] == [(2, True)]


@BOTH
def test_a_topic_that_was_made_anew_is_no_difference(scene) -> None:
    """Finance was told of what is not in it, at an earlier time than anything that is."""
    scene.busy()
    scene.tell_finance()
    scene.run(sa.delete(event_log))
    report = scene.reconcile()
    assert (report.is_equal, report.was_made_anew, report.beyond_reach) == (True, True, sum(report.compared.values()))
    scene.desk.clock.now += dt.timedelta(days=1)
    scene.desk.payment()
    scene.tell_finance()
    report = scene.reconcile()
    assert (report.is_equal, report.was_made_anew) == (True, True)
    assert report.reach.startswith("2 messages, since 2024-05-15T10:00:00")
    scene.run(sa.delete(event_log))
    scene.desk.payment()
    Relay(SqlOutbox(scene.database), scene.log).drain()
    report = scene.reconcile()
    assert {d.code for d in report.differences} == {"payment", "paymentHistory"}, "finance was not told of these"


def _holdings() -> st.SearchStrategy[list[Holding]]:
    ids = st.integers(1, 8).map(lambda n: UUID(int=n))
    held = st.builds(Holding, code=st.just("payment"), ref_id=ids, version=st.integers(1, 2), digest=st.just(b""))
    return st.lists(held, unique_by=lambda h: h.ref_id).map(lambda items: sorted(items, key=lambda h: h.ref_id))


@given(_holdings(), _holdings(), _holdings())
def test_everything_that_anybody_holds_is_put_side_by_side(database, finance, topics) -> None:
    found = {b.ref_id: (b.database, b.finance, b.topics) for b in side_by_side("payment", database, finance, topics)}
    by_id = [{h.ref_id: h for h in holdings} for holdings in (database, finance, topics)]
    assert found == {ref_id: tuple(h.get(ref_id) for h in by_id) for ref_id in sorted(set().union(*by_id))}


@given(st.lists(st.tuples(st.sampled_from(["EUR", "USD"]), st.none() | st.integers(-9, 200), st.integers(1, 5))))
def test_every_item_has_one_age(items) -> None:
    ages = by_age(items)
    assert sum(a.amount for a in ages) == sum(amount for _, _, amount in items)
    assert sum(a.count for a in ages) == len(items)
    days = {
        "not due": range(-9, 0),
        "0-30": range(31),
        "31-60": range(31, 61),
        "61-90": range(61, 91),
        "91+": range(91, 201),
    }
    for found in ages:
        of_age = [
            n for c, d, n in items if c == found.currency and (d in days[found.age] if found.age in days else d is None)
        ]
        assert (found.count, found.amount) == (len(of_age), sum(of_age))
