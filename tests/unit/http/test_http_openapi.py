"""The document says what the application does, and is the one that is committed."""

import importlib.metadata
import json
import re

import jsonschema
import pytest
from litestar.routes import HTTPRoute

from ocs_adapters.serial import asyncapi, decode_request
from ocs_adapters.serial.field_help import FIELD_HELP
from ocs_core import rules
from ocs_core.catalogue import rules_applied
from ocs_http import openapi
from ocs_http.operations import OPERATIONS
from ocs_http.schemas import MORE, PARAMETERS
from ocs_http.searches import READS
from ocs_http.viewer import as_3_0

from .conftest import KEY

DOCUMENT = json.loads(openapi.as_text())
SCHEMAS = DOCUMENT["components"]["schemas"]


def operations():
    return [(path, method, op) for path, item in DOCUMENT["paths"].items() for method, op in item.items()]


def nodes(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def schema(name):
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def test_every_route_is_described_and_everything_described_is_a_route(site):
    routes = {
        (route.path.replace(":str", ""), method.lower())
        for route in site.app().routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS", "HEAD"}
        if route.path != "/" and not route.path.startswith(("/docs", "/openapi.json", "/metrics"))
    }
    assert routes == {(path, method) for path, method, _ in operations()}


def test_the_document_has_the_packages_version():
    assert DOCUMENT["info"]["version"] == importlib.metadata.version("ocs-rm")


def test_operations_are_named_as_their_use_cases_and_reads():
    named = [each.name[0].lower() + each.name[1:] for each in (*OPERATIONS, *READS)]
    assert [op["operationId"] for _, _, op in operations()] == [*named, "isLive", "isReady"]


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


def test_requests_take_nothing_that_is_not_named_and_answers_may_gain_properties():
    maps = {"dueDateOffsets", "operationParameters", "customAttributes"}
    requests = {name for name in SCHEMAS if name.endswith("Request")} | {
        "AccountName",
        "ChargeableEventFed",
        "MoneyOrderGiven",
    }
    for name, node in SCHEMAS.items():
        if "properties" in node:
            assert node["additionalProperties"] == (False if name in requests else MORE), name
    loose = {
        name
        for node in nodes(SCHEMAS)
        if isinstance(node, dict) and isinstance(node.get("properties"), dict)
        for name, inner in node["properties"].items()
        if isinstance(inner, dict) and isinstance(inner.get("additionalProperties"), dict)
    }
    assert loose == maps


def test_every_value_has_a_type_and_null_is_said_the_short_way():
    """Generators of clients make `unknown` of a value without a type, and do not compile alternatives that have none."""
    for node in nodes(SCHEMAS):
        if not isinstance(node, dict):
            continue
        if "enum" in node or "const" in node:
            assert node["type"] == "string", node
        for kind in node.get("anyOf", []):
            assert "$ref" in kind or kind == {"type": "null"}, node
        assert "default" not in node, "it makes a field that may be absent one that must be given"


def test_every_property_and_parameter_says_what_it_means():
    for name, node in SCHEMAS.items():
        for field, said in node.get("properties", {}).items():
            assert said.get("description", "").endswith((".", "…")), f"{name}.{field}"
    for path, _, op in operations():
        for parameter in op.get("parameters", []):
            assert parameter["description"].endswith("."), f"{path} {parameter['name']}"
            assert "_" not in parameter["description"], "names as they are on the wire"


def test_nothing_is_explained_that_is_not_there():
    messages = json.loads(asyncapi.as_text())["components"]["schemas"]
    fields = {
        name
        for schemas in (SCHEMAS, messages)
        for schema_name, schema in schemas.items()
        for node in nodes(schema)
        if isinstance(node, dict) and isinstance(node.get("properties"), dict)
        for field in node["properties"]
        for name in (field, f"{schema_name}.{field}")
    }
    assert set(FIELD_HELP) - fields == set()
    parameters = {p["name"] for _, _, op in operations() for p in op.get("parameters", [])}
    assert parameters == set(PARAMETERS)


def test_the_steps_of_an_answer_are_told_apart_by_their_object_type():
    for operation in OPERATIONS:
        items = SCHEMAS[f"{operation.name}Answer"]["items"]
        step = SCHEMAS[items["$ref"].rpartition("/")[2]]
        if "oneOf" in step:
            assert step["discriminator"]["propertyName"] == "objectType"
            mapped = step["discriminator"]["mapping"]
            assert [kind["$ref"] for kind in step["oneOf"]] == list(mapped.values())
            steps = {name: SCHEMAS[at.rpartition("/")[2]] for name, at in mapped.items()}
            assert {name: [name] for name in steps} == {
                name: node["properties"]["objectType"]["enum"] for name, node in steps.items()
            }


def test_links_lead_to_operations_with_what_these_take():
    by_id = {op["operationId"]: op for _, _, op in operations()}
    linked = 0
    for op in by_id.values():
        for link in op["responses"]["200"].get("links", {}).values():
            target = by_id[link["operationId"]]
            assert {*link.get("parameters", {})} <= {p["name"] for p in target.get("parameters", [])}
            if "` of the answer as `" in link["description"]:
                named = re.search(r"as `(\w+)`\.$", link["description"])[1]
                body = target["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                assert named in SCHEMAS[body.rpartition("/")[2]]["properties"]
            linked += 1
    assert linked >= 20


def test_an_operation_tells_the_rules_that_it_applies():
    for (_, _, op), operation in zip(operations(), OPERATIONS, strict=False):
        for name in rules_applied(operation.use_case):
            assert f"`{rules.RULES[name].code}`" in op["description"], (op["operationId"], name)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_every_example_is_right(operation):
    validator = jsonschema.Draft202012Validator(schema(operation.request.__name__))
    validator.validate(dict(operation.example))
    assert decode_request(operation.request, json.loads(json.dumps(operation.example)))


@pytest.mark.parametrize(("path", "op"), [(path, op) for path, _, op in operations() if not path.startswith("/health")])
def test_every_operation_has_an_example_of_its_answer(path, op):
    (content,) = op["responses"]["200"]["content"].values()
    told = {**content["schema"], "components": DOCUMENT["components"]}
    assert content["example"], path
    jsonschema.Draft202012Validator(told).validate(content["example"])
    if "requestBody" in op:
        (given,) = op["requestBody"]["content"]["application/json"]["examples"].values()
        name = op["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        jsonschema.Draft202012Validator(schema(name)).validate(given["value"])


def test_links_find_in_the_examples_what_they_take_from_answers():
    for _, _, op in operations():
        (content,) = op["responses"]["200"]["content"].values()
        for link in op["responses"]["200"].get("links", {}).values():
            taken = [value for value in link.get("parameters", {}).values() if value.startswith("$")]
            for expression in taken:
                found = content["example"]
                for part in expression.removeprefix("$response.body#/").split("/"):
                    found = found[int(part)] if isinstance(found, list) else found[part]


def test_every_refusal_has_an_example():
    for status in (400, 401, 403, 413, 415, 500, 503):
        example = DOCUMENT["components"]["responses"][f"Problem{status}"]["content"]["application/problem+json"][
            "example"
        ]
        jsonschema.Draft202012Validator(schema("Problem")).validate(example)
        assert example["status"] == status


def test_every_code_of_form_and_rules_is_in_the_enum():
    enum = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["errors"]["items"]["properties"]["code"]["enum"]
    assert {"BODY_NOT_JSON", "TIME_WITHOUT_OFFSET", "AMOUNT_OUT_OF_RANGE"} < {*enum}
    assert {rule.code for rule in rules.RULES.values()} < {*enum}
    assert len(enum) == len({*enum})


def test_amounts_are_int64_and_the_note_for_javascript_is_there():
    amount = DOCUMENT["components"]["schemas"]["RegisterPaymentRequest"]["properties"]["paymentAmount"]
    assert amount.pop("description")
    assert amount == {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}
    assert "2^53" in DOCUMENT["info"]["description"]


def test_every_number_says_how_large_it_may_be():
    """Generators take 32 bits for one that says nothing."""
    silent = [
        f"{name}.{field}"
        for name, node in SCHEMAS.items()
        for field, said in node.get("properties", {}).items()
        if "integer" in said.get("type", ()) and field != "seqno"
        if said.get("format") != "int64" and said.get("maximum", 2**63) >= 2**31
    ]
    assert silent == []


def test_a_field_that_may_be_left_as_it_is_is_optional_and_nullable_without_a_default():
    payer = DOCUMENT["components"]["schemas"]["UpdatePayerRequest"]
    assert payer["required"] == ["requestId"]
    iban = {**payer["properties"]["iban"], "description": ""}
    assert iban == {"type": ["string", "null"], "minLength": 1, "maxLength": 255, "description": ""}


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
    every = {path: [p["name"] for p in op["parameters"]] for path, _, op in operations() if "parameters" in op}
    assert {names[-1] for names in every.values()} == {"expand"}
    names = {path: names[:-1] for path, names in every.items()}
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
            *("refId", "externalId", "calculationForced", "detailIncluded", "asOf", "limit", "cursor"),
        ],
        "/v1/rm/payer/read-open-balance": [
            *("refId", "externalId", "calculationForced", "documentTypesIncluded", "detailIncluded", "asOf"),
            *("limit", "cursor"),
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
    assert as_3_0({"type": ["string", "null"], "examples": ["x"]}) == {
        "type": "string",
        "nullable": True,
        "example": "x",
    }
    assert not [n for n in nodes(viewed["paths"]) if isinstance(n, dict) and isinstance(n.get("type"), list)]


def test_the_document_tells_nothing_of_keys():
    assert KEY not in openapi.as_text()
