"""The OpenAPI 3.1 document, from the same tables as the routes. `python -m ocs_http.openapi` prints it."""

import functools
import importlib.metadata
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ocs_adapters.serial.schema import schema_name
from ocs_http import examples, health, schemas
from ocs_http.auth import API_KEY, APPLICATION_ID
from ocs_http.errors import PROBLEM, SENTENCES
from ocs_http.example_answers import answered
from ocs_http.openapi_links import links_of
from ocs_http.operations import OPERATIONS, Operation
from ocs_http.schemas import Schema, refusals_of
from ocs_http.searches import READS, Read

JSON = "application/json"
DESCRIPTION = """\
Payments, charges, receivables and collections.

**Amounts** are whole numbers of millionths of the currency unit, `format: int64`: 49.90 EUR is `49900000`. They go up to
2^63-1. A JavaScript client needs a reader of big integers beyond 2^53: `JSON.parse` rounds them without a word.

**Times** carry their offset and are given out in UTC with microseconds; issued, tax and due dates are days.

**Repeating** is safe: a command with the same `requestId` and the same body is performed once, and its answer is given
again, with the header `Idempotent-Replayed: true`. So a lost answer is settled by sending the same request again.

**Failures** are problems of RFC 9457 that tell all failures at once: first of the form, then, when the form is right, of
the rules. An entity that does not exist is such a failure (400); 404 is for unknown addresses only.

Every operation names the privilege that it needs; a key with `*` has them all.
"""


def _header(description: str, **schema: Any) -> Schema:
    return {"description": description, "schema": schema}


HEADERS: Mapping[str, Schema] = {
    "IdempotentReplayed": _header(
        "Given when the command was performed earlier and nothing was done now.", type="string", enum=["true"]
    ),
    "Link": _header('The next page, as `<…>; rel="next"`; absent at the end.', type="string"),
    "RetryAfter": _header("How many seconds to wait at least.", type="integer", minimum=0),
    "WWWAuthenticate": _header("How to say who calls.", type="string"),
}
TAGS: Mapping[str, str] = {
    "payments": "Payments received, sent and promised",
    "documents": "Invoices, credits and other documents",
    "payer": "The revenue-management side of an account",
    "chargeable-events": "The feed of chargeable events",
    "billing-invoicing": "Adjustments of what is to be invoiced",
    "processes": "Processes and their runs",
    "accounts": "Accounts",
    "health": "Whether the server lives and can serve",
}
TITLES: Mapping[int, str] = {
    400: "The request has failures, of form or of rules; nothing was performed.",
    401: "No valid key for the application.",
    403: "The key does not have the privilege.",
    413: SENTENCES[413],
    415: SENTENCES[415],
    500: "Something went wrong; nothing was performed.",
    503: "Too much to do, a conflict that outlasted the retries, or a store that does not answer: repeat the same request.",
}


def _response(name: str) -> Schema:
    return {"$ref": f"#/components/responses/{name}"}


def _named_header(name: str) -> Schema:
    return {"$ref": f"#/components/headers/{name}"}


def _problem_response(status: int) -> Schema:
    response: Schema = {
        "description": TITLES[status],
        "content": {
            PROBLEM: {
                "schema": schemas.ref("Problem"),
                "example": examples.problem(status, SENTENCES.get(status, TITLES[status])),
            }
        },
    }
    if status == 401:
        response["headers"] = {"WWW-Authenticate": _named_header("WWWAuthenticate")}
    if status == 503:
        response["headers"] = {"Retry-After": _named_header("RetryAfter")}
    return response


def _problems(*statuses: int) -> dict[str, Schema]:
    return {str(status): _response(f"Problem{status}") for status in statuses}


def _success(description: str, schema: Schema, name: str = "", **headers: Schema) -> Schema:
    links = links_of(_operation_id(name)) if name else {}
    example = {"example": answered()[name].answer} if name else {}
    return {
        "description": description,
        **({"headers": headers} if headers else {}),
        "content": {JSON: {"schema": schema, **example}},
        **({"links": links} if links else {}),
    }


def _words(name: str) -> str:
    """`RegisterPayment` → `Register payment`."""
    return re.sub(r"(?<!^)([A-Z])", lambda m: f" {m[1].lower()}", name)


def _operation_id(name: str) -> str:
    return name[0].lower() + name[1:]


def _tag(path: str) -> str:
    """`/v1/rm/payments/register-payment` → `payments`."""
    group = path.split("/")[3]
    return "accounts" if group == "account" else group


def _description(told_by: type, privilege: str, refusals: Sequence[str] = ()) -> str:
    rules = ["Refused, with all that is broken, by the rules:\n\n" + "\n".join(refusals)] if refusals else []
    return "\n\n".join([inspect.getdoc(told_by) or "", *rules, f"Needs the privilege `{privilege}`."])


def _command(operation: Operation) -> Schema:
    return {
        "operationId": _operation_id(operation.name),
        "summary": _words(operation.name),
        "description": _description(operation.use_case, operation.privilege, refusals_of(operation.use_case)),
        "tags": [_tag(operation.path)],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": schemas.ref(operation.request.__name__),
                    "examples": {_operation_id(operation.name): {"value": answered()[operation.name].body}},
                }
            },
        },
        "responses": {
            "200": _success(
                "Performed, now or earlier: one step for each business transaction.",
                schemas.ref(f"{operation.name}Answer"),
                operation.name,
                **{"Idempotent-Replayed": _named_header("IdempotentReplayed")},
            ),
            **_problems(400, 401, 403, 413, 415, 500, 503),
        },
    }


def _read(read: Read) -> Schema:
    shown = schema_name(read.result)
    success = (
        _success("One page.", schemas.ref(f"{shown}Page"), read.name, Link=_named_header("Link"))
        if read.paged
        else _success("What was asked for.", schemas.ref(shown), read.name)
    )
    return {
        "operationId": _operation_id(read.name),
        "summary": _words(read.name),
        "description": _description(read.request, read.privilege),
        "tags": [_tag(read.path)],
        "parameters": schemas.parameters(read),
        "responses": {"200": success, **_problems(400, 401, 403, 500, 503)},
    }


def _health(name: str, summary: str, status: str, *problems: int) -> Schema:
    schema = schemas.answer("It is.", status={"type": "string", "enum": [status], "description": "Says so."})
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["health"],
        "security": [],
        "responses": {"200": _success("It is.", schema), **_problems(*problems)},
    }


@functools.cache
def document() -> Mapping[str, Any]:
    """The whole document."""
    statuses = sorted(TITLES)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OCS revenue management",
            "version": importlib.metadata.version("ocs-rm"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": [], "applicationId": []}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {
            **{operation.path: {"post": _command(operation)} for operation in OPERATIONS},
            **{read.path: {"get": _read(read)} for read in READS},
            health.LIVE: {"get": _health("isLive", "Whether the server lives", "live", 500)},
            health.READY: {"get": _health("isReady", "Whether commands are performed", "ready", 500, 503)},
        },
        "components": {
            "schemas": schemas.all_schemas(),
            "responses": {f"Problem{status}": _problem_response(status) for status in statuses},
            "headers": dict(HEADERS),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": API_KEY},
                "applicationId": {"type": "apiKey", "in": "header", "name": APPLICATION_ID},
            },
        },
    }


def as_text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(as_text(), end="")
