"""The form of a request: types, lengths, ranges (domain: section 2). One description serves three readers:
requests built in Python (`check`), JSON bodies (`ocs_adapters.serial`) and the published schemas.
"""

import datetime as dt
import functools
import re
import types
import typing
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum, StrEnum
from typing import Annotated, Any, Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from ocs_core.errors import RequestRejected, Violation
from ocs_core.money import MAX_AMOUNT, MIN_AMOUNT

BODY_NOT_JSON = "BODY_NOT_JSON"
FIELD_REQUIRED = "FIELD_REQUIRED"
FIELD_UNKNOWN = "FIELD_UNKNOWN"
TYPE_WRONG = "TYPE_WRONG"
VALUE_NOT_ALLOWED = "VALUE_NOT_ALLOWED"
VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
LENGTH_OUT_OF_RANGE = "LENGTH_OUT_OF_RANGE"
TEXT_NOT_ALLOWED = "TEXT_NOT_ALLOWED"
TIME_WITHOUT_OFFSET = "TIME_WITHOUT_OFFSET"


class Unset(Enum):
    """The type of `UNSET`, for the type of a field: `Label | Unset | None = UNSET`."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
"""The default of a field that is left as it is where a request does not give it; null, which is given, clears it."""


class FormError(ValueError):
    """A single value does not have the form asked for; the caller knows in which field."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Constraint(Protocol):
    def check(self, value: Any) -> None:
        """Raises `FormError` when the value, already of the right type, is not allowed."""


_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, lone surrogates, and the separators of lines and paragraphs, with which a text is two lines."""
_INVISIBLE = {"Cf", "Co"}
"""Characters of no width or none at all, and such as turn the direction of what follows."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(n) for selectors in ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0)) for n in range(*selectors)
}
"""They count as letters, signs or marks, and nobody sees them."""


@attrs.frozen
class Text:
    """Text of 1 to `longest` characters without control characters, line separators and lone surrogates.

    `trimmed`: an id, which is compared exactly: no outer blanks, and nothing that nobody sees. Names and notes may hold the
    joiners that Persian and Indic scripts need, and signs that are made of several.
    """

    longest: int = 255
    trimmed: bool = False

    def check(self, value: str) -> None:
        if not 1 <= len(value) <= self.longest:
            raise FormError(
                LENGTH_OUT_OF_RANGE, f"Give 1 to {self.longest} characters, not {len(value)} (null means none)."
            )
        if found := _first(value, _CONTROLS):
            raise FormError(
                TEXT_NOT_ALLOWED,
                f"Control characters, line separators and lone surrogates are not allowed; there is U+{ord(found):04X}.",
            )
        if self.trimmed:
            self._check_id(value)

    def _check_id(self, value: str) -> None:
        if value != value.strip():
            raise FormError(TEXT_NOT_ALLOWED, "Leading and trailing blanks are not allowed: ids compare exactly.")
        if found := _first(value, _INVISIBLE, _UNSEEN):
            raise FormError(
                TEXT_NOT_ALLOWED, f"Characters that nobody sees are not allowed in ids; there is U+{ord(found):04X}."
            )


def _first(value: str, categories: Collection[str], others: Collection[str] = ()) -> str | None:
    """The first character of these categories, or one of the others."""
    if value.isascii() and value.isprintable():
        return None
    return next((c for c in value if unicodedata.category(c) in categories or c in others), None)


@attrs.frozen
class Whole:
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int

    def check(self, value: int) -> None:
        if not self.least <= value <= self.most:
            raise FormError(VALUE_OUT_OF_RANGE, f"Give a whole number from {self.least} to {self.most}.")


@attrs.frozen
class Items:
    """A list of `least` to `most` items."""

    least: int
    most: int

    def check(self, value: tuple[Any, ...]) -> None:
        if not self.least <= len(value) <= self.most:
            raise FormError(LENGTH_OUT_OF_RANGE, f"Give {self.least} to {self.most} items, not {len(value)}.")


@attrs.frozen
class Texts:
    """A map of at most `most` names, each a code, to texts."""

    most: int
    name: Text = Text(60, trimmed=True)
    text: Text = Text(255)

    def check(self, value: Mapping[str, str]) -> None:
        for violation in self.failures(value, ""):
            raise FormError(violation.code, violation.message)

    def failures(self, value: Any, pointer: str) -> Iterator[Violation]:
        """Every failure of form, each at its own name."""
        if not isinstance(value, dict):
            yield Violation(TYPE_WRONG, pointer, f"Give an object, not {describe(value)}.")
            return
        if len(value) > self.most:
            yield Violation(LENGTH_OUT_OF_RANGE, pointer, f"Give at most {self.most} names, not {len(value)}.")
        for name, text in value.items():
            at = f"{pointer}/{escaped(name)}"
            yield from _constrained(_typed(str), self.name)(name, at)
            yield from _constrained(_typed(str), self.text)(text, at)


@attrs.frozen
class ZoneName:
    """The name of an IANA time zone."""

    def check(self, value: str) -> None:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise FormError(
                VALUE_NOT_ALLOWED, f"{value!r} is not the name of a time zone such as Europe/Madrid."
            ) from None


