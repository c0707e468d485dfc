"""Hypothesis strategies for the domain's values: amounts, text that hurts, days, zones; and for the fields of any form."""

import datetime as dt
import functools
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ocs_core.form import UNSET, Field, FormError, InstantOrDay, Text, Texts, Whole, field_named
from ocs_core.money import MAX_AMOUNT, MIN_AMOUNT, minor_unit

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
EDGES = (0, 1, -1, 10_000, 2**53, 2**53 + 1, MAX_AMOUNT, MAX_AMOUNT - 1, MIN_AMOUNT, MIN_AMOUNT + 1)
ZONES = (
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Niue",
)
"""Far east and far west, half and quarter hours, clocks that change at midnight, by half an hour, or around Ramadan."""

amounts = st.integers(MIN_AMOUNT, MAX_AMOUNT) | st.sampled_from(EDGES)
"""Millionths over the whole 64-bit range."""
positive_amounts = st.integers(1, MAX_AMOUNT) | st.sampled_from([e for e in EDGES if e > 0])
tax_rates = st.sampled_from([0, 1, 400, 2100, 10_000, 100_000]) | st.integers(0, 100_000)
"""Basis points."""
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(dt.date(2000, 1, 2), dt.date(2999, 12, 30))
"""Since 2000: none of `ZONES` has skipped a whole day since."""
instants = st.integers(0, 31_556_736_000 * 1_000_000).map(lambda n: EPOCH + dt.timedelta(microseconds=n))
"""In UTC, from 2000 to the end of 2999."""

_REFUSED: Any = ("Cc", "Cs", "Zl", "Zp")
texts = st.text(st.characters(exclude_categories=_REFUSED), min_size=1, max_size=255) | st.sampled_from(
    [
        "'; DROP TABLE payments;--",
        "Ω≈ç√",
        "👩‍👩‍👧",
        "e\u0301",
        "\u202etxt.exe",
        "\ufeffbom",
        "می\u200cخواهم",
        "%s{0}${x}",
        "null",
        "é" * 255,
    ]
)
"""Text that is allowed and hurts: combining marks, right-to-left overrides, quotes, what looks like something else."""
forbidden_texts = st.builds(
    "{}{}{}".format,
    st.text(max_size=5),
    st.sampled_from(["\0", "\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "\udfff"]),
    st.text(max_size=5),
)
"""Text with a control character, a line separator or a lone surrogate in it."""


@st.composite
def payable_amounts(draw: st.DrawFn, minor_digits: int = 2, most: int = 10**12) -> int:
    """Positive amounts in whole minor units."""
    unit = minor_unit(minor_digits)
    return draw(st.integers(1, most // unit)) * unit


uuids = st.integers(0, 2**128 - 1).map(lambda n: UUID(int=n & ~(0xF << 76 | 3 << 62) | 7 << 76 | 2 << 62))
"""Of version 7, at random."""


def texts_of(form: Text) -> st.SearchStrategy[str]:
    """Text of the form that a field asks for."""
    characters = st.characters(exclude_categories=_REFUSED)
    found = st.text(characters, min_size=1, max_size=min(form.longest, 40)) | st.just("x" * form.longest)
    return found.map(str.strip).filter(lambda text: _is_taken(form, text)) if form.trimmed else found


def _is_taken(form: Text, text: str) -> bool:
    try:
        form.check(text)
    except FormError:
        return False
    return True


@functools.cache
def field_values(field: Field) -> st.SearchStrategy[Any]:
    """Values that a form's field may have. Raises `TypeError` for a type that it does not know."""
    blanks: list[Any] = [None] * field.optional + [UNSET] * field.unset
    return st.one_of(_values(field), *map(st.just, blanks))


def _values(field: Field) -> st.SearchStrategy[Any]:
    for constraint in field.constraints:
        match constraint:
            case Text():
                return texts_of(constraint)
            case Texts():
                return st.dictionaries(texts_of(constraint.name), texts_of(constraint.text), max_size=3)
            case Whole(least=least, most=most):
                return st.integers(least, most)
    if issubclass(field.base, StrEnum):
        return st.sampled_from(list(field.base))
    simple = {bool: st.booleans(), UUID: uuids, dt.datetime: instants, dt.date: days, InstantOrDay: instants | days}
    if field.base not in simple:
        raise TypeError(f"no strategy for {field.base!r}")
    return simple[field.base]


def codes(*known: str) -> st.SearchStrategy[str]:
    """Codes that are none of these."""
    return texts_of(Text(60, trimmed=True)).filter(lambda code: code not in known)


@st.composite
def some_fields(draw: st.DrawFn, cls: type, *names: str) -> dict[str, Any]:
    """Values for a few of these optional fields of a form: what varies and must not matter."""
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    return {name: draw(field_values(field_named(cls, name))) for name in chosen}
