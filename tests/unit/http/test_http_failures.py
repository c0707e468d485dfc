"""What happens when the system cannot: nothing is performed, and nothing of its inside is told."""

import functools
import itertools
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import SimpleNamespace

import attrs
import pytest
from litestar.testing import TestClient
from structlog.testing import capture_logs

from ocs_core.errors import Conflict, StoreBusy, StoreUnavailable
from ocs_core.testkit.fakes import FaultyStore

from .conftest import KEY, api_key, headers_of

PATH = "/v1/rm/payments/register-payment"
BODY = {
    "requestId": "r-1",
    "paymentAmount": 49_900_000,
    "currency": "EUR",
    "paymentMethod": "bankTransfer",
    "paymentDateReceived": "2024-05-14T07:15:00Z",
}


class Broken:
    """A store, and queries, that fail in the same way every time."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def begin(self, *, snapshot: bool = False):
        raise self.error

    def payments(self, search):
        raise self.error

    def __getattr__(self, name):
        return lambda *_: None


def answers(site, **changes):
    with TestClient(site.app(site.services(**changes))) as client, capture_logs() as logs:
        client.headers.update(headers_of(KEY, "crm"))
        return client.post(PATH, json=BODY), client.get("/v1/rm/payments"), logs


@pytest.mark.parametrize(
    "error", [Conflict("payments.version"), StoreUnavailable("password=secret"), StoreBusy("secret")], ids=repr
)
def test_a_store_that_does_not_answer_and_a_lasting_conflict_ask_to_come_again(site, error):
    command, read, _ = answers(site, store=Broken(error), queries=Broken(error))
    for response in (command, read):
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.headers["content-type"] == "application/problem+json"
        assert "secret" not in response.text
        assert "epeat the same request" in response.json()["detail"]


def test_a_passing_conflict_is_retried_and_not_seen(site):
    store = FaultyStore(site.store, fault_at=3, error=Conflict("once"))
    command, _, _ = answers(site, store=store)
    assert (command.status_code, store.has_failed) == (200, True)


def test_what_nobody_thought_of_is_a_500_that_tells_nothing_but_an_instance_that_the_log_knows(site):
    error = RuntimeError("SELECT secret FROM keys")
    command, read, logs = answers(site, store=Broken(error), queries=Broken(error))
    for response, log in zip((command, read), logs, strict=True):
        assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
        problem = response.json()
        assert "secret" not in response.text
        assert uuid.UUID(problem["instance"].removeprefix("urn:uuid:"))
        assert (problem["title"], problem["errors"]) == ("Internal Server Error", [])
        assert (log["event"], log["log_level"], log["instance"]) == ("request failed", "error", problem["instance"])
        assert "RuntimeError" in log["exception"]
        assert "secret" not in str(log)
    assert site.store.outbox == {}


def test_a_failing_look_up_of_keys_is_no_way_in(site):
    class Keys:
        def of(self, application):
            raise StoreUnavailable("down")

    command, read, _ = answers(site, keys=Keys())
    assert (command.status_code, read.status_code) == (503, 503)


class Sometimes:
    """A store that fails as long as it has an error."""

    def __init__(self, store) -> None:
        self.store, self.error = store, None

    def begin(self, *, snapshot: bool = False):
        if self.error:
            raise self.error
        return self.store.begin(snapshot=snapshot)


class Held:
    """A store whose commands wait until they may go on, as for a lock that somebody holds."""

    def __init__(self, store) -> None:
        self.store, self.begun, self.go_on = store, threading.Semaphore(0), threading.Event()

    def begin(self, *, snapshot: bool = False):
        self.begun.release()
        self.go_on.wait(10)
        return self.store.begin(snapshot=snapshot)


def test_too_much_work_is_refused_at_once_and_the_rest_is_done(site):
    held = Held(site.store)
    app = site.app(site.services(store=held), threads=2, waiting=1)
    with TestClient(app) as client, ThreadPoolExecutor(5) as pool:
        client.headers.update(headers_of(KEY, "crm"))
        send = [functools.partial(client.post, PATH, json=BODY | {"requestId": f"r-{n}"}) for n in range(5)]
        slow = [pool.submit(call) for call in send[:2]]
        for _ in slow:
            assert held.begun.acquire(timeout=10)
        more = [pool.submit(call) for call in send[2:]]
        first, second = itertools.islice(as_completed(more, timeout=10), 2)
        for refused in (first.result(), second.result()):
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["detail"].startswith("The server has too much to do")
        held.go_on.set()
        assert sorted(answer.result().status_code for answer in slow + more) == [200, 200, 200, 503, 503]


def test_commands_that_wait_do_not_hold_up_reads_and_readiness(site):
    held = Held(site.store)
    app = site.app(site.services(store=held), threads=1, waiting=0)
    with TestClient(app) as client, ThreadPoolExecutor(1) as pool:
        client.headers.update(headers_of(KEY, "crm"))
        command = pool.submit(client.post, PATH, json=BODY)
        assert held.begun.acquire(timeout=10)
        assert client.get("/v1/rm/payments").status_code == 200
        assert client.get("/health/ready").status_code == 200
        held.go_on.set()
        assert command.result().status_code == 200


class Silent:
    """Queries that come back when they may."""

    def __init__(self, queries) -> None:
        self.queries, self.begun, self.go_on = queries, threading.Semaphore(0), threading.Event()

    def __getattr__(self, name):
        def wait(*arguments):
            self.begun.release()
            self.go_on.wait(20)
            return getattr(self.queries, name)(*arguments)

        return wait


@pytest.mark.parametrize(
    "path", ["/v1/rm/payer/read-open-balance?externalId=A-1&detailIncluded=true", "/v1/rm/payments"]
)
def test_reads_that_take_long_hold_up_neither_keys_nor_commands_nor_readiness(site, path):
    services = site.services()
    queries = Silent(services.queries)
    for number in range(9):
        services.keys.add(api_key("another", f"a-{number}", "*", number=number + 10))
    with TestClient(site.app(attrs.evolve(services, queries=queries))) as client, ThreadPoolExecutor(9) as pool:
        client.headers.update(headers_of(KEY, "crm"))
        slow = [pool.submit(client.get, path) for _ in range(9)]
        assert queries.begun.acquire(timeout=10)
        for number in range(9):
            headers = headers_of("another", f"a-{number}")
            body = BODY | {"requestId": f"r-{number}"}
            assert client.post(PATH, json=body, headers=headers).status_code == 200
        assert client.get("/health/ready").status_code == 200
        assert client.get("/metrics").status_code == 200
        queries.go_on.set()
        assert {answer.result().status_code for answer in slow} <= {200, 400}


def test_balances_that_take_long_do_not_hold_up_lists(site):
    services = site.services()
    queries = Silent(services.queries)
    queries.payments = services.queries.payments
    with TestClient(site.app(attrs.evolve(services, queries=queries))) as client, ThreadPoolExecutor(9) as pool:
        client.headers.update(headers_of(KEY, "crm"))
        slow = [pool.submit(client.get, "/v1/rm/payer/read-collection-balance?externalId=A-1") for _ in range(9)]
        assert queries.begun.acquire(timeout=10)
        assert client.get("/v1/rm/payments").status_code == 200
        queries.go_on.set()
        assert {answer.result().status_code for answer in slow} == {400}


def test_ready_says_why_not(site):
    sentences = ["The schema is older than this program: run ocs migrate", "The relay has stopped"]
    with TestClient(site.app(site.services(problems=lambda: sentences))) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == f"{sentences[0]}. {sentences[1]}."
    with TestClient(site.app()) as client:
        assert client.get("/health/ready").json()["status"] == "ready"


def test_ready_counts_nothing(site):
    """It is asked every second by everybody; what waits to be published is told by the metrics."""

    def backlog():
        raise AssertionError

    with TestClient(site.app(site.services(backlog=backlog))) as client:
        assert client.get("/health/ready").json() == {"status": "ready"}


def test_a_system_that_does_not_come_back_is_not_ready_within_seconds_and_asked_once(site, monkeypatch):
    monkeypatch.setattr("ocs_http.probe.SECONDS", 0.1)
    asked, go_on = [], threading.Event()

    def problems():
        asked.append(1)
        go_on.wait(20)
        return []

    with TestClient(site.app(site.services(problems=problems))) as client:
        for _ in range(20):
            assert client.get("/health/ready").status_code == 503
        assert len(asked) == 1
        go_on.set()
        monkeypatch.setattr("ocs_http.probe.SECONDS", 10)
        assert client.get("/health/ready").status_code == 200


def test_ready_is_not_said_while_every_command_fails(site, monkeypatch):
    time = [100.0]
    monkeypatch.setattr("ocs_http.outcomes.time", SimpleNamespace(monotonic=lambda: time[0]))
    store = Sometimes(site.store)
    wrong = []
    services = site.services(store=store, problems_of_writing=lambda: wrong)
    with TestClient(site.app(services)) as client:
        client.headers.update(headers_of(KEY, "crm"))

        def ready():
            return client.get("/health/ready").status_code == 200

        store.error = StoreUnavailable("no room left")
        assert (client.post(PATH, json=BODY).status_code, ready()) == (503, True)
        wrong.append("There is no room left")
        assert not ready()
        wrong.clear()
        for _ in range(2):
            client.post(PATH, json=BODY)
        assert not ready()
        time[0] += 10.1  # long enough that others look whether it is over
        assert ready()
        for _ in range(3):
            client.post(PATH, json=BODY)
        assert not ready()
        store.error = None
        assert (client.post(PATH, json=BODY).status_code, ready()) == (200, True)


@pytest.mark.parametrize("error", [StoreBusy("held"), Conflict("payments.version")])
def test_commands_that_get_into_each_others_way_leave_the_server_ready(site, error):
    with TestClient(site.app(site.services(store=Broken(error)))) as client:
        client.headers.update(headers_of(KEY, "crm"))
        for _ in range(5):
            assert client.post(PATH, json=BODY).status_code == 503
        assert client.get("/health/ready").status_code == 200


def test_the_application_starts_and_ends_the_background_only_where_it_is_asked_to(site):
    told = []
    services = site.services(start=lambda: told.append("start"), close=lambda: told.append("close"))
    with TestClient(site.app(services)):
        pass
    assert told == []
    with TestClient(site.app(services, background=True)):
        assert told == ["start"]
    assert told == ["start", "close"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_balancers_may_probe_with_head(site, path):
    with TestClient(site.app()) as client:
        answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
