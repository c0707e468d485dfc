"""Parts of the OpenAPI document: schemas of what the handlers take and give, from the classes that do the work."""

import json
import re
from typing import Any

from ocs_adapters.serial.field_help import description
from ocs_adapters.serial.schema import components, open_components, schema_name
from ocs_core import form, rules
from ocs_core.catalogue import rules_applied
from ocs_core.usecases.calculate_collection_balance import AMOUNT_OUT_OF_RANGE
from ocs_http import errors
from ocs_http.operations import OPERATIONS, Operation
from ocs_http.parameters import Expand
from ocs_http.searches import READS, Read

Schema = dict[str, Any]
_REF = "#/components/schemas/{name}"
FORM_CODES = (
    form.BODY_NOT_JSON,
    form.FIELD_REQUIRED,
    form.FIELD_UNKNOWN,
    form.TYPE_WRONG,
    form.VALUE_NOT_ALLOWED,
    form.VALUE_OUT_OF_RANGE,
    form.LENGTH_OUT_OF_RANGE,
    form.TEXT_NOT_ALLOWED,
    form.TIME_WITHOUT_OFFSET,
)
MORE = {"description": "More properties may be added: ignore those that you do not know."}
"""Said aloud, and with a word: generated clients in Java refuse what is not named where nothing is said, or only `true`, and do
so after the command was performed."""
PARAMETERS = {
    "limit": "How many items a page has at the most; of a balance with `detailIncluded`, how many lines.",
    "cursor": "Where the page begins: `next` of the page before. Of a balance, give the `asOf` of its first page, too.",
    "accountRefId": "Of the account with this refId.",
    "accountExternalId": "Of the account with this externalId, such as `A-1001`.",
    "dateFrom": "Not before this day (such as 2024-05-14) or instant with offset: payments by receipt, documents by issue, "
    "events by their date.",
    "dateTo": "Before this day or instant, which is not included.",
    "amountFrom": "Of at least this amount, in millionths: 49.90 EUR is 49900000.",
    "amountTo": "Of at most this amount, in millionths; it is included.",
    "paymentRef": "With this as one of the three payment references.",
    "paymentNo": "With this own number, such as `P0000000001`.",
    "externalPaymentNo": "With this number of the caller's.",
    "paymentType": "Of this type.",
    "identified": "true: those that belong to an account. false: those that belong to none.",
    "cancelled": "true: those that are cancelled. false: those that are not.",
    "documentNo": "With this own number, such as `D0000000001`.",
    "externalDocumentNo": "With this number of the caller's.",
    "documentType": "Of the document type with this code.",
    "state": "In this state.",
    "eventType": "Of this type of event, such as `call`.",
    "invoiced": "true: those that are on an invoice. false: those that are not yet.",
    "originalRefId": "The adjustments of the event with this refId.",
    "refId": "With this refId.",
    "externalId": "With this externalId, such as `A-1001`.",
    "accountType": "Of the account type with this code.",
    "customer": "Of this customer.",
    "calculationForced": "Calculate now, not as the last run stored it; nothing is stored. An open balance always is.",
    "documentTypesIncluded": "Tell the same figures by document type.",
    "detailIncluded": "Tell of every document and payment what it contributed, or why it did not count.",
    "expand": "`codes`: `accountType`, `cancelReason`, `currency`, `documentType` and `paymentMethod` are objects of `refId`, "
    "`code` and `name` in the place of the plain codes that the schemas describe; a generated client reads the latter only.",
    "asOf": "Calculate as of this instant with offset, or the end of this day (such as 2024-05-14) where the payer is.",
}
"""What each parameter of a read means, under its name on the wire."""


def ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}


def problem() -> Schema:
    """RFC 9457, with every failure."""
    codes = sorted({rule.code for rule in rules.RULES.values()} | {AMOUNT_OUT_OF_RANGE} - {*FORM_CODES})
    failure = answer(
        "One failure of the request: a stable code, where, and a sentence for people. The field is a JSON Pointer into "
        "the body (empty: the body as a whole), or the name of a query parameter.",
        code={"type": "string", "enum": [*FORM_CODES, *(code for code in codes if code not in FORM_CODES)]},
        field={"type": "string"},
        message={"type": "string"},
    )
    whole = answer(
        "A problem of RFC 9457. `errors` holds every failure that was found; it is empty where the status says it all.",
        type={"type": "string", "enum": ["about:blank", errors.REJECTED]},
        title={"type": "string"},
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail={"type": "string"},
        instance={"type": "string", "format": "uri"},
        errors={"type": "array", "items": failure},
    )
    whole["required"].remove("instance")
    return whole


