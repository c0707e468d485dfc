"""What each row of a table says of each field, as plain text."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import attrs

from ocs_core.usecases.take_over_receivables.cells import LONGEST, is_nothing, is_spreadsheet_error, plain
from ocs_core.usecases.take_over_receivables.columns import Columns
from ocs_core.usecases.take_over_receivables.table import Cell, Row, Table

IDS = ("customer", "number")


@attrs.frozen
class Texts:
    """Every cell that a field uses, read once; empty where it says that there is nothing."""

    table: Table
    columns: Columns
    _by_line: Mapping[int, Mapping[str, str]] = attrs.field(init=False, repr=False)

    @_by_line.default
    def _read(self) -> Mapping[int, Mapping[str, str]]:
        unused = {field: "" for field, column in self.columns.of.items() if column is None}
        used = [(field, column) for field, column in self.columns.of.items() if column is not None]
        return {
            row.line: unused | {field: _said(plain(row.cells[column])) for field, column in used}
            for row in self.table.rows
        }

    def of(self, row: Row) -> Mapping[str, str]:
        """By field."""
        return self._by_line[row.line]

    def cells(
        self, rows: Sequence[Row], fields: Sequence[str], is_empty: Callable[[str], bool] = is_nothing
    ) -> list[Cell]:
        return [
            Cell(row.line, field, text)
            for row in rows
            for field in fields
            if not is_empty(text := self._by_line[row.line][field])
        ]

    def wrong_with(self, row: Row) -> list[str]:
        """What no field can have, and nothing more is asked of: it is too long, or a spreadsheet shows an error in it."""
        reasons = []
        for field, text in self.of(row).items():
            if field not in IDS and len(text) > LONGEST:
                reasons.append(f"the {name_of(field)} has {len(text)} characters, more than one can have")
            elif field not in IDS and is_spreadsheet_error(text):
                reasons.append(
                    f"the {name_of(field)}: {text[:40]!r} is what a spreadsheet shows for an error or a column too narrow"
                )
        return reasons

    def standing(self, *, in_several_rows: bool) -> dict[str, list[int]]:
        """Per number the lines in which it stands. A row without columns may be of any number that is in it; one without a
        number may go on with the invoice above, where an invoice has several rows."""
        standing: dict[str, list[int]] = defaultdict(list)
        above = ""
        for row in self.table.rows:
            number = self._by_line[row.line]["number"]
            if number and not is_spreadsheet_error(number):
                above = number
            if above and (number or in_several_rows):
                standing[above].append(row.line)
        for problem in self.table.bad:
            for number in {plain(cell) for cell in problem.cells} & standing.keys():
                standing[number].append(problem.line)
        return standing


def name_of(field: str) -> str:
    """What a field is called in a sentence."""
    return {"paid": "amount paid", "outstanding": "outstanding amount", "net": "net amount"}.get(field, field)


def _said(text: str) -> str:
    return "" if is_nothing(text) else text
