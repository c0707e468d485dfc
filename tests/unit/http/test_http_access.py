"""Who may do what: every route is denied unless it says otherwise."""

import asyncio
import datetime as dt
from types import SimpleNamespace
from uuid import UUID

import attrs
import httpx
import pytest
from litestar import get
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from ocs_core.memory import MemoryApiKeys
from ocs_core.testkit.examples import NOW
from ocs_http.auth import API_KEY, APPLICATION_ID
from ocs_http.operations import OPERATIONS
from ocs_http.searches import READS

from .conftest import KEY, api_key, headers_of

OPEN = {"/", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "/docs/{name:str}"}


def routes(app):
    """(path, method, handler) of everything that the application answers."""
    return [
        (route.path, method, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
    ]


def test_every_route_is_http(site):
    assert all(isinstance(route, HTTPRoute) for route in site.app().routes)


def test_every_route_needs_a_key_unless_it_is_known_to_be_open(site):
    app = site.app()
    with TestClient(app) as client:
        for path, method, _ in routes(app):
            response = client.request(method, path.replace("{refId:str}", str(UUID(int=1))))
            if method == "OPTIONS" or path in OPEN:
                assert response.status_code not in {401, 403}, path
            else:
                assert response.status_code == 401, path


def test_every_route_needs_exactly_its_privilege(site):
    services = site.services()
    privileges = {o.path: o.privilege for o in OPERATIONS} | {r.route: r.privilege for r in READS}
    others = {*privileges.values()}
    app = site.app(services)
    with TestClient(app) as client:
        for number, (path, method, _) in enumerate(routes(app), 2):
            if method == "OPTIONS" or path in OPEN:
                continue
            application, url = f"a-{number}", path.replace("{refId:str}", str(UUID(int=1)))
            services.keys.add(api_key("with", application, privileges[path], number=number))
            services.keys.add(api_key("without", application, *others - {privileges[path]}, number=number + 100))
            assert client.request(method, url, headers=headers_of("without", application)).status_code == 403, path
            allowed = client.request(method, url, headers=headers_of("with", application))
            assert allowed.status_code not in {401, 403, 500}, path


def test_a_route_that_says_nothing_is_denied_even_to_a_key_for_everything(site):
    app = site.app()

    @get("/new", name="new")
    async def new() -> None: ...

    app.register(new)
    with TestClient(app) as client:
        assert client.get("/new").status_code == 401
        denied = client.get("/new", headers=headers_of(KEY, "crm"))
    assert (denied.status_code, denied.json()["title"]) == (403, "Forbidden")


def test_a_route_whose_public_is_not_exactly_true_is_denied(site):
    app = site.app()

    @get("/new", name="new", opt={"public": "no"})
    async def new() -> None: ...

    app.register(new)
    with TestClient(app) as client:
        assert client.get("/new").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {API_KEY: KEY},
        {APPLICATION_ID: "crm"},
        headers_of("wrong", "crm"),
        headers_of("", "crm"),
        headers_of(KEY, ""),
        headers_of(KEY, "bank"),
        headers_of(KEY, "CRM"),
        headers_of(KEY + " x", "crm"),
        headers_of(KEY, "x" * 256),
        {API_KEY: KEY.encode(), APPLICATION_ID: b"\xff\xfe"},
        {API_KEY: b"\xc3\xa9", APPLICATION_ID: "crm"},
        {"Authorization": f"Bearer {KEY}"},
    ],
    ids=str,
)
def test_without_a_key_of_its_own_application_nobody_comes_in(site, headers):
    with TestClient(site.app()) as client:
        response = client.get("/v1/rm/payments", headers=headers)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("ApiKey ")
    assert response.json()["title"] == "Unauthorized"


@pytest.mark.parametrize(
    "twice",
    [[(API_KEY, KEY), (API_KEY, "other")], [(API_KEY, KEY)] * 2, [(APPLICATION_ID, "bank"), (APPLICATION_ID, "crm")]],
)
def test_credentials_that_are_sent_twice_open_nothing(site, twice):
    once = [(name, value) for name, value in headers_of(KEY, "crm").items() if name != twice[0][0]]
    told = []

    async def ask():
        headers = [(name.lower().encode(), value.encode()) for name, value in twice + once]
        scope = {"type": "http", "method": "GET", "path": "/v1/rm/payments", "raw_path": b"/v1/rm/payments"}
        scope |= {
            "query_string": b"",
            "headers": headers,
            "state": {},
            "extensions": {},
        }  # the client joins them to one
        await site.app()(scope, receive, send)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event):
        told.append(event)

    asyncio.run(ask())
    assert told[0]["status"] == 401
    assert b"Give each of the headers" in told[1]["body"]


