"""The real application over a store in memory, with one of everything in it, and a client with a key for everything."""

import json
import warnings
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import attrs
import pytest
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

from ocs_adapters.bootstrap import Services, in_memory
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.serial import encode
from ocs_core.access import ApiKey, digest_of_key
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.messages import Family, payload_type
from ocs_core.testkit.examples import NOW, Desk, configuration
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance
from ocs_http.app import create_app
from ocs_http.auth import API_KEY, APPLICATION_ID

KEY = "a-key-of-the-crm"


@pytest.fixture(autouse=True)
def _what_the_framework_gives_up_is_an_error() -> Iterator[None]:
    """As every warning is by pyproject; this holds where somebody runs the tests with other options, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", LitestarDeprecationWarning)
        yield


def api_key(key: str, application: str, *privileges: str, number: int = 1) -> ApiKey:
    return ApiKey(
        ref_id=UUID(int=number),
        application=application,
        digest=digest_of_key(key),
        privileges=frozenset(privileges),
        created_at=NOW,
    )


def headers_of(key: str, application: str) -> dict[str, str]:
    return {API_KEY: key, APPLICATION_ID: application}


@attrs.define
class Site:
    """The store and the desk behind the application."""

    store: MemoryStore = attrs.field(factory=lambda: MemoryStore(configuration()))
    desk: Desk = attrs.field(default=attrs.Factory(lambda site: Desk(site.store), takes_self=True))

    def services(self, **changes: Any) -> Services:
        services = in_memory(self.store)
        services.keys.add(api_key(KEY, "crm", "*"))
        runner = CollectionRunner(
            CalculateCollectionBalance(self.store, clock=self.desk.clock), MemoryQueries(self.store)
        )
        own: dict[str, Any] = {"clock": self.desk.clock, "ids": self.desk.ids, "runner": runner}
        return attrs.evolve(services, **own | {"start": runner.start, "close": runner.stop} | changes)

    def app(self, services: Services | None = None, **options: Any) -> Litestar:
        return create_app(services or self.services(), **{"background": False} | options)

    def steps(self, name: str, after: int) -> list[dict[str, Any]]:
        """The answer that fits the business transactions published since the outbox held `after` messages."""
        published = [m.payload for m in self.store.outbox.values()][after:]
        families = [m.family for m in self.store.outbox.values()][after:]
        told = [p for p, f in zip(published, families, strict=True) if f is Family.BUSINESS_TRANSACTION]
        return [
            {"name": name, "seqno": n, "object": json.loads(encode(p)), "objectType": payload_type(p.code)}
            for n, p in enumerate(told, 1)
        ]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def client(site: Site) -> Iterator[TestClient[Litestar]]:
    with TestClient(site.app()) as client:
        client.headers.update(headers_of(KEY, "crm"))
        yield client


def codes(response: Any) -> list[tuple[str, str]]:
    """The (code, field) of every failure of a refused request."""
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 400
    return [(error["code"], error["field"]) for error in response.json()["errors"]]
