"""HTTP as others speak it: real clients, and requests that some servers read in two ways. Against the real `ocs serve`."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.http.served import HEADERS, KEY, REGISTER, Served, head, payment, rest_of, served, statuses
from tests.programs import needed

H2C = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
)
SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: ocs\r\n\r\n"
LAST = "Connection: close"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("clients"), http_idle_seconds=2, http_trusted_proxies="127.0.0.1") as made:
        yield made


def _length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def test_the_clients_of_java_register_payments_with_default_settings(server) -> None:
    needed("javac", "default-jdk-headless")
    bodies = [payment(f"java-{number}").decode() for number in range(3)]
    told = subprocess.run(
        [
            "java",
            Path(__file__).with_name("Register.java"),
            f"http://127.0.0.1:{server.port}{REGISTER}",
            KEY,
            "crm",
            *bodies,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.splitlines() == ["200 HTTP_1_1"] * 3, told.stdout + told.stderr + server.log()
    assert {"java-0", "java-1", "java-2"} <= {*server.payments()}


@pytest.mark.parametrize("version", ["--http2", "--http1.1", "--http1.0"])
def test_curl_registers_a_payment(server, version) -> None:
    needed("curl")
    number = f"curl{version}"
    given = [argument for name, value in HEADERS.items() for argument in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", version, *given, "-H", "Content-Type: application/json", "--data-binary", "@-"]
    told = subprocess.run(
        [*command, "-w", "\n%{http_code}", f"http://127.0.0.1:{server.port}{REGISTER}"],
        input=payment(number),
        capture_output=True,
        check=False,
    )
    assert told.stdout.endswith(b"\n200"), told.stdout + told.stderr
    assert number in server.payments()


@pytest.mark.parametrize("later", [False, True], ids=["at once", "the body later"])
def test_the_body_of_an_upgrade_is_never_performed_as_a_request(server, later) -> None:
    begin = head(REGISTER, *H2C, _length(SMUGGLED))
    with server.connect() as connection:
        if later:
            connection.sendall(begin)
            time.sleep(0.2)
            connection.sendall(SMUGGLED)
        else:
            connection.sendall(begin + SMUGGLED)
        assert statuses(rest_of(connection)) == [400]


@pytest.mark.parametrize("later", [False, True], ids=["at once", "the body later"])
def test_an_upgrade_is_passed_over_and_the_connection_goes_on(server, later) -> None:
    body = payment(f"upgrade-{later}")
    with server.connect() as connection:
        connection.sendall(head(REGISTER, *H2C, _length(body)))
        time.sleep(0.2 * later)
        connection.sendall(body + head("/health/live", LAST, method="GET"))
        answer = rest_of(connection)
    assert statuses(answer) == [200, 200], answer
    assert f"upgrade-{later}" in server.payments()
    assert "upgrade" not in server.log().lower()


@pytest.mark.parametrize(
    ("headers", "version", "body"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], "1.1", b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], "1.1", b"0\r\n\r\n"),
        (["Content-Length: 2", "Content-Length: 42"], "1.1", b"{}"),
        (["Content-Length: 2, 42"], "1.1", b"{}"),
        (["Content-Length: +2"], "1.1", b"{}"),
        (["Content-Length: 0x2"], "1.1", b"{}"),
        (["Transfer-Encoding: chunked"], "1.0", b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], "1.1", b"0\r\n\r\n"),
        (["Transfer-Encoding: xchunked"], "1.1", b"0\r\n\r\n"),
        (["Transfer-Encoding : chunked"], "1.1", b"0\r\n\r\n"),
        (["Transfer-Encoding:\x0bchunked"], "1.1", b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], "1.1", b"0x0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], "1.1", b"2\r\n{}0\r\n\r\n"),
        (["X: a\rContent-Length: 42"], "1.1", b""),
    ],
    ids=str,
)
def test_a_request_that_could_be_read_in_two_ways_is_answered_once_and_ends_the_connection(
    server, headers, version, body
) -> None:
    answer = server.raw(head(REGISTER, *headers, version=version) + body + SMUGGLED)
    (status,) = statuses(answer)
    assert status in {400, 501}
    assert b"application/problem+json" in answer


def test_a_chunked_body_is_put_together(server) -> None:
    body = payment("chunked")
    chunks = b"".join(b"%x;name=value\r\n%b\r\n" % (len(part), part) for part in (body[:1], body[1:50], body[50:]))
    answer = server.raw(head(REGISTER, "Transfer-Encoding: chunked", LAST) + chunks + b"0\r\nTrailer: x\r\n\r\n")
    assert statuses(answer) == [200]
    assert "chunked" in server.payments()


def test_who_expects_100_continue_is_told_to_go_on(server) -> None:
    body = payment("expected")
    with server.connect() as connection:
        connection.sendall(head(REGISTER, "Expect: 100-continue", _length(body), LAST))
        assert statuses(connection.recv(65536)) == [100]
        connection.sendall(body)
        assert statuses(rest_of(connection)) == [200]
    assert "expected" in server.payments()


def test_who_expects_100_continue_and_may_not_is_told_so_before_the_body(server) -> None:
    request = head(REGISTER, "Expect: 100-continue", "Content-Length: 1000000").replace(KEY.encode(), b"wrong")
    answer = server.raw(request)
    assert statuses(answer) == [401]
    assert b"connection: close\r\n" in answer.lower()


def test_pipelined_commands_are_performed_and_answered_in_order(server) -> None:
    bodies = [payment(f"pipelined-{number}") for number in range(20)]
    requests = b"".join(head(REGISTER, _length(body)) + body for body in bodies)
    answer = server.raw(requests + head("/health/live", LAST, method="GET"))
    assert statuses(answer) == [200] * 21
    places = [answer.index(f'"externalPaymentNo":"pipelined-{number}"'.encode()) for number in range(20)]
    assert places == sorted(places)


def test_pipelining_without_end_does_not_fill_the_memory(server) -> None:
    before = server.memory()
    with server.connect() as connection:
        connection.settimeout(1.0)
        sent = 0
        try:
            while sent < 200_000_000:
                sent += connection.send(SMUGGLED * 5_000)
        except TimeoutError:
            pass  # as it must be: who takes no answers may send no more
        assert sent < 50_000_000
        assert server.is_live()
    assert server.memory() - before < 60_000_000


@pytest.mark.parametrize(
    "request_", [head("/health/live", method="GET", version="1.0"), b"GET /health/live HTTP/1.0\r\n\r\n"]
)
def test_http_1_0_is_answered_and_the_connection_ends(server, request_) -> None:
    answer = server.raw(request_)
    assert statuses(answer) == [200]
    assert answer.endswith(b'{"status":"live"}')


def test_a_client_that_has_said_all_still_gets_its_answers(server) -> None:
    body = payment("half-closed")
    with server.connect() as connection:
        connection.sendall(head("/health/live", method="GET") + head(REGISTER, _length(body)) + body)
        connection.shutdown(1)
        assert statuses(rest_of(connection)) == [200, 200]


def test_an_answer_to_head_has_no_body(server) -> None:
    answer = server.raw(head("/v1/rm/payments", method="HEAD") + head("/health/live", LAST, method="HEAD"))
    assert statuses(answer) == [200, 200]
    assert answer.count(b"{") == 0


def test_a_target_may_name_the_server_too(server) -> None:
    assert statuses(server.raw(head("http://ocs/health/live", LAST, method="GET"))) == [200]


@pytest.mark.parametrize(
    ("headers", "begins"),
    [
        ({}, "</v1/rm/payments?"),
        (
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.com"},
            "<https://api.example.com/v1/rm/payments?",
        ),
        (
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.com:8443", "X-Forwarded-Prefix": "/ocs/"},
            "<https://api.example.com:8443/ocs/v1/rm/payments?",
        ),
        ({"X-Forwarded-Proto": "https", "Host": "api.example.com"}, "<https://api.example.com/v1/rm/payments?"),
        ({"X-Forwarded-Prefix": "/ocs"}, "</ocs/v1/rm/payments?"),
        ({"Forwarded": 'for=192.0.2.1;host="api.example.com";proto=https'}, "<https://api.example.com/v1/rm/payments?"),
        ({"Forwarded": "for=192.0.2.1;host=a.example;proto=https, for=10.0.0.1"}, "<https://a.example/v1/rm/payments?"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "a>; rel=x, <b"}, "</v1/rm/payments?"),
        ({"X-Forwarded-Prefix": "//elsewhere.example"}, "</v1/rm/payments?"),
        ({"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "api.example.com"}, "</v1/rm/payments?"),
    ],
    ids=str,
)
def test_a_link_to_the_next_page_is_as_the_proxy_says(server, headers, begins) -> None:
    for number in range(2):
        body = payment(f"listed-{number}")
        assert statuses(server.raw(head(REGISTER, _length(body), LAST) + body)) == [200]
    status, told, _ = server.get("/v1/rm/payments?limit=1", headers)
    assert (status, told["Link"][: len(begins)]) == (200, begins)


def test_the_address_that_is_logged_is_the_client_s_behind_trusted_proxies(server) -> None:
    for headers, address in (
        ({"X-Forwarded-For": "203.0.113.9, 127.0.0.1"}, "203.0.113.9"),
        ({"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}, "203.0.113.7"),
        ({"Forwarded": 'for="[2001:db8::17]:4711"'}, "2001:db8::17"),
        ({"X-Forwarded-For": "nonsense"}, "127.0.0.1"),
    ):
        assert server.get("/v1/rm/payments", {**headers, "X-Ocs-Io-API-Key": "wrong"})[0] == 401
        (*_, line) = [line for line in server.log().splitlines() if "credentials refused" in line]
        assert f"address={address} " in line


def test_metrics_may_have_a_port_of_their_own_or_none_and_nobody_s_headers_count_unasked(tmp_path, server) -> None:
    assert server.get("/metrics")[0] == 200
    with served(tmp_path, http_metrics_port=0) as apart:
        assert apart.get("/metrics")[0] == 404
        assert apart.get("/health/live", {"X-Forwarded-Host": "x"})[0] == 200
        found = apart.told().split("Metrics at http://127.0.0.1:")[1].split("/")[0]
        there = Served(apart.process, apart.folder, int(found))
        assert b"ocs_outbox_messages" in there.get("/metrics")[2]
        assert there.get("/v1/rm/payments")[0] == 404
        for number in range(2):
            body = payment(f"listed-{number}")
            assert statuses(apart.raw(head(REGISTER, _length(body), LAST) + body)) == [200]
        spoofed = {
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "elsewhere.example",
            "X-Forwarded-For": "192.0.2.1",
        }
        assert apart.get("/v1/rm/payments?limit=1", spoofed)[1]["Link"].startswith("</v1/rm/payments?")
        apart.get("/v1/rm/payments", {**spoofed, "X-Ocs-Io-API-Key": "wrong"})
        assert "address=127.0.0.1 " in apart.log()


def test_an_answer_says_when_and_of_what_type_it_is(server) -> None:
    _, headers, body = server.get("/health/live")
    assert headers["Date"]
    assert headers["Content-Length"] == str(len(body))
    assert json.loads(body) == {"status": "live"}
