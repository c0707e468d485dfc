"""The notification handler: every recipient is told of what it wants, by real servers of webhooks and e-mail."""

import datetime as dt
import json
import smtplib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from email import message_from_bytes, policy
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import attrs
import httpx
import pytest
from standardwebhooks import Webhook

from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.notifications import mail, webhooks
from ocs_adapters.consumers.notifications import sender as sending
from ocs_adapters.consumers.notifications.audit import Audit
from ocs_adapters.consumers.notifications.backoff import ATTEMPTS
from ocs_adapters.consumers.notifications.deliveries import CLAIM_SECONDS, Deliveries, State
from ocs_adapters.consumers.notifications.keeping import KeepDeliveries
from ocs_adapters.consumers.notifications.mail import MailChannel, MailServer
from ocs_adapters.consumers.notifications.recipients import Recipient
from ocs_adapters.consumers.notifications.sender import Sender
from ocs_adapters.consumers.notifications.tables import tables
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.sql.database import Database, connect
from ocs_core.errors import InvalidValue
from ocs_core.memory import MemoryEventLog
from ocs_core.ports import OutboxRow
from ocs_core.testkit.fakes import SettableClock
from tests.contract.recipients import SECRET, Answer, Hooks, Mails, certificate, hooks, mails
from tests.contract.stores import DATABASES

VALUE = {
    "effectiveDate": "2024-05-14T10:00:00.000000Z",
    "account": {"refId": "018f0000-0000-7000-8000-000000000001", "externalId": "A-1"},
    "paymentType": "IN",
    "paymentAmount": 9223372036854775807,
    "currency": "EUR",
    "paymentDateReceived": "2024-05-14T08:30:00.000000Z",
    "paymentRef1": None,
    "channelType": "bank",
}
TIMEOUT = 1.0


@attrs.define
class Scene:
    """Recipients, a log of messages, and a clock that is set by hand, starting now: signatures are checked by the time."""

    database: Database
    hooks: Hooks
    mails: Mails
    webhooks: webhooks.Webhooks
    clock: SettableClock
    names: Sequence[str] = ("crm",)
    log: MemoryEventLog = attrs.field(factory=MemoryEventLog)

    def publish(self, count: int = 1, code: str = "paymentReceived") -> list[UUID]:
        ids = [uuid4() for _ in range(count)]
        self.log.publish([_message(ce_id, code) for ce_id in ids])
        return ids

    def read(self, *, again: bool = False) -> None:
        if again:
            self.log.reader("notifications").rewind()
            tables.drop(self.database)
            tables.prepare(self.database)
        recipients = [Recipient(name=name, codes=frozenset({"*"})) for name in self.names]
        inbox = Inbox(self.database, tables, self.clock)
        processor = Processor(inbox=inbox, handle=KeepDeliveries(recipients, self.clock))
        Consumer(stream=self.log.reader("notifications"), processor=processor).drain()

    def hurry(self, seconds: float = TIMEOUT) -> None:
        """Give recipients little time."""
        self.webhooks = attrs.evolve(self.webhooks, timeout=seconds)

    def sender(self, database: Database | None = None, **channels: sending.Channel) -> Sender:
        deliveries = Deliveries(database or self.database, self.clock)
        return Sender(deliveries, channels or {name: self.hook(name) for name in self.names}, self.clock, lambda: 0.5)

    def hook(self, name: str) -> webhooks.WebhookChannel:
        return webhooks.WebhookChannel(self.webhooks, f"{self.hooks.url}/{name}", [SECRET])

    def mail(self) -> MailChannel:
        return MailChannel(
            server=MailServer.parse(self.mails.url),
            sender="ocs@example.com",
            to="ops@example.com",
            zone=ZoneInfo("Europe/Prague"),
            clock=self.clock,
        )

    @property
    def audit(self) -> Audit:
        return Audit(self.database, self.clock)

    @property
    def states(self) -> list[State]:
        return [record.state for record in self.audit.records(1000)]


