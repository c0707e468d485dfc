"""Kill those who calculate collection runs at random moments, and PostgreSQL twice; then look whether every payer was
calculated, and told of, exactly once per run.

    python -m tests.crash.workers --kills 30
    python -m tests.crash.workers --kills 30 --over kafka

Real PostgreSQL. The workers are the processes of one `ocs collect`, or several `ocs worker` over real Kafka. As a service manager
does, whatever ends before the run is over is started again.
"""

import argparse
import contextlib
import functools
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

import attrs

from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import connect
from ocs_adapters.sql.migrations import migrate
from ocs_core.testkit.examples import configuration
from tests.contract.broker import broker
from tests.contract.night import Night
from tests.contract.postgres import Cluster, cluster
from tests.contract.stores import entries
from tests.crash.parts import Process, ocs

PAYERS = 20_000
SLICE_SIZE = 100
WORKERS = 3
KILLS_A_RUN = 6
"""So many die in one run; then it is let be, and the next one begins."""
LIFE_SECONDS = 1.0
"""How long everybody lives, at the most, before the next one dies."""
STILL_SECONDS = 120.0
"""How long a run may stand still."""
TOLD_LAST = 10_000


class Crew(Protocol):
    """Those who calculate a run."""

    def collect(self, night: Night, log: IO[str]) -> "subprocess.Popen[str]": ...

    def kill_one(self, collecting: "subprocess.Popen[str]") -> bool:
        """As a machine dies; False where nobody is there any more."""


@attrs.frozen
class Local:
    """The processes that `ocs collect` starts."""

    def collect(self, night: Night, log: IO[str]) -> "subprocess.Popen[str]":
        return night.collect("--workers", str(WORKERS), told=log)

    def kill_one(self, collecting: "subprocess.Popen[str]") -> bool:
        while collecting.poll() is None:
            if workers := _hired_by(collecting.pid):
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(random.choice(workers), signal.SIGKILL)
                    return True
        return False


@attrs.frozen
class OverKafka:
    """So many `ocs worker`, each started again by whoever looks after it."""

    workers: Sequence[Process]

    def collect(self, night: Night, log: IO[str]) -> "subprocess.Popen[str]":
        return night.collect(told=log, OCS_COLLECTION_WORKERS="kafka")

    def kill_one(self, collecting: "subprocess.Popen[str]") -> bool:
        victim = random.choice(self.workers)
        victim.kill()
        victim.start()
        return True


@attrs.define
class Part:
    """One run, and what happens in it."""

    night: Night
    crew: Crew
    postgres: Cluster
    begun: int = 0
    told: list[str] = attrs.field(factory=list)
    _began: float = attrs.field(factory=time.monotonic)
    _log: IO[str] = attrs.field(factory=functools.partial(tempfile.TemporaryFile, "w+", encoding="utf-8"))
    _collecting: "subprocess.Popen[str]" = attrs.field(init=False)

    def play(self, deaths: Sequence[bool]) -> int:
        """Let a worker die again and again, as long as the run goes on, and PostgreSQL with it where that is said; then take
        the run to its end, and look at it. Gives how many died."""
        self._collect()
        waiting = deque(deaths)
        while waiting and self._goes_on():
            time.sleep(random.random() * LIFE_SECONDS)
            if not self.crew.kill_one(self._collecting):
                continue
            self.told.append(f"{self.night.done() / self.night.slices:.0%}")
            if waiting.popleft():
                self.postgres.kill()
                time.sleep(random.random())
                self.postgres.start()
                self.night.database.engine.dispose()
                self.told[-1] += " with PostgreSQL"
        while self._goes_on():
            pass
        self.night.check()
        self.night.end()
        return len(self.told)

    def __str__(self) -> str:
        took = f"{time.monotonic() - self._began:.0f} s"
        return f"killed at {', '.join(self.told)} of a run; ocs collect began {self.begun} times; {took}"

    def _collect(self) -> None:
        self._collecting = self.crew.collect(self.night, self._log)
        self.begun += 1

    def _goes_on(self) -> bool:
        """Wait until more is done; False where the run is over."""
        before, ends = self.night.done(), time.monotonic() + STILL_SECONDS
        while self.night.done() <= before:
            if self._collecting.poll() is not None:
                if self.night.state() == "DONE":
                    return False
                self._collect()
            assert time.monotonic() < ends, f"the run does not go on; ocs collect told:\n{self._told_last()}"
            time.sleep(0.05)
        return True

    def _told_last(self) -> str:
        self._log.seek(0)
        return self._log.read()[-TOLD_LAST:]


def _hired_by(pid: int) -> list[int]:
    """The workers among the processes that one has started, be they copies of it or not."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [int(child) for child in found if (command := _command(child)) and "resource_tracker" not in command]


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
            part = Part(night, crew, postgres)
            of_run = range(kills + 1, min(kills + KILLS_A_RUN, given.kills) + 1)
            killed = part.play([number in database_dies for number in of_run])
            assert killed, "a run was over before anybody could be killed"
            kills += killed
            print(part, flush=True)
    print(f"{kills} workers were killed; every payer was calculated once in every run.")


@contextlib.contextmanager
def company(over: str) -> Iterator[tuple[Night, Crew, Cluster]]:
    """A company, and those who calculate its runs."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, postgres = Path(name), stack.enter_context(cluster(durable=True))
        environment = {"OCS_DATABASE_URL": postgres.create("ocs")}
        if over == "kafka":
            environment["OCS_KAFKA_SERVERS"] = stack.enter_context(broker()).server
            code, told = ocs(folder, environment, "kafka", "init")
            assert code == 0, told
        database = connect(environment["OCS_DATABASE_URL"])
        stack.callback(database.close)
        migrate(database.engine)
        write_entries(database, entries(configuration()))
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
