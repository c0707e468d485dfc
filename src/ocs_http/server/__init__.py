"""The server process: a socket, uvicorn on it, and an orderly end."""

import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import attrs
import structlog
import uvicorn

from ocs_adapters.settings import Settings, proxies_of
from ocs_http.server.exchange import Application
from ocs_http.server.limits import Limits
from ocs_http.server.protocol import protocol
from ocs_http.server.proxies import behind

PATIENCE_SECONDS = 20
"""How long requests in hand have at the end."""
OTHER_FILES = 256
"""How many files a process has open beside its connections."""

log = structlog.get_logger()


@attrs.frozen
class Listening:
    """A socket that takes connections already; they wait until the server runs."""

    sock: socket.socket

    @property
    def url(self) -> str:
        host, port = self.sock.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def listen(host: str, port: int) -> Iterator[Listening]:
    """Listen on an address. Raises `SystemExit` with a sentence where that cannot be."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "a port is from 0 to 65535"
        raise SystemExit(f"It is not possible to listen on {host}, port {port}: {reason}.") from None
    with sock:
        yield Listening(sock)


def run(app: Application, listening: Listening, settings: Settings | None = None) -> None:
    """Serve until interrupted or terminated; requests in hand are finished first."""
    counts = settings or Settings()

    def end(*_: Any) -> None:
        raise SystemExit(0)

    spare_the_collector()
    _allow_files(counts.http_connections)
    before = signal.signal(signal.SIGTERM, end)  # the server gives the signal back to us when it is done
    try:
        with suppress(KeyboardInterrupt):
            _server(app, counts).run(sockets=[listening.sock])
    finally:
        signal.signal(signal.SIGTERM, before)


def spare_the_collector() -> None:
    """Tell the garbage collector that what is loaded by now stays, so that no request pays for looking at it again."""
    gc.collect()
    gc.freeze()


def _allow_files(connections: int) -> None:
    """Ask the system for as many open files as connections need, where it has such a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft < wanted:
        possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
        if possible < wanted:
            log.warning("not enough open files for all connections", allowed=possible, wanted=wanted)


@contextmanager
def running(app: Application, listening: Listening, settings: Settings | None = None) -> Iterator[None]:
    """Serve in a thread as long as the block lasts."""
    server = _server(app, settings or Settings())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening.sock]}, name="http-server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """uvicorn's, but deaf to an interrupt where it was started so: in the background of a script, an interrupt is meant for
    somebody else at the same terminal."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._is_deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not (self._is_deaf and sig == signal.SIGINT):
            super().handle_exit(sig, frame)


def _server(app: Application, settings: Settings) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            behind(app, proxies_of(settings)),  # ASGI, in other words
            http=protocol(Limits.of(settings)),  # type: ignore[arg-type]  # any callable will do
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=PATIENCE_SECONDS,
        )
    )
