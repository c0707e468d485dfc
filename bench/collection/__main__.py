"""A collection run over a company on PostgreSQL with durable commits, beside what it could be.

In one run: ours with one worker and with two; the limit, set-based SQL written by hand, on one connection and on two; ours
where one payer in twenty changed since the last run and nobody else is told of; and a loop with the ORM over some of the
payers. Every round, each begins with payers that were never calculated and an empty outbox, and another is first; the medians
are shown. Before that a round is checked: ours against the oracle, payer by payer, and the limit against ours, row by row.

Run: python -m bench.collection [--short] [--payers N] [--rounds N] [--growth] [--sqlite]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.contract import oracle
from tests.contract.company import T, load
from tests.contract.postgres import Cluster, cluster

from bench.collection.bench import FEW, LIMIT, LOOP, OURS, Bench, Contenders, Who
from bench.collection.ours import Measured
from bench.collection.written import Written
from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings
from ocs_core.entities.configuration import KINDS
from ocs_core.testkit.examples import configuration

SERVER = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "jit": "off",
    # Loading is twice as quick where it need not be logged; what a run writes is logged all the same.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # A checkpoint in the middle would be charged to whoever runs then; each round begins with one.
    "max_wal_size": "32GB",
    "checkpoint_timeout": "1h",
}


def checked(bench: Bench) -> None:
    """Nothing is worth measuring before both sides give the same figures as the oracle."""
    written: dict[Who, Written] = {}
    for who, run in bench.whole_runs().items():
        bench.reset()
        with bench.engine.connect() as connection:
            before = oracle.stored(connection)
        run()
        if who.name == "ours":
            with bench.engine.connect() as connection:
                wrong = oracle.differences(connection, before, T)
            assert not wrong, (str(who), len(wrong), wrong[:3])
        written[who] = Written.by_now(bench.engine)
    assert len(set(written.values())) == 1, written
    (each, *_) = written.values()
    print(
        f"checked with the oracle: {each.payers:,} payers, {each.messages:,} messages, "
        f"{each.octets / each.payers:,.0f} bytes a payer; written alike by {' and '.join(map(str, written))}"
    )


def rounds(contenders: Contenders, reset: Callable[[], None], count: int) -> Mapping[Who, list[Measured]]:
    """Every contender once a round, each time another one first."""
    order = list(contenders)
    measured: dict[Who, list[Measured]] = {who: [] for who in order}
    for number in range(count):
        turn = number % len(order)
        for who in order[turn:] + order[:turn]:
            reset()
            measured[who].append(contenders[who]())
    return measured


def show(title: str, measured: Mapping[Who, list[Measured]]) -> None:
    """Payers a second of each, how ours does beside it and beside what it aims at, and what memory ours took."""
    speeds = {who: statistics.median(m.speed for m in runs) for who, runs in measured.items()}
    print(f"{title:34}{'payers/s':>12}{'ratio':>10}{'aim':>8}{'MB':>8}{'MB a worker':>13}")
    for who, runs in measured.items():
        own, workers = (max(getattr(m, f"{of}_megabytes") for m in runs) for of in ("own", "workers"))
        print(f"{who!s:34}{speeds[who]:>12,.0f}{_ratio(who, speeds):18}", end="")
        print(f"{own:>8,.0f}{workers:>13,.0f}" if own else "", flush=True)


def _ratio(who: Who, speeds: Mapping[Who, float]) -> str:
    if who.name == OURS.name:
        is_sqlite = Who(LIMIT.name, 2) not in speeds  # it has one writer
        aim = 0.4 if is_sqlite else 0.5 if who.at_once == 1 else 0.6
        return f"{speeds[who] / speeds[Who(LIMIT.name, who.at_once)]:>10.2f}{aim:>8}"
    beside = {FEW: (speeds[who], speeds[OURS], 3), LOOP: (speeds[OURS], speeds[who], 100)}
    if who not in beside:
        return ""
    faster, slower, aim = beside[who]
    return f"{faster / slower:>10.1f}{aim:>8}"


@contextmanager
def company(url: str, payers: int) -> Iterator[Bench]:
    """A database with that company in it."""
    made = platform(Settings(database_url=url))
    made.migrate()
    made.configure([entry for kind in KINDS for entry in getattr(configuration(), kind).values()])
    began = time.perf_counter()
    load(made.database.engine, payers)
    print(f"{payers:,} payers loaded in {time.perf_counter() - began:,.0f} s", flush=True)
    try:
        yield Bench(made, url, payers)
    finally:
        made.services.close()


@contextmanager
def server() -> Iterator[Cluster]:
    """A private server with durable commits, with the memory that a server of its own would have."""
    with cluster(durable=True) as started:
        with psycopg.connect(started.url(), autocommit=True) as connection:
            for name, value in SERVER.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")  # type: ignore[arg-type]
        started.stop()
        started.start()
        yield started


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.collection", description="How fast collection runs are.")
    parser.add_argument("--short", action="store_true", help="few payers, one round: it runs, and says so")
    parser.add_argument("--payers", type=int, help="how many payers (100,000)")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5)")
    parser.add_argument(
        "--growth", action="store_true", help="whole runs over 10,000, 100,000 and 1,000,000 payers, too"
    )
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, too")
    given = parser.parse_args()
    payers = given.payers or (1_000 if given.short else 100_000)
    count = given.rounds or (1 if given.short else 5)
    with server() as postgres, tempfile.TemporaryDirectory() as folder:
        measure(postgres.create("collection"), payers, count, Bench.contenders)
        postgres.drop("collection")
        if given.sqlite or given.short:
            measure(f"sqlite:///{Path(folder) / 'collection.sqlite3'}", payers, count, Bench.contenders)
        for size in (10_000, 100_000, 1_000_000) if given.growth else ():
            measure(postgres.create("growth"), size, count, Bench.whole_runs)
            postgres.drop("growth")


def measure(url: str, payers: int, count: int, whom: Callable[[Bench], Contenders]) -> None:
    with company(url, payers) as bench:
        checked(bench)
        title = f"{bench.made.database.driver.name}, {payers:,} payers"
        show(title, rounds(whom(bench), bench.reset, count))


if __name__ == "__main__":
    main()
