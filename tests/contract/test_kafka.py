"""Kafka's adapter on a real broker: the publisher's contract, and what the broker alone can do."""

import gc
import json
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
from kafka import codec
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    NewTopic,
    ResourcePattern,
    ResourceType,
)
from structlog.testing import capture_logs

from ocs_adapters.bootstrap import platform
from ocs_adapters.cli import main
from ocs_adapters.kafka import publisher, topics
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.history import read_all
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_adapters.settings import Settings, load
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.streaming.relay import Relay
from ocs_core.errors import OcsError, PlatformUnavailable
from ocs_core.ports import OutboxRow, Publisher
from ocs_core.testkit.contracts import PublisherSubject, publisher_contract
from ocs_core.testkit.contracts.publisher import KEYS, a_row, by_key, delivered, once, publish_all
from ocs_core.testkit.contracts.values import id_of
from ocs_core.testkit.examples import Desk
from tests.contract.on_kafka import FORGETS_SOCKETS, NOTHING, TOPICS, WANTED, empty, kept, server
from tests.contract.stores import postgres_database, subject_on
from tests.programs import needed


@contextmanager
def _publisher() -> Iterator[PublisherSubject]:
    with empty() as connection:
        made = KafkaPublisher(connection)
        try:
            yield PublisherSubject(made, lambda: kept(connection))
        finally:
            made.close()


TestKafkaPublisher = publisher_contract(_publisher)


def test_a_message_that_is_too_large_is_refused_and_holds_its_key_alone() -> None:
    with _publisher() as subject:
        large = a_row(11, KEYS[0], b"x" * 2_000_000)
        rows = [a_row(10, KEYS[0]), large, a_row(12, KEYS[0]), a_row(13, KEYS[1])]
        published = subject.publisher.publish(rows)
        assert [row.ref_id for row in published.kept] == [rows[0].ref_id, rows[3].ref_id]
        assert [refused.row for refused in published.refused] == [large]
        assert "MessageSizeTooLarge" in published.refused[0].reason
        assert list(subject.publisher.publish([rows[2]]).kept) == [rows[2]]
        assert by_key(subject.kept()) == by_key([delivered(row) for row in (rows[0], rows[2], rows[3])])


def test_what_only_the_broker_finds_too_large_is_told_apart_from_what_came_with_it() -> None:
    with empty() as connection:
        made = KafkaPublisher(connection, {"max_request_size": 8_000_000})
        large = a_row(11, KEYS[0], _incompressible(3_000_000))
        rows = [a_row(10, KEYS[0]), large, a_row(12, KEYS[0]), a_row(13, KEYS[1])]
        published = made.publish(rows)
        made.close()
        assert [refused.row for refused in published.refused] == [large]
        assert {row.ref_id for row in published.kept} == {rows[0].ref_id, rows[3].ref_id}
        assert {m.headers["ce_id"] for m in kept(connection)} == {str(row.ref_id) for row in published.kept}


@FORGETS_SOCKETS
def test_a_broker_that_is_away_is_told_and_nothing_is_taken_forkept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTHING, "kafka")
    monkeypatch.setattr(publisher, "METADATA_SECONDS", 1.0)
    made = KafkaPublisher(KafkaConnection(servers="127.0.0.1:1"))
    begun = time.monotonic()
    assert _complaint(made, [a_row(10 + n, key) for n, key in enumerate(KEYS)]).startswith("Kafka keeps nothing")
    assert time.monotonic() - begun < 4, "it waited for the broker once for each key"
    made.close()
    gc.collect()


def test_a_topic_that_nobody_made_is_waited_for_once_and_keeps_no_other_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "METADATA_SECONDS", 1.0)
    with _publisher() as subject:
        rows = [a_row(10 + n, key) for n, key in enumerate(KEYS)]
        lost = [attrs.evolve(row, topic="nobody-made-it") for row in rows[:4]]
        large = a_row(20, KEYS[4], b"x" * 2_000_000)
        begun = time.monotonic()
        published = subject.publisher.publish([*lost, rows[4], large])
        assert time.monotonic() - begun < 4, "it waited for the topic once for each message"
        assert list(published.kept) == [rows[4]]
        assert [refused.row for refused in published.refused] == [large]
        with pytest.raises(PlatformUnavailable, match="Kafka keeps nothing"):
            subject.publisher.publish(lost)


def test_a_topic_whose_name_cannot_be_is_the_messages_own_fault() -> None:
    with _publisher() as subject:
        wrong = attrs.evolve(a_row(10, KEYS[0]), topic="no such topic!")
        published = subject.publisher.publish([wrong, a_row(11, KEYS[1])])
        assert [refused.row for refused in published.refused] == [wrong]
        assert len(published.kept) == 1


