"""From the outbox to the consumers, on PostgreSQL with durable commits and a real Apache Kafka, beside what it could be.

In one run: kafka-python producing the same bytes from memory, the limit; the relay to the broker, and without one; each
consumer, beside reading alone; commit to consumer at a hundred writes a second; and the size of the outbox at two hundred.
The relay's rounds and the limit's are interleaved, and the medians are shown. Run: python -m bench.streaming [--short]
"""

import datetime as dt
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import attrs
import msgspec
from kafka import KafkaProducer
from tests.contract.broker import broker
from tests.contract.postgres import cluster

from bench.http import prepare
from bench.options import SHORT, check_arguments
from ocs_adapters.bootstrap import Platform, consumers, platform
from ocs_adapters.bootstrap.kafka import kafka_connection
from ocs_adapters.kafka.consumer import KafkaStream
from ocs_adapters.kafka.headers import to_record
from ocs_adapters.kafka.publisher import KafkaPublisher
from ocs_adapters.kafka.topics import Wanted, create_topics
from ocs_adapters.settings import Settings
from ocs_adapters.sql import tables
from ocs_adapters.streaming.relay import Relay
from ocs_core.entities.account import AccountName
from ocs_core.ports import OutboxRow, Published, share_of
from ocs_core.usecases.perform import Caller
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest

ROWS, ROUNDS = (3_000, 1) if SHORT else (20_000, 5)
LATENCY_SECONDS, FLAT_SECONDS = (3, 3) if SHORT else (30, 600)
ACCOUNTS = 1000
CLIENTS = 8
LIMIT_TOPIC = "bench.limit"
RECIPIENTS = """[[recipient]]
name = "bench"
codes = ["*"]
webhook = "http://127.0.0.1:9/"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""


@attrs.frozen
class Everything:
    """A publisher that keeps everything at once: what is left is the relay's own work."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        return Published(kept=rows)

    def close(self) -> None:
        """There is nothing to let go of."""


def pay(made: Platform) -> Callable[[], UUID]:
    """Registers the next payment; gives its id."""
    numbers, mark = itertools.count(), uuid4().hex[:8]
    register = RegisterPayment(made.services.store, clock=made.services.clock, ids=made.services.ids)

    def next_one() -> UUID:
        number = next(numbers)
        answer = register(
            RegisterPaymentRequest(
                request_id=f"{mark}-{number}",
                account=AccountName(external_id=f"A-{number % ACCOUNTS}"),
                external_payment_no=f"{mark}-{number}",
                payment_amount=49_900_000,
                currency="EUR",
                payment_method="bankTransfer",
                payment_date_received=made.services.clock(),
            ),
            caller=Caller("bench"),
        )
        return answer.steps[0].object.ref_id  # type: ignore[union-attr]

    return next_one


def fill(made: Platform, rows: Sequence[OutboxRow], count: int) -> None:
    """Put so many messages into the outbox: those of real payments, with ids and keys of their own."""
    keys = [uuid4() for _ in range(ACCOUNTS)]
    connection = made.database.engine.raw_connection()
    try:
        columns = "ref_id, topic, key, headers, value, share"
        with connection.driver_connection.cursor().copy(f"COPY outbox ({columns}) FROM STDIN") as copy:  # type: ignore[union-attr]
            for number in range(count):
                row, key, ref_id = rows[number % len(rows)], keys[number % ACCOUNTS], uuid4()
                headers = {**row.headers, "ce_id": str(ref_id), "ce_subject": str(uuid4())}
                told = msgspec.json.encode(headers).decode()
                copy.write_row((ref_id, row.topic, key, told, row.value.decode(), share_of(key)))
        connection.commit()
    finally:
        connection.close()


def limit(settings: Settings, rows: Sequence[OutboxRow]) -> float:
    """kafka-python sending the same bytes from memory with the same guarantees, in rows a second."""
    producer = KafkaProducer(
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        linger_ms=2,
        **kafka_connection(settings).options(),
    )
    records = [(LIMIT_TOPIC, str(row.key).encode(), to_record(row.headers), row.value) for row in rows]
    producer.partitions_for(LIMIT_TOPIC)
    began = time.perf_counter()
    for topic, key, headers, value in records:
        producer.send(topic, key=key, headers=headers, value=value)
    producer.flush()
    took = time.perf_counter() - began
    producer.close()
    return len(rows) / took


class Draining(Protocol):
    """Anything that works until there is nothing left to do."""

    def drain(self) -> int: ...


def drained(what: Draining) -> float:
    """How many a second it deals with until there is nothing left."""
    began = time.perf_counter()
    return what.drain() / (time.perf_counter() - began)


def speed(made: Platform, rows: Sequence[OutboxRow]) -> None:
    publisher = KafkaPublisher(kafka_connection(made.settings))
    to_kafka, alone = Relay(made.outbox, publisher), Relay(made.outbox, Everything())
    measured: dict[str, list[float]] = {"kafka-python alone": [], "relay to Kafka": [], "relay without a broker": []}
    for _ in range(ROUNDS):
        fill(made, rows, ROWS)
        waiting = made.outbox.waiting(ROWS)
        measured["kafka-python alone"].append(limit(made.settings, waiting))
        measured["relay to Kafka"].append(drained(to_kafka))
        fill(made, rows, ROWS)
        measured["relay without a broker"].append(drained(alone))
    publisher.close()
    best = statistics.median(measured["kafka-python alone"])
    print(f"{f'{ROWS:,} rows, median of {ROUNDS}':32}{'rows/s':>12}{'of the limit':>14}")
    for name, of_name in measured.items():
        print(f"{name:32}{statistics.median(of_name):>12,.0f}{statistics.median(of_name) / best:>14.2f}")


