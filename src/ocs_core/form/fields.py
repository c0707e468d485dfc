"""What a class says of its fields, read once from its type hints: nobody else has to know how Python writes types."""

import datetime as dt
import functools
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final, Optional

import attrs

from ocs_core.form.checkers import Constraint


class Unset(Enum):
    """The type of `UNSET`, for the type of a field: `Label | Unset | None = UNSET`."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
"""The default of a field that is left as it is where a request does not give it; null, which is given, clears it."""


class InstantOrDay:
    """The base of a field of type `Moment`, whose values are instants or days."""


@attrs.frozen
class Field:
    """One field of a class, or the items of one that holds several.

    `wire` is its name in JSON. `base` is the plain class of its values: a scalar's, an enum, a nested class, `InstantOrDay`,
    `object` where it is any, or `tuple`, `frozenset` and `Mapping`, whose values each are as `item` says. It may be None where
    it is `optional`, and `UNSET` where it is `unset`. `constraints` hold for values other than these. `default` is
    `attrs.NOTHING` where it must be given.
    """

    name: str
    wire: str
    base: type
    optional: bool = False
    unset: bool = False
    constraints: tuple[Constraint, ...] = ()
    item: Optional["Field"] = None
    default: Any = attrs.field(factory=lambda: attrs.NOTHING, eq=False)


def wire_name(name: str) -> str:
    """`payment_amount` → `paymentAmount`: names as they stand in JSON."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@functools.cache
def fields(cls: Any) -> tuple[Field, ...]:
    """The fields of an attrs class or a named tuple, in their order. Raises `TypeError` for a type that cannot be described."""
    hints, defaults = _hints(cls), _defaults(cls)
    return tuple(attrs.evolve(_described(cls, name, hints[name]), default=defaults[name]) for name in defaults)


def field_named(cls: Any, name: str) -> Field:
    """One of `fields`, by its name. Raises `KeyError` where there is none."""
    return _by_name(cls)[name]


@functools.cache
def property_field(cls: Any, name: str) -> Field:
    """A property of a class, described by what it returns as if it were a field."""
    return _described(cls, name, _hints(getattr(cls, name).fget)["return"])


@functools.cache
def _by_name(cls: Any) -> Mapping[str, Field]:
    return {found.name: found for found in fields(cls)}


_hints = functools.partial(typing.get_type_hints, include_extras=True)


def _defaults(cls: Any) -> dict[str, Any]:
    if attrs.has(cls):
        return {attribute.name: attribute.default for attribute in attrs.fields(cls)}
    return {name: cls._field_defaults.get(name, attrs.NOTHING) for name in cls._fields}


def _described(cls: Any, name: str, hint: Any) -> Field:
    try:
        return _field(name, hint)
    except _Unknown as unknown:
        raise TypeError(f"{cls.__qualname__}.{name} is of type {unknown}, which no field can have.") from None


class _Unknown(Exception):
    """A type that is not among those that fields have."""


def _field(name: str, hint: Any) -> Field:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    wire = wire_name(name)
    if origin in {types.UnionType, typing.Union}:
        some = [a for a in arguments if a not in {types.NoneType, Unset}]
        if len(some) == 1:
            of = _field(name, some[0])
        elif set(some) == {dt.datetime, dt.date}:
            of = Field(name, wire, InstantOrDay)
        else:
            raise _Unknown(hint)
        return attrs.evolve(of, optional=types.NoneType in arguments, unset=Unset in arguments)
    if origin is Annotated:
        return attrs.evolve(_field(name, arguments[0]), constraints=arguments[1:])
    if origin in {tuple, frozenset} and arguments[1:] in {(), (...,)}:
        return Field(name, wire, origin, item=_field(name, arguments[0]))
    if origin is Mapping and arguments[0] is str:
        return Field(name, wire, origin, item=_field(name, arguments[1]))
    if hint is Any or isinstance(hint, typing.TypeVar):
        return Field(name, wire, object)
    if origin is not None or not isinstance(hint, type) or hint in {tuple, list, dict, set, frozenset}:
        raise _Unknown(hint)
    return Field(name, wire, hint)
