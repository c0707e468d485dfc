"""What a company runs, as processes that can be killed and started again."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

import attrs
from standardwebhooks import Webhook, WebhookVerificationError

COMMAND_SECONDS = 300.0


class Part(Protocol):
    """Anything that can die."""

    def start(self) -> None: ...

    def kill(self) -> None: ...


@attrs.define
class Process:
    """One `ocs` command; what it prints goes to a file of its name. One that ends by itself is to be started again by whoever
    `supervises` it, as service managers do."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    endings: int = 0
    """How often it ended by itself."""
    _process: "subprocess.Popen[bytes] | None" = None
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self._lock:
            self._begin()

    def supervise(self) -> None:
        """Start it again if it has ended by itself."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self.endings += 1
                self._begin()

    def _begin(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("ocs"), *self.arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **self.environment},
            )

    def kill(self) -> None:
        """As a machine dies."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._process = None


def ocs(folder: Path, environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """One command to its end: how it ended, and what it printed."""
    ended = subprocess.run(
        [Path(sys.executable).with_name("ocs"), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    return ended.returncode, ended.stdout + ended.stderr


@attrs.frozen
class Recipient:
    """Somebody whom notifications are delivered to: every `webhook-id` that came, as often as it came, and what is wrong with
    those whose signature is."""

    secret: str
    ids: list[str] = attrs.field(factory=list)
    wrong: list[str] = attrs.field(factory=list)
    _servers: list[ThreadingHTTPServer] = attrs.field(factory=list)

    def start(self) -> int:
        """Listen on a free port, and give it."""
        ids, wrong, verifier = self.ids, self.wrong, Webhook(self.secret)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    verifier.verify(body, dict(self.headers.items()))
                except WebhookVerificationError as error:
                    wrong.append(f"{self.headers['webhook-id']}: {error}")
                ids.append(self.headers["webhook-id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return int(server.server_address[1])

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
