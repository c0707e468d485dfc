"""A collection run over a company on PostgreSQL with durable commits, beside what it could be.

In one run: ours with one worker and with two; the limit, set-based SQL written by hand, on one connection and on two; a loop
with the ORM over some of the payers; and ours where one payer in twenty changed and nobody else is told of. Every round, each
begins with payers that were never calculated and an empty outbox, and another is first; the medians are shown. The first
round is checked: ours against the oracle, payer by payer, and the limit against ours, row by row.

Run: python -m bench.collection [--short] [--payers N] [--rounds N] [--growth] [--sqlite]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.contract import oracle
from tests.contract.company import T, load
from tests.contract.postgres import Cluster, cluster

from bench.collection.bench import Bench, Who
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
    # A checkpoint in the middle would be charged to whoever runs then; each round begins with one.
    "max_wal_size": "32GB",
    "checkpoint_timeout": "1h",
}


def checked(bench: Bench) -> None:
    """Nothing is worth measuring before both sides give the same figures as the oracle."""
    written: dict[Who, Written] = {}
    for who, run in bench.contenders().items():
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


def rounds(bench: Bench, count: int) -> Mapping[Who, list[Measured]]:
    """Every contender once a round, each time another one first."""
    contenders = list(bench.contenders().items())
    measured: dict[Who, list[Measured]] = {who: [] for who, _ in contenders}
    for number in range(count):
        turn = number % len(contenders)
        for who, run in contenders[turn:] + contenders[:turn]:
            bench.reset()
            measured[who].append(run())
    return measured


def compared(bench: Bench, measured: Mapping[Who, list[Measured]]) -> float:
    """Show payers a second, and ours as a part of the limit; give ours with one worker."""
    speeds = {who: bench.payers / statistics.median(m.seconds for m in runs) for who, runs in measured.items()}
    print(f"{f'{bench.made.database.driver.name}, {bench.payers:,} payers':34}{'payers/s':>12}{'of limit':>10}", end="")
    print(f"{'MB':>8}{'MB a worker':>13}")
    for who, speed in speeds.items():
        print(f"{who!s:34}{speed:>12,.0f}", end="")
        if who.name == "ours":
            own, workers = (max(getattr(m, f"{of}_megabytes") for m in measured[who]) for of in ("own", "workers"))
            print(f"{speed / speeds[Who('limit', who.at_once)]:>10.2f}{own:>8,.0f}{workers:>13,.0f}", end="")
        print()
    return speeds[Who("ours", 1)]


def others(bench: Bench, ours_alone: float) -> None:
    """The loop, and a run where little changed, beside ours with one worker."""
    bench.reset()
    loop = bench.loop()
    print(f"{'ORM, account by account':34}{loop:>12,.0f}{'':10}  ours / it {ours_alone / loop:,.0f}")
    few = bench.few_changed()
    if few is None:
        print(f"{'1 in 20 changed, only these told':34}{'':12}{'':10}  cannot be asked for")
    else:
        print(f"{'1 in 20 changed, only these told':34}{few:>12,.0f}{'':10}  it / ours {few / ours_alone:,.1f}")


@contextmanager
def company(url: str, payers: int) -> Iterator[Bench]:
    """A database with that company in it."""
    made = platform(Settings(database_url=url))
    made.migrate()
    made.configure(entry for kind in KINDS for entry in getattr(configuration(), kind).values())
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
    parser.add_argument("--growth", action="store_true", help="10,000, 100,000 and 1,000,000 payers, too")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, too")
    given = parser.parse_args()
    payers = given.payers or (1_000 if given.short else 100_000)
    count = given.rounds or (1 if given.short else 5)
    with server() as postgres, tempfile.TemporaryDirectory() as folder:
        with company(postgres.create("collection"), payers) as bench:
            checked(bench)
            others(bench, compared(bench, rounds(bench, count)))
        postgres.drop("collection")
        if given.sqlite or given.short:
            with company(f"sqlite:///{Path(folder) / 'collection.sqlite3'}", payers) as bench:
                checked(bench)
                compared(bench, rounds(bench, count))
        for size in (10_000, 100_000, 1_000_000) if given.growth else ():
            with company(postgres.create("growth"), size) as bench:
                compared(bench, rounds(bench, count))
            postgres.drop("growth")


if __name__ == "__main__":
    main()
