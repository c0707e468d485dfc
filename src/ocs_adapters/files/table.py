"""A table in a file of comma-separated values, as spreadsheets and ledgers write it: every row with its line."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from ocs_core.errors import OcsError

DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')


class FileRefused(OcsError):
    """A file cannot be taken as it is; the message is for whoever gave it."""


@attrs.frozen
class Problem:
    """Why one row was not taken, or not taken over. `line` is counted from 1, the header included."""

    line: int
    reason: str


@attrs.frozen
class Row:
    """One row by the names of its columns, without outer blanks."""

    line: int
    cells: dict[str, str]


@attrs.frozen
class Table:
    """The header, the rows that have its columns, and why the others do not."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    bad: tuple[Problem, ...]


def read_table(path: Path, encoding: str = "utf-8") -> Table:
    """Read a file with one header line. The delimiter is the one that the header has most of.

    Line ends, a byte order mark and quotes are as they come. Raises `FileRefused`.
    """
    text = _text(path, encoding)
    records = _records(text)
    _, first = next(records, (0, None))
    if not isinstance(first, list):
        raise FileRefused(f"{path}: there is no header line." if first is None else f"{path}: {first}")
    header = tuple(name.strip() for name in first)
    rows: list[Row] = []
    bad: list[Problem] = []
    for line, record in records:
        if isinstance(record, str):
            bad.append(Problem(line, record))
        elif len(record) != len(header):
            bad.append(Problem(line, f"the row has {len(record)} columns, the header {len(header)}"))
        else:
            rows.append(Row(line, dict(zip(header, (cell.strip() for cell in record), strict=True))))
    return Table(header, tuple(rows), tuple(bad))


def _text(path: Path, encoding: str) -> str:
    content = path.read_bytes()
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise FileRefused(f"There is no encoding {encoding!r}; try utf-8, cp1252 or utf-16.") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileRefused(
            f"{path}: line {line} is not {encoding}; say what it is with --encoding, such as cp1252."
        ) from None


def _records(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record that is not blank, or why it cannot be read, with the line where it begins."""
    first_line = _QUOTED.sub("", text.lstrip("\r\n").split("\n", 1)[0])
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield begins, _why(error, begins, reader.line_num)
        else:
            if any(cell.strip() for cell in record):
                yield begins, record


def _why(error: csv.Error, begins: int, ends: int) -> str:
    read = "" if ends <= begins else f" (the text from here to line {ends} was passed over: is a quote never closed?)"
    return f"the row cannot be read: {error}{read}"
