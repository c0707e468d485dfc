"""JSON Schemas of everything on the wire, made from the same classes and constraints that do the work.

msgspec knows how to write a schema of its own structs; each attrs class gets a mirror struct with its wire names.
"""

import datetime as dt
import functools
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from ocs_adapters.serial.field_help import description
from ocs_adapters.serial.wire import DERIVED, OMITTED
from ocs_core.entities.process import ProcessRun
from ocs_core.entities.settlement import Settlement
from ocs_core.form import UNSET, Form, Items, Text, Texts, Unset, Whole, ZoneName, type_hints, wire_name
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
    hints, is_request = type_hints(cls), issubclass(cls, Form)
    fields: list[Any] = []
    for field in attrs.fields(cls):
        if field.name in OMITTED.get(cls, ()):
            continue
        hint = _mirrored(hints[field.name])
        optional = is_request and field.default is not attrs.NOTHING
        default = _mirrored_default(field.default)
        fields.append((field.name, hint, default) if optional else (field.name, hint))
    fields.extend((name, hint) for name, hint in DERIVED.get(cls, {}).items())
    mirror = msgspec.defstruct(
        schema_name(cls),
        fields,
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


def _mirrored(hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        if {dt.datetime, dt.date} <= set(arguments):
            moment = Annotated[str, Meta(examples=["2024-05-14", "2024-05-14T07:15:00Z"])]
            return moment | None if types.NoneType in arguments else moment
        mirrored = [_mirrored(a) for a in arguments]
        return functools.reduce(lambda left, right: left | right, mirrored)
    if origin is Annotated and isinstance(arguments[1], Texts):
        name, text = (Annotated[str, _meta(each)] for each in (arguments[1].name, arguments[1].text))
        return Annotated[dict[name, text], Meta(max_length=arguments[1].most)]  # type: ignore[valid-type]
    if origin is Annotated:
        return Annotated[_mirrored(arguments[0]), _meta(arguments[1])]
    if origin is tuple:
        return list[_mirrored(arguments[0])]  # type: ignore[misc]
    if origin is not None:
        return dict[str, _mirrored(arguments[1])]  # type: ignore[misc]
    if hint is Unset:
        return msgspec.UnsetType
    if hint is dt.datetime:
        return Annotated[dt.datetime, Meta(tz=True)]
    if hint is int:
        return Annotated[int, Meta(extra_json_schema={"format": "int64"})]
    return _mirror(hint) if attrs.has(hint) else hint


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
