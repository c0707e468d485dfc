"""A table in a file of comma-separated values, as spreadsheets and ledgers write it: every row with its line."""

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import attrs

from ocs_core.usecases.take_over_receivables import FileRefused, Problem, Row, Table, recognised

DELIMITERS = ",;\t|"
LETTERHEAD = 50
"""In so many first rows a header is looked for."""
MOST_COLUMNS = 1000
_SEP = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIMIT = 1_000_000
"""Characters that one cell may have."""


def read_table(content: bytes, name: str, encoding: str | None = None, told: Collection[str] = ()) -> Table:
    """Read a file with one header row, which may have other rows above it.

    Its delimiter is the one that gives a header with most of the names that are known, or `told`; a line `sep=;` says it.
    Raises `FileRefused`.
    """
    text = _text(content, name, encoding)
    sep = _SEP.match(text)
    delimiters = sep[1] if sep else DELIMITERS
    body, passed = (text[sep.end() :], 1) if sep else (text, 0)
    found = [(*_header(body, delimiter, told), delimiter) for delimiter in delimiters]
    _, _, at, delimiter = max(found, key=lambda each: each[:2])
    records = list(_records(body, delimiter))
    if not records:
        raise FileRefused(f"{name}: there is no header line.")
    line, first = records[at]
    if isinstance(first, Problem):
        raise FileRefused(f"{name}: line {line + passed}: {first.reason}")
    if len(first) > MOST_COLUMNS:
        raise FileRefused(
            f"{name}: line {line + passed} has {len(first)} columns; a header has {MOST_COLUMNS} at the most."
        )
    header = _named(first)
    rows, bad = [], []
    for line, record in records[at + 1 :]:
        if isinstance(record, Problem):
            bad.append(attrs.evolve(record, line=line + passed))
        elif any(cell.strip() for cell in record[len(first) :]):
            bad.append(
                Problem(line + passed, f"the row has {len(record)} columns, the header {len(first)}", tuple(record))
            )
        else:
            # Spreadsheets write empty cells behind the last column, and leave out those at the end of a row.
            rows.append(Row(line + passed, dict(itertools.zip_longest(header, record[: len(first)], fillvalue=""))))
    if not body.endswith(("\n", "\r")):
        _refuse_a_torn_end(records[at + 1 :], len(first), name, passed)
    above = tuple(line + passed for line, _ in records[:at])
    return Table(header, tuple(rows), tuple(bad), ((1,) if sep else ()) + above)


def _refuse_a_torn_end(
    records: Sequence[tuple[int, list[str] | Problem]], columns: int, name: str, passed: int
) -> None:
    """A file that ends within a row was cut off, unless its last cell is as those above it: some programs write no last line
    end. Raises `FileRefused`."""
    if len(records) < 2 or not isinstance(last := records[-1][1], list):
        return
    above = [record for _, record in records[:-1] if isinstance(record, list)]
    if above and (len(last) < min(map(len, above)) or _is_torn(last[-1], [r[-1] for r in above if len(r) == columns])):
        raise FileRefused(
            f"{name}: line {records[-1][0] + passed} seems to be cut off: it has no line end, and {last[-1][:40]!r} is not as "
            "the cells above it. Export the file again; if it is whole, add a line end behind its last row."
        )


def _is_torn(cell: str, above: Sequence[str]) -> bool:
    """Whether all cells above it that are not empty have as many digits behind their last sign, and this one has not."""
    shapes = {_fraction(text) for text in above if text.strip()}
    return len(shapes) == 1 and shapes != {0} and bool(cell.strip()) and _fraction(cell) not in shapes


def _fraction(text: str) -> int:
    found = re.search(r"\d[.,/-](\d+)\D*$", text)
    return len(found[1]) if found else 0


def _named(header: list[str]) -> tuple[str, ...]:
    """Names without line breaks; a column without a name is called by its place, a second one of a name by its number, so
    that what is in it is not lost."""
    names = [" ".join(name.replace("\u200b", "").replace("\ufeff", "").split()) for name in header]
    times = Counter[str]()
    named = []
    for place, name in enumerate(names, 1):
        times[name] += 1
        named.append(f"column {place}" if not name else name if times[name] == 1 else f"{name} ({times[name]})")
    return tuple(named)


