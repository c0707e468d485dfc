"""JSON bodies and configuration entries into requests: strict, and with **every** failure of form told (domain: section 2)."""

import datetime as dt
import itertools
import json
import re
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from uuid import UUID

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from ocs_adapters.serial.instants import in_utc, is_day, read_day, read_instant
from ocs_core.errors import RequestRejected, Violation
from ocs_core.form import (
    BODY_NOT_JSON,
    FIELD_UNKNOWN,
    TYPE_WRONG,
    VALUE_NOT_ALLOWED,
    Form,
    FormError,
    Items,
    Texts,
    Unset,
    check_moment,
    describe,
    escaped,
    noun,
    required,
    type_hints,
    wire_name,
)

F = TypeVar("F", bound=Form)
MOST_FAILURES = 20_000
"""More than a full list of wholly wrong items has; a body made to have millions of failures is told the first of them."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def parse_json(body: bytes) -> Any:
    """The JSON value of a body. Raises `RequestRejected` (`BODY_NOT_JSON`) where it is none, is nested too deep, or has an
    object with one name twice."""
    try:
        # The standard library's reader takes lone surrogates and huge numbers, so that they are told by field.
        return json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_each_once)
    except UnicodeDecodeError as error:
        reason = f"it is not in UTF-8, at byte {error.start}"
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = str(error)
    raise RequestRejected(Violation(BODY_NOT_JSON, "", f"The body is not JSON: {reason}."))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one name nobody can say which is meant; readers differ in it, and so would those on the way."""
    value = dict(pairs)
    if len(value) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, times in counted.items() if times > 1)
        raise ValueError(f"an object has the name {twice[:40]!r} twice")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def decode_request(cls: type[F], value: Any) -> F:
    """A request of camelCase fields. Raises `RequestRejected` with every failure of form."""
    return _decode(_requests, cls, value)


def decode_entry(cls: type[F], value: Any) -> F:
    """An entry of the configuration file, of snake_case fields. Raises `RequestRejected` with every failure of form."""
    return _decode(_entries, cls, value)


@attrs.frozen
class _Naming:
    name: Callable[[str], str]
    converter: Converter = attrs.field(factory=lambda: Converter(detailed_validation=False, forbid_extra_keys=True))


def _decode(naming: _Naming, cls: type[F], value: Any) -> F:
    try:
        return naming.converter.structure(value, cls)
    except Exception:
        # The quick way knows only that something is wrong; the slow one tells all of it.
        violations = tuple(itertools.islice(_failures(naming, cls, value, ""), MOST_FAILURES))
        if not violations:
            raise
        raise RequestRejected(*violations) from None