@pytest.mark.parametrize(
    "address",
    [
        "//metrics",
        "/%6detrics",
        "/metrics/",
        "/metrics//",
        "/%2Fmetrics",
        "/health//live",
        "/docs/",
        "//v1/rm/payments",
        "/v1/rm/payments/",
        "/v1/rm/%70ayments",
        "/v1/rm/processes/runs//x",
        "/v1//rm/payments/register-payment",
    ],
)
def test_an_address_has_one_spelling(client, address):
    """What a proxy closes by its address is not reached by another one."""
    client.base_url = httpx.URL("http://testserver.local")
    url = httpx.URL("http://testserver.local").copy_with(raw_path=address.encode())
    for method in ("POST" if "register" in address else "GET", "OPTIONS"):
        assert client.request(method, url).status_code == 404, method
    assert client.get("/metrics").status_code == 200


def test_credentials_and_privilege_come_before_the_form(site):
    services = site.services()
    services.keys.add(api_key("reader", "reader", "payment:read", number=2))
    with TestClient(site.app(services)) as client:
        path = "/v1/rm/payments/register-payment"
        assert client.post(path, content=b"nonsense").status_code == 401
        denied = client.post(path, content=b"nonsense", headers=headers_of("reader", "reader"))
    assert (denied.status_code, denied.json()["detail"]) == (
        403,
        "The key does not have the privilege payment:register.",
    )


@attrs.define
class CountedKeys(MemoryApiKeys):
    asked: list[str] = attrs.field(factory=list)

    def of(self, application):
        self.asked.append(application)
        return super().of(application)


def test_a_key_is_looked_up_once_in_a_while_and_a_revoked_one_closes_soon(site, monkeypatch):
    keys = CountedKeys()
    keys.add(api_key(KEY, "crm", "*"))
    time = [100.0]
    monkeypatch.setattr("ocs_http.auth.time", SimpleNamespace(monotonic=lambda: time[0]))
    with TestClient(site.app(site.services(keys=keys))) as client:
        client.headers.update(headers_of(KEY, "crm"))
        assert [client.get("/v1/rm/payments").status_code for _ in range(5)] == [200] * 5
        assert keys.asked == ["crm"]
        keys.revoke(UUID(int=1), NOW + dt.timedelta(days=1))
        time[0] += 3.1
        assert client.get("/v1/rm/payments").status_code == 401


def test_unknown_applications_are_not_remembered(site):
    keys = CountedKeys()
    with TestClient(site.app(site.services(keys=keys))) as client:
        for _ in range(2):
            client.get("/v1/rm/payments", headers=headers_of("x", "nobody"))
        keys.add(api_key("x", "nobody", "payment:read"))
        assert client.get("/v1/rm/payments", headers=headers_of("x", "nobody")).status_code == 200
    assert keys.asked == ["nobody"] * 3


def test_every_key_of_an_application_opens(site):
    services = site.services()
    services.keys.add(api_key("second", "crm", "payment:read", number=2))
    with TestClient(site.app(services)) as client:
        assert client.get("/v1/rm/payments", headers=headers_of("second", "crm")).status_code == 200
        assert client.get("/v1/rm/documents", headers=headers_of("second", "crm")).status_code == 403


def test_only_unknown_addresses_are_not_found(client):
    for path in (
        "/v1",
        "/v1/rm/payments/unknown",
        "/v1/rm/processes/unknown",
        "/v2/rm/payments",
        "/docs/../app.py",
    ):
        response = client.get(path)
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json"), path
        assert response.json()["type"] == "about:blank"


def test_a_method_that_an_address_does_not_know_is_told_which_it_knows(client):
    command = client.get("/v1/rm/payments/register-payment")
    assert (command.status_code, {*command.headers["allow"].split(", ")}) == (405, {"POST", "OPTIONS"})
    read = client.delete("/v1/rm/payments")
    assert (read.status_code, {*read.headers["allow"].split(", ")}) == (405, {"GET", "HEAD", "OPTIONS"})
    assert read.json()["title"] == "Method Not Allowed"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/rm/payments", 200),
        ("POST", "/v1/rm/payments/register-payment", 415),
        ("GET", "/nothing", 404),
        ("GET", "/health/ready", 200),
        ("GET", "/metrics", 200),
    ],
)
def test_answers_with_data_are_kept_by_nobody_and_taken_for_nothing_else(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_options_and_head_are_answered(client):
    options = client.options("/v1/rm/payments/register-payment")
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")
    assert client.head("/v1/rm/payments").status_code == 200
