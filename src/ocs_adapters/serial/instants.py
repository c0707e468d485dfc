"""Instants as RFC 3339 writes them, read to the microsecond; what is written otherwise is told what is wrong with it."""

import datetime as dt
import re

from ocs_core.form import TIME_WITHOUT_OFFSET, TYPE_WRONG, VALUE_OUT_OF_RANGE, FormError, check_moment, describe

EXAMPLE = "2024-05-02T07:15:00Z"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<offset>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_FAULTS = (
    (r"\d{4}-\d\d-\d\d", "the time of day is missing"),
    (r".*[Tt]\d\d:\d\d:\d\d(\.\d+)? \d\d:\d\d", "the offset has no sign; in an address, + is written as %2B"),
    (r".*[Tt ]\d\d:\d\d(?![:\d]).*", "the seconds are missing"),
    (r"\d{4}-\d\d-\d\d .*", "write T between day and time"),
    (r".*[Tt]\d\d:\d\d:\d\d,.*", "write a point before the fraction of a second"),
    (r".*[Tt]\d\d:\d\d:\d\d\.(?!\d).*", "digits are missing behind the point"),
    (r".*[Tt]\d\d:\d\d:\d\d(\.\d+)?[+-](\d\d|\d{4})", "write the offset as +02:00"),
    (r"-?\d+", "a number of seconds is not taken"),
)
_WITHOUT_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?", re.ASCII)
_SHOWN = 100


def is_day(text: str) -> bool:
    """Whether a text is written as a day."""
    return _DAY.fullmatch(text) is not None


def read_instant(text: str) -> dt.datetime:
    """An instant in UTC; what is finer than a microsecond is cut off. Raises `FormError` that says what is wrong."""
    written = _INSTANT.fullmatch(text)
    if written is None:
        raise _misread(text)
    fraction = (written["fraction"] or "")[:6].ljust(6, "0")
    offset = "+00:00" if written["offset"] in "Zz" else written["offset"]
    if written["time"].endswith(":60"):
        raise FormError(VALUE_OUT_OF_RANGE, "Leap seconds are not taken: give the second before or after.")
    if offset[1:3] > "23" or offset[4:] > "59":
        raise FormError(TYPE_WRONG, f"Give a time such as {EXAMPLE}; there is no offset {offset}.")
    try:
        instant = dt.datetime.fromisoformat(f"{written['day']}T{written['time']}.{fraction}{offset}")
    except ValueError:
        raise FormError(
            TYPE_WRONG, f"Give a time such as {EXAMPLE}; there is no {written['day']} {written['time']}."
        ) from None
    return in_utc(instant)


def in_utc(instant: dt.datetime) -> dt.datetime:
    """The same instant in UTC. Raises `FormError` where it has no offset, or lies beyond the years that are taken."""
    check_moment(instant)
    found = instant.astimezone(dt.UTC)
    check_moment(found)  # at the ends of the range the offset may lead out of it
    return found


def read_day(text: str) -> dt.date:
    """A day; of an instant, the day it is written with. Raises `FormError` that says what is wrong."""
    if not is_day(text[:10]):
        raise FormError(TYPE_WRONG, f"Give a day such as 2024-05-14, not {describe(text)}.")
    if len(text) > 10:
        read_instant(text)
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError:
        raise FormError(TYPE_WRONG, f"Give a day such as 2024-05-14; there is no {text[:10]}.") from None
    check_moment(day)
    return day


def _misread(text: str) -> FormError:
    if _WITHOUT_OFFSET.fullmatch(text[:_SHOWN]):
        return FormError(TIME_WITHOUT_OFFSET, f"Give the time with its offset, such as {EXAMPLE}.")
    for pattern, fault in _FAULTS:
        if re.fullmatch(pattern, text[:_SHOWN], re.ASCII):
            return FormError(TYPE_WRONG, f"Give a time such as {EXAMPLE}, not {describe(text)}: {fault}.")
    return FormError(TYPE_WRONG, f"Give a time such as {EXAMPLE}, not {describe(text)}.")
