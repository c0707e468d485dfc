"""When something is due, as cron says it."""

import re

import attrs

from ocs_core.form.failures import VALUE_NOT_ALLOWED, FormError
from ocs_core.form.texts import Text

_DAY_OF_MONTH = ("day of the month", 1, 31)
_CRON_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    _DAY_OF_MONTH,
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_CRON_TERM = re.compile(r"(?:\*|(?P<first>\d\d?)(?:-(?P<last>\d\d?))?)(?:/(?P<step>[1-9]\d?))?", re.ASCII)
_SHORT_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@attrs.frozen
class CronExpression:
    """When something is due, as cron says it: minute, hour, day of the month, month and day of the week (0 and 7: Sunday).

    Each is `*`, a number, a range `1-5`, one of these with a step `*/15`, or several with commas; a day of the month may be `L`,
    the last one. Where both a day of the month and one of the week are named, either will do.
    """

    def check(self, value: str) -> None:
        Text().check(value)
        fields = value.split()
        if len(fields) != len(_CRON_FIELDS):
            names = ", ".join(name for name, _, _ in _CRON_FIELDS)
            raise FormError(VALUE_NOT_ALLOWED, f"Give the five fields of cron ({names}), such as 30 2 * * *.")
        _, _, days, months, _ = (
            _numbers_of_cron(field, *limits) for field, limits in zip(fields, _CRON_FIELDS, strict=True)
        )
        if fields[4].startswith("*") and min(days) > max(_SHORT_MONTHS.get(month, 31) for month in months):
            raise FormError(VALUE_NOT_ALLOWED, f"No such month has a day {min(days)}: this would never be due.")


def _numbers_of_cron(field: str, name: str, least: int, most: int) -> set[int]:
    numbers: set[int] = set()
    has_last = (name, least, most) == _DAY_OF_MONTH
    for term in field.split(","):
        if has_last and term == "L":
            numbers.add(min(_SHORT_MONTHS.values()) - 1)  # every month has one, and none sooner
            continue
        found = _CRON_TERM.fullmatch(term)
        first, last, step = (int(n) if n else None for n in found.groups()) if found else (-1, -1, -1)
        begins = least if first is None else first
        # `5/10` goes on to the end, as `*` does.
        ends = last if last is not None else most if first is None or step else begins
        if not least <= begins <= ends <= most:
            raise FormError(
                VALUE_NOT_ALLOWED,
                f"{term!r} cannot be the {name} of cron: give *, {least} to {most}, a range such as {least}-{most}, "
                f"or a step such as */2{', or L for the last day' if has_last else ''}.",
            )
        numbers.update(range(begins, ends + 1, step or 1))
    return numbers
