"""What a cell says, without what spreadsheets put around it."""

import re
import unicodedata

from ocs_core.form import FormError, Text

_AS_TEXT = re.compile(r'=\s*"((?:[^"]|"")*)"')
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+[eE][+-]?\d+|[eE][+-]\d+|[eE]\d\d+)")
_NO_DAY = re.compile(r"[0/.\-: TZ]+")
_LOOKS_LIKE_A_NUMBER = re.compile(r"[=+@-].*|[\d.,:/()% -]+", re.DOTALL)
_ERROR = re.compile(r"#+|#[^\s\d#]\S*[!?]|#N/?[A-Za-z]{1,2}|#GETTING_DATA|Err:\d+")
LONGEST = 100
"""Characters that an amount, a day, a currency or a word may have: what is longer is none, and is not looked at."""
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
    """The text of a cell: without outer blanks, invisible characters, `="0001"`, and the apostrophe before a number or a
    formula that keeps it text; that of `'t Hart` is its own."""
    text = (cell if cell.isascii() else _visible(cell)).strip()
    if text.startswith("=") and (guarded := _AS_TEXT.fullmatch(text)):
        text = guarded[1].replace('""', '"').strip()
    return text[1:].strip() if text.startswith("'") and _LOOKS_LIKE_A_NUMBER.fullmatch(text, 1) else text


def _visible(text: str) -> str:
    """Blanks of every width as one kind of blank; what has no width at all is left out."""
    kinds = ((c, unicodedata.category(c)) for c in text)
    return "".join(" " if kind == "Zs" else c for c, kind in kinds if kind != "Cf")


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is nothing: empty, or one of the words that systems write for it."""
    return not text or text.casefold() in _NOTHING


def is_no_day(text: str) -> bool:
    """The same for a day, which databases also write as 0000-00-00."""
    return is_nothing(text) or ("0" in text and _NO_DAY.fullmatch(text) is not None)


def is_spreadsheet_error(text: str) -> bool:
    """Whether a spreadsheet could not tell what is in the cell: `#REF!`, `#N/A`, or `####` for a column too narrow."""
    return text.startswith(("#", "Err:")) and _ERROR.fullmatch(text) is not None


def wrong_with_id(text: str) -> str | None:
    """Why a text cannot be the id of a customer or an invoice; None when it can."""
    if is_spreadsheet_error(text):
        return f"{text[:40]!r} is what a spreadsheet shows for an error or a column too narrow; export the value itself"
    if len(text) <= LONGEST and _SCIENTIFIC.fullmatch(text):
        return f"{text!r} is a number that a spreadsheet shortened: the digits of the id are lost; export it as text"
    try:
        _KEY.check(text)
    except FormError as error:
        return error.message
    return None
