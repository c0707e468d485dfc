"""A ledger of receivables in a file: one row per invoice, read into invoices."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from ocs_adapters.files.amounts import amount_of
from ocs_adapters.files.columns import choose
from ocs_adapters.files.dates import Dated, DateFormat, the_one_format
from ocs_adapters.files.table import Problem, Row, read_table
from ocs_core.errors import InvalidValue
from ocs_core.form import FormError, Text

DATES = ("issued", "due", "settled")
_KEY = Text(200, trimmed=True)
"""What a customer or an invoice is called; the ids that are made of it have a prefix."""


@attrs.frozen(kw_only=True)
class Invoice:
    """One good row; `amount` in millionths. `due` and `settled` are None where the row has none."""

    line: int
    customer: str
    number: str
    issued: dt.date
    due: dt.date | None
    amount: int
    settled: dt.date | None


@attrs.frozen(kw_only=True)
class Receivables:
    """A file as it was read: how it was understood, its invoices, and the rows that are none."""

    columns: Mapping[str, str | None]
    date_format: DateFormat
    invoices: tuple[Invoice, ...]
    bad: tuple[Problem, ...]


def read_receivables(
    path: Path,
    currency: str,
    *,
    columns: Mapping[str, str] | None = None,
    date_format: DateFormat | None = None,
    decimal_comma: bool = False,
    encoding: str = "utf-8",
) -> Receivables:
    """Read a ledger. `columns` names the column of a field where it is not to be guessed.

    Raises `FileRefused` where the file as a whole is in doubt; a row in doubt is a bad one, and the others go on.
    """
    table = read_table(path, encoding)
    chosen = choose(table.header, columns or {})
    date_format = date_format or the_one_format(_dates(table.rows, chosen))
    invoices: dict[str, Invoice] = {}
    bad = list(table.bad)
    for row in table.rows:
        cells = {field: row.cells[column] if column else "" for field, column in chosen.items()}
        reasons: list[str] = []
        invoice = _invoice(
            row.line, cells, date_format, lambda text: amount_of(text, currency, decimal_comma=decimal_comma), reasons
        )
        if invoice is not None and (earlier := invoices.setdefault(invoice.number, invoice)) is not invoice:
            reasons.append(f"the number {invoice.number} stands in line {earlier.line} already")
        if reasons:
            bad.append(Problem(row.line, "; ".join(reasons)))
    return Receivables(
        columns=chosen,
        date_format=date_format,
        invoices=tuple(invoices.values()),
        bad=tuple(sorted(bad, key=lambda problem: problem.line)),
    )


def _dates(rows: Sequence[Row], chosen: Mapping[str, str | None]) -> list[Dated]:
    columns = [(field, column) for field in DATES if (column := chosen[field])]
    return [Dated(row.line, field, row.cells[column]) for row in rows for field, column in columns if row.cells[column]]


def _invoice(
    line: int,
    cells: Mapping[str, str],
    date_format: DateFormat,
    amount_in: Callable[[str], int],
    reasons: list[str],
) -> Invoice | None:
    """The invoice of a row, or None and every reason why there is none."""
    days = {field: date_format.parse(cells[field]) if cells[field] else None for field in DATES}
    for field in ("customer", "number", "issued", "amount"):
        if not cells[field]:
            reasons.append(f"the {field} is missing")
    for field in ("customer", "number"):
        if cells[field]:
            _check_key(field, cells[field], reasons)
    for field, day in days.items():
        if cells[field] and day is None:
            reasons.append(f"the {field} day {cells[field][:40]!r} is not written as {date_format}")
    amount = _amount(cells["amount"], amount_in, reasons) if cells["amount"] else 0
    issued, settled = days["issued"], days["settled"]
    if issued and settled and settled < issued:
        reasons.append(f"it was settled on {settled}, before it was issued on {issued}")
    if reasons or issued is None:
        return None
    return Invoice(
        line=line,
        customer=cells["customer"],
        number=cells["number"],
        issued=issued,
        due=days["due"],
        amount=amount,
        settled=settled,
    )


def _check_key(field: str, text: str, reasons: list[str]) -> None:
    try:
        _KEY.check(text)
    except FormError as error:
        reasons.append(f"the {field}: {error.message}")


def _amount(text: str, amount_in: Callable[[str], int], reasons: list[str]) -> int:
    try:
        amount = amount_in(text)
    except InvalidValue as error:
        reasons.append(f"the amount: {error}")
        return 0
    if amount <= 0:
        reasons.append(f"the amount {text} is not above zero: an invoice's is")
    return amount