def _publish_for(seconds: float, to: Publisher, rows: list[OutboxRow]) -> None:
    """Again and again: a broker has a rule a moment before it goes by it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        to.publish(rows)


def test_a_topic_that_we_may_not_write_to_is_told_and_nothing_of_it_is_held() -> None:
    with _publisher() as subject:
        connection = KafkaConnection(servers=server().server)
        pattern = ResourcePattern(ResourceType.TOPIC, TOPICS[1])
        rule = ACL("User:ANONYMOUS", "*", ACLOperation.WRITE, ACLPermissionType.DENY, pattern)
        admin = KafkaAdminClient(**connection.options())
        try:
            admin.create_acls([rule])
            with pytest.raises(PlatformUnavailable, match="TopicAuthorizationFailed"):
                _publish_for(30.0, subject.publisher, [a_row(10, KEYS[0]), a_row(11, KEYS[1])])
        finally:
            admin.delete_acls([rule])
            admin.close()
        publish_all(subject.publisher, [a_row(10, KEYS[0])])


@FORGETS_SOCKETS
def test_a_broker_that_dies_in_the_middle_loses_nothing_and_nothing_overtakes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTHING, "kafka")
    monkeypatch.setattr(publisher, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(publisher, "LATENESS_SECONDS", 1.0)
    with _publisher() as subject:
        rows = [a_row(number, KEYS[number % 5]) for number in range(300, 100, -1)]
        publish_all(subject.publisher, rows[:50])
        server().kill()
        threads = threading.active_count()
        try:
            _complaint(subject.publisher, rows[50:100])
            assert threading.active_count() < threads, "the dead producer's thread goes on"
            gc.collect()
        finally:
            server().start()
        publish_all(subject.publisher, rows[50:])
        assert by_key(once(subject.kept())) == by_key([delivered(row) for row in rows])


def test_what_was_committed_arrives_with_every_header_by_name() -> None:
    with empty() as connection, postgres_database() as database:
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        payment = desk.payment(account=account, amount=49_900_000)
        made = KafkaPublisher(connection)
        Relay(SqlOutbox(database), made).drain()
        made.close()
        (told,) = [m for m in kept(connection) if m.headers["ce_type"] == "io.ocs.rm.paymentReceived"]
        assert (told.topic, told.key) == ("ocs.rm.notifications", account.ref_id)
        assert {**told.headers, "ce_id": "made for each"} == {
            "X-Ocs-Io-transaction-id": "request-2",
            "X-Ocs-Io-notification-code": "paymentReceived",
            "X-Ocs-Io-notification-payload": "PaymentReceivedNotification",
            "ce_id": "made for each",
            "ce_specversion": "1.0",
            "ce_source": "/ocs-rm",
            "ce_type": "io.ocs.rm.paymentReceived",
            "ce_time": "2024-05-14T10:00:00.000000Z",
            "ce_subject": str(payment.ref_id),
            "ce_dataschema": "urn:ocs-rm:schema:PaymentReceivedNotification:1",
            "content-type": "application/json",
        }
        assert json.loads(told.value)["paymentAmount"] == 49_900_000


def test_another_client_reads_key_headers_and_value_as_they_are_specified() -> None:
    needed("kcat")
    with empty() as connection:
        row = a_row(10, KEYS[0], '{"note":"Zoë 💶","paymentAmount":49900000}'.encode(), ce_type="io.ocs.rm.payment")
        made = KafkaPublisher(connection)
        try:
            publish_all(made, [row])
        finally:
            made.close()
        command = ["kcat", "-b", connection.servers, "-C", "-t", row.topic, "-e", "-q", "-f", r"%k\n%h\n%s\n"]
        said = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
        headers = f"ce_id={row.ref_id},ce_specversion=1.0,content-type=application/json,ce_type=io.ocs.rm.payment"
        assert said.splitlines() == [str(KEYS[0]), headers, '{"note":"Zoë 💶","paymentAmount":49900000}']


def test_the_command_line_makes_the_topics_and_its_relay_publishes_to_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with empty() as connection, postgres_database() as database:
        monkeypatch.setenv("OCS_KAFKA_SERVERS", connection.servers)
        monkeypatch.setenv("OCS_NOTIFICATIONS_TOPIC", f"told-{time.time_ns()}")
        with pytest.raises(SystemExit, match="0"):
            main(["kafka", "init", "--partitions", "2"])
        said = capsys.readouterr()
        assert said.out.splitlines()[0] == "ocs.rm.business-transactions: there already"
        assert said.out.splitlines()[1].endswith(": made")
        assert said.out.splitlines()[2].startswith("ocs.rm.process-slices: ")
        assert said.err == "The topic ocs.rm.business-transactions has 3 partitions, not 2; it is left so.\n"
        settings = attrs.evolve(load(), database_url=database.engine.url.render_as_string(hide_password=False))
        Desk(subject_on(database).store).account("A-1")
        made = platform(settings)
        assert made.relay.drain() == 2
        made.services.close()
        assert [m.headers["X-Ocs-Io-message-code"] for m in kept(connection)] == ["account", "payer"]
        with pytest.raises(SystemExit, match="1"):
            main(["events"])
        assert "Messages go to Kafka at 127.0.0.1" in capsys.readouterr().err


def test_topics_are_made_once_and_never_compacted() -> None:
    with empty() as connection:
        assert topics.create_topics(connection, TOPICS, WANTED).made == []
        admin = KafkaAdminClient(**connection.options())
        try:
            assert [len(topic["partitions"]) for topic in admin.describe_topics(list(TOPICS))] == [3, 3]
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in TOPICS]
            for configuration in admin.describe_configs(resources)["topic"].values():
                assert configuration["cleanup.policy"]["value"] == "delete"
                assert configuration["retention.ms"]["value"] == "604800000"
        finally:
            admin.close()


def test_topics_that_exist_are_compared_with_what_is_wanted_and_compacted_ones_are_refused() -> None:
    name = f"compared-{time.time_ns()}"
    with empty() as connection:
        admin = KafkaAdminClient(**connection.options())

        def set_to(option: str, value: str) -> None:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {option: value})])

        def differences(partitions: int) -> Sequence[str]:
            asked = topics.create_topics(connection, [name], attrs.evolve(WANTED, partitions=partitions))
            return asked.differences

        try:
            assert differences(3) == []
            set_to("retention.ms", "-1")
            assert differences(4) == [
                f"The topic {name} has 3 partitions, not 4; it is left so.",
                f"The topic {name} keeps messages for ever, not for 7 days; it is left so.",
            ]
            admin.alter_configs(
                [
                    ConfigResource(
                        ConfigResourceType.TOPIC,
                        name,
                        {"compression.type": "zstd", "max.message.bytes": "100000", "min.insync.replicas": "2"},
                    )
                ]
            )
            said = topics.create_topics(connection, [name], attrs.evolve(WANTED, replication=3)).differences
            for each in (
                "is kept on 1 broker, not 3; it is left so.",
                "has min.insync.replicas=2 and is kept on 1 broker: nothing can be published there.",
                "has compression.type=zstd: the broker compresses again what is sent with gzip, and who reads needs zstd.",
                "takes messages of 100000 bytes at the most, and up to 1048576 are sent",
            ):
                assert [sentence for sentence in said if sentence.startswith(f"The topic {name} {each}")], (each, said)
            set_to("cleanup.policy", "compact")
            with pytest.raises(OcsError, match=r"has cleanup.policy=compact. Compaction keeps the last message"):
                differences(3)
        finally:
            admin.delete_topics([name])
            admin.close()


def test_a_topic_that_others_made_by_the_brokers_defaults_is_compared_too() -> None:
    name = f"theirs-{time.time_ns()}"
    with empty() as connection:
        admin = KafkaAdminClient(**connection.options())
        try:
            admin.create_topics([NewTopic(name, 3, 1)], wait_for_metadata=True)
            assert topics.create_topics(connection, [name], WANTED).differences == []
        finally:
            admin.delete_topics([name])
            admin.close()


def test_more_copies_than_there_are_brokers_are_refused_with_what_helps() -> None:
    with empty() as connection, pytest.raises(OcsError, match=r"cannot keep 3 copies of a topic.*give --replication"):
        topics.create_topics(connection, [f"copies-{time.time_ns()}"], attrs.evolve(WANTED, replication=3))


def test_many_that_are_refused_do_not_keep_the_others_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client refuses costs nothing; what the broker refuses is found by halves, and not one by one."""
    sent: list[int] = []
    send = KafkaPublisher._send
    monkeypatch.setattr(KafkaPublisher, "_send", lambda self, rows: sent.append(len(rows)) or send(self, rows))
    with _publisher() as subject:
        keys = [id_of(number) for number in range(1, 201)]
        large = [a_row(1000 + n, key, b"x" * 2_000_000) for n, key in enumerate(keys[:20])]
        rows = [a_row(2000 + n, key) for n, key in enumerate(keys[20:])]
        published = subject.publisher.publish([*large, *rows])
        assert ([h.row for h in published.refused], list(published.kept)) == (large, rows)
        assert sent == [200]
    sent.clear()
    with empty() as connection:
        made = KafkaPublisher(connection, {"max_request_size": 8_000_000})
        rows[77] = a_row(3000, keys[97], _incompressible(3_000_000))
        published = made.publish(rows)
        made.close()
        assert [h.row for h in published.refused] == [rows[77]]
        assert sorted(r.position for r in published.kept) == [r.position for r in rows if r is not rows[77]]
        assert len(sent) <= 20


