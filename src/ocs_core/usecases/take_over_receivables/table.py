"""What a file of rows is, however it was written: text by the names of columns, and what is wrong with it."""

from collections.abc import Mapping, Sequence

import attrs

from ocs_core.errors import OcsError
from ocs_core.frozen import frozen_mappings

SHOWN = 5
"""How many examples a sentence names."""


class FileRefused(OcsError):
    """A file cannot be taken as it is; the message is for whoever gave it. Nothing of it was taken."""


@attrs.frozen
class Problem:
    """Why one row was not taken. `line` is counted from 1, as an editor shows it."""

    line: int
    reason: str
    cells: tuple[str, ...] = attrs.field(default=(), repr=False)
    """What stands in a row that has no columns, as far as it can be told: the number of an invoice may be among it."""


@attrs.frozen(field_transformer=frozen_mappings)
class Row:
    """One row by the names of its columns, as it is written."""

    line: int
    cells: Mapping[str, str]


@attrs.frozen
class Table:
    """The header, the rows that have its columns, why the others do not, and what stands above the header."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    bad: tuple[Problem, ...] = ()
    above: tuple[int, ...] = ()
    """The lines above the header, which are passed over."""


@attrs.frozen
class Cell:
    """A value as it is written in one row, in the column of a field."""

    line: int
    field: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line} ({self.field} {self.text[:40]!r})"


def examples(cells: Sequence[Cell]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(cells) - SHOWN} more" if len(cells) > SHOWN else ""
    return ", ".join(map(str, cells[:SHOWN])) + more