def _message(ce_id: UUID, code: str) -> OutboxRow:
    headers = {
        "X-Ocs-Io-notification-code": code,
        "ce_id": str(ce_id),
        "ce_type": f"io.ocs.rm.{code}",
        "ce_time": "2024-05-14T10:00:01.000000Z",
        "ce_subject": VALUE["account"]["refId"],
        "ce_dataschema": "urn:ocs-rm:schema:PaymentReceivedNotification:1",
    }
    return OutboxRow(
        position=0, ref_id=ce_id, topic="t", key=uuid4(), headers=headers, value=json.dumps(VALUE).encode()
    )


@pytest.fixture
def scene_on() -> Iterator[object]:
    with ExitStack() as stack:

        def made(make, *names: str) -> Scene:
            database, clock = stack.enter_context(make()), SettableClock(utc_now())
            tables.prepare(database)
            opened = stack.enter_context(webhooks.opened(clock))
            # Entered last, left first: whoever hangs is let go before the connections are closed.
            return Scene(
                database,
                stack.enter_context(hooks()),
                stack.enter_context(mails()),
                opened,
                clock,
                names or ("crm",),
            )

        yield made


@DATABASES
def test_a_webhook_is_signed_and_has_the_value_as_it_was_published(make, scene_on) -> None:
    scene = scene_on(make)
    (ce_id,) = scene.publish()
    scene.read()
    assert scene.sender().once() == {State.DELIVERED: 1}
    (hook,) = scene.hooks.came
    assert hook.body == {"type": "paymentReceived", "timestamp": "2024-05-14T10:00:01.000000Z", "data": VALUE}
    assert hook.headers["content-type"] == "application/json"
    assert hook.headers["user-agent"].startswith("ocs-rm/")
    (record,) = scene.audit.records(10)
    assert (hook.id, record.ce_id, record.attempts) == (str(record.ref_id), ce_id, 1)
    assert record.delivered_at == scene.clock.now
    assert (record.last.status, record.last.ended_at) == (200, scene.clock.now)


@DATABASES
def test_a_recipient_is_told_only_of_the_codes_that_it_wants(make, scene_on) -> None:
    scene = scene_on(make)
    for code in ("paymentReceived", "documentCreated", "newerThanThisRelease"):
        scene.publish(1, code)
    wants = [("all", {"*"}), ("documents", {"documentCreated"}), ("none", {"paymentSent"})]
    handle = KeepDeliveries([Recipient(name=name, codes=frozenset(codes)) for name, codes in wants], scene.clock)
    processor = Processor(inbox=Inbox(scene.database, tables, scene.clock), handle=handle)
    Consumer(stream=scene.log.reader("notifications"), processor=processor).drain()
    assert sorted((r.recipient, r.code) for r in scene.audit.records(10)) == [
        ("all", "documentCreated"),
        ("all", "newerThanThisRelease"),
        ("all", "paymentReceived"),
        ("documents", "documentCreated"),
    ]


@DATABASES
def test_what_failed_is_sent_again_later_under_the_same_id(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(500, body=b"out of \0 order"), Answer(204)]
    scene.publish()
    scene.read()
    sender = scene.sender()
    assert sender.once() == {State.WAITING: 1}
    assert sender.once() == {}, "it is not due yet"
    scene.clock.advance(seconds=10)
    assert sender.once() == {State.DELIVERED: 1}
    assert len({hook.id for hook in scene.hooks.came}) == 1
    ((record, (first, second)),) = [scene.audit.record(r.ref_id) for r in scene.audit.records(10)]
    assert (first.status, first.told) == (500, "out of   order")
    assert (second.status, record.attempts) == (204, 2)


@DATABASES
def test_a_recipient_that_is_gone_fails_for_good(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(410)]
    scene.publish()
    scene.read()
    assert scene.sender().once() == {State.FAILED: 1}
    scene.clock.advance(days=2)
    assert scene.sender().once() == {}