@pytest.mark.parametrize("compression", ["gzip", "none", "lz4", "snappy", "zstd"])
def test_whatever_compresses_it_a_message_is_read(compression: str) -> None:
    with empty() as connection:
        made = KafkaPublisher(connection, compression=compression)
        publish_all(made, rows := [a_row(10 + n, key, b"x" * 2000) for n, key in enumerate(KEYS)])
        made.close()
        assert by_key(list(read_all(connection, TOPICS))) == by_key([delivered(row) for row in rows])


def test_what_cannot_be_read_here_is_told_with_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with empty() as connection:
        made = KafkaPublisher(connection, compression="lz4")
        publish_all(made, [a_row(10, KEYS[0], b"x" * 2000)])
        made.close()
        for name in ("lz4", "lz4f", "lz4framed"):
            monkeypatch.setattr(codec, name, None)
        sentence = r"The library of lz4 is not installed; install ocs-rm\[kafka\]"
        with pytest.raises(PlatformUnavailable, match=sentence):
            list(read_all(connection, TOPICS))
        _tells_always(connection, sentence)
        with pytest.raises(OcsError, match=f"OCS_KAFKA_COMPRESSION is lz4. {sentence}"):
            platform(Settings(database_url="sqlite://", kafka_servers=connection.servers, kafka_compression="lz4"))


