"""What checks one value, by its type and its constraint: a function of the value and of where it stands in the request."""

import datetime as dt
from collections.abc import Callable, Iterator
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

Checker = Callable[[Any, str], Iterator[Violation]]
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


def typed(expected: type) -> Checker:
    """A value of exactly this type; of days and instants, such as are allowed."""

    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if issubclass(expected, StrEnum) and type(value) is str:
            yield Violation(TYPE_WRONG, pointer, member_instead(expected, value))
        elif type(value) is not expected:
            yield Violation(TYPE_WRONG, pointer, f"Give {noun(expected)}, not {describe(value)}.")
        elif isinstance(value, dt.date):
            try:
                check_moment(value)
            except FormError as error:
                yield Violation(error.code, pointer, error.message)

    return check


def moment(value: Any, pointer: str) -> Iterator[Violation]:
    """A day or an instant."""

    return typed(dt.datetime if isinstance(value, dt.datetime) else dt.date)(value, pointer)


def constrained(checker: Checker, constraint: Constraint) -> Checker:
    """What another checker finds; where it finds nothing, the constraint is asked."""

    def check(value: Any, pointer: str) -> Iterator[Violation]:
        wrong = False
        for violation in checker(value, pointer):
            wrong = True
            yield violation
        if not wrong:
            try:
                constraint.check(value)
            except FormError as error:
                yield Violation(error.code, pointer, error.message)

    return check


def each(checker: Checker) -> Checker:
    """A list, each of whose items is checked at its own place."""

    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if type(value) is not tuple:
            yield Violation(TYPE_WRONG, pointer, f"Give a list, not {describe(value)}.")
            return
        for index, item in enumerate(value):
            yield from checker(item, f"{pointer}/{index}")

    return check


def nested(cls: type) -> Checker:
    """An instance of a class of forms."""

    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, cls):  # a form that exists has the right form
            yield Violation(TYPE_WRONG, pointer, f"Give an object, not {describe(value)}.")

    return check
