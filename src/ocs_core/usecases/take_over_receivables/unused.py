"""Columns that no field uses: passed over in silence only where they can change nothing; all others are asked about.

A column is harmless where all its cells are empty, or are texts that can say nothing of a row (an e-mail address, a sentence, an
id such as `PO-4711`), or where its whole name is plain, word by word, and its cells are such as a column of that name has. One
word that nobody knows, or a digit, and a name may say a tax, a state, a sign or a bucket of days in any language.
"""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from enum import Enum, auto

from ocs_core.usecases.take_over_receivables.amounts import NoAmount, take_apart
from ocs_core.usecases.take_over_receivables.cells import LONGEST, is_nothing, is_spreadsheet_error, plain
from ocs_core.usecases.take_over_receivables.currencies import is_name_of_any
from ocs_core.usecases.take_over_receivables.dates import CANDIDATES
from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, Row
from ocs_core.usecases.take_over_receivables.words import is_known


class _Kind(Enum):
    """What a cell can be. SAYING: a currency, debit or credit, yes or no, a state, a type. SMALL and SIGNED are whole numbers of
    up to four digits; SHORT is an abbreviation. TEXT says nothing of the row.

    FLAG and PLACE are some of SAYING, and PHONE some of MONEY, for the names that have such cells.
    """

    SAYING = auto()
    FLAG = auto()
    PLACE = auto()
    MONEY = auto()
    PHONE = auto()
    SIGNED = auto()
    SMALL = auto()
    NUMBER = auto()
    DAY = auto()
    SHORT = auto()
    WORD = auto()
    TEXT = auto()


