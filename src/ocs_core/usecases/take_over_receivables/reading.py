"""A ledger of receivables, read into invoices: by one reading of its days and one of its amounts that fit every row."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

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
from ocs_core.usecases.take_over_receivables.cells import is_no_day, is_nothing, plain, wrong_with_id
from ocs_core.usecases.take_over_receivables.columns import Columns, choose
from ocs_core.usecases.take_over_receivables.currencies import currency_of
from ocs_core.usecases.take_over_receivables.dates import DateFormat, reading_of_days
from ocs_core.usecases.take_over_receivables.invoices import Invoice, Line, NoInvoice, added_up, invoice_of
from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, Problem, Row, Table
from ocs_core.usecases.take_over_receivables.terms import Terms
from ocs_core.usecases.take_over_receivables.words import Meaning, meanings_of

DAYS = ("issued", "due", "settled")
AMOUNTS = ("amount", "net", "tax", "paid", "outstanding")
REQUIRED = ("customer", "number", "issued")


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


@attrs.define
class _Reading:
    """Everything that is known of one file, as far as it is read."""

    table: Table
    terms: Terms
    configuration: Configuration
    columns: Columns = attrs.field(init=False)
    reasons: dict[int, list[str]] = attrs.field(factory=lambda: defaultdict(list), init=False)
    """Per line what is wrong with it."""

    @columns.default
    def _choose(self) -> Columns:
        return choose(self.table.header, self.terms.columns, self.terms.ignored)

    def __call__(self) -> Receivables:
        told = DateFormat.given(self.terms.date_format) if self.terms.date_format else None
        words = {
            "status": self._words("status", self.terms.statuses),
            "type": self._words("type", self.terms.types),
        }
        taken, out = self._without_what_is_out(words)
        days = reading_of_days(self._cells(taken, DAYS, is_no_day), told)
        written = self._written(taken)
        amounts = reading_of_amounts(list(written.values()), self.terms.decimal_separator, self.terms.decimal_places)
        lines = [self._line(row, words, days, written, amounts) for row in taken]
        invoices = self._invoices([line for line in lines if line is not None])
        bad = [Problem(line, "; ".join(reasons)) for line, reasons in self.reasons.items() if reasons]
        return Receivables(
            columns=self.columns,
            date_format=days,
            amounts=amounts,
            invoices=tuple(sorted(invoices, key=lambda invoice: invoice.line)),
            bad=tuple(sorted([*self.table.bad, *bad], key=lambda problem: problem.line)),
            out=out,
            above=self.table.above,
        )

    def _cell(self, row: Row, field: str) -> str:
        column = self.columns.of[field]
        text = plain(row.cells[column]) if column else ""
        return "" if is_nothing(text) else text

    def _cells(self, rows: Sequence[Row], fields: Sequence[str], is_empty: Callable[[str], bool]) -> list[Cell]:
        return [
            Cell(row.line, field, text)
            for row in rows
            for field in fields
            if not is_empty(text := self._cell(row, field))
        ]

    def _words(self, field: str, told: Mapping[str, Meaning]) -> dict[str, Meaning]:
        if told and not self.columns.of[field]:
            raise FileRefused(
                f"--{field} is given, and there is no column of the {field}; name it with --column {field}=NAME."
            )
        return meanings_of(field, self._cells(self.table.rows, (field,), is_nothing), told)

    def _without_what_is_out(self, words: Mapping[str, Mapping[str, Meaning]]) -> tuple[list[Row], Counter[str]]:
        taken, out = [], Counter[str]()
        for row in self.table.rows:
            said = [text for field in words if words[field].get(text := self._cell(row, field)) is Meaning.OUT]
            if said:
                out[said[0]] += 1
            else:
                taken.append(row)
        return taken, out

    def _currency(self, row: Row) -> str:
        text = self._cell(row, "currency")
        named = currency_of(text) if text else self.terms.currency
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
        return named

    def _written(self, rows: Sequence[Row]) -> dict[Cell, Written]:
        """Every amount that is one, in whatever way it is written."""
        found: dict[Cell, Written] = {}
        for row in rows:
            cells = self._cells([row], AMOUNTS, is_nothing)
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
                    self.reasons[row.line].append(f"the {_name(cell.field)}: {reason}")
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
        cells = {field: self._cell(row, field) for field in self.columns.of}
        required = REQUIRED if cells["net"] and cells["tax"] else (*REQUIRED, "amount")
        reasons += [f"the {field} is missing" for field in required if not cells[field]]
        for field in ("customer", "number"):
            if cells[field] and (wrong := wrong_with_id(cells[field])):
                reasons.append(f"the {field}: {wrong}")
        type_ = words["type"].get(cells["type"])
        if type_ is not Meaning.CREDIT and (silent := self._silent_on_what_is_open(cells)) is not None:
            reasons.append(silent)
        found_days = {field: self._day(cells[field], field, days, reasons) for field in DAYS}
        amounts = {
            field: self._amount(written[cell], reading, reasons)
            for field in AMOUNTS
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
        empty = " and the ".join(map(_name, saying))
        return f"nothing says what is open of it: the {empty} is empty; write 0 where nothing is open"

    def _day(self, text: str, field: str, days: DateFormat, reasons: list[str]) -> dt.date | None:
        if is_no_day(text):
            return None
        day = days.parse(text)
        if day is None:
            reasons.append(f"the {field} day {text[:40]!r} is not written as {days}")
        return day

    def _amount(self, written: Written, reading: AmountReading, reasons: list[str]) -> int | None:
        name = _name(written.cell.field)
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

    def _invoices(self, lines: Sequence[Line]) -> list[Invoice]:
        invoices = []
        by_number: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_number[line.number].append(line)
        numbers = Counter(plain_number for row in self.table.rows if (plain_number := self._cell(row, "number")))
        for number, same in by_number.items():
            try:
                invoices.append(
                    invoice_of(self._one(number, same, numbers[number]), self.configuration, self.terms.as_of)
                )
            except NoInvoice as reason:
                for line in same:
                    self.reasons[line.line].append(str(reason))
        self._check_signs(lines)
        self._check_currencies(lines)
        return [i for i in invoices if not any(self.reasons[line.line] for line in by_number[i.number])]

    def _one(self, number: str, same: Sequence[Line], times: int) -> Line:
        if times == 1:
            return same[0]
        if not self.terms.add_up:
            where = ", ".join(str(line.line) for line in same[:5])
            raise NoInvoice(
                f"the number {number} stands in {times} rows (lines {where}{' …' if len(same) > 5 else ''}); "
                "if they are the lines of one invoice, --add-up adds them up"
            )
        if len(same) != times:
            raise NoInvoice(f"another row of number {number} cannot be taken over")
        return added_up(same)

    def _check_signs(self, lines: Sequence[Line]) -> None:
        """Credits are written above zero or below it, the same in all rows."""
        credits = [line for line in lines if line.type is Meaning.CREDIT and line.amount]
        below, above = ([c for c in credits if ((c.amount or 0) < 0) is is_below] for is_below in (True, False))
        if below and above:
            for credit in credits:
                self.reasons[credit.line].append(
                    f"credits stand above zero (line {above[0].line}) and below zero (line {below[0].line})"
                )

    def _check_currencies(self, lines: Sequence[Line]) -> None:
        """An account has one currency."""
        by_customer: dict[str, set[str]] = defaultdict(set)
        for line in lines:
            by_customer[line.customer].add(line.currency)
        for line in lines:
            if len(by_customer[line.customer]) > 1:
                several = " and ".join(sorted(by_customer[line.customer]))
                self.reasons[line.line].append(
                    f"the customer {line.customer} has rows in {several}: an account has one"
                )


def _name(field: str) -> str:
    return {"paid": "amount paid", "outstanding": "outstanding amount", "net": "net amount"}.get(field, field)
