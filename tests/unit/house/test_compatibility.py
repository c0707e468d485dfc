"""What breaks those who read by an old schema, told by sentence; and that the answer is right, on all small documents."""

import copy
import itertools
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.serial.compatibility import breaking

PAYMENT: Any = {
    "type": "object",
    "title": "PaymentEx",
    "properties": {
        "refId": {"type": "string", "format": "uuid"},
        "amount": {"type": "integer", "format": "int64"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "type": {"$ref": "#/$defs/PaymentType"},
        "account": {"anyOf": [{"$ref": "#/$defs/AccountRef"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"no": {"type": "integer"}}}},
        "parameters": {"type": "object", "additionalProperties": {"type": "string"}},
        "short": {"type": "string", "minLength": 1, "maxLength": 5},
    },
    "required": ["refId", "amount", "note", "type", "account"],
    "$defs": {
        "PaymentType": {"enum": ["IN", "OUT"]},
        "AccountRef": {"type": "object", "properties": {"refId": {"type": "string"}}, "required": ["refId"]},
    },
}
GONE = object()


def changed(*changes: tuple[str, Any]) -> Any:
    """The payment's schema with something else at each path, or nothing."""
    schema = copy.deepcopy(PAYMENT)
    for path, value in changes:
        *way, last = path.split("/")
        node = schema
        for name in way:
            node = node[name]
        if value is GONE:
            del node[last]
        else:
            node[last] = value
    return schema


REFUSED = {
    "a property is gone": (("properties/amount", GONE), "$.amount is gone."),
    "a property may be absent": (("required", ["refId", "note", "type", "account"]), "$.amount may be absent"),
    "another type": (("properties/amount/type", "string"), "$.amount may be string; it was integer."),
    "a wider type": (("properties/amount/type", "number"), "$.amount may be number; it was integer."),
    "null, too": (("properties/refId", {"anyOf": [{"type": "null"}, PAYMENT["properties"]["refId"]]}), "$.refId may be null"),
    "one more value": (("$defs/PaymentType/enum", ["IN", "OUT", "NEW"]), '$.type may be "NEW"'),
    "any value": (("$defs/PaymentType", {"type": "string"}), "$.type may be any string"),
    "another format": (("properties/refId/format", "date"), "$.refId has the format date; it had uuid."),
    "no format": (("properties/amount/format", GONE), "$.amount has no format; it had int64."),
    "a property of a referred schema": (("$defs/AccountRef/properties/refId", GONE), "$.account.refId is gone."),
    "in the items of a list": (("properties/lines/items/properties/no/type", "string"), "$.lines[*].no may be string"),
    "in the values of a map": (("properties/parameters/additionalProperties", {}), "$.parameters.* may be null"),
    "a longer text": (("properties/short/maxLength", 6), "$.short has the maxLength 6; it had 5."),
    "a shorter text": (("properties/short/minLength", GONE), "$.short has no minLength; it had 1."),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_change_that_breaks_readers_is_told_with_its_path(change: tuple[str, Any], sentence: str) -> None:
    (told,) = breaking(PAYMENT, changed(change))
    assert told.startswith(sentence)


HARMLESS = {
    "nothing": ("title", "PaymentEx"),
    "other words": ("description", "Money."),
    "one more property": ("properties/more", {"type": "string"}),
    "one more property is always there": ("required", [*PAYMENT["required"], "short"]),
    "null no more": ("properties/note", {"type": "string"}),
    "one value less": ("$defs/PaymentType/enum", ["IN"]),
    "the same, said in place": ("properties/type", {"enum": ["OUT", "IN"], "title": "PaymentType"}),
    "the same, as a list of types": ("properties/note", {"type": ["null", "string"]}),
    "a format where there was none": ("properties/short/format", "email"),
    "a shorter text": ("properties/short/maxLength", 4),
    "no further properties": ("additionalProperties", False),
    "the same integer as a constant": ("properties/amount", {"const": 1, "format": "int64"}),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_a_change_that_no_reader_minds_is_not_told(change: tuple[str, Any]) -> None:
    assert breaking(PAYMENT, changed(change)) == []


def test_every_change_is_told() -> None:
    new = changed(
        ("properties/amount", GONE), ("$defs/PaymentType/enum", ["X"]), ("properties/note", {"type": "array"})
    )
    assert len(breaking(PAYMENT, new)) == 3


def test_a_closed_schema_can_not_be_added_to() -> None:
    closed, more = changed(("additionalProperties", False)), ("properties/more", {"type": "string"})
    assert breaking(closed, changed(more, ("additionalProperties", False))) == [
        "$.more is new; other properties were not allowed."
    ]
    assert breaking(closed, PAYMENT) != []


def test_a_schema_that_holds_itself_is_compared_once() -> None:
    tree: Any = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}
    assert breaking(tree, copy.deepcopy(tree)) == []
    other = copy.deepcopy(tree) | {"required": ["next"]}
    assert breaking(tree, other) == []
    assert "$.next may be absent; it was required." in breaking(other, tree)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"not": {"type": "string"}}, "not cannot be compared"),
        ({"$ref": "https://example.org/schema"}, "leads out of the document"),
        ({"minLength": 1, "anyOf": [{"type": "string", "minLength": 2}]}, "minLength said twice"),
    ],
)
def test_what_can_not_be_compared_is_said(schema: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        breaking(schema, {"type": "string"})


VALUES: list[Any] = [None, True, 0, 1.5, "a", "b", "c", [], {}]
ABSENT = object()
OBJECTS: list[Any] = [
    {name: value for name, value in zip("pqr", values, strict=True) if value is not ABSENT}
    for values in itertools.product([ABSENT, *VALUES], repeat=3)
]
DOCUMENTS = [*VALUES, *([value] for value in VALUES), *OBJECTS]
"""One of every kind that the schemas below, which name `p` and `q`, can tell apart."""

types = st.lists(st.sampled_from(["null", "boolean", "integer", "number", "string"]), min_size=1, unique=True)
enums = st.lists(st.sampled_from([None, "a", "b"]), min_size=1, unique=True)
scalars = st.one_of(
    types.map(lambda names: {"anyOf": [{"type": name} for name in names]}),
    types.map(lambda names: {"type": names}),
    enums.map(lambda values: {"enum": values}),
    st.sampled_from(["Text", "Nothing"]).map(lambda name: {"$ref": f"#/$defs/{name}"}),
    st.just({}),
)
lists = scalars.map(lambda items: {"type": "array", "items": items})
objects = st.builds(
    lambda properties, required, more: {
        "type": "object",
        "properties": properties,
        "required": sorted(required & properties.keys()),
        "additionalProperties": more,
    },
    st.dictionaries(st.sampled_from("pq"), scalars),
    st.sets(st.sampled_from("pq")),
    st.booleans() | scalars,
)
schemas = st.builds(
    lambda schema, text: {**schema, "$defs": {"Text": text, "Nothing": {"type": "null"}}},
    st.one_of(scalars, lists, objects),
    enums.map(lambda values: {"enum": values}),
)


@given(schemas, schemas)
def test_a_change_is_told_exactly_where_some_new_document_is_none_by_the_old_schema(old: Any, new: Any) -> None:
    told = breaking(old, new)
    before, after = jsonschema.Draft202012Validator(old), jsonschema.Draft202012Validator(new)
    surprises = [document for document in DOCUMENTS if after.is_valid(document) and not before.is_valid(document)]
    assert bool(told) == bool(surprises), (told, surprises)


@given(schemas)
def test_a_schema_is_compatible_with_itself(schema: Any) -> None:
    assert breaking(schema, copy.deepcopy(schema)) == []