def refusals_of(use_case: type) -> list[str]:
    """The rules that an operation applies, a line each for people."""
    applied = rules_applied(use_case)
    return [
        f"- `{rule.code}` at `{rule.field or '/'}`: {rule.sentence}"
        for name, rule in sorted(rules.RULES.items())
        if name in applied
    ]


def answer(text: str, /, **properties: Schema) -> Schema:
    """An object of these properties, all of them there; a client ignores what it does not know, so that one can be added."""
    return {
        "description": text,
        "type": "object",
        "properties": {name: {"description": description("", name), **schema} for name, schema in properties.items()},
        "required": list(properties),
        "additionalProperties": MORE,
    }


def step(entity: type) -> Schema:
    """A step whose object is such an entity."""
    name = schema_name(entity)
    return answer(
        f"One step: the {name} that was published.",
        name={"type": "string", "examples": ["RegisterPayment"]},
        seqno={"type": "integer", "minimum": 1},
        object=ref(name),
        objectType={"type": "string", "enum": [name]},
    )


def steps(operation: Operation) -> dict[str, Schema]:
    """The answer of a command, by its schemas' names: one step for each business transaction, in their order."""
    names = [schema_name(entity) for entity in operation.steps]
    answer = {"type": "array", "description": f"What {operation.name} did, step by step."}
    if len(names) == 1:
        return {f"{operation.name}Answer": {**answer, "items": ref(f"{names[0]}Step")}}
    one = {
        "description": f"One step of {operation.name}; `objectType` says of which kind.",
        "oneOf": [ref(f"{name}Step") for name in names],
        "discriminator": {
            "propertyName": "objectType",
            "mapping": {name: _REF.format(name=f"{name}Step") for name in names},
        },
    }
    return {f"{operation.name}Answer": {**answer, "items": ref(f"{operation.name}Step")}, f"{operation.name}Step": one}


def page(read: Read) -> Schema:
    """One page of a list."""
    return answer(
        "One page, the newest first; `next` is the cursor of the following one, null at the end.",
        items={"type": "array", "items": ref(schema_name(read.result))},
        next={"type": ["string", "null"], "format": "uuid"},
    )


_EXPAND: Schema = {"type": "string", "enum": [*Expand]}


def parameters(read: Read) -> list[Schema]:
    """The parameters of a read, from the fields of its request, and how its answer is shown."""
    fields = components([read.request], _REF)[read.request.__name__]
    in_path = re.findall(r"{(\w+)}", read.path)
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in fields["required"],
            "description": PARAMETERS[name],
            "schema": _never_null(schema),
        }
        for name, schema in [*fields["properties"].items(), ("expand", _EXPAND)]
    ]


def _never_null(schema: Schema) -> Schema:
    """A parameter that is not wanted is left out; text has no null."""
    (schema,) = (kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null")
    said = {key: value for key, value in schema.items() if key != "description"}
    match said.get("type"):
        case [kind, "null"]:
            said["type"] = kind
    return said


def _open(schema: Schema) -> Schema:
    """As clients read it. What may be null and is an object is not required: Java's clients would look into the null."""
    if "properties" not in schema:
        return schema
    nullable = {name for name, said in schema["properties"].items() if "anyOf" in said}
    required = [name for name in schema["required"] if name not in nullable]
    return {**schema, "required": required, "additionalProperties": MORE}


def _request(schema: Schema) -> Schema:
    """A request says in words what an absent field stands for: generators take a `default` for a field that must be given."""
    properties = {}
    for name, said in schema["properties"].items():
        default = said.pop("default", None)
        told = "" if default in (None, []) else f" `{json.dumps(default)}` where absent."
        properties[name] = {**said, "description": said["description"] + told}
    return {**schema, "properties": properties}


def all_schemas() -> dict[str, Schema]:
    """Every named schema of the document."""
    requests = [operation.request for operation in OPERATIONS]
    entities = [entity for operation in OPERATIONS for entity in operation.steps]
    taken, given = components(requests, _REF), open_components([*entities, *(r.result for r in READS)], _REF)
    named = {name: _open(schema) for name, schema in given.items()}
    named |= {name: _request(schema) if "properties" in schema else schema for name, schema in taken.items()}
    for entity in set(entities):
        named[f"{schema_name(entity)}Step"] = step(entity)
    for operation in OPERATIONS:
        named |= steps(operation)
    for read in READS:
        if read.paged:
            named[f"{schema_name(read.result)}Page"] = page(read)
    return dict(sorted((named | {"Problem": problem()}).items()))
