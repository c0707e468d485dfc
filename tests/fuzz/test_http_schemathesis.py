"""schemathesis against the running application: whatever the document allows and forbids is answered as it says."""

import json
from collections import defaultdict
from typing import Any
from uuid import UUID

import attrs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi

from ocs_adapters.serial import encode
from ocs_core.catalogue import operations
from ocs_core.form import UNSET, wire_name
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.testkit.strategies import valid_requests
from ocs_core.testkit.world import World, world_configuration
from ocs_http.operations import OPERATIONS
from ocs_http.searches import READS
from tests.unit.http.conftest import KEY, Site, headers_of

CONFORMANCE = [
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.response_headers_conformance,
]
REFUSALS = [
    openapi.negative_data_rejection,
    openapi.missing_required_header,
    openapi.unsupported_method,
    openapi.allow_header_conformance,
]
SITE = Site(MemoryStore(world_configuration()))
WORLD = World(
    SITE.store,
    MemoryQueries(SITE.store),
    configure=lambda changed: setattr(SITE.store, "configuration", changed),
    published=lambda: list(SITE.store.outbox.values()),
    desk=SITE.desk,
)
"""What the application works on, as a place to draw requests in."""
OPERATION_AT = {operation.path: operation.use_case for operation in OPERATIONS} | {
    read.path: operations()[read.name] for read in READS if read.name in operations()
}
schema = schemathesis.openapi.from_asgi("/openapi.json", SITE.app())
bounded = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NAMES = {"refId", "externalId", "cursor"}
"""Parameters that name what is read."""
answered: defaultdict[str, set[int]] = defaultdict(set)


@schema.parametrize()
@bounded
def test_every_operation_answers_as_the_document_says(case):
    case.query = _plain(case.query)
    case.call_and_validate(headers=headers_of(KEY, "crm"), checks=CONFORMANCE + REFUSALS)


@schema.parametrize()
@schema.given(data=st.data())
@settings(bounded, phases=[Phase.generate])
def test_every_operation_on_things_that_exist_answers_as_the_document_says(case, data):
    known = valid_values(data, case.operation.path)
    if isinstance(case.body, dict):
        case.body |= known | {"requestId": SITE.desk.request_id()}
    elif case.path_parameters:
        case.path_parameters |= known
    elif known:
        others = {name: value for name, value in _plain(case.query).items() if name not in NAMES}
        case.query = others | {name: _text(value) for name, value in known.items()}
    else:
        case.query = _plain(case.query)
    response = case.call_and_validate(headers=headers_of(KEY, "crm"), checks=CONFORMANCE)
    answered[case.operation.path].add(response.status_code)


def _text(value):
    """A value as it stands in a query."""
    return value if isinstance(value, str) else json.dumps(value)


def _plain(query):
    """Without `expand`: the document describes the plain form."""
    return {name: value for name, value in (query or {}).items() if name != "expand"}


def test_on_things_that_exist_every_operation_succeeded():
    if len(answered) < len(schema):
        pytest.skip("the tests above did not all run in this process")
    assert [path for path, statuses in answered.items() if 200 not in statuses] == []


def valid_values(data, path: str) -> dict[str, Any]:
    """What makes a request of the operation at that path a right one, drawn in the world as it is now."""
    if path not in OPERATION_AT:
        return {}
    for run in WORLD.queries.running():
        SITE.desk.cancel_run(run.ref_id)
    request = data.draw(valid_requests(OPERATION_AT[path], WORLD))
    if isinstance(request, UUID):
        return {"refId": str(request)}
    values = {field: getattr(request, field.name) for field in attrs.fields(type(request))}
    return {
        wire_name(field.name): json.loads(encode(value))
        for field, value in values.items()
        if value not in (field.default, UNSET)
    }
