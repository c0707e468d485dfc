"""How a file writes its amounts: by the one decimal separator that fits all of them, exact, never by a guess per row."""

import re
from collections.abc import Mapping, Sequence

import attrs

from ocs_core.errors import AmountOutOfRange
from ocs_core.money import MILLIONTHS, format_amount, within_range
from ocs_core.usecases.take_over_receivables.currencies import is_name_of
from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, examples

SEPARATORS = (".", ",")
_OTHER = {".": ",", ",": "."}
_DASHES = str.maketrans({"−": "-", "–": "-", "—": "-", "‒": "-", "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'"})
_GROUPED = {g: re.compile(rf"[1-9]\d{{0,2}}(?:{re.escape(g)}\d{{3}})+", re.ASCII) for g in (".", ",", " ", "'")}
_LAKHS = re.compile(r"[1-9]\d?(?:,\d\d)+,\d{3}", re.ASCII)
_WHOLE = re.compile(r"\d{1,40}", re.ASCII)
_THREE = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_NO_CENTS = re.compile(r"([\d.,' ]*\d)([.,])-{1,2}", re.ASCII)
_BEFORE, _BEHIND = re.compile(r"[^\d\s.,'()+-]+\.?"), re.compile(r"[^\d\s.,'()+-]+\.?$")
_CREDIT, _DEBIT = frozenset({"cr", "credit"}), frozenset({"dr", "debit"})


class NoAmount(ValueError):
    """A text is no amount, whatever the separator; the message says why."""


@attrs.frozen
class Written:
    """An amount as a cell has it, taken apart: the digits with their separators, and whether it is below zero."""

    cell: Cell
    currency: str
    minor_digits: int
    body: str
    negative: bool
    is_debit: bool = False
    """Whether a word beside it says so."""

    def parts(self, decimal: str) -> tuple[str, str] | None:
        """Whole units and fraction by that decimal separator; None where it does not fit."""
        whole, separator, fraction = self.body.partition(decimal)
        if separator and not _WHOLE.fullmatch(fraction):
            return None
        if not whole and fraction:
            return "0", fraction
        for group in (_OTHER[decimal], " ", "'"):
            if _GROUPED[group].fullmatch(whole) or (group == "," and _LAKHS.fullmatch(whole)):
                return whole.replace(group, ""), fraction
        return (whole, fraction) if _WHOLE.fullmatch(whole) else None

    def value(self, decimal: str) -> int:
        """Millionths. Raises `NoAmount`, and `AmountOutOfRange`."""
        parts = self.parts(decimal)
        fraction = parts[1].rstrip("0") if parts else ""
        if parts is None or len(fraction) > 6:
            raise NoAmount(f"{self.cell.text[:40]!r} is not an amount such as {example(decimal)}")
        amount = within_range(int(parts[0]) * MILLIONTHS + int(fraction.ljust(6, "0")))
        return -amount if self.negative else amount

    @property
    def decides_nothing(self) -> bool:
        """One separator before exactly three digits: of thousands, or of a fraction."""
        return _THREE.fullmatch(self.body) is not None

    def is_three_places(self, decimal: str) -> bool:
        return self.decides_nothing and decimal in self.body

    def fits(self, decimal: str) -> bool:
        parts = self.parts(decimal)
        if parts is None:
            return False
        # A currency without minor units has no fraction that is not zero.
        return not (self.minor_digits == 0 and self.is_three_places(decimal) and int(parts[1]))

    def shown(self, decimal: str) -> str:
        try:
            return format_amount(self.value(decimal), self.currency, self.minor_digits)
        except (NoAmount, AmountOutOfRange):
            return "no amount"


def example(decimal: str) -> str:
    return "1234,90 or 1.234,90" if decimal == "," else "1234.90 or 1,234.90"


def take_apart(cell: Cell, currency: str, minor_digits: int, symbol: str | None = None) -> Written:
    """An amount without its sign and its currency. Raises `NoAmount`, also where there is more than one sign: nobody can tell
    whether two of them are one, or take each other back."""
    rest, signs, below, is_debit = cell.text.translate(_DASHES).strip(), 0, 0, False
    while rest:
        before, behind = _BEFORE.match(rest), _BEHIND.search(rest)
        if rest[0] == "(" and rest[-1] == ")":
            rest, signs, below = rest[1:-1], signs + 1, 1
        elif rest[0] in "+-":
            rest, signs, below = rest[1:], signs + 1, below + (rest[0] == "-")
        elif rest.endswith(("/-", "/=")):
            rest = rest[:-2]
        elif no_cents := _NO_CENTS.fullmatch(rest):
            rest = f"{no_cents[1]}{no_cents[2]}00"
        elif rest[-1] in "+-":
            rest, signs, below = rest[:-1], signs + 1, below + (rest[-1] == "-")
        elif found := before or behind:
            below += _word(found[0], currency, symbol)
            signs += _name(found[0]) in _CREDIT | _DEBIT
            is_debit = is_debit or _name(found[0]) in _DEBIT
            rest = rest[: found.start()] + rest[found.end() :]
        else:
            break
        rest = rest.strip()
    written = Written(cell, currency, minor_digits, rest, below > 0, is_debit)
    if signs > 1 or not any(written.parts(d) for d in SEPARATORS):
        raise NoAmount(f"{cell.text[:40]!r} is not an amount such as {example('.')}")
    return written


