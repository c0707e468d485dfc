"""Register payment over HTTP on PostgreSQL (identified, with an external number, all messages), beside what it could be.

In one run, on a private server with durable commits: (a) pgbench running the same statements, the limit; (b) a Litestar
handler with the same statements and no core; (c) FastAPI with the ORM as people write it; and ours, one server process each.
The rounds are interleaved, and the medians are shown. Run: python -m bench.http [--short]
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import attrs
from tests.contract.postgres import Cluster, binaries, cluster

from bench.client import Result, load
from bench.options import SHORT, check_arguments
from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.serial import decode_request, plain
from ocs_adapters.settings import Settings
from ocs_adapters.sql.drivers import PostgresDriver
from ocs_core.access import ApiKey, digest_of_key
from ocs_core.entities.configuration import KINDS
from ocs_core.testkit.examples import Desk, configuration
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest

STARTING_SECONDS = 60.0
CLIENTS = 16
SECONDS, ROUNDS = (2.0, 1) if SHORT else (6.0, 5)
ACCOUNTS = 1000
PATH = "/v1/rm/payments/register-payment"
KEY = {"X-Ocs-Io-API-Key": "bench-key", "X-Ocs-Io-Application-Id": "bench"}


def body(mark: str) -> Any:
    """Bodies of one round, each with ids of its own."""
    return lambda n: {
        "requestId": f"{mark}-{n}",
        "account": {"externalId": f"A-{n % ACCOUNTS}"},
        "externalPaymentNo": f"{mark}-{n}",
        "paymentAmount": 49_900_000,
        "currency": "EUR",
        "paymentMethod": "bankTransfer",
        "paymentDateReceived": "2024-05-02T07:15:00Z",
    }


def prepare(url: str) -> Platform:
    """A database with master data, accounts and a key."""
    made = platform(Settings(database_url=url))
    made.migrate()
    made.configure(entry for kind in KINDS for entry in getattr(configuration(), kind).values())
    services = made.services
    services.keys.add(
        ApiKey(
            ref_id=services.ids(),
            application="bench",
            digest=digest_of_key("bench-key"),
            privileges=frozenset("*"),
            created_at=NOW,
        )
    )
    desk = Desk(services.store, ids=services.ids)
    for number in range(ACCOUNTS):
        desk.account(f"A-{number}")
    return made


@attrs.define
class _Recorder:
    """Listens to the driver while one payment is registered, so that all run the same statements."""

    calls: list[tuple[str, tuple[str, ...], list[Any]]] = attrs.field(factory=list)
    payment_fields: list[str] = attrs.field(factory=list)

    def listen(self, made: Platform) -> None:
        send = PostgresDriver._send

        def recorded(driver: Any, connection: Any, call: Any) -> Any:
            cursor = send(driver, connection, call)
            compiled = driver.compile(call.statement)
            values = [call.parameters.get(n, compiled.constants.get(n)) for n in compiled.names]
            self.calls.append((compiled.sql, compiled.names, values))
            return cursor

        with patch.object(PostgresDriver, "_send", recorded):
            request = decode_request(RegisterPaymentRequest, body("recorded")(0))
            services = made.services
            answer = RegisterPayment(services.store, clock=services.clock, ids=services.ids)(request)
            self.payment_fields = list(plain(answer.steps[0].object))
        del self.calls[2:]  # the bell may have been rung after the command


def pgbench(server: Cluster, database: str, recorder: _Recorder, seconds: float) -> float:
    """Transactions a second of the same statements with 16 clients: what the database can do."""
    (read, names, values), (write, written, rows) = recorder.calls
    script = f"BEGIN;\n{_filled(read, names, values)};\n{_filled(write, written, rows)};\nCOMMIT;\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
        file.write("\\set account random(0, 999)\n\\set number random(1, 1000000000000000)\n" + script)
    Path(file.name).chmod(0o644)
    program = (binaries() or Path()) / "pgbench"
    command = [program, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds)), "-f", file.name]
    told = subprocess.run(
        [*command, "-h", str(server.folder), "-U", "postgres", database], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    return float(re.search(r"tps = ([\d.]+)", told.stdout)[1])  # type: ignore[index]


_UNIQUE = re.compile(r"(payments_0|payment_history_\d|outbox_\d)_ref_id|payment_no$|request_id$")


def _filled(sql: str, names: tuple[str, ...], values: list[Any]) -> str:
    """A statement with its parameters written in: unique ones are made anew by the database each time."""

    def literal(match: re.Match[str]) -> str:
        name, value = names[int(match[1]) - 1], values[int(match[1]) - 1]
        if name == "account":
            return "('A-' || :account)"
        if _UNIQUE.search(name) and value is not None:
            return "gen_random_uuid()" if isinstance(value, UUID) else "('N-' || :number)"
        if value is None:
            return "NULL"
        if isinstance(value, bool | int):
            return str(value)
        if isinstance(value, bytes):
            return f"'\\x{value.hex()}'"
        text = str(getattr(value, "value", value)).replace("\\", "\\\\").replace("'", "''")
        return f"E'{text}'".replace(":", r"\x3a")  # to pgbench a colon begins a variable

    return re.sub(r"\$(\d+)", literal, sql).replace("\n", " ")


@contextmanager
def serving(app: str, url: str, statements: Path) -> Iterator[int]:
    """One process of that application on a free port: ours on its own server, the others on uvicorn."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"BENCH_DATABASE": url, "OCS_DATABASE_URL": url, "BENCH_STATEMENTS": str(statements)}
    uvicorn = ["uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    command = ["bench.ours", str(port)] if app == "bench.ours" else uvicorn
    process = subprocess.Popen([sys.executable, "-m", *command], env=os.environ | environment)
    try:
        until = time.monotonic() + STARTING_SECONDS
        while not _listens(port):
            assert process.poll() is None, f"{app} does not start"
            assert time.monotonic() < until, f"{app} does not listen"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    check_arguments(__doc__)
    with cluster(durable=True) as server, tempfile.TemporaryDirectory() as folder:
        url = server.create("bench")
        made, recorder = prepare(url), _Recorder()
        recorder.listen(made)
        (read, names, _), (write, written, _) = recorder.calls
        statements = Path(folder) / "statements.json"
        statements.write_text(
            json.dumps(
                {
                    "read": {"sql": read, "names": names},
                    "write": {"sql": write, "names": written},
                    "payment_fields": recorder.payment_fields,
                }
            ),
            encoding="utf-8",
        )
        made.services.close()
        limits: list[float] = []
        measured: dict[str, list[Result]] = {"ours": [], "(b) no core": [], "(c) ORM": []}
        apps = {"ours": "bench.ours", "(b) no core": "bench.plain:app", "(c) ORM": "bench.orm:app"}
        for number in range(ROUNDS):
            limits.append(pgbench(server, "bench", recorder, SECONDS))
            for name, app in apps.items():
                with serving(app, url, statements) as port:
                    load(port, KEY, PATH, body(f"warm-{name}-{number}"), CLIENTS, 1.0)
                    measured[name].append(load(port, KEY, PATH, body(f"{name}-{number}"), CLIENTS, SECONDS))
    _show(limits, measured)


def _show(limits: list[float], measured: dict[str, list[Result]]) -> None:
    print(f"{'register payment, 16 clients':32}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'ours / it':>11}")
    print(f"{'(a) pgbench, same statements':32}{statistics.median(limits):>12,.0f}{'':18}", end="")
    ours = statistics.median(r.per_second for r in measured["ours"])
    print(f"{ours / statistics.median(limits):>11.2f}")
    for name, results in measured.items():
        ratio = statistics.median(o.per_second / r.per_second for o, r in zip(measured["ours"], results, strict=True))
        row = [statistics.median(getattr(r, f) for r in results) for f in ("per_second", "p50", "p99")]
        print(f"{name:32}{row[0]:>12,.0f}{row[1]:>9.1f}{row[2]:>9.1f}{ratio:>11.2f}")


if __name__ == "__main__":
    main()
