"""What is told where a value does not have the form asked for."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from ocs_core.errors import Violation

BODY_NOT_JSON = "BODY_NOT_JSON"
FIELD_REQUIRED = "FIELD_REQUIRED"
FIELD_UNKNOWN = "FIELD_UNKNOWN"
TYPE_WRONG = "TYPE_WRONG"
VALUE_NOT_ALLOWED = "VALUE_NOT_ALLOWED"
VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
LENGTH_OUT_OF_RANGE = "LENGTH_OUT_OF_RANGE"
TEXT_NOT_ALLOWED = "TEXT_NOT_ALLOWED"
TIME_WITHOUT_OFFSET = "TIME_WITHOUT_OFFSET"


class FormError(ValueError):
    """A single value does not have the form asked for; the caller knows in which field."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def required(pointer: str) -> Violation:
    return Violation(FIELD_REQUIRED, pointer, "This field is required.")


def escaped(name: object) -> str:
    """A name as a JSON Pointer writes it."""
    return str(name).replace("~", "~0").replace("/", "~1")


_NOUNS = {
    bool: "true or false",
    int: "a whole number",
    str: "text",
    UUID: "a UUID such as 018f3a5c-7b1e-7cc0-8000-0123456789ab",
    dt.date: "a day such as 2024-05-14",
    dt.datetime: "a time such as 2024-05-02T07:15:00Z",
}


def noun(expected: type) -> str:
    """What a field wants, for people."""
    if issubclass(expected, StrEnum):
        return "one of " + ", ".join(expected)
    return _NOUNS[expected]


def describe(value: Any) -> str:
    """What a field got, for people."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value[:40]!r}"
        case int() if abs(value) >= 10**40:
            return "a number of more than 40 digits"
        case float() | int():
            return f"the number {value}"
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return type(value).__name__


def member_instead(expected: type[StrEnum], text: str) -> str:
    """JSON has texts, Python has the members that they stand for."""
    members = [f"{expected.__name__}.{member.name}" for member in expected if text in {member.value, member.name}]
    wanted = members or [f"{expected.__name__}.{member.name}" for member in expected]
    return f"Give {'one of ' if len(wanted) > 1 else ''}{', '.join(wanted)}, not {describe(text)}."
