"""How a file writes its days: by the one format that fits all of them, never by a guess per row."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from ocs_adapters.files.table import FileRefused
from ocs_core.form import FormError, check_moment

SHOWN = 5
"""How many examples a sentence names."""
_WORDS = {"YYYY": "%Y", "YY": "%y", "MMMM": "%b", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d"}
_WORD = re.compile("|".join(_WORDS), re.IGNORECASE)


@attrs.frozen
class Dated:
    """A date as it is written in one row, in the column of a field."""

    line: int
    field: str
    text: str


@attrs.frozen
class DateFormat:
    """A format in the letters of `strptime`, `%m/%d/%Y`; `%b` stands for short and long names of months."""

    pattern: str

    @classmethod
    def given(cls, text: str) -> "DateFormat":
        """From `%d.%m.%Y` or `DD.MM.YYYY`. Raises `FileRefused` where it does not tell a day."""
        pattern = text if "%" in text else _WORD.sub(lambda word: _WORDS[word[0].upper()], text)
        day = dt.date(2001, 12, 31)
        try:
            if cls(pattern).parse(day.strftime(pattern)) == day:
                return cls(pattern)
        except ValueError:
            pass
        raise FileRefused(
            f"--date-format {text}: this does not tell year, month and day; give one such as %d.%m.%Y or DD.MM.YYYY."
        )

    def parse(self, text: str) -> dt.date | None:
        """The day, or None where the text does not fit. Of a time with its offset, the day it is written with."""
        if not text.isascii() or ("%Y%m" in self.pattern and not text[:8].isdigit()):
            return None
        for pattern in dict.fromkeys((self.pattern, self.pattern.replace("%b", "%B"))):
            try:
                day = dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
                check_moment(day)
            except (ValueError, FormError):
                continue
            return day
        return None

    def __str__(self) -> str:
        return self.pattern


def _days() -> Iterable[str]:
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
    yield from ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%d. %b %Y", "%b %d, %Y", "%b %d %Y")


CANDIDATES = tuple(
    DateFormat(day + time) for day in _days() for time in ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", "T%H:%M:%S%z")
)


def the_one_format(dates: Sequence[Dated]) -> DateFormat:
    """The one format that fits every date. Raises `FileRefused` where none or several do, naming what is in doubt."""
    texts = Counter(dated.text for dated in dates)
    if not texts:
        return CANDIDATES[0]
    fitting = [f for f in CANDIDATES if all(f.parse(text) is not None for text in texts)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise FileRefused(_several(fitting, texts))
    raise FileRefused(_none(texts, dates))


def _several(fitting: Sequence[DateFormat], texts: Iterable[str]) -> str:
    apart = next((t for t in texts if len({f.parse(t) for f in fitting}) > 1), next(iter(texts)))
    readings = "; ".join(f"--date-format '{f}' reads {apart} as {f.parse(apart)}" for f in fitting)
    return f"More than one date format fits every row; say which: {readings}."


def _none(texts: Mapping[str, int], dates: Sequence[Dated]) -> str:
    wrong = {f: sum(n for text, n in texts.items() if f.parse(text) is None) for f in CANDIDATES}
    fewest = min(wrong.values())
    if fewest == len(dates):
        return f"No date format that is known fits any row, such as {_examples(dates)}; give one with --date-format."
    told = []
    for best in [f for f, count in wrong.items() if count == fewest]:
        misfits = [dated for dated in dates if best.parse(dated.text) is None]
        told.append(
            f"'{best}' fits all but {_examples(misfits)}; with --date-format '{best}' "
            f"{'that row is' if len(misfits) == 1 else 'those rows are'} reported and the others go on"
        )
    return "No date format fits every row. " + "; ".join(told) + "."


def _examples(dates: Sequence[Dated]) -> str:
    more = f" and {len(dates) - SHOWN} more" if len(dates) > SHOWN else ""
    return ", ".join(f"line {d.line} ({d.field} {d.text[:40]!r})" for d in dates[:SHOWN]) + more