def _text(content: bytes, name: str, encoding: str | None) -> str:
    marked = next((found for mark, found in _MARKS if content.startswith(mark)), None) or _without_mark(content)
    try:
        if encoding is not None and marked is not None and _differ(encoding, marked):
            raise FileRefused(
                f"{name}: --encoding {encoding}: the file is {marked.removesuffix('-sig')}; leave it out."
            )
        used = marked or encoding or "utf-8"
        if encoding is not None and _differ(encoding, "utf-8") and _is_utf8(content):
            raise FileRefused(f"{name}: --encoding {encoding}: the file is utf-8; leave it out.")
        text = content.decode(used)
    except LookupError:
        raise FileRefused(f"There is no encoding {encoding!r}; try utf-8, cp1252 or utf-16.") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileRefused(
            f"{name}: line {line} is not {used}; say what it is with --encoding, such as cp1252."
        ) from None
    if "\0" in text:
        raise FileRefused(f"{name}: line {text[: text.index(chr(0))].count(chr(10)) + 1} has bytes that are no text.")
    return text.removeprefix("\ufeff")


def _differ(one: str, other: str) -> bool:
    def family(encoding: str) -> str:
        return codecs.lookup(encoding).name.replace("-", "").removesuffix("sig").removesuffix("le").removesuffix("be")

    return family(one) != family(other)


def _without_mark(content: bytes) -> str | None:
    """UTF-16 without its mark has every second byte zero, as far as it is plain English."""
    start = content[:1000]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 < len(start) or min(even, odd):
        return None
    return "utf-16-be" if even else "utf-16-le"


def _is_utf8(content: bytes) -> bool:
    """Whether it has letters beyond ASCII, written as UTF-8: hardly ever by accident."""
    try:
        return not content.isascii() and bool(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _header(text: str, delimiter: str, told: Collection[str]) -> tuple[int, int, int]:
    """How many names the best row has that are known, how many columns, and which one it is among the first rows."""
    best = (0, 0, 0)
    for place, (_, record) in zip(range(LETTERHEAD), _records(text, delimiter), strict=False):
        names = _named(record) if isinstance(record, list) else ()
        known = recognised(names, told)
        if (known, 0) > (best[0], 0) or place == 0:
            best = (known, len(names), place)
    # A row of which one word is known by chance is a letterhead's; then the first row is the header.
    return best if best[0] > 1 else (0, *_first(text, delimiter))


def _first(text: str, delimiter: str) -> tuple[int, int]:
    _, record = next(_records(text, delimiter), (0, ""))
    return (len(record) if isinstance(record, list) else 0), 0


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """Each record that is not blank, or why it cannot be read, with the line where it begins."""
    csv.field_size_limit(_LIMIT)
    read: list[str] = []
    reader = csv.reader(_noted(text, read), delimiter=delimiter, strict=True)
    while True:
        begins = reader.line_num + 1
        read.clear()
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = re.split(rf'[{re.escape(delimiter)}"\r\n]+', "".join(read))
            yield begins, Problem(begins, _why(error, begins, reader.line_num), tuple(cells))
        else:
            if any(cell.strip() for cell in record):
                yield begins, record


def _noted(text: str, read: list[str]) -> Iterator[str]:
    """The lines of a text, each noted where it is read."""
    for line in io.StringIO(text, newline=""):
        read.append(line)
        yield line


def _why(error: csv.Error, begins: int, ends: int) -> str:
    read = "" if ends <= begins else f" (the text from here to line {ends} was passed over: is a quote never closed?)"
    return f"the row cannot be read: {error}{read}"


def content_of(path: Path) -> bytes:
    """All of a file. Raises `FileRefused` where it is empty."""
    content = path.read_bytes()
    if not content.strip():
        raise FileRefused(f"{path}: there is no header line.")
    return content
