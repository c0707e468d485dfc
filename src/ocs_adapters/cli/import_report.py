"""What `ocs import` prints: how a file was read, what would come of it or came, and why rows were not taken."""

from collections.abc import Sequence

from ocs_adapters.cli import say
from ocs_adapters.files.takeover import Checked
from ocs_core.entities.configuration import Configuration
from ocs_core.ports import TakeOver
from ocs_core.usecases.take_over_receivables import Invoice, Problem, Receivables

SHOWN = 200
"""So many problems are printed."""
EXAMPLES = 10
"""So many rows does a dry run show."""


def made(take_over: TakeOver) -> tuple[int, ...]:
    return tuple(take_over.created.get(kind, 0) for kind in ("accounts", "documents", "payments"))


def warn_of(what: str, problems: Sequence[Problem]) -> None:
    for problem in problems[:SHOWN]:
        say.warn(f"line {problem.line}: {what}{problem.reason}")
    if len(problems) > SHOWN:
        say.warn(f"… and {len(problems) - SHOWN} more.")


def tell(read: Receivables, checked: Checked, examples: say.Table | None, json: bool) -> None:
    warn_of("", read.bad)
    warn_of("conflict: ", checked.conflicts)
    for line in _readings(read):
        say.warn(line)
    used = ", ".join(f"{field} = {column or 'none'}" for field, column in read.columns.of.items() if column)
    rows = [(kind, checked.new[kind], checked.unchanged[kind]) for kind in ("accounts", "documents", "payments")]
    kept = say.Table(["what", "new ", "unchanged "], rows, f"Columns: {used}; days as {read.date_format}")
    left = {"left out, issued later": checked.left_out}
    left |= {f"left out, {word}": times for word, times in sorted(read.out.items())}
    left |= {"bad rows": len(read.bad), "conflicts": len(checked.conflicts)}
    parts = {"kept": kept, "left": say.Record(list(left.items()))} | ({"rows": examples} if examples else {})
    say.several(json=json, columns=read.columns.of, **parts)


def examples_of(invoices: Sequence[Invoice], configuration: Configuration) -> say.Table:
    """The first rows as they were read."""
    rows = [
        (
            invoice.line,
            invoice.customer,
            invoice.number,
            "credit" if invoice.credit else "invoice",
            invoice.issued,
            invoice.due,
            say.money(invoice.amount, invoice.currency, configuration),
            say.money(invoice.paid, invoice.currency, configuration) if invoice.paid else None,
            invoice.settled,
        )
        for invoice in invoices[:EXAMPLES]
    ]
    columns = ["line ", "customer", "number", "kind", "issued", "due", "amount ", "paid ", "settled"]
    return say.Table(columns, rows, "The first rows, as they are read:")


def _readings(read: Receivables) -> list[str]:
    """How the file was understood, where somebody may want to know."""
    told = [f"Amounts are read with the decimal separator {read.amounts.decimal}."]
    if read.above:
        told.append(f"Passed over, above the header: lines {', '.join(map(str, read.above))}.")
    if read.columns.unused:
        told.append(f"Not used: {', '.join(read.columns.unused)}.")
    if undated := sum(bool(i.paid and not i.settled) for i in read.invoices):
        told.append(f"{undated} payments have no day: they count as received on the day of --as-of.")
    if credits := sum(i.credit for i in read.invoices):
        told.append(f"{credits} rows are credits.")
    return told
