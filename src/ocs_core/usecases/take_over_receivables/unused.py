"""Columns that no field uses: passed over in silence only where they can change nothing; all others are asked about.

A column is harmless where all its cells are empty, or are texts that can say nothing of a row (an e-mail address, a sentence, an
id such as `PO-4711`), or where its name says something plain and no cell denies it. A name that nobody knows, over numbers, days
or single words, may be a tax, a state or a sign in any language.
"""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from enum import Enum, auto

from ocs_core.usecases.take_over_receivables.cells import LONGEST, is_nothing, is_spreadsheet_error, plain
from ocs_core.usecases.take_over_receivables.currencies import is_name_of_any
from ocs_core.usecases.take_over_receivables.dates import CANDIDATES
from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, Row
from ocs_core.usecases.take_over_receivables.words import is_known


class _Kind(Enum):
    """What a cell can be. SAYING: a currency, debit or credit, yes or no, a state, a type. TEXT says nothing of the row."""

    SAYING = auto()
    MONEY = auto()
    NUMBER = auto()
    DAY = auto()
    WORD = auto()
    TEXT = auto()


_HARMLESS = frozenset({_Kind.WORD, _Kind.TEXT})
_PLAIN: Mapping[_Kind, str] = {
    _Kind.TEXT: "customer client debtor name names firstname lastname surname company organisation organization address street "
    "addr city town attention attn note notes comment comments remark remarks description desc memo subject title text email "
    "mail website url link contact salesperson salesrep rep agent manager owner user creator author unit",
    _Kind.NUMBER: "id no nr num number code ref reference account po project department branch location site warehouse product "
    "item sku article zip zipcode postcode postal phone telephone tel mobile fax days age quantity qty hours weeks months limit "
    "terms version copies pages lines period country",
    _Kind.MONEY: "days age quantity qty hours weeks months limit terms",
    _Kind.SAYING: "country region province county language locale disputed paperless printed emailed",
    _Kind.DAY: "created modified updated order ordered delivery delivered shipped printed exported paperless period",
}
"""Words in a name by which a column is a plain one, by what its cells may be beside words."""
_MEANINGFUL = (
    "currenc ccy money status state type class categor kind sign dr cr soll haben paid prepaid unpaid payment receiv receipt "
    "collect balance outstanding open owing owed remain due tax vat gst hst pst cgst sgst igst tds iva tva mwst ust net gross "
    "amount total value sum price cost fee fees charge freight credit debit discount rebate deduct cancel void draft delet "
    "revers refund write writeoff written exchange rate deposit retention withh alloc appl settled clear storn original "
    "relat correct replac adjust close gutschr bezahl beglich saldo offen avoir abono"
)
"""Words by which a column is none, whatever else is in its name; those of four letters and more are beginnings of words."""
_NEVERTHELESS = re.compile(
    r"(?:vat|tax|gst|iva|tva) (?:id|no|nr|num|number|reg\w*)(?: \w+)?|credit limit|payment (?:terms?|method)"
)
_SAYING = "c d s h x y n + * ✓ ✔ cr dr credit debit soll haben yes no ja nein si sí oui non true false"
_STATES = (
    "paid unpaid cancelled canceled void voided refunded reversed storno storniert bezahlt unbezahlt offen beglichen gutschrift "
    "annulé annulée payé payée impayé avoir pagado pagada anulado anulada pendiente pagato annullato betaald geannuleerd"
)
"""Words that say a state wherever they stand in a few words: `paid by cheque`."""
_MONEY = re.compile(
    r"(?P<before>[^\W\d_]{1,4}\.?|[^\w\s\d.,'()+-])?\s*[-+(]*\d[\d.,' ]*[-)]*\s*(?P<behind>[^\W\d_]{1,4}\.?|[^\w\s])?"
)
_DAY = re.compile(r"\d{1,4}[./ -]+(?:\d{1,2}|[^\W\d_]{3,9}\.?)[./ -]+\d{2,4}\b|[^\W\d_]{3,9}\.? \d{1,2}, \d{4}\b")
_ID = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w/.#:-]+")
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
        if not says_nothing and (not allowed or _kind(text) not in allowed):
            return Cell(row.line, name, text)
    return None


def _allowed(name: str) -> frozenset[_Kind]:
    """What the cells of a column of that name may be; nothing, where the name alone is reason enough to ask."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).casefold()
    words = re.findall(r"[^\W\d_]+", spaced)
    if _NEVERTHELESS.fullmatch(" ".join(words)):
        return _HARMLESS | {_Kind.NUMBER, _Kind.MONEY}
    if any(_is_meaningful(word) for word in words):
        return frozenset()
    kinds = {kind for kind, plain_words in _PLAIN.items() if not set(words).isdisjoint(plain_words.split())}
    return _HARMLESS | kinds if kinds else frozenset({_Kind.TEXT})


def _is_meaningful(word: str) -> bool:
    return any(word == stem or (len(stem) > 3 and word.startswith(stem)) for stem in _MEANINGFUL.split())


def _kind(text: str) -> _Kind:
    if len(text) > LONGEST:
        return _Kind.TEXT
    words = re.findall(r"[^\W\d_]+", text.casefold())
    if len(words) < _WORDS and not set(words).isdisjoint(_STATES.split()):
        return _Kind.SAYING
    if text.casefold() in _SAYING.split() or is_known(text) or is_name_of_any(text) or is_spreadsheet_error(text):
        return _Kind.SAYING
    if re.fullmatch(r"\d+", text):
        # Eight digits may be a day without separators; in a column of a plain name they are a number.
        return _Kind.NUMBER
    if _DAY.match(text) and _is_day(text):
        return _Kind.DAY
    if _is_money(text):
        return _Kind.MONEY
    if "@" in text or "://" in text or _ID.fullmatch(text) or len(text.split()) >= _WORDS:
        return _Kind.TEXT
    return _Kind.WORD


def _is_day(text: str) -> bool:
    return any(candidate.parse(text) for candidate in CANDIDATES)


def _is_money(text: str) -> bool:
    """Digits, with no more letters beside them than a currency or a sign has."""
    if (money := _MONEY.fullmatch(text)) is None:
        return False
    words = [word.rstrip(".") for word in money.groups() if word]
    return all(not word.isalpha() or word.casefold() in _SAYING.split() or is_name_of_any(word) for word in words)