@attrs.frozen
class CurrencyName:
    """Three capital letters, as ISO 4217 names currencies."""

    def check(self, value: str) -> None:
        if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
            raise FormError(VALUE_NOT_ALLOWED, f"{value!r} is not a code of ISO 4217 such as EUR.")


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


def check_moment(value: dt.date) -> None:
    """Days and instants lie in the years 1900 to 2999, and instants carry their offset. Raises `FormError`."""
    if isinstance(value, dt.datetime) and value.utcoffset() is None:
        raise FormError(TIME_WITHOUT_OFFSET, "Give the time with its offset, such as 2024-05-02T07:15:00Z.")
    if not 1900 <= value.year <= 2999:
        raise FormError(VALUE_OUT_OF_RANGE, "Give a moment in the years 1900 to 2999.")


ExternalId = Annotated[str, Text(255, trimmed=True)]
Label = Annotated[str, Text(255)]
Note = Annotated[str, Text(2000)]
Code = Annotated[str, Text(60, trimmed=True)]
Zone = Annotated[str, ZoneName()]
Cron = Annotated[str, CronExpression()]
CurrencyCode = Annotated[str, CurrencyName()]
Amount = Annotated[int, Whole(MIN_AMOUNT, MAX_AMOUNT)]
PositiveAmount = Annotated[int, Whole(1, MAX_AMOUNT)]
AmountFromZero = Annotated[int, Whole(0, MAX_AMOUNT)]
TaxRate = Annotated[int, Whole(0, 100_000)]
"""Basis points: 2100 is 21 %."""
Moment = dt.datetime | dt.date
"""An instant, or a day, which stands for its end."""
DueDateOffset = Annotated[int, Whole(0, 3650)]
"""Days."""


CustomAttributes = Annotated[Mapping[str, str], Texts(50)]
"""What the caller keeps with a thing, for itself."""


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


def escaped(name: object) -> str:
    """A name as a JSON Pointer writes it."""
    return str(name).replace("~", "~0").replace("/", "~1")


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


def required(pointer: str) -> Violation:
    return Violation(FIELD_REQUIRED, pointer, "This field is required.")


type_hints = functools.cache(functools.partial(typing.get_type_hints, include_extras=True))
"""The field types of a class, with their constraints."""

_Checker = Callable[[Any, str], Iterator[Violation]]


@functools.cache
def _checkers(cls: Any) -> tuple[tuple[str, str, _Checker, bool], ...]:
    """For each field its name, its name in JSON, what checks it, and whether it may be null."""
    hints = type_hints(cls)
    return tuple(
        (f.name, wire_name(f.name), _checker(hints[f.name]), types.NoneType in typing.get_args(hints[f.name]))
        for f in attrs.fields(cls)
    )


@functools.cache
def _checker(hint: Any) -> _Checker:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        some = [a for a in arguments if a not in {types.NoneType, Unset}]
        blanks = [blank for blank in (None, UNSET) if type(blank) in arguments]
        return _or_blank(_moment if set(some) == {dt.datetime, dt.date} else _checker(some[0]), blanks)
    if origin is Annotated and isinstance(arguments[1], Texts):
        return arguments[1].failures
    if origin is Annotated:
        return _constrained(_checker(arguments[0]), arguments[1])
    if origin is tuple:
        return _each(_checker(arguments[0]))
    if attrs.has(hint):
        return _nested(hint)
    return _typed(hint)


def _or_blank(checker: _Checker, blanks: list[Unset | None]) -> _Checker:
    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if not any(value is blank for blank in blanks):
            yield from checker(value, pointer)

    return check


def _constrained(checker: _Checker, constraint: Constraint) -> _Checker:
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


def _each(checker: _Checker) -> _Checker:
    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if type(value) is not tuple:
            yield Violation(TYPE_WRONG, pointer, f"Give a list, not {describe(value)}.")
            return
        for index, item in enumerate(value):
            yield from checker(item, f"{pointer}/{index}")

    return check


def _nested(cls: type) -> _Checker:
    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, cls):  # a form that exists has the right form
            yield Violation(TYPE_WRONG, pointer, f"Give an object, not {describe(value)}.")

    return check


def _moment(value: Any, pointer: str) -> Iterator[Violation]:
    return _typed(dt.datetime if isinstance(value, dt.datetime) else dt.date)(value, pointer)


def _typed(expected: type) -> _Checker:
    def check(value: Any, pointer: str) -> Iterator[Violation]:
        if issubclass(expected, StrEnum) and type(value) is str:
            yield Violation(TYPE_WRONG, pointer, _member_instead(expected, value))
        elif type(value) is not expected:
            yield Violation(TYPE_WRONG, pointer, f"Give {noun(expected)}, not {describe(value)}.")
        elif isinstance(value, dt.date):
            try:
                check_moment(value)
            except FormError as error:
                yield Violation(error.code, pointer, error.message)

    return check


def _member_instead(expected: type[StrEnum], text: str) -> str:
    """JSON has texts, Python has the members that they stand for."""
    members = [f"{expected.__name__}.{member.name}" for member in expected if text in {member.value, member.name}]
    wanted = members or [f"{expected.__name__}.{member.name}" for member in expected]
    return f"Give {'one of ' if len(wanted) > 1 else ''}{', '.join(wanted)}, not {describe(text)}."


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
