"""An import that is killed in the middle loses nothing, and the next one completes it."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_import import counts, take

ROWS = 1000


def documents_in(ocs: Ocs) -> int:
    with closing(sqlite3.connect(ocs.folder / "ocs.sqlite3", timeout=30)) as connection:
        return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])


def test_after_a_kill_in_the_middle_the_next_import_adds_exactly_what_is_missing(ocs: Ocs) -> None:
    rows = [(f"C-{n % 70}", f"N-{n}", "2013-01-25", "2013-02-24", f"{n}.01", "2013-02-20") for n in range(1, ROWS + 1)]
    file = ocs.ledger(rows)
    options = ["--currency", "EUR", "--as-of", "2014-12-31"]
    started = subprocess.Popen(
        [sys.executable, "-c", "from ocs_adapters.cli import main; main()", "import", "receivables", file, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ},
    )
    while documents_in(ocs) < 300:
        assert started.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    started.kill()
    started.wait()
    kept = documents_in(ocs)
    assert 300 <= kept < ROWS
    assert "begun with other options" in take(ocs, file, "--add-up").refused()
    ended = take(ocs, file).done()
    assert f"which was cut off: up to line {kept + 1} it is written" in ended.err
    assert counts(ended)["documents"] == (ROWS - kept, 0)
    assert counts(ended)["payments"] == (ROWS - kept, 0)
    assert f"70 accounts, {ROWS} documents and {ROWS} payments were new" in take(ocs, file).done().err
    with closing(sqlite3.connect(ocs.folder / "ocs.sqlite3")) as connection:
        (totals,) = connection.execute("SELECT count(*), sum(due_amount) FROM documents")
        (remaining,) = connection.execute("SELECT count(*), sum(remaining_amount) FROM payments")
        (settled,) = connection.execute("SELECT count(*), sum(amount) FROM settlements")
        (last,) = connection.execute("SELECT max(document_no) FROM documents").fetchone()
    assert totals == remaining == (ROWS, 0)
    assert settled == (ROWS, sum(n * 1_000_000 + 10_000 for n in range(1, ROWS + 1)))
    assert last == f"D{ROWS:010d}", "the series of document numbers has no gap"


def test_a_payment_that_was_kept_without_its_assignment_is_assigned_by_the_next(ocs: Ocs) -> None:
    file = ocs.ledger([("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20")])
    take(ocs, file).done()
    with closing(sqlite3.connect(ocs.folder / "ocs.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM settlements")
        connection.execute("UPDATE payments SET remaining_amount = payment_amount")
        connection.execute("UPDATE documents SET due_amount = total_amount_net")
    take(ocs, file, as_of="2014-12-30").done()
    with closing(sqlite3.connect(ocs.folder / "ocs.sqlite3")) as connection:
        assert connection.execute("SELECT due_amount FROM documents").fetchall() == [(0,)]
        assert connection.execute("SELECT count(*) FROM settlements").fetchall() == [(1,)]


def test_an_invoice_that_was_settled_by_other_means_is_a_conflict_and_no_second_payment(ocs: Ocs) -> None:
    file = ocs.ledger([("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20")])
    take(ocs, file, as_of="2013-02-01").done()
    with closing(sqlite3.connect(ocs.folder / "ocs.sqlite3")) as connection, connection:
        connection.execute("UPDATE documents SET due_amount = 20000000")
    ended = take(ocs, file)
    assert "of invoice N-1 only 20.00 EUR is open: it was settled by other means" in ended.refused()
    assert counts(ended)["payments"] == (0, 0)
