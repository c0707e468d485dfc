"""What strangers can do to a server: nothing that others notice. Against the real `ocs serve`."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.contract.http.served import HEADERS, REGISTER, Served, head, payment, rest_of, served, statuses, until

CONNECTIONS = 60
MEGABYTE = 1_000_000
MOST_MEMORY = 60 * MEGABYTE
"""How much more a process may need after an attack: less than any one of them sends."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(
        tmp_path_factory.mktemp("limits"),
        http_connections=CONNECTIONS,
        http_header_seconds=1,
        http_body_seconds=1,
        http_idle_seconds=2,
    ) as made:
        yield made


def _send_while_it_is_taken(server: Served, begin: bytes, piece: bytes, pieces: int) -> bytes:
    """Send without end, as an attacker does, who reads nothing meanwhile; the answer, where the server gave one."""
    with server.connect() as connection:
        try:
            connection.sendall(begin)
            for _ in range(pieces):
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return rest_of(connection)


@pytest.mark.parametrize(
    ("begin", "piece", "status"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * MEGABYTE, 431),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 150_000, 431),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: y\r\n", b" folded\r\n" * 100_000, 431),
        (b"GET /", b"a" * MEGABYTE, 414),
        (head(REGISTER, "Transfer-Encoding: chunked"), b"fffff\r\n" + b" " * 0xFFFFF + b"\r\n", 413),
        (head(REGISTER, "Transfer-Encoding: chunked") + b"1;x=", b"a" * MEGABYTE, 400),
        (head(REGISTER, "Transfer-Encoding: chunked") + b"0\r\nX: ", b"a" * MEGABYTE, 400),
        (
            b"POST /v1/rm/payments/register-payment HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"fffff\r\n" + b" " * 0xFFFFF + b"\r\n",
            401,
        ),
    ],
    ids=[
        "a header",
        "many headers",
        "a folded header",
        "an address",
        "a body",
        "a chunk's",
        "a trailer",
        "a stranger's",
    ],
)
def test_what_has_no_end_is_refused_early_and_costs_neither_memory_nor_others_time(
    server, begin, piece, status
) -> None:
    before = server.memory()
    answer = _send_while_it_is_taken(server, begin, piece, 100)
    assert statuses(answer) in ([status], []), answer  # closing may destroy an answer that nobody reads
    assert server.is_live()
    assert server.memory() - before < MOST_MEMORY


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 32_768 + b"\r\n\r\n", 431),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431),
        (b"GET /" + b"a" * 8_192 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: y", 408),
        (b"GE", 408),
        (head(REGISTER, "Content-Length: 100") + b"{", 408),
        (head(REGISTER, "Transfer-Encoding: chunked") + b"2\r\n{", 408),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
    ids=[
        "header",
        "headers",
        "address",
        "half a header",
        "half a line",
        "half a body",
        "half a chunk",
        "no HTTP",
        "TLS",
    ],
)
def test_who_goes_beyond_a_limit_is_told_so_as_a_problem_and_the_connection_ends(server, request_, status) -> None:
    answer = server.raw(request_)
    assert statuses(answer) == [status]
    assert b"content-type: application/problem+json\r\n" in answer
    assert b"connection: close\r\n" in answer.lower()
    assert answer.endswith(b'"errors":[]}')


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 30_000 + b"\r\nConnection: close\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 98 + b"Connection: close\r\n\r\n",
        b"GET /health/live?x=" + b"a" * 8_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=["header", "headers", "address"],
)
def test_what_is_within_the_limits_is_answered(server, request_) -> None:
    assert statuses(server.raw(request_)) == [200]


def test_a_header_that_comes_letter_by_letter_has_no_more_time_than_another(server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: ")
        connection.settimeout(0.1)
        answer, ends = b"", time.monotonic() + 30
        while not answer:
            assert time.monotonic() < ends, "it was never hung up on"
            connection.sendall(b"a")
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                continue
    assert statuses(answer) == [408]


def test_silent_connections_are_dropped_and_keep_nobody_out(server) -> None:
    with ExitStack() as connections:
        silent = [connections.enter_context(server.connect()) for _ in range(3 * CONNECTIONS)]
        slow = [connections.enter_context(server.connect()) for _ in range(CONNECTIONS)]
        for connection in slow:
            connection.sendall(b"GET /health/live HTT")
        assert server.is_live()
        for connection in (*silent, *slow):
            rest_of(connection)  # ends where the server hangs up
    until(lambda: "idle connections gave way to others" in server.log())


def test_an_idle_connection_is_kept_as_long_as_the_setting_says_and_no_longer(server) -> None:
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert statuses(connection.recv(65536)) == [200]
            time.sleep(1.1)  # longer than a header may take
        assert connection.recv(65536) == b""


def test_who_does_not_take_an_answer_holds_up_nobody(server) -> None:
    with ExitStack() as connections:
        for _ in range(CONNECTIONS):
            greedy = connections.enter_context(server.connect())
            greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            greedy.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
        until(server.is_live)  # while their first answers are still made, nobody is idle: 503 is right
        assert all(server.is_live() for _ in range(20))


def test_a_client_that_leaves_early_costs_a_line_at_most(server) -> None:
    before = server.log().count("\n")
    for begun in (
        head(REGISTER, "Content-Length: 100") + b"{",
        head(REGISTER, "Transfer-Encoding: chunked") + b"2\r\n{",
        head(REGISTER, "Expect: 100-continue", "Content-Length: 100"),
        head(REGISTER, f"Content-Length: {len(payment('left'))}") + payment("left"),
        b"GET /v1/rm/payments HT",
    ):
        with server.connect() as connection:
            connection.sendall(begun)
            time.sleep(0.1)
    until(lambda: "left" in server.payments())
    assert server.log().count("\n") - before <= 5


def test_failed_credentials_are_logged_with_address_and_application_and_without_the_key(server) -> None:
    for headers in (
        {"X-Ocs-Io-API-Key": "planted-secret", "X-Ocs-Io-Application-Id": "burglar"},
        {"X-Ocs-Io-API-Key": "crm", "X-Ocs-Io-Application-Id": "x" * 43},
        {"X-Ocs-Io-API-Key": "planted-secret", "X-Ocs-Io-Application-Id": ""},
    ):
        assert server.get("/v1/rm/payments", headers)[0] == 401
    lines = [line for line in server.log().splitlines() if "credentials refused" in line]
    assert len(lines) >= 3
    assert re.search(r"address=127\.0\.0\.1 +application=burglar", lines[-3])
    log = server.log()
    assert "planted-secret" not in log
    assert "x" * 43 not in log
    assert HEADERS["X-Ocs-Io-API-Key"] not in log
    assert "Traceback" not in log
