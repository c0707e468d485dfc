"""Cells of comma-separated files that we write: a spreadsheet must not take text for a formula."""

import re
from collections.abc import Iterable
from typing import Any

_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def guarded(cells: Iterable[Any]) -> list[Any]:
    """The cells; text that begins like a formula, with an apostrophe before it. Numbers stay numbers."""
    return [_guarded(cell) for cell in cells]


def _guarded(cell: Any) -> Any:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
