"""Workers on hosts of their own: two network namespaces beside the one of the database and of Kafka, joined by a bridge.

    python -m tests.crash.hosts        # as root, on Linux

First a run is shared by two workers on each host. In a second one a host's cable is pulled in the middle, and plugged in again
when the run is over: the other host takes what was left, every payer is calculated and told of exactly once, and who was cut
off is there again for the third run.
"""

import contextlib
import datetime as dt
import os
import subprocess
import time
from collections.abc import Iterator, Sequence

import attrs

from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.topics import Wanted, create_topics
from ocs_adapters.settings import Settings
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import connect
from ocs_adapters.sql.migrations import migrate
from ocs_core.testkit.examples import configuration
from tests.contract.broker import broker
from tests.contract.night import Night, ended
from tests.contract.postgres import cluster
from tests.contract.stores import entries

HERE, NET = "10.77.0.1", "10.77.0.0/24"
PAYERS, SLICE_SIZE, QUEUES = 20_000, 50, 60
PATIENCE_SECONDS = 180.0


@attrs.frozen
class Host:
    """A network namespace with a cable to the bridge."""

    number: int

    @property
    def name(self) -> str:
        return f"ocs-host-{self.number}"

    @property
    def within(self) -> Sequence[str]:
        """What comes before a command that is to run there."""
        return "ip", "netns", "exec", self.name

    @property
    def cable(self) -> str:
        return f"ocs-cable-{self.number}"

    def plug(self, how: str) -> None:
        """`up` or `down`."""
        _ip("link", "set", self.cable, how)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@contextlib.contextmanager
def hosts(count: int) -> Iterator[Sequence[Host]]:
    """So many hosts, which reach this one at `HERE`."""
    found = [Host(number) for number in range(1, count + 1)]
    with contextlib.ExitStack() as undo:
        _ip("link", "add", "ocs-bridge", "type", "bridge")
        undo.callback(_ip, "link", "delete", "ocs-bridge")
        _ip("address", "add", f"{HERE}/24", "dev", "ocs-bridge")
        _ip("link", "set", "ocs-bridge", "up")
        for host in found:
            _ip("netns", "add", host.name)
            undo.callback(_ip, "netns", "delete", host.name)
            _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            _ip("link", "set", host.cable, "master", "ocs-bridge")
            host.plug("up")
            _ip("-n", host.name, "address", "add", f"10.77.0.{host.number + 1}/24", "dev", "eth0")
            _ip("-n", host.name, "link", "set", "eth0", "up")
        yield found


@contextlib.contextmanager
def company() -> Iterator[Night]:
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(cluster(durable=True))
        local = postgres.create("ocs")
        postgres.listen(HERE, NET)
        kafka = KafkaConnection(servers=stack.enter_context(broker(HERE)).server)
        topic = Settings().process_slices_topic
        create_topics(kafka, [topic], Wanted(partitions=QUEUES, replication=1, retention=dt.timedelta(days=1)))
        database = connect(local)
        stack.callback(database.close)
        migrate(database.engine)
        write_entries(database, entries(configuration()))
        environment = {"OCS_DATABASE_URL": f"postgresql://postgres@{HERE}/ocs", "OCS_KAFKA_SERVERS": kafka.servers}
        night = Night(database=database, environment=environment, payers=PAYERS, slice_size=SLICE_SIZE)
        stack.callback(night.end)
        yield night


def shared(night: Night, *, pulled: Host | None = None) -> float:
    """A run by whoever is there; in its middle a host is cut off. Gives how many seconds it took."""
    night.next_run()
    began = time.monotonic()
    run = night.collect(OCS_COLLECTION_WORKERS="kafka")
    if pulled is not None:
        while night.done() < night.slices / 3:
            time.sleep(0.02)
        pulled.plug("down")
        print(f"{pulled.name} is cut off after {night.done()} of {night.slices} slices", flush=True)
    told, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert "DONE" in told, told
    took = time.monotonic() - began
    night.check()
    if pulled is not None:
        pulled.plug("up")
    return took


def main() -> None:
    if os.geteuid() != 0:
        print("Skipped: only root makes hosts.")
        return
    with hosts(2) as (first, second), company() as night:
        workers = [worker for host in (first, second) for worker in night.workers(2, host.within)]
        time.sleep(5)  # the group divides the queues
        print(f"shared by two hosts in {shared(night):.1f} s", flush=True)
        print(f"one cut off in the middle: {shared(night, pulled=second):.1f} s", flush=True)
        time.sleep(20)  # the one that was cut off comes back
        print(f"both again: {shared(night):.1f} s", flush=True)
        print(f"payers of each worker in the three runs: {[payers for _, payers in map(ended, workers)]}")
    print("Every payer was calculated once in every run.")


if __name__ == "__main__":
    main()
