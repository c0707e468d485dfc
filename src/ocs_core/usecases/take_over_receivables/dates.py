"""How a file writes its days: by the one format that fits all of them, never by a guess per row."""

import datetime as dt
import functools
import re
from collections.abc import Iterator, Sequence

import attrs

from ocs_core.form import FormError, check_moment
from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, examples

_LETTERS = {"YYYY": "%Y", "YY": "%y", "MMMM": "%b", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d"}
_WORDS = {"%Y": "YYYY", "%y": "YY", "%b": "MMM", "%B": "MMM", "%m": "MM", "%d": "DD"}
_LETTER = re.compile("|".join(_LETTERS), re.IGNORECASE)
_ADJACENT = re.compile(r"%[Yymd]%[Yymd]")
_HOUR = r"(?:[01]?\d|2[0-4])"
_TIME = re.compile(
    rf"(?:[T ]\s*{_HOUR}[:.][0-5]\d(?:[:.][0-5]\d(?:[.,]\d{{1,9}})?)?|(?<=\d)T{_HOUR}[0-5]\d(?:[0-5]\d)?)"
    r"\s*(?:[AP]\.?M\.?)?\s*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?|(?<=\d)(?:Z|[+-]\d\d:\d\d)",
    re.IGNORECASE,
)
_TIME_AT_THE_END = re.compile(f"(?:{_TIME.pattern})$", re.IGNORECASE)
_TIME_IN_A_FORMAT = re.compile(r"'?T?'?\s*(?:%[HIT].*|[Hh]{1,2}[:.]?[Mm]{2}.*)$")


@attrs.frozen
class DateFormat:
    """A format in the letters of `strptime`, `%m/%d/%Y`; `%b` stands for short and long names of months."""

    pattern: str

    @classmethod
    def given(cls, text: str) -> "DateFormat":
        """From `%d.%m.%Y` or `DD.MM.YYYY`; a time behind the day may be named and is not read.

        Raises `FileRefused` where it does not tell a day.
        """
        day_part = _TIME_IN_A_FORMAT.sub("", text)
        pattern = day_part if "%" in day_part else _LETTER.sub(lambda word: _LETTERS[word[0].upper()], day_part)
        pattern = pattern.replace("%B", "%b").replace("%-", "%").replace("%F", "%Y-%m-%d").replace("%D", "%m/%d/%y")
        day = dt.date(2001, 12, 31)
        try:
            if cls(pattern).parse(day.strftime(pattern)) == day:
                return cls(pattern)
        except ValueError:
            pass
        raise FileRefused(
            f"--date-format {text}: this does not tell year, month and day; give one such as DD.MM.YYYY or %d.%m.%Y."
        )

    def parse(self, text: str) -> dt.date | None:
        """The day, or None where the text does not fit. Of a time with its offset, the day it is written with."""
        return _parsed(self.pattern, text)

    def __str__(self) -> str:
        return re.sub(r"%[a-zA-Z]", lambda letter: _WORDS.get(letter[0], letter[0]), self.pattern)


@functools.lru_cache(maxsize=200_000)
def _parsed(pattern: str, text: str) -> dt.date | None:
    if not text.isascii():
        return None
    written = _TIME_AT_THE_END.sub("", text).strip()
    for one in dict.fromkeys((pattern, pattern.replace("%b", "%B"))):
        try:
            day = dt.datetime.strptime(written, one).date()  # noqa: DTZ007 - a day has no zone
            check_moment(day)
        except (ValueError, FormError):
            continue
        # Without separators, every part has all its digits: 1112024 may be the 11th of January or the 1st of November.
        return day if not _ADJACENT.search(one) or day.strftime(one) == written else None
    return None


def _days() -> Iterator[str]:
    yield from ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
    for separator in "/-.":
        for order in (
            ("%m", "%d", "%Y"),
            ("%d", "%m", "%Y"),
            ("%m", "%d", "%y"),
            ("%d", "%m", "%y"),
            ("%y", "%m", "%d"),
        ):
            yield separator.join(order)
    yield from ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%d/%b/%Y", "%d%b%Y", "%d. %b %Y", "%d.%b.%Y")
    yield from ("%b %d, %Y", "%b %d %Y", "%Y-%b-%d")


CANDIDATES = tuple(map(DateFormat, _days()))


def reading_of_days(cells: Sequence[Cell], told: DateFormat | None = None) -> DateFormat:
    """The one format that reads every day that any format reads; days that none reads are for their rows to tell.

    Raises `FileRefused` where none or several do, or where the one that was told does not, naming what is in doubt.
    """
    known = CANDIDATES if told is None else (told, *CANDIDATES)
    days = [cell for cell in cells if any(f.parse(cell.text) for f in known)]
    if not days:
        if cells:
            raise FileRefused(
                f"No date format that is known fits any row, such as {examples(cells)}: a day has a day, a month (a number, or "
                "its English name) and a year. Write the days so, or give the format with --date-format."
            )
        return told or CANDIDATES[0]
    if told is not None:
        return _told(told, days)
    texts = dict.fromkeys(cell.text for cell in days)
    fitting = [f for f in CANDIDATES if all(f.parse(text) for text in texts)]
    if not fitting:
        raise FileRefused(_none(days))
    apart = next((text for text in texts if len({f.parse(text) for f in fitting}) > 1), None)
    if apart is None:
        return fitting[0]
    where = next(cell for cell in days if cell.text == apart)
    readings = "; ".join(f"--date-format '{f}' reads {apart} as {f.parse(apart)}" for f in fitting)
    raise FileRefused(f"More than one date format fits every row, such as {where}; say which: {readings}.")


def _told(told: DateFormat, days: Sequence[Cell]) -> DateFormat:
    misfits = [cell for cell in days if told.parse(cell.text) is None]
    if not misfits:
        return told
    other = [f for f in CANDIDATES if all(f.parse(cell.text) for cell in days)]
    instead = f" Every row is written as {' or '.join(map(str, other))}." if other else ""
    raise FileRefused(f"--date-format '{told}' does not fit every row: not {examples(misfits)}.{instead}")


def _none(days: Sequence[Cell]) -> str:
    wrong = {f: [cell for cell in days if f.parse(cell.text) is None] for f in CANDIDATES}
    fewest = min(map(len, wrong.values()))
    told = [f"{f} fits all but {examples(misfits)}" for f, misfits in wrong.items() if len(misfits) == fewest]
    return f"No date format fits every row: {'; '.join(told)}. Write all days in one format."
