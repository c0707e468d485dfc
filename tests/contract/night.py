"""A company whose collection runs are calculated by processes that may die; what must be true of each run."""

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_core.entities.configuration import CollectionSetting
from ocs_core.messages import format_instant
from tests.contract import company, oracle

OCS = Path(sys.executable).with_name("ocs")
_STATE = "SELECT min(state) FROM process_runs WHERE as_of = :as_of"
_SLICES = """
SELECT count(*), count(*) FILTER (WHERE done), sum(payers_done) FROM run_slices
WHERE run_ref_id = (SELECT ref_id FROM process_runs WHERE as_of = :as_of)
"""


ENDING_SECONDS = 60.0


def ended(worker: "subprocess.Popen[str]") -> tuple[int, int]:
    """Terminate a worker as an operator does; gives how many slices and payers it says it has done."""
    worker.terminate()
    out, err = worker.communicate(timeout=ENDING_SECONDS)
    assert worker.returncode == 0
    assert "Traceback" not in err, err
    (told,) = re.findall(r"Ended after (\d+) slices with (\d+) payers", out)
    return int(told[0]), int(told[1])


@attrs.define(kw_only=True)
class Night:
    """One run after the other, over so many payers of whom a hundredth is deactivated."""

    database: Database
    environment: Mapping[str, str]
    payers: int
    slice_size: int
    as_of: dt.datetime = company.T
    before: Mapping[str, oracle.Stored] = attrs.field(factory=dict)
    begun: list["subprocess.Popen[str]"] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.cut(self.slice_size)
        company.load(self.database.engine, self.payers)

    def cut(self, slice_size: int) -> None:
        """Let the runs to come have slices of so many payers."""
        self.slice_size = slice_size
        write_entries(self.database, [CollectionSetting(slice_size=slice_size)])

    @property
    def calculated(self) -> int:
        """How many payers a run calculates."""
        return self.payers - self.payers // 100

    @property
    def slices(self) -> int:
        return -(-self.calculated // self.slice_size)

    def next_run(self) -> None:
        """What is checked from now on is the next run, and what it tells."""
        self.as_of += dt.timedelta(hours=50)
        self.database.write(Call(tables.outbox.delete()))
        self.before = self._stored()

    def begin(
        self, *arguments: str, before: Sequence[str] = (), told: Any = subprocess.PIPE, **more: str
    ) -> "subprocess.Popen[str]":
        """Begin a command, behind what is to come before it; `end` ends all. What it tells goes to a pipe, which is to be read
        while it works if that may be much, or to the file that is given."""
        process = subprocess.Popen(
            [*before, OCS, *arguments],
            env={**os.environ, **self.environment, **more},
            stdout=told,
            stderr=told,
            text=True,
        )
        self.begun.append(process)
        return process

    def workers(self, count: int, before: Sequence[str] = ()) -> list["subprocess.Popen[str]"]:
        """So many `ocs worker`, all of them ready; `ended` ends one."""
        begun = [self.begin("worker", before=before) for _ in range(count)]
        for worker in begun:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "Calculating slices as they come.\n"
        return begun

    def end(self) -> None:
        while self.begun:
            process = self.begun.pop()
            process.kill()
            process.communicate()

    def collect(self, *arguments: str, **more: Any) -> "subprocess.Popen[str]":
        return self.begin("collect", "--as-of", format_instant(self.as_of), *arguments, **more)

    def done(self) -> int:
        """How many slices of the run are done."""
        return int(self._one(_SLICES)[1])

    def state(self) -> str | None:
        """The run's; None before it is started."""
        state: str | None = self._one(_STATE)[0]
        return state

    def check(self) -> None:
        """The run is over, and every payer was calculated, and told of, exactly once."""
        assert self.state() == "DONE"
        assert self._one(_SLICES) == (self.slices, self.slices, self.calculated)
        for ref_id, payer in self._stored().items():
            before = self.before[ref_id]
            assert payer.version == before.version + (payer.figures != before.figures)
        with self.database.engine.connect() as connection:
            assert oracle.differences(connection, self.before, self.as_of) == []

    def _stored(self) -> Mapping[str, oracle.Stored]:
        with self.database.engine.connect() as connection:
            return oracle.stored(connection)

    def _one(self, query: str) -> Any:
        with self.database.engine.connect() as connection:
            return tuple(connection.execute(sa.text(query), {"as_of": self.as_of}).one())
