"""Kafka's `Stream` on a real broker: the contract, and what happens to members of a group."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import attrs
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewPartitions
from structlog.testing import capture_logs

from ocs_adapters.kafka import buffer, consumer, member
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_core.errors import PlatformUnavailable
from ocs_core.ports import Delivered, OutboxRow
from ocs_core.testkit.contracts import StreamSubject, stream_contract
from ocs_core.testkit.contracts.publisher import KEYS, a_row, by_key, delivered, once, publish_all
from ocs_core.testkit.contracts.values import id_of
from tests.contract.on_kafka import FORGETS_SOCKETS, NOTHING, TOPICS, empty, server

pytestmark = [FORGETS_SOCKETS, pytest.mark.usefixtures("forgotten_here")]
NOTIFICATIONS = TOPICS[1]
ACCOUNTS = tuple(id_of(number) for number in range(1, 21))
"""Enough that no partition is without any."""
PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with other work to do takes its time to join a group; what is tested is not how long."""
    monkeypatch.setattr(consumer, "WAIT_SECONDS", 20.0)


@attrs.frozen
class Platform:
    """Empty topics, a publisher, and readers that are closed at the end."""

    connection: KafkaConnection
    publisher: KafkaPublisher
    opened: list[KafkaStream] = attrs.field(factory=list)
    run: int = attrs.field(factory=time.time_ns)

    def member(self, name: str = "finance", **options: object) -> KafkaStream:
        """A new member of the group of that name."""
        self.opened.append(KafkaStream(self.connection, TOPICS, f"{name}-{self.run}", options))
        return self.opened[-1]

    def reader(self, name: str) -> KafkaStream:
        """The same, and the last one of the name is gone: one that was merely dropped is still a member."""
        for stream in self.opened:
            if stream.name == f"{name}-{self.run}":
                stream.close()
        return self.member(name)


@contextmanager
def _platform() -> Iterator[Platform]:
    with empty() as connection:
        made = Platform(connection, KafkaPublisher(connection))
        try:
            yield made
        finally:
            for stream in made.opened:
                stream.close()
            made.publisher.close()


@contextmanager
def _stream() -> Iterator[StreamSubject]:
    with _platform() as made:
        yield StreamSubject(made.publisher, made.reader)


TestKafkaStream = stream_contract(_stream)


def _rows(start: int, count: int, value: bytes = b"{}") -> list[OutboxRow]:
    return [a_row(number, ACCOUNTS[number % 20], value) for number in range(start, start + count)]


def _ids(rows: Sequence[OutboxRow]) -> set[str]:
    return {str(row.ref_id) for row in rows}


def _read(stream: KafkaStream, enough: Callable[[Sequence[Delivered]], bool]) -> Sequence[Delivered]:
    """What a reader is given, through whatever happens to the broker, until it is enough."""
    given: list[Delivered] = []
    ends = time.monotonic() + PATIENCE_SECONDS
    while not enough(given):
        assert time.monotonic() < ends, f"{len(given)} messages, and no more came"
        try:
            given += stream.next(100)
        except PlatformUnavailable:
            time.sleep(0.1)
    return given


def _read_to_the_end(stream: KafkaStream) -> Iterator[Delivered]:
    while some := stream.next(100):
        yield from some


def _until(rows: Sequence[OutboxRow]) -> Callable[[Sequence[Delivered]], bool]:
    wanted = _ids(rows)
    return lambda given: wanted <= {message.headers["ce_id"] for message in given}


