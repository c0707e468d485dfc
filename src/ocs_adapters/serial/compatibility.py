"""Whether those who read messages by an old schema can go on when a new one takes its place.

They can where every document that is valid under the new schema is valid under the old one. The answer errs on the safe
side: a change is told where comparing keyword with keyword does not show that it is harmless.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

Schema = Mapping[str, Any] | bool
Path = str
_ANNOTATIONS = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default", "deprecated"}
_AT_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_AT_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_AS_IT_IS = {"format", "pattern", "multipleOf", "uniqueItems"}
_COMPARED = {
    *("type", "enum", "const", "anyOf", "$ref", "items", "properties", "required", "additionalProperties"),
    *(_AT_LEAST | _AT_MOST | _AS_IT_IS),
}
_ANYTHING = ("null", "boolean", "number", "string", "array", "object")
_JSON_TYPES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def breaking(old_schema: Schema, new_schema: Schema) -> list[str]:
    """What would break those who read by the old schema: sentences that begin with a JSON path; none if all is well.

    Raises `ValueError` for what cannot be compared: a keyword that is not known here, a reference out of the document.
    """
    return list(_Comparison(old_schema, new_schema).changes(old_schema, new_schema, "$", frozenset()))


@attrs.frozen
class _Comparison:
    """Two whole documents, in which references are looked up."""

    old_root: Schema
    new_root: Schema

    def changes(self, old: Schema, new: Schema, path: Path, under_way: frozenset[str]) -> Iterator[str]:
        pair = json.dumps([old, new], sort_keys=True)
        if old is True or pair in under_way:  # a schema that holds itself is compared once
            return
        promised = list(_alternatives(old, self.old_root))
        unheard_of = []
        for given in _alternatives(new, self.new_root):
            like = [one for one in promised if one["type"] in {given["type"], _wider(given["type"])}]
            told = [list(self._of_one_type(one, given, path, under_way | {pair})) for one in like]
            if told:
                yield from min(told, key=len)
            else:
                unheard_of.append(given["type"])
        if unheard_of:
            yield f"{path} may be {_or(unheard_of)}; it was {_or(one['type'] for one in promised) or 'not allowed'}."

    def _of_one_type(self, old: Any, new: Any, path: Path, under_way: frozenset[str]) -> Iterator[str]:
        yield from _values(old, new, path)
        yield from _limits(old, new, path)
        if old["type"] == "array":
            yield from self.changes(old.get("items", True), new.get("items", True), f"{path}[*]", under_way)
        if old["type"] == "object":
            yield from self._properties(old, new, path, under_way)

    def _properties(self, old: Any, new: Any, path: Path, under_way: frozenset[str]) -> Iterator[str]:
        promised, given = old.get("properties", {}), new.get("properties", {})
        others_promised, others_given = (one.get("additionalProperties", True) for one in (old, new))
        no_longer_required = {*old.get("required", ())} - {*new.get("required", ())}
        for name, schema in promised.items():
            at = f"{path}.{name}"
            told = list(self.changes(schema, given.get(name, others_given), at, under_way))
            if name not in given and (told or name in no_longer_required):
                yield f"{at} is gone."
            else:
                yield from told
        for name in sorted(no_longer_required - (promised.keys() - given.keys())):
            yield f"{path}.{name} may be absent; it was required."
        for name in [name for name in given if name not in promised]:
            if others_promised is False:
                yield f"{path}.{name} is new; other properties were not allowed."
            else:
                yield from self.changes(others_promised, given[name], f"{path}.{name}", under_way)
        yield from self.changes(others_promised, others_given, f"{path}.*", under_way)


def _alternatives(schema: Schema, root: Schema) -> Iterator[dict[str, Any]]:
    """The schema as schemas of one type each, of which one must hold: without references, `anyOf`, `const`."""
    if schema is False:
        return
    said = {} if schema is True else {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    if unknown := said.keys() - _COMPARED:
        raise ValueError(f"{_or(sorted(unknown))} cannot be compared")
    if "$ref" in said:
        yield from _alternatives(_both(said, _referred(said.pop("$ref"), root)), root)
    elif "anyOf" in said:
        for one in said.pop("anyOf"):
            yield from _alternatives(_both(said, one), root)
    else:
        values = [said.pop("const")] if "const" in said else said.pop("enum", None)
        types = said.get("type", _ANYTHING if values is None else dict.fromkeys(_JSON_TYPES[type(v)] for v in values))
        for name in [types] if isinstance(types, str) else types:
            mine = values and [v for v in values if name in {_JSON_TYPES[type(v)], _wider(_JSON_TYPES[type(v)])}]
            if mine or values is None:
                yield {**said, "type": name} | ({"enum": mine} if mine and name != "null" else {})


def _both(said: Mapping[str, Any], more: Schema) -> Schema:
    if isinstance(more, bool):
        return more and said
    more = {key: value for key, value in more.items() if key not in _ANNOTATIONS}
    if twice := [key for key in said.keys() & more.keys() if said[key] != more[key]]:
        raise ValueError(f"{_or(sorted(twice))} said twice cannot be compared")
    return {**said, **more}


def _referred(reference: str, root: Any) -> Schema:
    if not reference.startswith("#"):
        raise ValueError(f"{reference} leads out of the document")
    found: Schema = functools.reduce(lambda node, name: node[name], reference.split("/")[1:], root)
    return found


def _values(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[str]:
    if "enum" in old and "enum" in new:
        for value in new["enum"]:
            if value not in old["enum"]:
                yield f"{path} may be {json.dumps(value)}, which was not among its values."
    elif "enum" in old:
        yield f"{path} may be any {new['type']}; it was one of {json.dumps(old['enum'])}."


def _limits(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[str]:
    for key in sorted(old.keys() & (_AT_LEAST | _AT_MOST | _AS_IT_IS)):
        was, now = old[key], new.get(key)
        kept = was == now if key in _AS_IT_IS or now is None else (now >= was if key in _AT_LEAST else now <= was)
        if not kept:
            yield f"{path} has {f'the {key} {now}' if now is not None else f'no {key}'}; it had {was}."


def _wider(name: str) -> str:
    return "number" if name == "integer" else name


def _or(words: Any) -> str:
    return " or ".join(dict.fromkeys(words))