def consuming(made: Platform, folder: Path, finance_url: str, notifications_url: str) -> None:
    """How fast each consumer deals with what is in Kafka, beside the stream that it reads, read for nothing."""
    recipients = folder / "recipients.toml"
    recipients.write_text(RECIPIENTS)
    settings = attrs.evolve(
        made.settings,
        finance_url=finance_url,
        notifications_url=notifications_url,
        recipients_file=str(recipients),
        warehouse_folder=str(folder / "warehouse"),
    )
    print(f"{'consumers, one process each':32}{'messages/s':>12}{'of the limit':>14}")
    best: dict[Sequence[str], float] = {}
    for name, kind in consumers.KINDS.items():
        topics = tuple(sorted(kind.topics(settings)))
        if topics not in best:
            best[topics] = drained(_Reading(KafkaStream(kafka_connection(settings), topics, f"bench-{uuid4()}")))
            print(f"{f'reading of {len(topics)} topics, nothing else':32}{best[topics]:>12,.0f}{1:>14.2f}")
        with consumers.consumer(kind, settings) as consumer:
            speed = drained(consumer)
        print(f"{name:32}{speed:>12,.0f}{speed / best[topics]:>14.2f}")


@attrs.frozen
class _Reading:
    """Reads a stream to its end, and does nothing about it."""

    stream: KafkaStream

    def drain(self) -> int:
        read = 0
        while messages := self.stream.next(1000):
            read += len(messages)
            self.stream.commit()
        self.stream.close()
        return read


def latency(made: Platform) -> None:
    """From the commit's return to the consumer's hand, at a hundred writes a second; the relay is a process of its own."""
    stream = KafkaStream(
        kafka_connection(made.settings), [made.settings.business_transactions_topic], f"bench-{uuid4()}"
    )
    while stream.next(10_000):
        stream.commit()
    arrived: dict[str, float] = {}
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for message in stream.next(1000):
                arrived.setdefault(message.headers["ce_subject"], time.perf_counter())
            stream.commit()

    reader = threading.Thread(target=read)
    reader.start()
    with relaying(made):
        written = at_rate(made, 100, LATENCY_SECONDS)
        time.sleep(2)
    done.set()
    reader.join()
    stream.close()
    times = sorted((arrived[str(payment)] - at) * 1000 for payment, at in written.items())
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{'commit to consumer, 100 writes/s':32}p50 {p50:.1f} ms, p99 {p99:.1f} ms, {len(times)} payments")


def flatness(made: Platform) -> None:
    """The outbox's size while two hundred payments a second are registered."""
    sizes: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(1.0):
            sizes.append(made.outbox.backlog().rows)

    watcher = threading.Thread(target=look)
    watcher.start()
    with relaying(made):
        written = at_rate(made, 200, FLAT_SECONDS)
    done.set()
    watcher.join()
    half = len(sizes) // 2
    first, second = statistics.mean(sizes[:half] or [0]), statistics.mean(sizes[half:] or [0])
    print(
        f"{'outbox at 200 writes/s':32}{len(written) / FLAT_SECONDS:.0f} payments/s for {FLAT_SECONDS} s; rows: mean of the "
        f"first half {first:.0f}, of the second {second:.0f}, most {max(sizes)}"
    )


def at_rate(made: Platform, per_second: int, seconds: int) -> dict[UUID, float]:
    """Register payments at a steady rate; gives when each was committed."""
    written: dict[UUID, float] = {}
    turns = iter(range(per_second * seconds))
    next_turn, next_one, began = threading.Lock(), pay(made), time.perf_counter()

    def client() -> None:
        while True:
            with next_turn:
                turn = next(turns, None)
            if turn is None:
                return
            time.sleep(max(began + turn / per_second - time.perf_counter(), 0))
            payment = next_one()
            written[payment] = time.perf_counter()

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return written


@contextmanager
def relaying(made: Platform) -> Iterator[None]:
    """`ocs relay` as long as the block lasts."""
    environment = {
        "OCS_DATABASE_URL": made.settings.database_url,
        "OCS_KAFKA_SERVERS": str(made.settings.kafka_servers),
    }
    relay = subprocess.Popen(
        [Path(sys.executable).with_name("ocs"), "relay"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
    )
    try:
        assert relay.stdout is not None
        relay.stdout.readline()
        time.sleep(1)
        yield
    finally:
        relay.terminate()
        relay.wait()


def main() -> None:
    check_arguments(__doc__)
    with cluster(durable=True) as postgres, broker(measured=True) as kafka:
        url = postgres.create("bench")
        prepare(url).services.close()
        made = platform(Settings(database_url=url, kafka_servers=kafka.server))
        topics = (made.settings.business_transactions_topic, made.settings.notifications_topic, LIMIT_TOPIC)
        create_topics(
            kafka_connection(made.settings),
            topics,
            Wanted(partitions=12, replication=1, retention=dt.timedelta(days=1)),
        )
        with made.database.engine.begin() as connection:
            connection.execute(tables.outbox.delete())
        next_one = pay(made)
        for _ in range(100):
            next_one()
        rows = made.outbox.waiting(1000)
        Relay(made.outbox, Everything()).drain()
        speed(made, rows)
        with tempfile.TemporaryDirectory(prefix="ocs-bench-") as folder:
            consuming(made, Path(folder), postgres.create("finance"), postgres.create("notifications"))
        latency(made)
        flatness(made)
        made.services.close()


if __name__ == "__main__":
    main()
