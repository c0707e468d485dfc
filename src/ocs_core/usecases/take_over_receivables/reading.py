"""A ledger of receivables, read into invoices: by one reading of its days and one of its amounts that fit every row."""

import datetime as dt
import functools
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.errors import AmountOutOfRange
from ocs_core.frozen import frozen_mappings
from ocs_core.usecases.take_over_receivables.amounts import (
    AmountReading,
    NoAmount,
    Written,
    reading_of_amounts,
    take_apart,
)
from ocs_core.usecases.take_over_receivables.cells import is_no_day, wrong_with_id
from ocs_core.usecases.take_over_receivables.columns import SYNONYMS, Columns, choose
from ocs_core.usecases.take_over_receivables.currencies import codes_of, currency_of
from ocs_core.usecases.take_over_receivables.dates import DateFormat, reading_of_days
from ocs_core.usecases.take_over_receivables.gathering import Gathering
from ocs_core.usecases.take_over_receivables.invoices import SUMS, Invoice, Line, NoInvoice
from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, Problem, Row, Table, examples
from ocs_core.usecases.take_over_receivables.terms import Terms
from ocs_core.usecases.take_over_receivables.texts import IDS, Texts, name_of
from ocs_core.usecases.take_over_receivables.unused import refuse_what_may_matter
from ocs_core.usecases.take_over_receivables.words import Meaning, meanings_of

DAYS = ("issued", "due", "settled")
REQUIRED = (*IDS, "issued")


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Receivables:
    """A file as it was read: how it was understood, its invoices, the rows that are none, and those that are left out."""

    columns: Columns
    date_format: DateFormat
    amounts: AmountReading
    invoices: tuple[Invoice, ...]
    bad: tuple[Problem, ...]
    out: Mapping[str, int]
    """How many rows are left out, by the word that says so."""
    above: tuple[int, ...] = ()


def read_receivables(table: Table, terms: Terms, configuration: Configuration) -> Receivables:
    """Read a ledger. Raises `FileRefused` where the file as a whole is in doubt; a row in doubt is a bad one."""
    return _Reading(table, terms, configuration)()