def test_a_topic_that_we_may_not_read_is_told_however_often_it_is_asked_for() -> None:
    with empty() as connection:
        made = KafkaPublisher(connection)
        publish_all(made, [a_row(10, KEYS[0])])
        made.close()
        admin, everybody = KafkaAdminClient(**connection.options()), ("User:*", "*")
        pattern = ResourcePattern(ResourceType.TOPIC, a_row(10, KEYS[0]).topic)
        rules = [
            ACL(*everybody, ACLOperation.DESCRIBE, ACLPermissionType.ALLOW, pattern),
            ACL(*everybody, ACLOperation.READ, ACLPermissionType.DENY, pattern),
        ]
        try:
            admin.create_acls(rules)
            _tells_always(connection, "TopicAuthorizationFailed")
        finally:
            admin.delete_acls(rules)
            admin.close()


def _tells_always(connection: KafkaConnection, sentence: str) -> None:
    """Whenever it is asked: a client that began anew has a place in its group, and did not read anything yet."""
    stream = KafkaStream(connection, TOPICS, f"unread-{time.time_ns()}")
    try:
        with capture_logs() as logged:
            for _ in range(5):
                with pytest.raises(PlatformUnavailable, match=sentence):
                    stream.next(10)
                time.sleep(0.7)
    finally:
        stream.close()
    assert {bool(re.search(sentence, entry["error"])) for entry in logged} == {True}


KAFKAJS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ocs-rm" / "kafkajs-2.2.4"
READS = """
const { Kafka, logLevel } = require("kafkajs")
const [server, topic, wanted] = process.argv.slice(2)
const consumer = new Kafka({ brokers: [server], logLevel: logLevel.NOTHING }).consumer({ groupId: "js-" + Date.now() })
let left = Number(wanted)
consumer.on(consumer.events.CRASH, ({ payload }) => { console.error(payload.error.message); process.exit(1) })
;(async () => {
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => {
    console.log(message.key.toString(), message.headers.ce_id.toString(), message.value.length)
    if (--left === 0) process.exit(0)
  } })
})()
"""


def test_a_client_of_javascript_without_further_libraries_reads_what_is_sent() -> None:
    """kafkajs knows gzip alone by itself, as many clients do."""
    needed("npm")
    if not (KAFKAJS / "node_modules" / "kafkajs").exists():
        KAFKAJS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", KAFKAJS, "kafkajs@2.2.4"], check=True, timeout=300)
    with empty() as connection:
        made = KafkaPublisher(connection)
        publish_all(made, rows := [a_row(10 + n, key, b"x" * 2000) for n, key in enumerate(KEYS)])
        made.close()
        (KAFKAJS / "read.js").write_text(READS)
        command = ["node", KAFKAJS / "read.js", connection.servers, rows[0].topic, str(len(rows))]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stderr
        assert sorted(ended.stdout.splitlines()) == sorted(f"{row.key} {row.headers['ce_id']} 2000" for row in rows)


def _complaint(made: Publisher, rows: Sequence[OutboxRow]) -> str:
    try:
        made.publish(rows)
    except PlatformUnavailable as error:
        return str(error)
    raise AssertionError("it found a broker where there is none")


def _incompressible(length: int) -> bytes:

    return random.Random(7).randbytes(length)
