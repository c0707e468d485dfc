"""JSON Schemas of everything on the wire, made from the same classes and constraints that do the work.

msgspec knows how to write a schema of its own structs; each attrs class gets a mirror struct with its wire names.
"""

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from ocs_adapters.serial.field_help import description
from ocs_adapters.serial.wire import fields_shown, properties_shown
from ocs_core.entities.process import ProcessRun
from ocs_core.entities.settlement import Settlement
from ocs_core.form import UNSET, Field, Form, InstantOrDay, Items, Text, Texts, Whole, ZoneName, wire_name
from ocs_core.messages import PAYLOADS, payload_type

_NAMES: Mapping[Any, str] = {
    **{cls: payload_type(code) for code, cls in PAYLOADS.items()},
    ProcessRun: payload_type(ProcessRun.code),
    Settlement: "MonetaryTransaction",
}


def components(classes: Iterable[type], ref_template: str = "#/$defs/{name}") -> dict[str, dict[str, Any]]:
    """The schemas of these classes and of all they hold, by name."""
    mirrors = [_mirror(cls) for cls in classes]
    found = msgspec.json.schema_components(mirrors, ref_template=ref_template)[1]
    return {name: _described(name, _plain(schema)) for name, schema in found.items()}


def open_components(classes: Iterable[type], ref_template: str = "#/$defs/{name}") -> dict[str, dict[str, Any]]:
    """The same for those who read what we write: they ignore properties that they do not know, so that one can be added."""
    closed = components(classes, ref_template)
    return {
        name: {key: said for key, said in schema.items() if (key, said) != ("additionalProperties", False)}
        for name, schema in closed.items()
    }


def schema_name(cls: type) -> str:
    return _NAMES.get(cls, cls.__name__)


def _plain(node: Any) -> Any:
    """A schema as generators of clients read it: a type beside every value, none behind an alternative where one word does."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(inner) for key, inner in node.items() if (key, inner) != ("default", None)}
    if "enum" in plain:
        plain.setdefault("type", "string")
    match plain.get("anyOf"):
        case [{"type": str(kind), **said}, {"type": "null"}]:
            del plain["anyOf"]
            plain |= {**said, "type": [kind, "null"]}
    return plain


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """With what each property means; a reference may say so beside it."""
    properties = {
        wire: {**said, "description": text} if (text := description(name, wire)) else said
        for wire, said in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties} if properties else schema


@functools.cache
def _mirror(cls: Any) -> type[msgspec.Struct]:
    shown: list[Any] = []
    for field in fields_shown(cls):
        optional = issubclass(cls, Form) and field.default is not attrs.NOTHING
        hint = _mirrored(field)
        shown.append((field.name, hint, _mirrored_default(field.default)) if optional else (field.name, hint))
    shown += [(field.name, _mirrored(field)) for field in properties_shown(cls)]
    mirror = msgspec.defstruct(
        schema_name(cls),
        shown,
        rename=wire_name,
        kw_only=True,
        forbid_unknown_fields=True,
        module=__name__,
    )
    mirror.__doc__ = " ".join((cls.__doc__ or "").split())
    return mirror


def _mirrored_default(default: Any) -> Any:
    if default is UNSET:
        return msgspec.UNSET
    return () if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def _mirrored(field: Field) -> Any:
    hint = _mirrored_base(field)
    for constraint in field.constraints:
        if not isinstance(constraint, Texts):
            hint = Annotated[hint, _meta(constraint)]
    if field.unset:
        hint |= msgspec.UnsetType
    return hint | None if field.optional else hint


def _mirrored_base(field: Field) -> Any:
    texts = next((constraint for constraint in field.constraints if isinstance(constraint, Texts)), None)
    if texts is not None:
        name, text = (Annotated[str, _meta(each)] for each in (texts.name, texts.text))
        return Annotated[dict[name, text], Meta(max_length=texts.most)]  # type: ignore[valid-type]
    if field.base is InstantOrDay:
        return Annotated[str, Meta(examples=["2024-05-14", "2024-05-14T07:15:00Z"])]
    if field.item:
        item = _mirrored(field.item)
        return list[item] if field.base is tuple else dict[str, item]  # type: ignore[valid-type]
    if field.base is dt.datetime:
        return Annotated[dt.datetime, Meta(tz=True)]
    if field.base is int:
        return Annotated[int, Meta(extra_json_schema={"format": "int64"})]
    return _mirror(field.base) if attrs.has(field.base) else field.base


def _meta(constraint: Any) -> Meta:
    match constraint:
        case Text(longest=longest):
            return Meta(min_length=1, max_length=longest)
        case ZoneName():
            return Meta(min_length=1)
        case Items(least=least, most=most):
            return Meta(min_length=least, max_length=most)
        case Whole(least=least, most=most):
            return Meta(extra_json_schema={"format": "int64", "minimum": least, "maximum": most})
    raise TypeError(f"no schema for {constraint!r}")