_TEXT = frozenset({_Kind.TEXT})
_WORDY = _TEXT | {_Kind.WORD}
_NAME = _WORDY | {_Kind.SHORT}
_NUMBER = _WORDY | {_Kind.SMALL, _Kind.NUMBER}
_COUNT = _TEXT | {_Kind.SMALL, _Kind.SIGNED}
_PLAIN: Mapping[str, frozenset[_Kind]] = {
    "customer client debtor name names firstname lastname surname company organisation organization address street addr city "
    "town attention attn contact salesperson salesrep rep agent manager owner user creator author": _NAME,
    "note notes comment comments remark remarks description desc memo subject title text email mail website url link": _WORDY,
    "id no nr num number ref reference account po item sku article zip zipcode postcode postal version copies": _NUMBER,
    "project product department branch location site warehouse": _NUMBER | _NAME,
    "phone telephone tel mobile fax": _NUMBER | {_Kind.PHONE},
    "days age weeks months pages lines": _COUNT,
    "hours quantity qty": _COUNT | {_Kind.NUMBER, _Kind.MONEY},
    "terms": _WORDY | {_Kind.SMALL},
    "period": _NUMBER | {_Kind.DAY},
    "country": _NUMBER | _NAME | {_Kind.PLACE},
    "region province county language locale": _NAME | {_Kind.PLACE},
    "disputed printed emailed": _WORDY | {_Kind.FLAG},
    "created modified updated order ordered delivery delivered shipped exported": _WORDY | {_Kind.DAY},
    "paperless": _WORDY | {_Kind.FLAG, _Kind.DAY},
    "code": _TEXT | {_Kind.NUMBER},
}
"""The words of plain names, by what the cells of such a column are."""
_NEUTRAL = (
    "a the of by for to in at on and e date time line first last middle full short long main primary late bill billing shipping "
    "home office work sales"
)
"""Words that say nothing by themselves, beside those of plain names."""
_CODED = (
    "country region province county language locale zip zipcode postcode postal product item sku article project department "
    "branch location site warehouse"
)
"""What a code may be of; any other may be of the kind of a row."""
_NUMBERED = "address addr street line name names contact phone telephone email po"
"""Of these there may be several, told apart by a digit: what is numbered else may be a bucket, as in `30 days`."""
_MEANINGFUL = (
    "currenc ccy money status state type class categor kind sign dr cr soll haben paid prepaid unpaid payment receiv receipt "
    "collect balance outstanding open owing owed remain due tax vat gst hst pst cgst sgst igst tds iva tva mwst ust net gross "
    "amount total value sum price cost fee fees charge freight credit debit discount rebate deduct cancel void draft delet "
    "revers refund write writeoff written exchange rate deposit retention withh alloc appl settled clear storn original "
    "relat correct replac adjust close gutschr bezahl beglich saldo offen avoir abono"
)
"""Words by which a column is none, whatever else is in its name; those of four letters and more are beginnings of words."""
_NEVERTHELESS: Mapping[str, frozenset[_Kind]] = {
    r"(?:vat|tax|gst|iva|tva) (?:reg\w* )?(?:id|no|nr|num|number)": _TEXT | {_Kind.NUMBER},
    r"credit limit": _TEXT | {_Kind.SMALL, _Kind.NUMBER, _Kind.MONEY},
    r"payment terms?": _WORDY | {_Kind.SMALL},
    r"payment method": _WORDY,
    r"days (?:overdue|past due|to (?:settle|pay))": _COUNT,
}
"""Whole names that are plain though a word of them is not."""
_PLAIN_SIGNS = re.compile(r"[\w\s.,:/()#'&-]*")
"""What a plain name has, and no sign of a currency, of percent or of plus."""
_SAYING = "c d s h x y n + * ✓ ✔ cr dr credit debit soll haben yes no ja nein si sí oui non true false"
_STATES = (
    "paid unpaid cancelled canceled void voided refunded reversed storno storniert bezahlt unbezahlt offen beglichen gutschrift "
    "annulé annulée payé payée impayé avoir pagado pagada anulado anulada pendiente pagato annullato betaald geannuleerd"
)
"""Words that say a state wherever they stand in a few words: `paid by cheque`."""
_FLAGS = "x y n ✓ ✔ yes no ja nein si sí oui non true false"
_MONEY = re.compile(
    r"(?P<before>[^\W\d_]{1,4}\.?|[^\w\s\d.,'()+-])?\s*[-+(]*\d[\d.,' ]*(?:e[+-]?\d+)?[-)]*\s*"
    r"(?P<behind>[^\W\d_]{1,4}\.?|[^\w\s])?(?:/[-=])?",
    re.IGNORECASE,
)
_DAY = re.compile(r"\d{1,4}[./ -]+(?:\d{1,2}|[^\W\d_]{3,9}\.?)[./ -]+\d{2,4}\b|[^\W\d_]{3,9}\.? \d{1,2}, \d{4}\b")
_PHONE = re.compile(r"\+?[\d ()/-]{6,}")
_ID = re.compile(r"(?=(?:.*\d){2})(?=[^\W\d_]|.*-)(?=.*[^\W\d_])[\w/.#:-]{5,}")
"""With two digits: a shorter one may stand for a type or a tax, such as V1; `120.5k` for an amount."""
_ABBREVIATION = re.compile(r"\w{1,3}\.?")
_DASH = re.compile(r"[-–—.]+")
"""May stand for zero."""
_WORDS = 4
"""A text of so many words is a sentence or an address."""


def refuse_what_may_matter(unused: Sequence[str], rows: Sequence[Row], fields: Collection[str]) -> None:
    """Raises `FileRefused` with every unused column that may change what a row means, and the options to pass them over."""
    found = {name: cell for name in unused if (cell := _first_that_matters(name, rows)) is not None}
    if not found:
        return
    named = ", ".join(f"{name!r} (line {cell.line}: {cell.text[:40]!r})" for name, cell in found.items())
    options = " ".join(f"--ignore-column={shlex.quote(name)}" for name in found)
    raise FileRefused(
        f"Not used, and may change what a row means: {named}. Say what each is with --column FIELD=NAME, where the fields are "
        f"{', '.join(fields)}; or pass over those that change nothing with: {options}"
    )


def _first_that_matters(name: str, rows: Sequence[Row]) -> Cell | None:
    allowed = _allowed(name)
    seen = set[str]()
    for row in rows:
        text = row.cells[name]
        if text in seen:
            continue
        seen.add(text)
        text = plain(text)
        says_nothing = is_nothing(text) and not _DASH.fullmatch(text)
        if not says_nothing and not _fits(text, allowed):
            return Cell(row.line, name, text)
    return None


