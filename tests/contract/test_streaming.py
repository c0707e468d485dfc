"""The embedded streaming platform: what was committed reaches the log, in order per key, once."""

import threading

from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.store import SqlStore
from ocs_adapters.streaming.relay import Relay
from ocs_core.messages import TopicNames
from ocs_core.testkit.examples import UNIT, Desk
from ocs_core.testkit.fakes import NOW
from tests.contract.stores import DATABASES, subject_on


def _relay(database) -> tuple[Relay, SqlEventLog]:
    log = SqlEventLog(database, lambda: NOW)
    return Relay(SqlOutbox(database), log), log


@DATABASES
def test_everything_published_reaches_the_log_in_its_order(make) -> None:
    with make() as database:
        relay, log = _relay(database)
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        desk.assign(desk.payment(account=account), desk.document(account=account), UNIT)
        published = subject_on(database).published()
        assert relay.drain() == len(published)
        logged = log.after(0)
        assert [event.headers["ce_id"] for event in logged] == [str(p.ref_id) for p in published]
        assert [event.offset for event in logged] == sorted({event.offset for event in logged})
        assert subject_on(database).published() == []


@DATABASES
def test_headers_key_topic_and_value_are_as_specified(make) -> None:
    with make() as database:
        relay, log = _relay(database)
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        payment = desk.payment(account=account, amount=49_900_000)
        relay.drain()
        told = {event.headers["ce_type"]: event for event in log.after(0)}
        event = told["io.ocs.rm.payment"]
        assert (event.topic, event.key) == ("ocs.rm.business-transactions", account.ref_id)
        ce_id = event.headers.pop("ce_id")
        assert len(ce_id) == 36
        assert event.headers == {
            "X-Ocs-Io-transaction-id": "request-2",
            "X-Ocs-Io-message-code": "payment",
            "X-Ocs-Io-message-payload": "PaymentEx",
            "ce_specversion": "1.0",
            "ce_source": "/ocs-rm",
            "ce_type": "io.ocs.rm.payment",
            "ce_time": "2024-05-14T10:00:00.000000Z",
            "ce_subject": str(payment.ref_id),
            "ce_dataschema": "urn:ocs-rm:schema:PaymentEx:1",
            "content-type": "application/json",
        }
        assert event.value["paymentAmount"] == 49_900_000
        assert event.value["account"] == {"refId": str(account.ref_id), "externalId": "A-1"}
        notification = told["io.ocs.rm.paymentReceived"]
        assert notification.topic == "ocs.rm.notifications"
        assert notification.headers["X-Ocs-Io-notification-code"] == "paymentReceived"
        assert notification.headers["X-Ocs-Io-notification-payload"] == "PaymentReceivedNotification"
        assert notification.value == {
            "effectiveDate": "2024-05-14T10:00:00.000000Z",
            "account": {"refId": str(account.ref_id), "externalId": "A-1"},
            "paymentType": "IN",
            "paymentAmount": 49_900_000,
            "currency": "EUR",
            "paymentDateReceived": "2024-05-14T10:00:00.000000Z",
            "paymentRef1": None,
            "paymentRef2": None,
            "paymentRef3": None,
            "channelType": None,
        }


@DATABASES
def test_a_crash_between_publishing_and_forgetting_publishes_once(make) -> None:
    with make() as database:
        relay, log = _relay(database)
        Desk(subject_on(database).store).account("A-1")
        relay.publisher.publish(relay.outbox.waiting(10))
        relay.drain()
        assert [event.headers["X-Ocs-Io-message-code"] for event in log.after(0)] == ["account", "payer"]


@DATABASES
def test_several_relays_beside_writers_lose_nothing_and_keep_the_order_per_key(make) -> None:
    with make() as database:
        relays = [_relay(database)[0] for _ in range(2)]
        for relay in relays:
            relay.start()
        desk = Desk(subject_on(database).store)
        accounts = [desk.account(f"A-{n}") for n in range(4)]
        payments = [[desk.payment(account=account, amount=50 * UNIT)] for account in accounts]
        documents = [desk.document(account=account) for account in accounts]

        def write(number: int) -> None:
            for _ in range(15):
                desk.assign(payments[number][0], documents[number], UNIT)

        writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        for relay in relays:
            relay.stop()
        last, log = _relay(database)
        last.drain()
        versions: dict[str, list[int]] = {}
        for event in log.after(0, 10_000):
            if event.headers["ce_type"] == "io.ocs.rm.document":
                versions.setdefault(event.headers["ce_subject"], []).append(event.value["version"])
        assert list(versions.values()) == [list(range(1, 17))] * 4


@DATABASES
def test_topics_are_configurable(make) -> None:
    with make() as database:
        relay, log = _relay(database)
        Desk(SqlStore(database, TopicNames(business_transactions="elsewhere"))).account("A-1")
        relay.drain()
        assert {event.topic for event in log.after(0)} == {"elsewhere"}
