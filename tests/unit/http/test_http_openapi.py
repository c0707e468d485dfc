"""The document says what the application does, and is the one that is committed."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from litestar.routes import HTTPRoute

from ocs_adapters.serial import decode_request
from ocs_core import rules
from ocs_http import openapi
from ocs_http.operations import OPERATIONS
from ocs_http.searches import READS
from ocs_http.viewer import as_3_0

from .conftest import KEY

DOCUMENT = json.loads(openapi.as_text())
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


def operations():
    return [(path, method, op) for path, item in DOCUMENT["paths"].items() for method, op in item.items()]


def nodes(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def schema(name):
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def test_the_committed_document_is_current():
    made_by = "make it with: python -m ocs_http.openapi > docs/openapi.json"
    assert COMMITTED.read_text(encoding="utf-8") == openapi.as_text(), made_by


def test_every_route_is_described_and_everything_described_is_a_route(site):
    routes = {
        (route.path.replace(":str", ""), method.lower())
        for route in site.app().routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS", "HEAD"}
        if not route.path.startswith(("/docs", "/openapi.json", "/metrics"))
    }
    assert routes == {(path, method) for path, method, _ in operations()}


def test_operations_are_named_as_in_the_specification():
    assert [op["operationId"] for _, _, op in operations()] == [
        "registerPayment",
        "identifyPaymentIn",
        "assignPaymentInToDocument",
        "cancelPaymentInAssignment",
        "cancelPaymentInIdentification",
        "cancelPayment",
        "adjustChargeableEvent",
        "updateInvoicingFlag",
        "updateDueDateOffset",
        "updatePayer",
        "createAnyDocument",
        "cancelDocument",
        "calculateCollectionBalance",
        "cancelProcessRun",
        "createAccount",
        "updateAccountState",
        "feedChargeableEvents",
        "searchPayments",
        "searchDocuments",
        "searchChargeableEvents",
        "searchAccounts",
        "readCollectionBalance",
        "readOpenBalance",
        "searchProcessRuns",
        "readProcessRun",
        "isLive",
        "isReady",
    ]


def test_every_reference_leads_somewhere_and_everything_named_is_used():
    used = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node, dict) and "$ref" in node}
    named = {
        f"#/components/{kind}/{name}"
        for kind, components in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in components
    }
    assert used == named


def test_every_schema_is_one():
    for name, node in DOCUMENT["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(node)
        assert node, name


def test_no_object_takes_or_gives_what_is_not_named():
    maps = {"dueDateOffsets", "operationParameters"}
    for node in nodes(DOCUMENT["components"]["schemas"]):
        if isinstance(node, dict) and node.get("type") == "object":
            assert node["additionalProperties"] is False or "properties" not in node
    loose = {
        name
        for node in nodes(DOCUMENT["components"]["schemas"])
        if isinstance(node, dict) and isinstance(node.get("properties"), dict)
        for name, inner in node["properties"].items()
        if isinstance(inner, dict) and isinstance(inner.get("additionalProperties"), dict)
    }
    assert loose == maps


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_every_example_is_right(operation):
    validator = jsonschema.Draft202012Validator(schema(operation.request.__name__))
    validator.validate(dict(operation.example))
    assert decode_request(operation.request, json.loads(json.dumps(operation.example)))


def test_the_example_of_a_problem_is_one():
    (example,) = DOCUMENT["components"]["responses"]["Problem400"]["content"]["application/problem+json"][
        "examples"
    ].values()
    jsonschema.Draft202012Validator(schema("Problem")).validate(example["value"])


def test_every_code_of_form_and_rules_is_in_the_enum():
    enum = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["errors"]["items"]["properties"]["code"]["enum"]
    assert {"BODY_NOT_JSON", "TIME_WITHOUT_OFFSET", "AMOUNT_OUT_OF_RANGE"} < {*enum}
    assert {rule.code for rule in rules.RULES.values()} < {*enum}
    assert len(enum) == len({*enum})


def test_amounts_are_int64_and_the_note_for_javascript_is_there():
    amount = DOCUMENT["components"]["schemas"]["RegisterPaymentRequest"]["properties"]["paymentAmount"]
    assert amount == {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}
    assert "2^53" in DOCUMENT["info"]["description"]


def test_a_field_that_may_be_left_as_it_is_is_optional_and_nullable_without_a_default():
    payer = DOCUMENT["components"]["schemas"]["UpdatePayerRequest"]
    assert payer["required"] == ["requestId"]
    assert payer["properties"]["iban"] == {
        "anyOf": [{"type": "string", "minLength": 1, "maxLength": 255}, {"type": "null"}]
    }


def test_every_operation_names_its_privilege_and_only_health_is_open():
    privileges = {o.path: o.privilege for o in OPERATIONS} | {r.path: r.privilege for r in READS}
    for path, _, op in operations():
        if path.startswith("/health/"):
            assert op["security"] == []
        else:
            assert "security" not in op
            assert f"`{privileges[path]}`" in op["description"]


def test_parameters_are_those_of_the_domain():
    shared = ["limit", "cursor", "accountRefId", "accountExternalId"]
    dated = [*shared, "dateFrom", "dateTo", "amountFrom", "amountTo"]
    names = {path: [p["name"] for p in op["parameters"]] for path, _, op in operations() if "parameters" in op}
    assert names == {
        "/v1/rm/payments": [
            *dated,
            *("paymentRef", "paymentNo", "externalPaymentNo", "paymentType", "identified", "cancelled"),
        ],
        "/v1/rm/documents": [
            *dated,
            *("paymentRef", "documentNo", "externalDocumentNo", "documentType", "state"),
        ],
        "/v1/rm/chargeable-events": [*dated, "refId", "eventType", "invoiced", "originalRefId"],
        "/v1/casm/accounts": [*shared, "externalId", "accountType", "customer", "state"],
        "/v1/rm/payer/read-collection-balance": [
            *("refId", "externalId", "calculationForced", "detailIncluded", "asOf"),
        ],
        "/v1/rm/payer/read-open-balance": [
            *("refId", "externalId", "calculationForced", "documentTypesIncluded", "detailIncluded", "asOf"),
        ],
        "/v1/rm/processes/runs": ["limit", "cursor"],
        "/v1/rm/processes/runs/{refId}": ["refId"],
    }


def test_the_document_is_served_to_anybody(client):
    response = client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.text == openapi.as_text()


def test_the_viewer_takes_everything_from_here(site, client):
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assets = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    script = client.get("/docs/viewer.js").text
    assets += re.findall(r'url: "([^"]*)"', script)
    assert len(assets) == 5
    for asset in assets:
        assert asset.startswith("/docs/")
        assert client.get(asset).status_code == 200, asset
    assert "://" not in page.text + script
    assert client.get("/docs/..%2Fapp.py").status_code == 404
    assert client.get("/docs/nothing.js").status_code == 404


def test_the_viewers_rendition_has_nothing_that_its_version_does_not_know(client):
    viewed = client.get("/docs/openapi-3.0.json").json()
    assert viewed["openapi"] == "3.0.3"
    assert viewed["paths"].keys() == DOCUMENT["paths"].keys()
    schemas = viewed["components"]["schemas"]
    assert not [n for n in nodes(schemas) if isinstance(n, dict) and ("const" in n or n.get("type") == "null")]
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert as_3_0(nullable) == {"nullable": True, "allOf": [{"type": "string"}], "default": None}


def test_the_document_tells_nothing_of_keys():
    assert KEY not in openapi.as_text()
