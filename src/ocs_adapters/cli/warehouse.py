"""`ocs warehouse`: questions to every message that ocs consume warehouse kept, and the care of its files."""

import csv
import datetime as dt
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cyclopts import App

from ocs_adapters.bootstrap import consumers
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, Refused, read_settings
from ocs_adapters.cli.csv_cells import guarded
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database
from ocs_core.messages import format_instant

KIND = consumers.KINDS["warehouse"]
PATIENCE_SECONDS = 10.0
"""How long files that are to be merged may be read by others."""


app = App(name="warehouse", help="Every message as ocs consume warehouse keeps it: ask questions, care for its files.")


@app.command(name="sql")
def sql(question: str, /, *, csv: Flag = False, json: Flag = False) -> None:
    """Answer one SELECT in DuckDB's SQL, over exactly the messages that are kept; nothing can be changed by it.

    messages has one row for each message. payment, document, account, payer … have each entity as it is now, paymentReceived,
    collectionStart … every notification; their columns are the fields of the JSON, as in docs/messages. Amounts are
    whole numbers of millionths.

    Args:
        question: Such as "SELECT paymentMethod, count(*) FROM payment GROUP BY ALL".
        csv: Comma-separated, with a header.
        json: One JSON object for each row, each on its own line.
    """
    if csv and json:
        raise Refused("Give --csv or --json, not both.")
    with (
        _ended_at_once(),
        _database() as (settings, database),
        consumers.warehouse().questions(settings, database).answered(question) as answer,
    ):
        (_as_csv if csv else _as_json if json else _as_table)(answer)


@app.command
def files() -> None:
    """Print the paths of exactly the files that hold the messages, for other readers of Parquet."""
    with _database() as (settings, database):
        for path in consumers.warehouse().questions(settings, database).paths():
            print(path)


@app.command
def compact() -> int:
    """Merge the small files of each day, and sort their rows by key and time. The consumer does so where there are many;
    while it runs, this is refused. Questions that are being answered are waited for, ten seconds at the most; ends
    with 1 if files were left as they are."""
    with _database() as (settings, database):
        made = consumers.warehouse()
        with made.folder(settings).alone():
            warehouse = made.warehouse(settings, database)
            warehouse.recover()
            merged = warehouse.compact(patience=PATIENCE_SECONDS)
    print(f"{merged.files} files were merged.")
    if merged.left:
        say.warn(f"{merged.left} files were left as they are: somebody reads the warehouse.")
    return 1 if merged.left else 0


@app.command
def status(*, json: Json = False) -> int:
    """Show how much is kept, how many dead letters there are, and which files are missing or torn: not as they were
    written, as a full disk or a copy that was cut off leaves them. Ends with 1 if any is."""
    with _database() as (settings, database):
        warehouse = consumers.warehouse().warehouse(settings, database)
        kept, missing, torn = warehouse.manifest.all(), warehouse.missing(), warehouse.torn()
        dead = len(consumers.inbox(KIND, database).dead_letters())
    rows: list[tuple[str, Any]] = [
        ("files", len(kept)),
        ("rows", sum(file.rows for file in kept)),
        ("days", len({file.day for file in kept})),
        ("first day", kept[0].day if kept else None),
        ("last day", kept[-1].day if kept else None),
        ("bytes", sum(file.bytes for file in kept)),
        ("dead letters", dead),
        ("missing files", len(missing)),
        ("torn files", len(torn)),
    ]
    say.record(rows, json=json)
    for path in missing:
        say.warn(f"{path} is missing.")
    for path in torn:
        say.warn(f"{path} is torn: put a copy of it in its place, or build the warehouse anew.")
    return 1 if missing or torn else 0


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """DuckDB does not return to Python while it computes: who interrupts or terminates it is not to wait for that. There is
    nothing that would have to be ended in order. Who was started deaf to one of them stays so."""
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _database() -> Iterator[tuple[Settings, Database]]:
    settings = read_settings()
    with consumers.database_of(KIND, settings) as database:
        if not KIND.tables.are_in(database):
            raise Refused("The warehouse has read nothing yet; run: ocs consume warehouse")
        KIND.tables.prepare(database)
        yield settings, database


def _as_table(answer: Any) -> None:
    rows = [[_text(cell) for cell in row] for row in answer.rows]
    say.table(answer.columns, rows, json=False)


def _as_csv(answer: Any) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(guarded(answer.columns))
    for row in answer.rows:
        out.writerow(guarded(map(_text, row)))


def _as_json(answer: Any) -> None:
    is_json = [kind == "JSON" for kind in answer.kinds]
    for row in answer.rows:
        cells = [json.loads(cell) if parsed and cell else cell for cell, parsed in zip(row, is_json, strict=True)]
        print(json.dumps(dict(zip(answer.columns, cells, strict=True)), ensure_ascii=False, default=_text))


def _text(cell: Any) -> Any:
    if isinstance(cell, dt.datetime) and cell.tzinfo:
        return format_instant(cell)
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False, default=_text)
    return cell if cell is None or isinstance(cell, str | int | float) else str(cell)
