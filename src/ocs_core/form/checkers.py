"""What checks one value, by its type and its constraint: a function of the value and of where it stands in the request."""

import datetime as dt
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol

from ocs_core.errors import Violation
from ocs_core.form.failures import (
    TIME_WITHOUT_OFFSET,
    TYPE_WRONG,
    VALUE_OUT_OF_RANGE,
    FormError,
    describe,
    member_instead,
    noun,
)

Checker = Callable[[Any, str], Sequence[Violation]]
"""Every failure of a value that stands at a place, written as a JSON Pointer."""


class Constraint(Protocol):
    def check(self, value: Any) -> None:
        """Raises `FormError` when the value, already of the right type, is not allowed."""


def check_moment(value: dt.date) -> None:
    """Days and instants lie in the years 1900 to 2999, and instants carry their offset. Raises `FormError`."""
    if isinstance(value, dt.datetime) and value.utcoffset() is None:
        raise FormError(TIME_WITHOUT_OFFSET, "Give the time with its offset, such as 2024-05-02T07:15:00Z.")
    if not 1900 <= value.year <= 2999:
        raise FormError(VALUE_OUT_OF_RANGE, "Give a moment in the years 1900 to 2999.")


def typed(expected: type, constraints: Sequence[Constraint] = ()) -> Checker:
    """A value of exactly this type; of days and instants, such as are allowed."""
    checks = [constraint.check for constraint in constraints]
    if issubclass(expected, dt.date):
        checks.insert(0, check_moment)

    def check(value: Any, pointer: str) -> Sequence[Violation]:
        if type(value) is not expected:
            return (Violation(TYPE_WRONG, pointer, _instead(expected, value)),)
        try:
            for allowed in checks:
                allowed(value)
        except FormError as error:
            return (Violation(error.code, pointer, error.message),)
        return ()

    return check


def _instead(expected: type, value: Any) -> str:
    if issubclass(expected, StrEnum) and type(value) is str:
        return member_instead(expected, value)
    return f"Give {noun(expected)}, not {describe(value)}."


_INSTANT, _DAY = typed(dt.datetime), typed(dt.date)


def moment(value: Any, pointer: str) -> Sequence[Violation]:
    """A day or an instant."""

    return (_INSTANT if isinstance(value, dt.datetime) else _DAY)(value, pointer)


def each(item: Checker, constraints: Sequence[Constraint]) -> Checker:
    """A list, each of whose items is checked at its own place; where all are right, the list as a whole."""

    def check(value: Any, pointer: str) -> Sequence[Violation]:
        if type(value) is not tuple:
            return (Violation(TYPE_WRONG, pointer, f"Give a list, not {describe(value)}."),)
        wrong = [found for index, one in enumerate(value) for found in item(one, f"{pointer}/{index}")]
        return wrong or whole(value, pointer)

    whole = typed(tuple, constraints)
    return check


def nested(cls: type) -> Checker:
    """An instance of a class of forms."""

    def check(value: Any, pointer: str) -> Sequence[Violation]:
        if isinstance(value, cls):  # a form that exists has the right form
            return ()
        return (Violation(TYPE_WRONG, pointer, f"Give an object, not {describe(value)}."),)

    return check