def _allowed(name: str) -> frozenset[_Kind]:
    """What the cells of a column of that name may be; nothing, where the name alone is reason enough to ask."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).casefold()
    words = re.findall(r"[^\W\d_]+", spaced)
    is_unnumbered, is_plain = not re.search(r"\d", name), _PLAIN_SIGNS.fullmatch(name)
    if is_plain and is_unnumbered:
        for pattern, kinds in _NEVERTHELESS.items():
            if re.fullmatch(pattern, " ".join(words)):
                return kinds
    if any(_is_meaningful(word) for word in words):
        return frozenset()
    if not is_plain or not (is_unnumbered or set(words) <= set(_NUMBERED.split())):
        return _TEXT
    return _of_plain(words) if is_unnumbered else _of_plain(words) & _NAME


def _of_plain(words: Sequence[str]) -> frozenset[_Kind]:
    """What the words of a name allow together, while every one of them is plain."""
    of_each = [kinds for plain_words, kinds in _PLAIN.items() if not set(words).isdisjoint(plain_words.split())]
    if not of_each or not set(words) <= set(" ".join([*_PLAIN, _NEUTRAL]).split()):
        return _TEXT
    if "code" not in words:
        return frozenset().union(*of_each)
    if set(words).isdisjoint(_CODED.split()):
        return _PLAIN["code"]
    kinds = frozenset().union(*of_each)
    return kinds if _Kind.PLACE in kinds else kinds - {_Kind.SHORT}


def _is_meaningful(word: str) -> bool:
    return any(word == stem or (len(stem) > 3 and word.startswith(stem)) for stem in _MEANINGFUL.split())


def _fits(text: str, allowed: Collection[_Kind]) -> bool:
    kind = _kind(text)
    if kind is _Kind.SAYING and _Kind.FLAG in allowed and text.casefold() in _FLAGS.split():
        return True
    if kind is _Kind.SAYING and _Kind.PLACE in allowed and re.fullmatch(r"[A-Za-z]{2}", text):
        return True
    if kind is _Kind.MONEY and _Kind.PHONE in allowed and _PHONE.fullmatch(text):
        return True
    return kind in allowed


def _kind(text: str) -> _Kind:
    if len(text) > LONGEST:
        return _Kind.TEXT
    if _is_saying(text):
        return _Kind.SAYING
    if re.fullmatch(r"\d+", text):
        # Eight digits may be a day without separators; in a column of a plain name they are a number.
        return _Kind.SMALL if len(text) <= 4 else _Kind.NUMBER
    if re.fullmatch(r"[-−+]\d{1,4}", text):
        return _Kind.SIGNED
    if _DAY.match(text) and _is_day(text):
        return _Kind.DAY
    if _is_money(text):
        return _Kind.MONEY
    if "@" in text or "://" in text or _ID.fullmatch(text) or len(text.split()) >= _WORDS:
        return _Kind.TEXT
    return _Kind.SHORT if _ABBREVIATION.fullmatch(text) else _Kind.WORD


def _is_saying(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    if len(words) < _WORDS and not set(words).isdisjoint(_STATES.split()):
        return True
    return text.casefold() in _SAYING.split() or is_known(text) or is_name_of_any(text) or is_spreadsheet_error(text)


def _is_day(text: str) -> bool:
    return any(candidate.parse(text) for candidate in CANDIDATES)


def _is_money(text: str) -> bool:
    """Digits, with no more letters beside them than a currency or a sign has; or whatever is read as an amount."""
    try:
        take_apart(Cell(0, "", text), "", 2)
    except NoAmount:
        pass
    else:
        return True
    if (money := _MONEY.fullmatch(text)) is None:
        return False
    words = [word.rstrip(".") for word in money.groups() if word]
    return all(not word.isalpha() or word.casefold() in _SAYING.split() or is_name_of_any(word) for word in words)