@DATABASES
def test_after_the_last_attempt_a_delivery_has_failed_until_somebody_retries_it(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish()
    scene.read()
    sender = scene.sender(crm=webhooks.WebhookChannel(scene.webhooks, "http://127.0.0.1:1/", [SECRET]))
    for left in range(ATTEMPTS, 0, -1):
        assert sender.once() == {State.WAITING if left > 1 else State.FAILED: 1}
        scene.clock.advance(days=2)
    assert sender.once() == {}
    (record,) = scene.audit.records(10)
    assert (record.attempts, record.last.status) == (ATTEMPTS, None)
    assert "ConnectError" in record.last.told
    assert scene.audit.retry(record.ref_id) == 1
    assert sender.once() == {State.WAITING: 1}
    (record,) = scene.audit.records(10)
    assert (record.attempts, record.due_at - scene.clock.now) == (ATTEMPTS + 1, dt.timedelta(seconds=5 * 1.125))


@DATABASES
@pytest.mark.parametrize(("asked_for", "seconds"), [("120", 120), ("1", 5.625), ("soon", 5.625)])
def test_a_recipient_that_asks_for_patience_gets_it(make, scene_on, asked_for: str, seconds: float) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(503, {"Retry-After": asked_for})]
    scene.publish()
    scene.read()
    scene.sender().once()
    (record,) = scene.audit.records(10)
    assert record.due_at - scene.clock.now == dt.timedelta(seconds=seconds)


@DATABASES
def test_what_was_taken_is_delivered_whatever_patience_is_asked_for(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(204, {"Retry-After": "Tue, 14 May 2024 10:02:00 +9999999999999999"})]
    scene.publish()
    scene.read()
    assert scene.sender().once() == {State.DELIVERED: 1}


@DATABASES
def test_a_redirect_is_not_followed(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(307, {"Location": f"{scene.hooks.url}/elsewhere"})]
    scene.publish()
    scene.read()
    assert scene.sender().once() == {State.WAITING: 1}
    assert scene.hooks.to("/elsewhere") == []


@DATABASES
def test_a_recipient_that_never_answers_is_given_up_in_time(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hurry()
    scene.hooks.answers["/crm"] = [Answer(before=scene.hooks.closing.wait)]
    scene.publish()
    scene.read()
    begun = time.monotonic()
    assert scene.sender().once() == {State.WAITING: 1}
    assert time.monotonic() - begun < 10 * TIMEOUT
    assert scene.audit.records(1)[0].last.told == f"There was no answer within {TIMEOUT:g} seconds."


@DATABASES
def test_an_answer_that_comes_byte_by_byte_holds_nobody_up_and_its_status_counts(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hurry()
    scene.hooks.answers["/crm"] = [Answer(200, body=b"." * 1000, slowly=True)]
    scene.publish()
    scene.read()
    begun = time.monotonic()
    assert scene.sender().once() == {State.DELIVERED: 1}
    assert time.monotonic() - begun < 10 * TIMEOUT


@DATABASES
def test_dead_recipients_do_not_hold_up_the_others(make, scene_on) -> None:
    dead = [f"dead-{number}" for number in range(sending.AT_ONCE - 1)]
    scene = scene_on(make, *dead, "living")
    scene.hurry(3.0)
    for name in dead:
        scene.hooks.answers[f"/{name}"] = [Answer(before=scene.hooks.closing.wait)]
    scene.publish(40)
    scene.read()
    with scene.sender().working():
        begun = time.monotonic()
        _until(lambda: len(scene.hooks.to("/living")) == 40)
        took = time.monotonic() - begun
    assert took < 15, "a second for each of the others would be much longer"
    # The clock stands still, so a recipient that failed stays alone after its first failure.
    assert [len(scene.hooks.to(f"/{name}")) for name in dead] == [1] * len(dead)


@DATABASES
def test_a_recipient_that_failed_is_tried_by_one_delivery_and_then_gets_all(make, scene_on) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(500), Answer(500), Answer(200)]
    scene.publish(10)
    scene.read()
    with scene.sender().working():
        _until(lambda: len(scene.audit.records(10, State.WAITING)) == 10 and len(scene.hooks.came) == 1)
        time.sleep(3 * sending.IDLE_SECONDS)
        assert len(scene.hooks.came) == 1
        scene.clock.advance(seconds=7)
        _until(lambda: len(scene.hooks.came) == 2)
        time.sleep(3 * sending.IDLE_SECONDS)
        assert len(scene.hooks.came) == 2
        scene.clock.advance(seconds=60)
        _until(lambda: scene.states == [State.DELIVERED] * 10)


@DATABASES
@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 422])
def test_a_message_that_is_refused_holds_up_no_other(make, scene_on, status: int) -> None:
    """Half of what comes is refused, from the first one on: all others arrive, although the clock stands still."""
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [answer for _ in range(20) for answer in (Answer(status), Answer(204))]
    scene.publish(40)
    scene.read()
    with scene.sender().working():
        _until(lambda: len(scene.hooks.came) == 40 and scene.states.count(State.DELIVERED) == 20)
    assert len({hook.id for hook in scene.hooks.came}) == 40
    assert scene.states.count(State.FAILED if status == 410 else State.WAITING) == 20