def _failures(naming: _Naming, cls: Any, value: Any, pointer: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield Violation(TYPE_WRONG, pointer, f"Give an object, not {describe(value)}.")
        return
    hints, right, wrong = type_hints(cls), {}, {}
    for field in attrs.fields(cls):
        wire = naming.name(field.name)
        at = f"{pointer}/{wire}"
        if wire not in value:
            wrong[field.name] = [required(at)] if field.default is attrs.NOTHING else []
            right[field.name] = field.default
        else:
            wrong[field.name] = list(_field_failures(naming, hints[field.name], value[wire], at))
            if not wrong[field.name]:
                right[field.name] = naming.converter.structure(value[wire], hints[field.name])
    for name in cls.also_required(right):
        if not wrong[name] and right.get(name) is None:
            wrong[name] = [required(f"{pointer}/{naming.name(name)}")]
    for violations in wrong.values():
        yield from violations
    for unknown in sorted(value.keys() - {naming.name(field.name) for field in attrs.fields(cls)}):
        yield Violation(FIELD_UNKNOWN, f"{pointer}/{escaped(unknown)}", "There is no such field.")


def _field_failures(naming: _Naming, hint: Any, value: Any, pointer: str) -> Iterator[Violation]:
    inner = _unwrapped(hint)
    if value is None and inner is not hint and types.NoneType in typing.get_args(hint):
        return
    if attrs.has(inner):
        yield from _failures(naming, inner, value, pointer)
        return
    item = next(iter(typing.get_args(_unwrapped(hint, Annotated))), None)
    if isinstance(value, list) and attrs.has(item or int):
        failures = (v for i, element in enumerate(value) for v in _failures(naming, item, element, f"{pointer}/{i}"))
        wrong = list(_length_failures(hint, value, pointer)) or list(itertools.islice(failures, MOST_FAILURES))
        if wrong:
            yield from wrong
            return
    if (texts := _texts(hint)) is not None:
        yield from texts.failures(value, pointer)
        return
    try:
        naming.converter.structure(value, hint)
    except FormError as error:
        yield Violation(error.code, pointer, error.message)


def _texts(hint: Any) -> Texts | None:
    """The constraint of a map of texts."""
    return next((c for c in typing.get_args(_unwrapped(hint)) if isinstance(c, Texts)), None)


def _length_failures(hint: Any, value: list[Any], pointer: str) -> Iterator[Violation]:
    for constraint in typing.get_args(hint):
        if isinstance(constraint, Items):
            try:
                constraint.check(tuple(value))
            except FormError as error:
                yield Violation(error.code, pointer, error.message)


def _unwrapped(hint: Any, *origins: Any) -> Any:
    """The type inside `X | None` or `X | Unset | None`, and inside `Annotated` where asked for."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        some = [a for a in arguments if a not in {types.NoneType, Unset}]
        return _unwrapped(some[0], *origins) if len(some) == 1 else hint
    return arguments[0] if Annotated in origins and typing.get_origin(hint) is Annotated else hint


def _exactly(expected: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not expected:
            raise _wrong_type(expected, value)
        return value

    return structure


def _wrong_type(expected: type, value: Any) -> FormError:
    return FormError(TYPE_WRONG, f"Give {noun(expected)}, not {describe(value)}.")


def _uuid(value: Any, _: Any) -> UUID:
    if type(value) is not str or not _UUID.fullmatch(value):
        raise _wrong_type(UUID, value)
    return UUID(value)


def _text(value: Any, cls: type[str]) -> str:
    if type(value) is not str:
        raise _wrong_type(cls, value)
    if not issubclass(cls, StrEnum):
        return value
    try:
        return cls(value)
    except ValueError:
        raise FormError(VALUE_NOT_ALLOWED, f"Give {noun(cls)}, not {describe(value)}.") from None


def _instant(value: Any, _: Any = None) -> dt.datetime:
    if isinstance(value, dt.datetime):  # TOML has instants of its own
        return in_utc(value)
    if type(value) is not str:
        raise _wrong_type(dt.datetime, value)
    return read_instant(value)


def _day(value: Any, _: Any = None) -> dt.date:
    if type(value) is dt.date:
        check_moment(value)
        return value
    if type(value) is not str:
        raise _wrong_type(dt.date, value)
    return read_day(value)


def _moment(value: Any, _: Any) -> dt.datetime | dt.date:
    return _day(value) if type(value) is str and is_day(value) else _instant(value)


def _is_moment(hint: Any) -> bool:
    return {dt.datetime, dt.date} <= set(typing.get_args(hint))


def _moment_or_none(hint: Any) -> Callable[[Any, Any], Any]:
    optional = types.NoneType in typing.get_args(hint)
    return lambda value, _: None if optional and value is None else _moment(value, _)


def _may_be_unset(hint: Any) -> bool:
    return Unset in typing.get_args(hint)


def _null_or_given(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """What is in the body was given: a field is unset only by its absence."""
    inner, optional = _unwrapped(hint), types.NoneType in typing.get_args(hint)
    structure = converter.get_structure_hook(inner)
    return lambda value, _: None if optional and value is None else structure(value, inner)


def _constrained(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    base, constraint = typing.get_args(hint)[:2]
    structure_base = converter.get_structure_hook(base)

    def structure(value: Any, _: Any) -> Any:
        if isinstance(constraint, Items) and type(value) is list:
            constraint.check(tuple(value))  # before anything is made of them: a list that is too long costs nothing
        structured = structure_base(value, base)
        constraint.check(structured)
        return structured

    return structure


def _list_of(hint: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    item = typing.get_args(hint)[0]
    structure_item = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise FormError(TYPE_WRONG, f"Give a list, not {describe(value)}.")
        return tuple([structure_item(v, item) for v in value])

    return structure


def _is(origin: Any) -> Callable[[Any], bool]:
    return lambda hint: typing.get_origin(hint) is origin


def _make(name: Callable[[str], str]) -> _Naming:
    naming = _Naming(name)
    converter = naming.converter

    def structure_fn(cls: Any) -> Any:
        names: Any = {f.name: override(rename=name(f.name)) for f in attrs.fields(cls)}
        structure_fields = make_dict_structure_fn(
            cls, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=False, **names
        )

        def structure(value: Any, _: Any) -> Any:
            if type(value) is not dict:
                raise FormError(TYPE_WRONG, f"Give an object, not {describe(value)}.")
            return structure_fields(value, cls)

        return structure

    for exact in (int, bool):
        converter.register_structure_hook(exact, _exactly(exact))
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(UUID, _uuid)
    converter.register_structure_hook(dt.datetime, _instant)
    converter.register_structure_hook(dt.date, _day)
    converter.register_structure_hook_factory(attrs.has, structure_fn)
    converter.register_structure_hook_factory(_is(tuple), lambda t: _list_of(t, converter))
    converter.register_structure_hook_factory(_is(Mapping), lambda _: _as_it_is)
    converter.register_structure_hook_factory(_is(Annotated), lambda t: _constrained(t, converter))
    converter.register_structure_hook_factory(_is_moment, _moment_or_none)
    converter.register_structure_hook_factory(_may_be_unset, lambda t: _null_or_given(t, converter))
    return naming


def _as_it_is(value: Any, _: Any) -> Any:
    return value


def _same(name: str) -> str:
    return name


_requests = _make(wire_name)
_entries = _make(_same)
