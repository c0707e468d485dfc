"""How register payment over HTTP answers while a collection run goes on, beside how it answers without one.

A hundred payments a second, each measured from the moment at which it should have been sent, for the company's own accounts,
one server process: idle, then from the beginning of a run to its end, once as a server does it beside its other work and once as
`ocs collect` does it, which takes the whole machine. Database, workers, server and clients share it.

Run: python -m bench.collection.beside [--short] [--payers N] [--per-second N]
"""

import argparse
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.contract.company import tidy

from bench.client import Result, load
from bench.collection.__main__ import company, server
from bench.collection.bench import Bench
from bench.collection.ours import ours
from bench.http import CLIENTS, KEY, PATH, serving
from ocs_adapters.sql import tables
from ocs_core.access import ApiKey, digest_of_key

WINDOW_SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.collection.beside", description="How fast the API answers while a collection run goes on."
    )
    parser.add_argument("--short", action="store_true", help="few payers, for seconds: it runs, and says so")
    parser.add_argument("--payers", type=int, help="how many payers (1,000,000)")
    parser.add_argument("--per-second", type=float, default=100.0, help="payments a second (100)")
    given = parser.parse_args()
    with server() as postgres, tempfile.TemporaryDirectory() as folder:
        url = postgres.create("beside")
        payers, window = given.payers or (12_000 if given.short else 1_000_000), 1.0 if given.short else WINDOW_SECONDS
        with company(url, payers) as bench, serving("bench.ours", url, Path(folder)) as port:
            measure(bench, url, port, given.per_second, window)


def measure(bench: Bench, url: str, port: int, per_second: float, window: float) -> None:
    """Idle for three windows, then window after window until the run is over."""
    services = bench.made.services
    services.keys.add(
        ApiKey(
            ref_id=services.ids(),
            application="bench",
            digest=digest_of_key(KEY["X-Ocs-Io-API-Key"]),
            privileges=frozenset("*"),
            created_at=services.clock(),
        )
    )

    def answers(seconds: float) -> Result:
        mark = str(services.ids())

        def body(number: int) -> dict[str, Any]:
            return {
                "requestId": f"{mark}-{number}",
                "account": {"externalId": f"A-{3 + number * 7919 % (bench.payers // 100) * 100}"},
                "externalPaymentNo": f"{mark}-{number}",
                "paymentAmount": 49_900_000,
                "currency": "EUR",
                "paymentMethod": "bankTransfer",
                "paymentDateReceived": "2024-05-02T07:15:00Z",
            }

        return load(port, KEY, PATH, body, CLIENTS, seconds, per_second)

    print(f"{'register payment over HTTP':32}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'p99 / idle':>12}")
    for beside_others in (True, False):
        bench.reset()
        answers(window / 2)
        idle = answers(3 * window)
        show("idle", idle, idle)
        bench.empty(tables.outbox)
        tidy(bench.engine, tables.payers)
        with ThreadPoolExecutor(1) as beside:
            run = beside.submit(ours, url, None, beside_others)
            while not run.done():
                show("beside a run", answers(window), idle)
        measured = run.result()
        how = "beside other work" if beside_others else "as fast as it can"
        print(f"a run over {measured.payers:,} payers, {how}: {measured.speed:,.0f} payers/s", flush=True)


def show(what: str, result: Result, idle: Result) -> None:
    figures = f"{result.per_second:>12,.0f}{result.p50:>9.1f}{result.p99:>9.1f}{result.p99 / idle.p99:>12.2f}"
    print(f"{what:32}{figures}", flush=True)


if __name__ == "__main__":
    main()