@DATABASES
@pytest.mark.parametrize("status", [307, 408, 425, 429, 500, 503])
def test_a_recipient_that_fails_is_left_alone_as_a_whole(make, scene_on, status: int) -> None:
    scene = scene_on(make)
    scene.hooks.answers["/crm"] = [Answer(status)]
    scene.publish(10)
    scene.read()
    with scene.sender().working():
        _until(lambda: len(scene.hooks.came) == 1)
        time.sleep(2 * sending.IDLE_SECONDS)
        assert len(scene.hooks.came) == 1


@DATABASES
def test_patience_that_was_asked_for_counts_whatever_else_is_answered(make, scene_on) -> None:
    """Four are under way: one is asked to wait a minute, and the others are taken or refused only after that."""
    scene, asked = scene_on(make), threading.Event()
    scene.hooks.answers["/crm"] = [
        Answer(204),
        Answer(429, {"Retry-After": "60"}),
        Answer(204, before=lambda: asked.wait(10)),
        Answer(422, before=lambda: asked.wait(10)),
        Answer(204, before=lambda: asked.wait(10)),
    ]
    scene.publish(20)
    scene.read()
    with scene.sender().working():
        _until(lambda: any(r.last and r.last.status == 429 for r in scene.audit.records(20)))
        asked.set()
        _until(lambda: sum(r.last is not None and r.last.ended_at is not None for r in scene.audit.records(20)) == 5)
        time.sleep(2 * sending.IDLE_SECONDS)
        assert len(scene.hooks.came) == 5
        scene.clock.advance(seconds=59)
        time.sleep(2 * sending.IDLE_SECONDS)
        assert len(scene.hooks.came) == 5
        scene.clock.advance(seconds=2)
        _until(lambda: scene.states.count(State.DELIVERED) >= 18)


@DATABASES
def test_a_delivery_that_cannot_be_sent_at_all_holds_up_no_other(make, scene_on) -> None:
    class Unsendable:
        def send(self, delivery):
            if delivery.code == "collectionStart":
                raise ValueError("its subject has a line break")
            return sending.Outcome(delivered=True)

    scene = scene_on(make)
    scene.publish(1, "collectionStart")
    scene.read()
    scene.publish(10)
    scene.read()
    with scene.sender(crm=Unsendable()).working():
        _until(lambda: scene.states.count(State.DELIVERED) == 10)


@DATABASES
def test_what_fails_here_says_nothing_of_the_recipient(make, scene_on) -> None:
    """It was not heard of yet: one delivery at a time tries it, whatever failed before it came there."""
    heard, answers, under_way = [0], threading.Event(), []

    class Unsendable:
        def send(self, delivery):
            if delivery.code == "collectionStart":
                raise ValueError("its subject has a line break")
            heard[0] += 1
            under_way.append(heard[0])
            answers.wait(10)
            heard[0] -= 1
            return sending.Outcome(delivered=True)

    scene = scene_on(make)
    scene.publish(1, "collectionStart")
    scene.read()
    scene.clock.advance(seconds=1)
    scene.publish(10)
    scene.read()
    with scene.sender(crm=Unsendable()).working():
        _until(lambda: under_way)
        time.sleep(2 * sending.IDLE_SECONDS)
        assert under_way == [1]
        answers.set()
        _until(lambda: scene.states.count(State.DELIVERED) == 10)