def _word(word: str, currency: str, symbol: str | None) -> int:
    """How much a word beside an amount puts it below zero."""
    name = _name(word)
    if name in _CREDIT:
        return 1
    if name not in _DEBIT and not is_name_of(word, currency) and word != symbol:
        raise NoAmount(f"{word!r} stands beside an amount in {currency}")
    return 0


def _name(word: str) -> str:
    return word.rstrip(".").casefold()


@attrs.frozen
class AmountReading:
    """The decimal separator of a file, and the rows whose three digits behind it no other row explains."""

    decimal: str
    doubtful: frozenset[Cell] = frozenset()


def reading_of_amounts(amounts: Sequence[Written], told: str | None = None, places: int | None = None) -> AmountReading:
    """The one decimal separator that fits every row. A separator before exactly three digits decides nothing.

    `places`: how many digits there may be behind it, where they may be more than the currency has. Raises `FileRefused` where
    none or both separators fit, or where the one that was told does not, naming the rows.
    """
    misfits = {d: [w for w in amounts if not w.fits(d)] for d in SEPARATORS}
    doubtful = {d: _doubtful(amounts, d, places) for d in SEPARATORS}
    decimal = told or _the_one_that_fits(amounts, misfits, doubtful, places)
    proven = any(w.fits(decimal) and not w.fits(_OTHER[decimal]) and decimal in w.body for w in amounts)
    if wrong := misfits[decimal] or ([] if proven else doubtful[decimal]):
        raise FileRefused(_does_not_fit(decimal, wrong, other_fits=not misfits[_OTHER[decimal]]))
    _check_places(amounts, decimal, places)
    return AmountReading(decimal, frozenset(w.cell for w in doubtful[decimal]))


def _the_one_that_fits(
    amounts: Sequence[Written],
    misfits: Mapping[str, list[Written]],
    doubtful: Mapping[str, list[Written]],
    places: int | None,
) -> str:
    fitting = [d for d in SEPARATORS if not misfits[d]]
    if not fitting:
        points, commas = misfits[","][0], misfits["."][0]
        raise FileRefused(
            f"No one reading of amounts fits every row: {points.cell} has a decimal point, {commas.cell} a decimal comma. "
            "Write all amounts in one way."
        )
    undecided = [w for w in amounts if w.decides_nothing]
    if len(fitting) == 2 and undecided:
        of_thousands = [d for d in SEPARATORS if not any(w.minor_digits or w.is_three_places(d) for w in undecided)]
        if places is None and of_thousands:
            return of_thousands[0]
        readings = "; ".join(_way_to(d, undecided[0], bool(doubtful[d])) for d in SEPARATORS)
        raise FileRefused(
            f"More than one reading of amounts fits every row, such as {undecided[0].cell}; say which: {readings}."
        )
    return fitting[0]


def _doubtful(amounts: Sequence[Written], decimal: str, places: int | None) -> list[Written]:
    """Amounts whose three digits would be more places than the currency has, where no other row shows that the file does so."""
    shown = any(
        (parts := w.parts(decimal)) and len(parts[1]) == 3 and not w.fits(_OTHER[decimal]) and not w.decides_nothing
        for w in amounts
    )
    if shown or (places or 0) >= 3:
        return []
    return [w for w in amounts if w.minor_digits < 3 and w.is_three_places(decimal) and w.fits(decimal)]


def _check_places(amounts: Sequence[Written], decimal: str, places: int | None) -> None:
    wrong = [w.cell for w in amounts if (parts := w.parts(decimal)) and places is not None and len(parts[1]) > places]
    if wrong:
        raise FileRefused(f"--decimal-places {places} does not fit every row: not {examples(wrong)}.")


def _does_not_fit(decimal: str, wrong: Sequence[Written], *, other_fits: bool) -> str:
    first = wrong[0]
    ways = [_way_to(decimal, first, True)] if first.fits(decimal) else []
    if other_fits:
        ways.append(_way_to(_OTHER[decimal], first, False))
    return (
        f"--decimal-separator {decimal} does not fit every row: not {examples([w.cell for w in wrong])}"
        f"{'; ' + ', '.join(ways) if ways else ''}."
    )


def _way_to(decimal: str, written: Written, with_places: bool) -> str:
    more = " --decimal-places 3" if with_places and written.is_three_places(decimal) else ""
    return f"--decimal-separator '{decimal}'{more} reads {written.body} as {written.shown(decimal)}"