def test_two_members_share_the_partitions_and_the_one_that_stays_takes_over() -> None:
    with _platform() as made:
        rows = _rows(1000, 300)
        given: list[tuple[str, Delivered]] = []
        leaving = {"one": threading.Event(), "two": threading.Event()}

        def work(name: str, stream: KafkaStream) -> None:
            while not leaving[name].is_set():
                given.extend((name, message) for message in stream.next(7))
                stream.commit()
            stream.close()

        def wait_for(wanted: Sequence[OutboxRow], *names: str) -> None:
            ends = time.monotonic() + PATIENCE_SECONDS
            while not _ids(wanted) <= {message.headers["ce_id"] for name, message in given if name in names}:
                assert time.monotonic() < ends, "messages that nobody was given"
                time.sleep(0.02)

        threads = {name: threading.Thread(target=work, args=(name, made.member())) for name in leaving}
        try:
            publish_all(made.publisher, rows[:100])
            threads["one"].start()
            wait_for(rows[:100], "one")
            threads["two"].start()
            for number in range(100, 200, 10):
                publish_all(made.publisher, rows[number : number + 10])
                time.sleep(0.3)
            wait_for(rows[:200], "one", "two")
            assert {name for name, _ in given} == {"one", "two"}, "one of them had nothing to do"
            leaving["one"].set()
            threads["one"].join()
            publish_all(made.publisher, rows[200:])
            wait_for(rows[200:], "two")
        finally:
            for name, thread in threads.items():
                leaving[name].set()
                if thread.ident is not None:
                    thread.join()
        assert by_key(once([message for _, message in given])) == by_key([delivered(row) for row in rows])
        assert list(made.member().next(10)) == [], "what was dealt with was not all committed"


def test_a_broker_that_dies_and_comes_back_is_read_on_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTHING, "kafka")
    with _platform() as made:
        rows = _rows(1000, 200)
        publish_all(made.publisher, rows)
        stream = made.member()
        before = list(stream.next(50))
        stream.commit()
        server().kill()
        try:
            with monkeypatch.context() as for_a_while:
                for_a_while.setattr(consumer, "WAIT_SECONDS", 1.0)
                for_a_while.setattr(consumer, "PATIENCE_SECONDS", 2.0)
                with pytest.raises(PlatformUnavailable, match="Kafka cannot be read"):
                    before.extend(itertools.chain.from_iterable(iter(lambda: stream.next(100), ())))
                with pytest.raises(PlatformUnavailable, match="Kafka cannot be read"):
                    stream.commit()
        finally:
            server().start()
        publish_all(made.publisher, more := _rows(2000, 50))
        after = list(_read(stream, _until(more)))
        assert by_key(once([*before, *after])) == by_key([delivered(row) for row in [*rows, *more]])
        stream.commit()
        # A commit that comes while the group finds together again is not kept: what it told of comes again, and is known.
        again = made.reader("finance")
        assert {m.headers["ce_id"] for m in _read_to_the_end(again)} <= _ids([*rows, *more])
        again.commit()
        assert list(made.reader("finance").next(10)) == []


