"""The real `ocs serve`, as a process of its own on a database of its own."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings
from ocs_core.access import ApiKey, digest_of_key
from ocs_core.testkit.examples import NOW, Desk, configuration
from tests.contract.stores import entries

REGISTER = "/v1/rm/payments/register-payment"
KEY = "a-key-that-must-never-be-in-a-log"
HEADERS = {"X-Ocs-Io-API-Key": KEY, "X-Ocs-Io-Application-Id": "crm"}
PATIENCE_SECONDS = 60.0
"""Far above anything expected: the machine may have much else to do."""


@attrs.define
class Served:
    """A server that listens."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int

    def log(self) -> str:
        return (self.folder / "err").read_text(encoding="utf-8")

    def told(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def raw(self, data: bytes) -> bytes:
        """All that is answered to these bytes until the server hangs up, which it must."""
        with self.connect() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it need not listen to the end
                connection.sendall(data)
            return rest_of(connection)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request("GET", path, headers={**HEADERS, **(headers or {})})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, response.headers, body  # type: ignore[return-value]

    def is_live(self) -> bool:
        return self.get("/health/live")[0] == 200

    def payments(self) -> list[str]:
        """The external numbers of all payments."""
        status, _, body = self.get("/v1/rm/payments?limit=200")
        assert status == 200, body
        return [item["externalPaymentNo"] for item in json.loads(body)["items"]]

    def memory(self) -> int:
        """Bytes that the process has in memory."""
        told = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", told)[1]) * 1024  # type: ignore[index]


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the server hangs up."""
    answer = b""
    try:
        while data := connection.recv(65536):
            answer += data
    except ConnectionResetError:
        pass
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def payment(number: str) -> bytes:
    """The body of a command that registers a payment."""
    body: dict[str, Any] = {
        "requestId": number,
        "account": {"externalId": "A-1"},
        "externalPaymentNo": number,
        "paymentAmount": 49_900_000,
        "currency": "EUR",
        "paymentMethod": "bankTransfer",
        "paymentDateReceived": "2024-05-02T07:15:00Z",
    }
    return json.dumps(body).encode()


def head(path: str, *headers: str, method: str = "POST", version: str = "1.1") -> bytes:
    """The head of a request with credentials."""
    given = [f"{name}: {value}" for name, value in HEADERS.items()]
    lines = [f"{method} {path} HTTP/{version}", "Host: ocs", "Content-Type: application/json", *given, *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def prepare(url: str) -> None:
    """A database with master data, an account and a key."""
    made = platform(Settings(database_url=url))
    made.migrate()
    made.configure(entries(configuration()))
    services = made.services
    key = ApiKey(
        ref_id=services.ids(),
        application="crm",
        digest=digest_of_key(KEY),
        privileges=frozenset("*"),
        created_at=NOW,
    )
    services.keys.add(key)
    Desk(services.store, ids=services.ids).account("A-1")
    services.close()


@contextmanager
def served(folder: Path, **settings: object) -> Iterator[Served]:
    """`ocs serve` with these settings, until the end of the block, where it ends in order with 0."""
    url = f"sqlite:///{folder / 'ocs.sqlite3'}"
    prepare(url)
    given = {f"OCS_{name.upper()}": str(value) for name, value in settings.items()}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("ocs"), "serve", "--port", "0"],
            env=os.environ | {"OCS_DATABASE_URL": url, "OCS_RELAY": "false", "OCS_SCHEDULE": "false"} | given,
            stdout=out,
            stderr=err,
        )
    made = Served(process, folder, 0)
    try:
        until(lambda: "Listening" in made.told() or process.poll() is not None)
        found = re.search(r"Listening on http://127\.0\.0\.1:(\d+);", made.told())
        assert found, made.told() + made.log()
        made.port = int(found[1])
        yield made
        assert process.poll() is None, made.log()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0, made.log()
    finally:
        process.kill()
        process.wait()


def until(holds: Any) -> None:
    """Wait until something holds. Raises `AssertionError` where it never does."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)
