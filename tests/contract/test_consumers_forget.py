"""What consumers forget: messages they dealt with, and deliveries with their attempts, without telling anybody twice."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import attrs
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ocs_adapters.consumers import consumer
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.notifications.deliveries import Deliveries, Outcome, State
from ocs_adapters.consumers.notifications.keeping import KeepDeliveries, delivery_id
from ocs_adapters.consumers.notifications.recipients import Recipient
from ocs_adapters.consumers.notifications.tables import attempts, deliveries, tables
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.retention import Retention, little_by_little
from ocs_adapters.streaming import tidying
from ocs_core.errors import PlatformUnavailable
from ocs_core.memory import MemoryEventLog
from ocs_core.messages import format_instant
from ocs_core.ports import Delivered, OutboxRow
from ocs_core.testkit.fakes import NOW, SettableClock
from tests.contract.stores import DATABASES, MakeDatabase

INBOX, _, DELIVERIES = tables.prunables
CRM = Recipient(name="crm", codes=frozenset({"*"}))
DAY = dt.timedelta(days=1)
DAYS = st.integers(0, 12)


def _message(occurred_at: dt.datetime) -> OutboxRow:
    ce_id = uuid4()
    headers = {
        "X-Ocs-Io-notification-code": "paymentReceived",
        "ce_id": str(ce_id),
        "ce_type": "io.ocs.rm.paymentReceived",
        "ce_time": format_instant(occurred_at),
        "ce_subject": str(ce_id),
        "ce_dataschema": "urn:ocs-rm:schema:PaymentReceivedNotification:1",
    }
    return OutboxRow(position=0, ref_id=ce_id, topic="t", key=ce_id, headers=headers, value=b"{}")


@attrs.define
class Scene:
    """The notification handler with one recipient who takes everything, or nothing for good, and a clock set by hand."""

    database: Database
    clock: SettableClock = attrs.field(factory=SettableClock)
    log: MemoryEventLog = attrs.field(factory=MemoryEventLog)
    keep_days: int | None = None
    sent: list[UUID] = attrs.field(factory=list)
    happened: dict[UUID, dt.datetime] = attrs.field(factory=dict)

    def empty(self) -> None:
        """As if nothing had ever happened."""
        self.database.write(*(Call(sa.delete(table)) for table in (tables.inbox, deliveries, attempts)))
        self.clock, self.log, self.sent, self.happened = SettableClock(), MemoryEventLog(), [], {}

    def happens(self, days_ago: int) -> None:
        at = self.clock() - days_ago * DAY
        message = _message(at)
        self.log.publish([message])
        self.happened[message.ref_id] = at

    def read(self, *, again: bool = False) -> None:
        if again:
            self.log.reader("notifications").rewind()
            tables.drop(self.database)
            tables.prepare(self.database)
        handle = KeepDeliveries([CRM], self.clock, self.keep_days)
        processor = Processor(inbox=Inbox(self.database, tables, self.clock), handle=handle)
        Consumer(stream=self.log.reader("notifications"), processor=processor).drain()

    def send(self, *, takes: bool = True) -> None:
        made = Deliveries(self.database, self.clock)
        for claimed in made.claim({"crm": 100}, 100, self.clock()):
            self.sent.append(claimed.ref_id)
            made.ended(claimed, Outcome(delivered=takes), None)

    def forget(self) -> int:
        kept = Retention(self.database, DELIVERIES, self.keep_days)
        before = kept.cut_off(self.clock())
        return 0 if before is None else kept.forget(before)

    def ids(self, column: "sa.Column[Any]") -> list[UUID]:
        (rows,) = self.database.read(Call(sa.select(column)))
        return sorted(UUID(str(ref_id)) for (ref_id,) in rows)


@contextmanager
def _scene(make: MakeDatabase) -> Iterator[Scene]:
    with make() as database:
        tables.prepare(database)
        yield Scene(database)


@attrs.frozen
class Planned:
    """A delivery: its state, how many days ago it ended and what it tells of happened, and how often it was tried."""

    state: State
    ended: int
    occurred: int
    tries: int

    def rows(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        ref_id, ended, occurred = uuid4(), NOW - self.ended * DAY, NOW - self.occurred * DAY
        delivery = {
            "ref_id": ref_id,
            "ce_id": uuid4(),
            "recipient": "crm",
            "code": "paymentReceived",
            "occurred_at": occurred,
            "value": "{}",
            "kept_at": occurred,
            "state": self.state.value,
            "attempts": self.tries,
            "attempts_allowed": 9,
            "due_at": ended,
            "delivered_at": ended if self.state is State.DELIVERED else None,
        }
        nothing = {"ended_at": None, "status": None, "told": None}
        tries = [{"delivery": ref_id, "number": n, "begun_at": ended, **nothing} for n in range(1, self.tries + 1)]
        return delivery, tries


PLANNED = st.builds(Planned, st.sampled_from(State), DAYS, DAYS, st.integers(0, 3))


@DATABASES
def test_a_delivery_that_waits_stays_and_one_that_has_ended_takes_its_attempts_along(make) -> None:
    with _scene(make) as scene:

        @given(st.lists(PLANNED, max_size=12), st.integers(1, 10))
        def holds(planned: list[Planned], keep_days: int) -> None:
            scene.empty()
            scene.keep_days = keep_days
            made = [(plan, *plan.rows()) for plan in planned]
            for _, delivery, tries in made:
                rows = {deliveries: [delivery]} | ({attempts: tries} if tries else {})
                scene.database.write(*scene.database.driver.insert(rows))
            gone = {
                delivery["ref_id"]
                for plan, delivery, _ in made
                if plan.state is not State.WAITING and min(plan.ended, plan.occurred) > keep_days
            }
            assert scene.forget() == len(gone)
            stay = [(delivery["ref_id"], tries) for _, delivery, tries in made if delivery["ref_id"] not in gone]
            assert scene.ids(deliveries.c.ref_id) == sorted(ref_id for ref_id, _ in stay)
            assert scene.ids(attempts.c.delivery) == sorted(ref_id for ref_id, tries in stay for _ in tries)

        holds()


ROUNDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans(), st.sampled_from([True, False, None])))


@DATABASES
def test_nobody_is_told_twice_however_often_deliveries_are_forgotten_and_messages_read_again(make) -> None:
    with _scene(make) as scene:

        @given(ROUNDS, st.none() | st.integers(1, 6))
        def holds(rounds: list[tuple[int, int, bool, bool | None]], keep_days: int | None) -> None:
            scene.empty()
            scene.keep_days = keep_days
            for days, late, again, takes in rounds:
                scene.clock.advance(days=days)
                scene.happens(late)
                scene.forget()
                scene.read(again=again)
                if takes is not None:
                    scene.send(takes=takes)
            scene.forget()
            scene.read(again=True)
            scene.send()
            assert len(scene.sent) == len(set(scene.sent))
            oldest = None if keep_days is None else scene.clock() - keep_days * DAY
            due = {delivery_id(ce_id, "crm") for ce_id, at in scene.happened.items() if oldest is None or at >= oldest}
            assert due <= set(scene.sent), "what is not old reaches everybody"

        holds()


@DATABASES
def test_a_message_that_comes_again_is_known_for_as_long_as_the_inbox_keeps_it(make) -> None:
    with _scene(make) as scene:

        @given(st.integers(1, 400), st.timedeltas(dt.timedelta(0), dt.timedelta(days=800)))
        def holds(keep_days: int, later: dt.timedelta) -> None:
            clock, seen = SettableClock(), list[int]()
            processor = Processor(
                inbox=Inbox(scene.database, tables, clock), handle=lambda _, messages: seen.append(len(messages))
            )
            message = Delivered(topic="t", key=uuid4(), headers={"ce_id": str(uuid4())}, value=b"")
            processor.process([message])
            clock.now += later
            little_by_little([Retention(scene.database, INBOX, keep_days)], clock)()
            processor.process([message])
            assert len(seen) == (1 if later <= keep_days * DAY else 2)

        holds()


@DATABASES
def test_a_consumer_tidies_up_only_once_it_has_met_again_what_it_had_in_hand(make, monkeypatch) -> None:
    monkeypatch.setattr(consumer, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(tidying, "PAUSE_SECONDS", 0.01)
    with _scene(make) as scene:
        scene.happens(0)
        inbox, stop, failures = Inbox(scene.database, tables, scene.clock), threading.Event(), 3
        known: list[int] = []

        def handle(*_: object) -> None:
            nonlocal failures
            failures -= 1
            if failures:
                raise PlatformUnavailable("away")

        def tidy_up() -> bool:
            known.append(len(scene.ids(tables.inbox.c.ce_id)))
            if len(known) == 3:
                stop.set()
            return True

        processor = Processor(inbox=inbox, handle=handle)
        Consumer(stream=scene.log.reader("notifications"), processor=processor, tidy_up=tidy_up).work(stop)
    assert known == [1, 1, 1]


@DATABASES
def test_a_consumer_goes_on_although_nothing_can_be_forgotten(make) -> None:
    with _scene(make) as scene:
        stop, tried = threading.Event(), list[int]()

        def handle(*_: object) -> None:
            if len(scene.ids(tables.inbox.c.ce_id)) == 1:
                stop.set()
            scene.happens(0)

        def fails() -> bool:
            tried.append(1)
            raise RuntimeError("the disk is full")

        scene.happens(0)
        processor = Processor(inbox=Inbox(scene.database, tables, scene.clock), handle=handle)
        with capture_logs() as logged:
            Consumer(stream=scene.log.reader("notifications"), processor=processor, tidy_up=fails).work(stop)
    assert [(entry["log_level"], entry["error"].partition(" at ")[0]) for entry in logged] == [
        ("error", "RuntimeError")
    ]
    assert len(tried) == 1