def test_others_go_on_where_one_that_lives_asks_for_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner waits for a database that does not answer, say: its part of the messages must not wait with it."""
    with _platform() as made:
        rows = _rows(1000, 200)
        publish_all(made.publisher, rows)
        idle = made.member()
        before = list(idle.next(50))
        monkeypatch.setattr(member, "ABANDONED_SECONDS", 1.0)
        busy = made.member()
        given = list(_read(busy, _until(rows)))
        assert by_key(once(given)) == by_key([delivered(row) for row in rows])
        monkeypatch.setattr(member, "ABANDONED_SECONDS", 300.0)
        idle.commit()
        assert {m.headers["ce_id"] for m in before} <= {m.headers["ce_id"] for m in given}


def test_a_slow_reader_holds_back_what_is_fetched() -> None:
    with _platform() as made:
        rows = _rows(100_000, 50_000)
        for start in range(0, len(rows), 5000):
            assert len(made.publisher.publish(rows[start : start + 5000]).kept) == 5000
        stream = made.member()
        most = given = 0
        for _ in range(40):
            given += len(stream.next(50))
            time.sleep(0.05)
            most = max(most, len(stream._buffer._waiting))
        assert buffer.RECORDS / 2 < most <= buffer.RECORDS + member.RECORDS_PER_POLL
        while some := stream.next(1000):
            given += len(some)
        assert given == len(rows)


def test_large_messages_are_held_back_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "BYTES", 3_000_000)
    monkeypatch.setattr(member, "RECORDS_PER_POLL", 2)
    with _platform() as made:
        publish_all(made.publisher, rows := _rows(1000, 40, b"x" * 500_000))
        stream = made.member()
        stream.next(1)
        time.sleep(1.0)
        assert 2_000_000 < stream._buffer._bytes <= 3_000_000 + 2 * 510_000
        stream.rewind()
        given = _read(stream, _until(rows))
        assert by_key(given) == by_key([delivered(row) for row in rows])
        assert stream._buffer._bytes == 0


def test_what_is_none_of_our_messages_is_told_of_and_passed_over() -> None:
    with _platform() as made, capture_logs() as logs:
        key = str(KEYS[0]).encode()
        foreign = [
            {"key": b"not an id", "value": b"{}"},
            {"key": None, "value": b"{}"},
            {"key": key, "value": None},
            {"key": key, "value": b"{}", "headers": [("note", b"\xff")]},
        ]
        producer = KafkaProducer(**made.connection.options())
        try:
            for number, record in enumerate(foreign):
                producer.send(NOTIFICATIONS, partition=number % 3, **record).get(10)
        finally:
            producer.close()
        stream = made.reader("finance")
        assert list(stream.next(10)) == []
        publish_all(made.publisher, rows := _rows(1000, 10))
        assert by_key(_read(stream, _until(rows))) == by_key([delivered(row) for row in rows])
        stream.commit()
        told = [entry for entry in logs if "none of our messages" in entry["event"]]
        assert [(entry["topic"], entry["log_level"]) for entry in told] == [(NOTIFICATIONS, "error")] * 4
        assert {(entry["partition"], entry["offset"]) for entry in told} == {(0, 0), (1, 0), (2, 0), (0, 1)}
        logs.clear()
        assert list(made.reader("finance").next(10)) == []
        assert [entry for entry in logs if "none of our messages" in entry["event"]] == [], "they are passed over once"


def test_partitions_that_are_added_are_read_from_their_beginning() -> None:
    with _platform() as made:
        members = [made.member(metadata_max_age_ms=300) for _ in range(2)]
        publish_all(made.publisher, rows := _rows(1000, 10))
        given = [*members[0].next(100), *members[1].next(100)]
        admin = KafkaAdminClient(**made.connection.options())
        try:
            admin.create_partitions({NOTIFICATIONS: NewPartitions(9)})
        finally:
            admin.close()
        producer = KafkaProducer(**made.connection.options())
        try:
            for partition in range(9):
                headers = [("ce_id", f"in {partition}".encode())]
                record = {"key": str(KEYS[0]).encode(), "value": b"{}", "headers": headers}
                producer.send(NOTIFICATIONS, partition=partition, **record).get(10)
        finally:
            producer.close()
        wanted = {*_ids(rows), *(f"in {partition}" for partition in range(9))}
        ends = time.monotonic() + PATIENCE_SECONDS
        while not wanted <= {message.headers["ce_id"] for message in given}:
            assert time.monotonic() < ends, "the new partitions are read by nobody"
            given += [*members[0].next(100), *members[1].next(100)]


def test_a_member_that_went_astray_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "STUCK_SECONDS", 1.0)
    with _platform() as made, capture_logs() as logs:
        stream = made.member()
        publish_all(made.publisher, rows := _rows(1000, 10))
        assert _read(stream, _until(rows))
        stream.commit()
        stream._buffer.on_partitions_assigned([TopicPartition("of another assignment", 0)])
        publish_all(made.publisher, more := _rows(2000, 10))
        assert by_key(_read(stream, _until(more))) == by_key([delivered(row) for row in more])
        deadline = time.monotonic() + 10
        while not any("Stuck" in entry.get("error", "") for entry in logs):
            assert time.monotonic() < deadline, "it did not begin anew"
            time.sleep(0.1)
        publish_all(made.publisher, last := _rows(3000, 10))
        assert _read(stream, _until(last))


def test_a_topic_that_nobody_made_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "CONNECT_SECONDS", 0.5)
    stream = KafkaStream(KafkaConnection(servers=server().server), ["nobody-made-it"], "finance")
    try:
        with pytest.raises(PlatformUnavailable, match="there is no topic nobody-made-it"):
            stream.next(10)
    finally:
        stream.close()


def test_a_broker_that_is_away_is_told_of_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTHING, "kafka")
    monkeypatch.setattr(consumer, "WAIT_SECONDS", 1.0)
    threads = threading.active_count()
    stream = KafkaStream(KafkaConnection(servers="127.0.0.1:1"), TOPICS, "finance", {"bootstrap_timeout_ms": 500})
    try:
        with pytest.raises(PlatformUnavailable, match="Kafka cannot be read"):
            stream.next(10)
    finally:
        stream.close()
    assert threading.active_count() == threads, "a client that could not connect goes on"