@DATABASES
def test_what_is_kept_of_an_error_of_ours_is_one_sentence_without_what_was_to_be_sent(make, scene_on) -> None:
    planted = "whsec_planted " * 1000
    errors = iter(
        [ValueError(planted), httpx.LocalProtocolError(planted), smtplib.SMTPRecipientsRefused({planted: (5, b"")})]
    )

    class Unsendable:
        def send(self, delivery):
            raise next(errors)

    class Garbled:
        def send(self, delivery):
            return scene.webhooks.post(f"{scene.hooks.url}/crm", b"{}", {"x-secret": f"{planted}\n"})

    scene = scene_on(make)
    scene.publish(4)
    scene.read()
    sender = scene.sender(crm=Unsendable())
    for _ in range(3):
        claimed = sender.deliveries.claim({"crm": 1}, 1, scene.clock())
        sender._send(claimed[0])
    scene.sender(crm=Garbled()).once()
    told = [record.last.told for record in scene.audit.records(10)]
    assert sorted(text.split(" at ")[0] for text in told) == [
        "LocalProtocolError",
        "LocalProtocolError",
        "SMTPRecipientsRefused",
        "ValueError",
    ]
    assert not [text for text in told if "planted" in text]


@DATABASES
def test_while_a_secret_is_rotated_either_one_verifies(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish()
    scene.read()
    new = "whsec_" + "bmV3" * 8
    channel = attrs.evolve(scene.hook("crm"), secrets=[new, SECRET])
    assert new not in repr(channel)
    assert scene.sender(crm=channel).once() == {State.DELIVERED: 1}
    (hook,) = scene.hooks.came
    assert len(hook.headers["webhook-signature"].split()) == 2
    assert Webhook(new).verify(hook.raw, hook.headers) == hook.body


@DATABASES
def test_two_senders_at_once_send_nothing_twice(make, scene_on) -> None:
    scene = scene_on(make, "crm", "erp")
    scene.publish(100)
    scene.read()
    with _another(scene.database) as other, scene.sender().working(), scene.sender(other).working():
        _until(lambda: scene.states == [State.DELIVERED] * 200)
    assert len(scene.hooks.came) == 200
    assert len({(hook.path, hook.id) for hook in scene.hooks.came}) == 200


@DATABASES
def test_what_a_sender_left_when_it_died_is_sent_when_its_claim_expires(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish()
    scene.read()
    dead = Deliveries(scene.database, scene.clock)
    (lost,) = dead.claim({"crm": 1}, 1, scene.clock.now)
    assert scene.sender().once() == {}
    assert scene.audit.retry() == 0, "somebody may be sending it"
    scene.clock.advance(seconds=CLAIM_SECONDS)
    assert scene.sender().once() == {State.DELIVERED: 1}
    assert [hook.id for hook in scene.hooks.came] == [str(lost.ref_id)]
    _, (first, second) = scene.audit.record(lost.ref_id)
    assert (first.ended_at, second.status) == (None, 200)


@DATABASES
@pytest.mark.parametrize("named", [True, False], ids=["one", "all"])
def test_what_is_claimed_while_somebody_retries_it_is_left_to_whoever_claimed_it(make, scene_on, named) -> None:
    scene = scene_on(make)
    scene.publish()
    scene.read()
    (record,) = scene.audit.records(1)
    retried: list[int] = []
    with _another(scene.database) as other:
        audit = Audit(other, scene.clock)
        retrying = threading.Thread(
            target=lambda: retried.append(audit.retry(record.ref_id if named else None)), name="retry"
        )

        def now_while_somebody_retries() -> dt.datetime:
            retrying.start()
            time.sleep(0.5)
            return scene.clock.now

        claimed = Deliveries(scene.database, now_while_somebody_retries).claim({"crm": 1}, 1, scene.clock.now)
        retrying.join()
    assert (len(claimed), retried) == (1, [0])
    assert scene.audit.records(1)[0].due_at == scene.clock.now + dt.timedelta(seconds=CLAIM_SECONDS)


@DATABASES
def test_who_lost_its_claim_changes_nothing_but_that_it_was_delivered(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish()
    scene.read()
    deliveries = Deliveries(scene.database, scene.clock)
    (late,) = deliveries.claim({"crm": 1}, 1, scene.clock.now)
    scene.clock.advance(seconds=CLAIM_SECONDS)
    deliveries.claim({"crm": 1}, 1, scene.clock.now)
    deliveries.ended(late, sending.Outcome(status=500), None)
    assert scene.states == [State.WAITING]
    deliveries.ended(late, sending.Outcome(delivered=True, status=200), None)
    assert scene.states == [State.DELIVERED]
    deliveries.ended(late, sending.Outcome(status=500), None)
    assert scene.states == [State.DELIVERED]


@DATABASES
def test_reading_from_the_beginning_tells_a_new_recipient_what_it_missed_and_nobody_twice(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish(5)
    scene.read()
    assert scene.sender().once() == {State.DELIVERED: 5}
    scene.names = ("crm", "erp")
    scene.read(again=True)
    assert scene.sender().once() == {State.DELIVERED: 5}
    assert (len(scene.hooks.to("/crm")), len(scene.hooks.to("/erp"))) == (5, 5)
    scene.read(again=True)
    assert scene.sender().once() == {}


@DATABASES
def test_to_find_nothing_due_takes_one_query_and_waits_for_nobody_who_writes(make, scene_on) -> None:
    scene = scene_on(make, "crm", "erp")
    scene.publish()
    scene.read()
    deliveries = Deliveries(scene.database, scene.clock)
    assert len(deliveries.claim({"crm": 1, "erp": 1}, 2, scene.clock.now)) == 2
    with scene.database.transaction():
        before = scene.database.driver.round_trips
        assert deliveries.claim({"crm": 1, "erp": 1}, 2, scene.clock.now) == []
        begun_and_asked = 2
        assert scene.database.driver.round_trips - before <= begun_and_asked


@DATABASES
def test_deliveries_to_recipients_that_are_no_more_wait(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish()
    scene.read()
    assert scene.sender(other=scene.hook("other")).once() == {}
    assert scene.audit.waiting() == 1


@DATABASES
def test_records_are_found_by_state_and_recipient_the_newest_first(make, scene_on) -> None:
    scene = scene_on(make, "crm", "erp")
    scene.hooks.answers["/erp"] = [Answer(410)]
    for _ in range(3):
        scene.publish()
        scene.read()
        scene.sender().once()
        scene.clock.advance(seconds=1)
    records = scene.audit.records(10)
    assert [r.kept_at for r in records] == sorted((r.kept_at for r in records), reverse=True)
    assert len(scene.audit.records(4)) == 4
    assert {r.recipient for r in scene.audit.records(10, State.FAILED)} == {"erp"}
    assert {r.state for r in scene.audit.records(10, recipient="crm")} == {State.DELIVERED}
    assert scene.audit.records(10, State.DELIVERED, "erp") == []
    assert scene.audit.record(uuid4()) is None
    assert scene.audit.retry() == 3


@DATABASES
def test_an_e_mail_can_be_read_and_has_the_same_id_when_it_comes_again(make, scene_on) -> None:
    scene = scene_on(make, "ops")
    scene.mails.answers = ["451 Come again"]
    scene.publish()
    scene.read()
    sender = scene.sender(ops=scene.mail())
    assert sender.once() == {State.WAITING: 1}
    (record,) = scene.audit.records(1)
    assert (record.last.status, record.last.told) == (451, "Come again")
    scene.clock.advance(seconds=10)
    assert sender.once() == {State.DELIVERED: 1}
    (envelope,) = scene.mails.came
    assert (envelope.mail_from, envelope.rcpt_tos) == ("ocs@example.com", ["ops@example.com"])
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == "paymentReceived, account A-1"
    assert message["Message-ID"] == f"<{record.ref_id}@example.com>"
    text = message.get_content()
    for label, value in (
        ("account", "A-1 (018f0000-0000-7000-8000-000000000001)"),
        ("payment amount", "9223372036854.775807 EUR"),
        ("payment date received", "2024-05-14 10:30:00 CEST"),
        ("channel type", "bank"),
    ):
        assert any(line.startswith(f"{label}: ") and line.endswith(f" {value}") for line in text.splitlines()), label
    assert "payment ref" not in text


def _send(url: str, user: str = "", timeout: float = mail.TIMEOUT) -> sending.Outcome:
    server = MailServer.parse(url.replace("://", f"://{user}@") if user else url)
    channel = MailChannel(
        server=server, sender="a@b.c", to="d@e.f", zone=ZoneInfo("UTC"), clock=utc_now, timeout=timeout
    )
    assert "p@ss" not in repr(channel)
    return channel.send(_delivery())


@pytest.mark.parametrize("at_once", [False, True], ids=["starttls", "smtps"])
def test_a_password_is_sent_where_a_certificate_can_be_trusted(at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with certificate() as (own, certified), mails(certified, encrypted_at_once=at_once) as server:
        assert "CERTIFICATE_VERIFY_FAILED" in _send(server.url, "me:p%40ss").told
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
        assert _send(server.url, "me:p%40ss").delivered
        assert _send(server.url, "me:wrong").status == 535
    assert len(server.came) == 1


def test_without_a_password_a_server_of_e_mail_needs_no_certificate_that_can_be_trusted() -> None:
    with certificate() as (_, certified), mails(certified) as server:
        assert _send(server.url).delivered


def test_a_password_is_not_sent_in_the_clear() -> None:
    with mails() as server:
        outcome = _send(server.url, "me:p%40ss")
    assert not outcome.delivered
    assert "STARTTLS" in outcome.told


def test_an_e_mail_that_is_refused_is_told_with_the_reason() -> None:
    with mails() as server:
        server.answers = ["554 No thanks"]
        outcome = _send(server.url)
        server.answers = ["451 Later"]
        assert not _send(server.url).is_refused
    assert (outcome.delivered, outcome.status, outcome.told) == (False, 554, "No thanks")
    assert outcome.is_refused
    assert "ConnectionRefusedError" in _send("smtp://127.0.0.1:1").told


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_of_e_mail_that_answers_byte_by_byte_holds_nobody_up(scheme: str) -> None:
    # A greeting with a line too much, for ever; and a handshake of which the length was told, and the rest takes its time.
    begins, goes_on = {"smtp": (b"", b"220-wait\r\n"), "smtps": (b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", b".")}[scheme]
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(begins)
                while not gone.wait(0.02):
                    connection.sendall(goes_on)

        dripping = threading.Thread(target=drip)
        dripping.start()
        begun = time.monotonic()
        outcome = _send(f"{scheme}://127.0.0.1:{server.getsockname()[1]}", timeout=0.5)
        took = time.monotonic() - begun
        gone.set()
        dripping.join()
    assert (outcome.delivered, outcome.told) == (False, "It was not taken within 0.5 seconds.")
    assert took < 5


def test_a_claim_holds_much_longer_than_any_attempt_takes() -> None:
    assert max(mail.TIMEOUT, webhooks.TIMEOUT) <= CLAIM_SECONDS / 2


@pytest.mark.parametrize("url", ["", "localhost:25", "http://a", "smtp://", "smtp://a:x", "smtp://a/b", "smtp://[a"])
def test_what_is_no_server_of_e_mail_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="give smtp://USER"):
        MailServer.parse(url)


def _delivery() -> sending.Delivery:
    return sending.Delivery(
        ref_id=uuid4(),
        recipient="ops",
        code="paymentReceived",
        occurred_at=utc_now(),
        value=json.dumps(VALUE),
        number=1,
        attempts_left=1,
    )


@contextmanager
def _another(database: Database) -> Iterator[Database]:
    """The same database, as another process has it."""
    opened = connect(database.engine.url.render_as_string(hide_password=False))
    try:
        yield opened
    finally:
        opened.close()


def _until(reached) -> None:
    pause = threading.Event()
    for _ in range(600):
        if reached():
            return
        pause.wait(0.05)
    raise TimeoutError
