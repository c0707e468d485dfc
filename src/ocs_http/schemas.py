"""Parts of the OpenAPI document: schemas of what the handlers take and give, from the classes that do the work."""

import re
from typing import Any

from ocs_adapters.serial import components
from ocs_adapters.serial.schema import schema_name
from ocs_core import form, rules
from ocs_core.usecases.calculate_collection_balance import AMOUNT_OUT_OF_RANGE
from ocs_http import errors
from ocs_http.operations import OPERATIONS, Operation
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
PARAMETERS = {
    "limit": "How many items a page has at the most.",
    "cursor": "Where the page begins: `next` of the page before.",
    "accountRefId": "Of the account with this refId.",
    "accountExternalId": "Of the account with this externalId.",
    "dateFrom": "Not before this day or instant.",
    "dateTo": "Before this day or instant.",
    "amountFrom": "Of at least this amount, in millionths.",
    "amountTo": "Of at most this amount, in millionths.",
    "paymentRef": "With this as one of the three payment references.",
    "calculationForced": "Calculate now, instead of telling what the last run stored; an open balance always is.",
    "documentTypesIncluded": "Tell the same figures by document type.",
    "detailIncluded": "Tell of every document and payment what it contributed, or why it did not count.",
    "asOf": "Calculate as of this instant, or the end of this day.",
}


def ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}


def problem() -> Schema:
    """RFC 9457, with every failure."""
    codes = sorted({rule.code for rule in rules.RULES.values()} | {AMOUNT_OUT_OF_RANGE} - {*FORM_CODES})
    failure = closed(
        "One failure of the request: a stable code, where, and a sentence for people. The field is a JSON Pointer into "
        "the body (empty: the body as a whole), or the name of a query parameter.",
        code={"type": "string", "enum": [*FORM_CODES, *(code for code in codes if code not in FORM_CODES)]},
        field={"type": "string"},
        message={"type": "string"},
    )
    whole = closed(
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


def closed(description: str, /, **properties: Schema) -> Schema:
    """An object of these properties, all of them required, and no others."""
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def steps(operation: Operation) -> Schema:
    """The answer of a command: one step for each business transaction, in their order."""
    kinds = [
        closed(
            f"One step: the {schema_name(entity)} that was published.",
            name={"const": operation.step},
            seqno={"type": "integer", "minimum": 1},
            object=ref(schema_name(entity)),
            objectType={"const": schema_name(entity)},
        )
        for entity in operation.steps
    ]
    return {"type": "array", "items": kinds[0] if len(kinds) == 1 else {"oneOf": kinds}}


def page(read: Read) -> Schema:
    """One page of a list."""
    return closed(
        "One page, the newest first; `next` is the cursor of the following one, null at the end.",
        items={"type": "array", "items": ref(schema_name(read.result))},
        next={"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
    )


def parameters(read: Read) -> list[Schema]:
    """The parameters of a read, from the fields of its request."""
    fields = components([read.request], _REF)[read.request.__name__]
    in_path = re.findall(r"{(\w+)}", read.path)
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in fields["required"],
            **({"description": PARAMETERS[name]} if name in PARAMETERS else {}),
            "schema": _never_null(schema),
        }
        for name, schema in fields["properties"].items()
    ]


def _never_null(schema: Schema) -> Schema:
    """A parameter that is not wanted is left out; text has no null."""
    (schema,) = (kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null")
    return {key: value for key, value in schema.items() if value is not None}


def all_schemas() -> dict[str, Schema]:
    """Every named schema of the document."""
    requests = [operation.request for operation in OPERATIONS]
    entities = [entity for operation in OPERATIONS for entity in operation.steps]
    named = components([*requests, *entities, *(r.result for r in READS), *(r.request for r in READS)], _REF)
    for read in READS:
        del named[read.request.__name__]
    for operation in OPERATIONS:
        named[f"{operation.name}Answer"] = steps(operation)
    for read in READS:
        if read.paged:
            named[f"{schema_name(read.result)}Page"] = page(read)
    return dict(sorted((named | {"Problem": problem()}).items()))
