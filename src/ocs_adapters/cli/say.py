"""What commands print: results to standard output, progress and warnings to standard error.

A table fits any width: where it is too wide for the terminal, each row is shown as a list of its fields. Ids, days and amounts
are never broken, words never cut, and what others wrote cannot command the terminal. With `--json`, the same rows are printed
as JSON.
"""

import json as json_
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import attrs
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from ocs_adapters.cli.cells import Amount, as_json, as_text, is_prose, money, shown

__all__ = [
    "Amount",
    "Record",
    "Table",
    "agreed",
    "console",
    "money",
    "print_json",
    "progress",
    "record",
    "several",
    "table",
    "warn",
]

WIDE = 1_000_000
"""Columns of output that goes to a file or a program: each row is one line."""
PROSE = 24
"""Columns that sentences have at the least; with fewer, each row is a list."""


@attrs.frozen
class Table:
    """Rows under headings; a heading that ends with a blank is that of numbers. In JSON, an array of objects whose fields are
    named as the headings are: `"as of"` is `asOf`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str | None = None
    none: str = "(none)"
    """What is printed where there are no rows."""

    @property
    def plain(self) -> list[dict[str, Any]]:
        names = [_field(name) for name in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def show(self, target: Console) -> None:
        _show_title(self.title, target)
        if not self.rows:
            if self.none:
                target.print(self.none)
            return
        grid = self._grid()
        if Measurement.get(target, target.options.update(width=WIDE), grid).minimum <= target.width:
            _print_grid(grid, target)
        else:
            self._show_lists(target)

    def _grid(self) -> Grid:
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for number, name in enumerate(self.columns):
            cells = [row[number] for row in self.rows]
            prose = any(is_prose(cell) for cell in cells)
            longest = max(cell_len(as_text(cell)) for cell in cells)
            width = min(PROSE, longest) if prose else longest
            justify: Any = "right" if name.endswith(" ") else "left"
            grid.add_column(Text(name.strip()), justify=justify, overflow="fold", no_wrap=not prose, min_width=width)
        for row in self.rows:
            grid.add_row(*(Text(as_text(cell)) for cell in row))
        return grid

    def _show_lists(self, target: Console) -> None:
        for number, row in enumerate(self.rows):
            if number:
                target.print()
            _show_fields([(name.strip(), cell) for name, cell in zip(self.columns, row, strict=True)], target)


@attrs.frozen
class Record:
    """Fields one below the other. In JSON, an object; a tuple of values is a line for each, and an array."""

    fields: Sequence[tuple[str, Any]]
    title: str | None = None

    @property
    def plain(self) -> dict[str, Any]:
        return {_field(name): value for name, value in self.fields}

    def show(self, target: Console) -> None:
        _show_title(self.title, target)
        _show_fields(self.fields, target)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, json: bool, **more: str) -> None:
    """Print a table, or its rows as a JSON array; `more` is what a `Table` may have."""
    _tell(Table(columns, rows, **more), json)


def record(fields: Sequence[tuple[str, Any]], *, json: bool, title: str | None = None) -> None:
    """Print fields one below the other, or as a JSON object."""
    _tell(Record(fields, title), json)


def several(*, json: bool, **parts: Any) -> None:
    """Print tables and records one after the other, or as one JSON object with a field for each part. Parts that are neither
    are in the JSON alone."""
    if json:
        print_json({name: part.plain if isinstance(part, Table | Record) else part for name, part in parts.items()})
        return
    for number, part in enumerate(part for part in parts.values() if isinstance(part, Table | Record)):
        if number:
            print()
        part.show(console())


def print_json(value: Any) -> None:
    """Print a value as JSON: amounts as millionths with their currency, instants in UTC."""
    print(json_.dumps(value, default=as_json, ensure_ascii=False, indent=2))


def console(*, error: bool = False) -> Console:
    found = Console(stderr=error, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = WIDE
    return found


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
    console(error=True).print(Text("\n".join(shown(line) for line in message.splitlines())), soft_wrap=True)


def agreed(question: str) -> bool:
    """Whether somebody at the terminal says yes; where nobody is there, nobody does."""
    if not sys.stdin.isatty():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _tell(part: Table | Record, json: bool) -> None:
    if json:
        print_json(part.plain)
    else:
        part.show(console())


def _field(heading: str) -> str:
    first, *rest = heading.strip().replace(",", "").split(" ")
    assert first, "a column without a heading has no name in JSON"
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _print_grid(grid: Grid, target: Console) -> None:
    """Without the blanks that fill up the last column."""
    with target.capture() as captured:
        target.print(grid)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), file=target.file)


def _show_title(title: str | None, target: Console) -> None:
    if title:
        target.print(Text(shown(title)), soft_wrap=True)


def _show_fields(fields: Sequence[tuple[str, Any]], target: Console) -> None:
    told = [(name, cell) for name, cell in fields if cell is not None and cell != ()]
    indent = max((cell_len(name) for name, _ in told), default=0) + 2
    for name, cell in told:
        lines = _lines(cell, target.width - indent)
        if max(map(cell_len, lines)) > target.width - indent:
            indent_here, lines = 2, ["", *_lines(cell, target.width - 2)]
        else:
            indent_here = indent
        _print_field(name, indent, lines, indent_here, target)


def _print_field(name: str, width: int, lines: Sequence[str], indent: int, target: Console) -> None:
    first = Text.assemble((name, "bold"), " " * (width - cell_len(name)) + lines[0])
    first.rstrip()
    rest = (Text(" " * indent + line) for line in lines[1:])
    for line in (first, *rest):
        target.print(line, soft_wrap=True)


def _lines(cell: Any, width: int) -> list[str]:
    """A cell in lines of so many columns, broken between words only."""
    if isinstance(cell, tuple | list):
        return [line for item in cell for line in _lines(item, width)]
    text = as_text(cell)
    if not is_prose(cell) or cell_len(text) <= width:
        return [text]
    options: Any = {"break_long_words": False, "break_on_hyphens": False, "replace_whitespace": False}
    return textwrap.wrap(text, max(width, 1), **options) or [""]
