"""What commands print: results to standard output, progress to standard error."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ocs_core.entities.configuration import Configuration
from ocs_core.money import format_amount

WIDE = 250
"""Columns of output that goes to a file or a program, where nothing is to be cut."""


def console(*, error: bool = False) -> Console:
    found = Console(stderr=error, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = WIDE
    return found


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
    """Print a table; columns whose name ends with a blank are numbers."""
    if title:
        console().print(Text(title), soft_wrap=True)
    shown = Table(box=None, pad_edge=False, header_style="bold", show_header=any(name.strip() for name in columns))
    for name in columns:
        shown.add_column(Text(name.strip()), justify="right" if name.endswith(" ") else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    target = console()
    # No id, day or amount is broken in two: where a terminal is too narrow, it wraps the line itself.
    target.width = max(target.width, Measurement.get(target, target.options.update(width=WIDE), shown).minimum)
    target.print(shown)


def progress(*, auto_refresh: bool = True) -> Progress:
    """A progress bar on standard error, which a thread of its own keeps fresh unless that is said to be done by hand."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console(error=True),
        auto_refresh=auto_refresh,
    )


def warn(message: str) -> None:
    """Print a sentence to standard error."""
    console(error=True).print(message, soft_wrap=True)


def money(amount: int, currency: str, configuration: Configuration) -> str:
    """Millionths as `49.90 EUR`, as fine as the currency is; totals of many payers may be beyond 64 bits."""
    known = configuration.currencies.get(currency)
    return format_amount(amount, currency, known.minor_digits if known else 2)
