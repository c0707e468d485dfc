"""Kill those who calculate collection runs at random moments, and PostgreSQL twice; then look whether every payer was
calculated, and told of, exactly once per run.

    python -m tests.crash.workers --kills 30
    python -m tests.crash.workers --kills 30 --over kafka

Real PostgreSQL. The workers are the processes of one `ocs collect`, or several `ocs worker` over real Kafka. As a service manager
does, whatever ends before the run is over is started again.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from ocs_adapters.sql.database import connect
from tests.contract.broker import broker
from tests.contract.night import Night
from tests.contract.postgres import Cluster, cluster
from tests.crash.parts import Process, ocs

PAYERS = 20_000
SLICE_SIZE = 100
WORKERS = 3
KILLS_A_RUN = 6
"""So many die in one run; then it is let be, and the next one begins."""
LIFE_SECONDS = 1.5
"""How long everybody lives, at the most, before the next one dies."""
RUN_SECONDS = 300.0


class Crew(Protocol):
    """Those who calculate a run."""

    def collect(self, night: Night) -> "subprocess.Popen[str]": ...

    def kill_one(self, collecting: "subprocess.Popen[str]") -> bool:
        """As a machine dies; False where nobody is there."""


@attrs.frozen
class Local:
    """The processes that `ocs collect` starts."""

    def collect(self, night: Night) -> "subprocess.Popen[str]":
        return night.collect("--workers", str(WORKERS))

    def kill_one(self, collecting: "subprocess.Popen[str]") -> bool:
        workers = _spawned_by(collecting.pid)
        if not workers:
            return False
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(random.choice(workers), signal.SIGKILL)
        return True


@attrs.frozen
class OverKafka:
    """So many `ocs worker`, each started again by whoever looks after it."""

    workers: Sequence[Process]

    def collect(self, night: Night) -> "subprocess.Popen[str]":
        return night.collect(OCS_COLLECTION_WORKERS="kafka")

    def kill_one(self, collecting: "subprocess.Popen[str]") -> bool:
        victim = random.choice(self.workers)
        victim.kill()
        victim.start()
        return True


def _spawned_by(pid: int) -> list[int]:
    """The workers among the processes that one has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [int(child) for child in found if "spawn_main" in _command(child)]


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:  # it has just ended
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--over", choices=("local", "kafka"), default="local")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    print(f"{given.kills} kills, {given.over}, seed {given.seed}", flush=True)
    random.seed(given.seed)
    kills, database_dies = 0, {given.kills // 3 + 1, 2 * given.kills // 3 + 1}
    with company(given.over) as (night, crew, postgres):
        while kills < given.kills:
            night.next_run()
            began, told = time.monotonic(), []
            until = min(kills + KILLS_A_RUN, given.kills)
            collecting, begun = crew.collect(night), 1
            while kills < until and (night.state() in {None, "RUNNING"}):
                time.sleep(random.random() * LIFE_SECONDS)
                if collecting.poll() is not None:
                    collecting, begun = crew.collect(night), begun + 1
                    continue
                if not crew.kill_one(collecting):
                    continue
                kills += 1
                told.append(f"{night.done() / night.slices:.0%}")
                if kills in database_dies:
                    postgres.kill()
                    time.sleep(random.random())
                    postgres.start()
                    night.database.engine.dispose()
                    told[-1] += " and PostgreSQL"
            while collecting.wait(RUN_SECONDS) and night.state() != "DONE":
                collecting, begun = crew.collect(night), begun + 1
            night.check()
            night.end()
            took = time.monotonic() - began
            print(f"killed at {', '.join(told)}; ocs collect begun {begun} times; {took:.0f} s", flush=True)
    print(f"{kills} workers were killed; every payer was calculated once in every run.")


@contextlib.contextmanager
def company(over: str) -> Iterator[tuple[Night, Crew, Cluster]]:
    """A company, and those who calculate its runs."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, postgres = Path(name), stack.enter_context(cluster(durable=True))
        environment = {"OCS_DATABASE_URL": postgres.create("ocs")}
        commands = [("migrate",)]
        if over == "kafka":
            environment["OCS_KAFKA_SERVERS"] = stack.enter_context(broker()).server
            commands.append(("kafka", "init"))
        code, example = ocs(folder, environment, "configure", "--example")
        (folder / "configuration.toml").write_text(example, encoding="utf-8")
        for command in (*commands, ("configure", "configuration.toml")):
            code, told = ocs(folder, environment, *command)
            assert code == 0, told
        database = connect(environment["OCS_DATABASE_URL"])
        stack.callback(database.close)
        night = Night(database=database, environment=environment, payers=PAYERS, slice_size=SLICE_SIZE)
        stack.callback(night.end)
        workers = [Process(f"worker-{n}", ("worker",), folder, environment) for n in range(WORKERS)]
        if over == "local":
            yield night, Local(), postgres
            return
        for worker in workers:
            worker.start()
            stack.callback(worker.kill)
        yield night, OverKafka(workers), postgres
        for worker in workers:
            assert "Traceback" not in worker.log.read_text(encoding="utf-8"), worker.log.read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
