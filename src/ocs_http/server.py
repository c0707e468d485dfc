"""The server process: a socket, uvicorn on it, and an orderly end."""

import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import uvicorn
from litestar import Litestar

PATIENCE_SECONDS = 20
"""How long requests in hand have at the end."""


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


def run(app: Litestar, listening: Listening) -> None:
    """Serve until interrupted or terminated; requests in hand are finished first."""

    def end(*_: Any) -> None:
        raise SystemExit(0)

    spare_the_collector()
    before = signal.signal(signal.SIGTERM, end)  # the server gives the signal back to us when it is done
    try:
        with suppress(KeyboardInterrupt):
            _server(app).run(sockets=[listening.sock])
    finally:
        signal.signal(signal.SIGTERM, before)


def spare_the_collector() -> None:
    """Tell the garbage collector that what is loaded by now stays, so that no request pays for looking at it again."""
    gc.collect()
    gc.freeze()


@contextmanager
def running(app: Litestar, listening: Listening) -> Iterator[None]:
    """Serve in a thread as long as the block lasts."""
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening.sock]}, name="http-server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _server(app: Litestar) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=PATIENCE_SECONDS,
        )
    )
