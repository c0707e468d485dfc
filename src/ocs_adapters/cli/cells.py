"""What stands in a table: values as people read them, and as JSON."""

import datetime as dt
import unicodedata
from typing import Any
from uuid import UUID

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.messages import format_instant
from ocs_core.money import format_amount

_COMMANDS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that move the cursor, turn the text round, or are not seen."""
_JOINERS = frozenset("\u200c\u200d")
"""Persian and Indic names are written with them."""


@attrs.frozen
class Amount:
    """An amount in millionths: shown as fine as its currency is paid, in JSON as it is."""

    amount: int
    currency: str
    minor_digits: int = 2

    def __str__(self) -> str:
        return format_amount(self.amount, self.currency, self.minor_digits)


def money(amount: int, currency: str, configuration: Configuration) -> Amount:
    """Millionths, shown as `49.90 EUR`; totals of many payers may be beyond 64 bits."""
    known = configuration.currencies.get(currency)
    return Amount(amount, currency, known.minor_digits if known else 2)


def as_text(cell: Any) -> str:
    """A cell as people read it."""
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case dt.datetime() if cell.tzinfo is not None:
            return format_instant(cell)
        case tuple() | list():
            return ", ".join(map(as_text, cell))
        case _:
            return shown(str(cell))


def as_json(value: Any) -> Any:
    """What JSON has no form for: as a text, an object or a number."""
    match value:
        case Amount():
            return {"amount": value.amount, "currency": value.currency}
        case dt.datetime() if value.tzinfo is not None:
            return format_instant(value)
        case dt.date() | dt.datetime():
            return value.isoformat()
        case dt.timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case _ if attrs.has(type(value)):
            return attrs.asdict(value, recurse=False)
        case _:
            return str(value)


def is_prose(cell: Any) -> bool:
    """Whether a cell may be broken between words: ids, days and amounts may not."""
    return isinstance(cell, str | tuple | list)


def shown(text: str) -> str:
    """A text on one line, in which what would command the terminal is escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _COMMANDS and c not in _JOINERS else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
