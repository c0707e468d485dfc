"""How a JSON value, or one of a TOML file, becomes the value of a field."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from ocs_adapters.serial.instants import in_utc, is_day, read_day, read_instant
from ocs_core.form import (
    TYPE_WRONG,
    VALUE_NOT_ALLOWED,
    Field,
    FormError,
    InstantOrDay,
    check_moment,
    describe,
    noun,
)

Reader = Callable[[Any], Any]
"""Gives the value that a field takes. Raises `FormError` where there is none."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def reader_of(base: type) -> Reader | None:
    """How the values of a class with no fields of its own are read; None: they are given as they are."""
    if issubclass(base, StrEnum):
        return lambda value: _member(base, value)
    return _READERS.get(base)


def wrong_type(expected: type, value: Any) -> FormError:
    return FormError(TYPE_WRONG, f"Give {noun(expected)}, not {describe(value)}.")


def as_object(value: Any) -> Mapping[str, Any]:
    """An object. Raises `FormError` where it is none."""
    if type(value) is not dict:
        raise FormError(TYPE_WRONG, f"Give an object, not {describe(value)}.")
    return value


def as_list(value: Any, field: Field) -> list[Any]:
    """A list of as many items as the field takes: one that is too long costs nothing more. Raises `FormError`."""
    if type(value) is not list:
        raise FormError(TYPE_WRONG, f"Give a list, not {describe(value)}.")
    for constraint in field.constraints:
        constraint.check(value)
    return value


def _member(base: type[StrEnum], value: Any) -> StrEnum:
    if type(value) is not str:
        raise wrong_type(base, value)
    try:
        return base(value)
    except ValueError:
        raise FormError(VALUE_NOT_ALLOWED, f"Give {noun(base)}, not {describe(value)}.") from None


def _uuid(value: Any) -> UUID:
    if type(value) is not str or not _UUID.fullmatch(value):
        raise wrong_type(UUID, value)
    return UUID(value)


def _instant(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):  # TOML has instants of its own
        return in_utc(value)
    if type(value) is not str:
        raise wrong_type(dt.datetime, value)
    return read_instant(value)


def _day(value: Any) -> dt.date:
    if type(value) is dt.date:
        check_moment(value)
        return value
    if type(value) is not str:
        raise wrong_type(dt.date, value)
    return read_day(value)


def _moment(value: Any) -> dt.datetime | dt.date:
    return _day(value) if type(value) is str and is_day(value) else _instant(value)


_READERS: Mapping[type, Reader] = {UUID: _uuid, dt.datetime: _instant, dt.date: _day, InstantOrDay: _moment}
