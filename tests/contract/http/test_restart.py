"""Several processes on one socket, of which one after the other ends: no request is lost."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ocs_http.server import Listening, run
from tests.contract.http.served import PATIENCE_SECONDS, until
from tests.interrupts import deaf, hearing


async def app(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Answers who it is, after a moment."""
    while scope["type"] == "lifespan":
        told = (await receive())["type"]
        await send({"type": f"{told}.complete"})
        if told == "lifespan.shutdown":
            return
    await asyncio.sleep(0.005)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def _process(sock: socket.socket, hears: Callable[[], None] = hearing) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.contract.http.test_restart", str(sock.fileno())]
    process = subprocess.Popen(command, pass_fds=[sock.fileno()], preexec_fn=hears)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_processes_share_a_socket_and_those_that_end_lose_no_request() -> None:
    answered: list[int] = []
    lost: list[Exception] = []
    over = threading.Event()

    def ask(port: int, is_kept: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        while not over.is_set():
            try:
                connection.request("GET", "/", headers={} if is_kept else {"Connection": "close"})
                answered.append(int(connection.getresponse().read()))
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)
                connection.close()
        connection.close()

    @contextmanager
    def clients(port: int) -> Iterator[None]:
        threads = [threading.Thread(target=ask, args=(port, number % 2 == 0)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def ends(process: "subprocess.Popen[bytes]") -> None:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0

    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as sock,
        _process(sock) as first,
        _process(sock) as second,
        _process(sock) as third,
        clients(sock.getsockname()[1]),
    ):
        until(lambda: {first.pid, second.pid, third.pid} <= {*answered})
        ends(first)
        ends(second)
        before = len(answered)
        until(lambda: len(answered) > before + 20)
        assert {*answered[before:]} == {third.pid}
    assert lost == []


@pytest.mark.usefixtures("in_the_background")
@pytest.mark.parametrize(("hears", "ended_by"), [(hearing, signal.SIGINT), (deaf, signal.SIGTERM)])
def test_an_interrupt_ends_a_server_in_order_unless_it_was_started_deaf_to_it(
    hears: Callable[[], None], ended_by: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as sock, _process(sock, hears) as server:
        assert _answers(sock) == server.pid
        server.send_signal(signal.SIGINT)
        if ended_by is not signal.SIGINT:
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(1)
            assert _answers(sock) == server.pid
            server.send_signal(ended_by)
        assert server.wait(PATIENCE_SECONDS) == 0


def _answers(sock: socket.socket) -> int:
    """Which process answers at a socket."""
    connection = http.client.HTTPConnection("127.0.0.1", sock.getsockname()[1], timeout=PATIENCE_SECONDS)
    connection.request("GET", "/", headers={"Connection": "close"})
    return int(connection.getresponse().read())


if __name__ == "__main__":
    run(app, Listening(socket.socket(fileno=int(sys.argv[1]))))
