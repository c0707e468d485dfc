"""What a cell says, without what spreadsheets put around it."""

import re
import unicodedata

from ocs_core.form import FormError, Text

_AS_TEXT = re.compile(r'=\s*"((?:[^"]|"")*)"')
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+[eE][+-]?\d+|[eE][+-]\d+|[eE]\d\d+)")
_NO_DAY = re.compile(r"[0/.\-: TZ]*0[0/.\-: TZ]*")
_NOTHING = frozenset(
    (
        "-",
        "--",
        "–",
        "—",
        ".",
        "null",
        "(null)",
        "none",
        "(none)",
        "nil",
        "n/a",
        "na",
        "#n/a",
        "nan",
        "nat",
        "\\n",
        "(blank)",
        "(empty)",
    )
)
_KEY = Text(200, trimmed=True)
"""What a customer or an invoice is called; what is made of it later has a suffix."""


def plain(cell: str) -> str:
    """The text of a cell: without outer blanks, invisible characters, `="0001"`, and the apostrophe that keeps text text."""
    text = (cell if cell.isascii() else _visible(cell)).strip()
    if guarded := _AS_TEXT.fullmatch(text):
        text = guarded[1].replace('""', '"').strip()
    return text[1:].strip() if text.startswith("'") else text


def _visible(text: str) -> str:
    """Blanks of every width as one kind of blank; what has no width at all is left out."""
    kinds = ((c, unicodedata.category(c)) for c in text)
    return "".join(" " if kind == "Zs" else c for c, kind in kinds if kind != "Cf")


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is nothing: empty, or one of the words that systems write for it."""
    return not text or text.casefold() in _NOTHING


def is_no_day(text: str) -> bool:
    """The same for a day, which databases also write as 0000-00-00."""
    return is_nothing(text) or _NO_DAY.fullmatch(text) is not None


def wrong_with_id(text: str) -> str | None:
    """Why a text cannot be the id of a customer or an invoice; None when it can."""
    if _SCIENTIFIC.fullmatch(text):
        return f"{text!r} is a number that a spreadsheet shortened: the digits of the id are lost; export it as text"
    try:
        _KEY.check(text)
    except FormError as error:
        return error.message
    return None
