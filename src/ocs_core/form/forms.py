"""Forms: requests that have the right form as soon as they exist."""

import datetime as dt
import functools
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Final

import attrs

from ocs_core.errors import RequestRejected, Violation
from ocs_core.form.checkers import Checker, constrained, each, moment, nested, typed
from ocs_core.form.failures import required
from ocs_core.form.texts import Texts


class Unset(Enum):
    """The type of `UNSET`, for the type of a field: `Label | Unset | None = UNSET`."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
"""The default of a field that is left as it is where a request does not give it; null, which is given, clears it."""


class Form:
    """Base of every request: one that exists has the right form. Raises `RequestRejected` with every failure."""

    def __attrs_post_init__(self) -> None:
        violations = tuple(violations_of(self))
        if violations:
            raise RequestRejected(*violations)

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        """Names of optional fields that the other fields, as far as they are known and right, make mandatory."""
        return ()


def changes_in(form: Form) -> dict[str, Any]:
    """The fields that a form gives, of those that it may leave as they are."""
    cls: Any = type(form)
    may_be_unset = [f.name for f in attrs.fields(cls) if f.default is UNSET]
    return {name: value for name in may_be_unset if (value := getattr(form, name)) is not UNSET}


def one_of(given: Mapping[str, Any], *names: str) -> Collection[str]:
    """For `also_required`: of these fields one must be given, and where none is, the first is missing.

    A field that is given wrongly is told as that, and is not missing.
    """
    return names[:1] if all(name in given and given[name] is None for name in names) else ()


def wire_name(name: str) -> str:
    """`payment_amount` → `paymentAmount`: names as they stand in JSON."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def violations_of(value: Any, pointer: str = "") -> Iterator[Violation]:
    """Every failure of form in an attrs instance, in the order of its fields."""
    cls: Any = type(value)
    checkers = _checkers(cls)
    also_required: Collection[str] = ()
    if isinstance(value, Form):
        also_required = value.also_required({name: getattr(value, name) for name, _, _, _ in checkers})
    for name, wire, checker, optional in checkers:
        given = getattr(value, name)
        if given is None and name in also_required:
            yield required(f"{pointer}/{wire}")
        elif given is not None or not optional:
            yield from checker(given, f"{pointer}/{wire}")


type_hints = functools.cache(functools.partial(typing.get_type_hints, include_extras=True))
"""The field types of a class, with their constraints."""


@functools.cache
def _checkers(cls: Any) -> tuple[tuple[str, str, Checker, bool], ...]:
    """For each field its name, its name in JSON, what checks it, and whether it may be null."""
    hints = type_hints(cls)
    return tuple(
        (f.name, wire_name(f.name), _checker(hints[f.name]), types.NoneType in typing.get_args(hints[f.name]))
        for f in attrs.fields(cls)
    )


@functools.cache
def _checker(hint: Any) -> Checker:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        some = [a for a in arguments if a not in {types.NoneType, Unset}]
        blanks = [blank for blank in (None, UNSET) if type(blank) in arguments]
        return _or_blank(moment if set(some) == {dt.datetime, dt.date} else _checker(some[0]), blanks)
    if origin is Annotated and isinstance(arguments[1], Texts):
        return arguments[1].failures
    if origin is Annotated:
        return constrained(_checker(arguments[0]), arguments[1])
    if origin is tuple:
        return each(_checker(arguments[0]))
    if attrs.has(hint):
        return nested(hint)
    return typed(hint)


def _or_blank(checker: Checker, blanks: list[Unset | None]) -> Checker:
    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if not any(value is blank for blank in blanks):
            yield from checker(value, pointer)

    return check