@attrs.define(slots=False)
class _Reading:
    """Everything that is known of one file, as far as it is read."""

    table: Table
    terms: Terms
    configuration: Configuration
    columns: Columns = attrs.field(init=False)
    texts: Texts = attrs.field(init=False)
    reasons: dict[int, list[str]] = attrs.field(factory=lambda: defaultdict(list), init=False)
    """Per line what is wrong with it."""

    @columns.default
    def _choose(self) -> Columns:
        columns = choose(self.table.header, self.terms.columns, self.terms.ignored)
        refuse_what_may_matter(columns.unused, self.table.rows, SYNONYMS)
        return columns

    @texts.default
    def _read_texts(self) -> Texts:
        return Texts(self.table, self.columns)

    def __call__(self) -> Receivables:
        told = DateFormat.given(self.terms.date_format) if self.terms.date_format else None
        self.reasons.update({row.line: self.texts.wrong_with(row) for row in self.table.rows})
        legible = [row for row in self.table.rows if not self.reasons[row.line]]
        words = {
            "status": self._words(legible, "status", self.terms.statuses),
            "type": self._words(legible, "type", self.terms.types),
        }
        out = self._out(legible, words)
        taken = [row for row in legible if row.line not in out]
        self._ask_what_signs_mean(taken)
        days = reading_of_days(self.texts.cells(taken, DAYS, is_no_day), told)
        written = self._written(taken)
        amounts = reading_of_amounts(list(written.values()), self.terms.decimal_separator, self.terms.decimal_places)
        lines = [self._line(row, words, days, written, amounts) for row in taken]
        gathered = Gathering(
            terms=self.terms,
            configuration=self.configuration,
            reasons=self.reasons,
            standing=self.texts.standing(in_several_rows=self.terms.add_up),
            out=out,
        )
        invoices = gathered([line for line in lines if line is not None])
        bad = [Problem(line, "; ".join(reasons)) for line, reasons in self.reasons.items() if reasons]
        return Receivables(
            columns=self.columns,
            date_format=days,
            amounts=amounts,
            invoices=tuple(sorted(invoices, key=lambda invoice: invoice.line)),
            bad=tuple(sorted([*self.table.bad, *bad], key=lambda problem: problem.line)),
            out=Counter(out.values()),
            above=self.table.above,
        )

    def _words(self, rows: Sequence[Row], field: str, told: Mapping[str, Meaning]) -> dict[str, Meaning]:
        if told and not self.columns.of[field]:
            raise FileRefused(
                f"--{field} is given, and there is no column of the {field}; name it with --column {field}=NAME."
            )
        return meanings_of(field, self.texts.cells(rows, (field,)), told)

    def _out(self, rows: Sequence[Row], words: Mapping[str, Mapping[str, Meaning]]) -> dict[int, str]:
        """The lines that are left out, and the word that says so."""
        out = {}
        for row in rows:
            said = [text for field in words if words[field].get(text := self.texts.of(row)[field]) is Meaning.OUT]
            if said:
                out[row.line] = said[0]
        return out

    def _ask_what_signs_mean(self, rows: Sequence[Row]) -> None:
        """Raises `FileRefused` with the signs that several currencies share."""
        if self.terms.signs and not self.columns.of["currency"]:
            raise FileRefused(
                "--currency-sign is given, and there is no column of the currency; name it with --column currency=NAME."
            )
        cells = self.texts.cells(rows, ("currency",))
        unknown = [c for c in cells if currency_of(c.text, self.terms.currency, self.terms.signs) is None]
        if unknown:
            first = list({cell.text: cell for cell in unknown}.values())
            flags = " ".join(f"--currency-sign '{cell.text}={codes_of(cell.text)[0]}'" for cell in first)
            raise FileRefused(
                f"Several currencies have this sign: {examples(first)}; say which is meant, such as with {flags}."
            )

    def _currency(self, row: Row) -> str:
        text = self.texts.of(row)["currency"]
        named = currency_of(text, self.terms.currency, self.terms.signs) if text else self.terms.currency
        if named is None:
            if self.columns.of["currency"] is None:
                raise FileRefused("What are the amounts in? No column says it; give --currency, such as EUR.")
            raise NoInvoice("the currency is missing")
        if self.terms.currency not in {None, named}:
            raise NoInvoice(
                f"the row is in {named}, not in {self.terms.currency}; leave --currency out to take each row in its own"
            )
        if named not in self.configuration.currencies:
            raise NoInvoice(f"the currency {named} is not configured")
        if other := next((column for code, column in self._named_currencies if code != named), None):
            raise NoInvoice(f"the row is in {named}, and by its name the column {other!r} is not")
        return named

    @functools.cached_property
    def _named_currencies(self) -> list[tuple[str, str]]:
        """What the names of columns say of the currency that their amounts are in: `Amount (USD)`."""
        columns = [column for field in SUMS if (column := self.columns.of[field])]
        words = [(word, column) for column in columns for word in re.findall(r"[^\W\d_]+", column)]
        return [(word, column) for word, column in words if word in self.configuration.currencies]

    def _written(self, rows: Sequence[Row]) -> dict[Cell, Written]:
        """Every amount that is one, in whatever way it is written."""
        found: dict[Cell, Written] = {}
        for row in rows:
            cells = self.texts.cells([row], SUMS)
            try:
                currency = self._currency(row)
            except NoInvoice as reason:
                self.reasons[row.line].append(str(reason))
                continue
            configured = self.configuration.currencies[currency]
            for cell in cells:
                try:
                    found[cell] = take_apart(cell, currency, configured.minor_digits, configured.symbol)
                except NoAmount as reason:
                    self.reasons[row.line].append(f"the {name_of(cell.field)}: {reason}")
        return found

    def _line(
        self,
        row: Row,
        words: Mapping[str, Mapping[str, Meaning]],
        days: DateFormat,
        written: Mapping[Cell, Written],
        reading: AmountReading,
    ) -> Line | None:
        reasons = self.reasons[row.line]
        cells = self.texts.of(row)
        required = REQUIRED if cells["net"] and cells["tax"] else (*REQUIRED, "amount")
        reasons += [f"the {field} is missing" for field in required if not cells[field]]
        for field in IDS:
            if cells[field] and (wrong := wrong_with_id(cells[field])):
                reasons.append(f"the {field}: {wrong}")
        type_ = words["type"].get(cells["type"])
        if type_ is not Meaning.CREDIT and (silent := self._silent_on_what_is_open(cells)) is not None:
            reasons.append(silent)
        total = written.get(Cell(row.line, "amount", cells["amount"]))
        if type_ is Meaning.CREDIT and total is not None and total.is_debit:
            reasons.append(f"its type is a credit, and its amount {total.cell.text!r} is a debit")
        found_days = {field: self._day(cells[field], field, days, reasons) for field in DAYS}
        amounts = {
            field: self._amount(written[cell], reading, reasons)
            for field in SUMS
            if (cell := Cell(row.line, field, cells[field])) in written
        }
        issued = found_days["issued"]
        if reasons or issued is None:
            return None
        return Line(
            line=row.line,
            customer=cells["customer"],
            number=cells["number"],
            currency=self._currency(row),
            issued=issued,
            due=found_days["due"],
            settled=found_days["settled"],
            status=words["status"].get(cells["status"]),
            type=type_,
            **amounts,
        )

    def _silent_on_what_is_open(self, cells: Mapping[str, str]) -> str | None:
        """A file that says of each row what is open of it, and of this one nothing: a dash may stand for zero."""
        saying = [field for field in ("outstanding", "status") if self.columns.of[field]]
        if not saying or any(cells[field] for field in (*saying, "paid", "settled")):
            return None
        empty = " and the ".join(map(name_of, saying))
        return f"nothing says what is open of it: the {empty} is empty; write 0 where nothing is open"

    def _day(self, text: str, field: str, days: DateFormat, reasons: list[str]) -> dt.date | None:
        if is_no_day(text):
            return None
        day = days.parse(text)
        if day is None:
            reasons.append(f"the {field} day {text[:40]!r} is not written as {days}")
        return day

    def _amount(self, written: Written, reading: AmountReading, reasons: list[str]) -> int | None:
        name = name_of(written.cell.field)
        if written.cell in reading.doubtful:
            reasons.append(
                f"the {name} {written.cell.text!r} may be of thousands: {written.currency} has no three places"
            )
            return None
        try:
            return written.value(reading.decimal)
        except (NoAmount, AmountOutOfRange) as reason:
            reasons.append(f"the {name}: {reason}")
            return None
