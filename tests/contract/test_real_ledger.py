"""A real ledger of receivables, taken over by the command line, against an independent sum over its file.

2,466 invoices of 100 customers. An invoice counts as of a day when it was issued by then, not settled by then, and due
before. Where the file is not there, these tests are skipped and say so.
"""

import calendar
import csv
import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from ocs_adapters.cli import main
from tests.contract.stores import DATABASES, postgres_database, sqlite_database

LEDGER = Path(__file__).parents[3] / "shared" / "data" / "accounts-receivable.csv"
pytestmark = pytest.mark.skipif(not LEDGER.exists(), reason=f"the sample data is not there: {LEDGER.name}")
MONTH_ENDS = [
    dt.date(year, month, calendar.monthrange(year, month)[1])
    for year, month in [*((2012, m) for m in range(2, 13)), *((2013, m) for m in range(1, 13))]
]
MILLIONTHS = 10**6


@attrs.frozen
class Invoice:
    customer: str
    issued: dt.date
    due: dt.date
    settled: dt.date
    amount: Decimal


def _day(text: str) -> dt.date:
    month, day, year = map(int, text.split("/"))
    return dt.date(year, month, day)


def _invoices() -> list[Invoice]:
    with LEDGER.open(newline="") as file:
        return [
            Invoice(
                row["customerID"],
                _day(row["InvoiceDate"]),
                _day(row["DueDate"]),
                _day(row["SettledDate"]),
                Decimal(row["InvoiceAmount"]),
            )
            for row in csv.DictReader(file)
        ]


def _expected(invoices: list[Invoice], day: dt.date) -> dict[str, Decimal]:
    """Per customer that has an invoice by that day, what is overdue then."""
    found = {i.customer: Decimal() for i in invoices if i.issued <= day}
    for invoice in invoices:
        if invoice.issued <= day < invoice.settled and invoice.due < day:
            found[invoice.customer] += invoice.amount
    return found


@contextmanager
def _ocs(make, tmp_path: Path) -> Iterator["Ocs"]:
    with make() as database, ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OCS_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
        patch.delenv("OCS_ZONE", raising=False)
        yield Ocs(tmp_path / "balances.csv")


@attrs.frozen
class Ocs:
    figures: Path

    def __call__(self, *arguments: str) -> None:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code in {None, 0}

    def take_over(self, day: dt.date) -> None:
        self("import", "receivables", str(LEDGER), "--currency", "USD", "--as-of", day.isoformat())

    def balances(self, *how: str) -> dict[str, Decimal]:
        self("collect", *how, "--csv", str(self.figures))
        with self.figures.open(newline="") as file:
            return {row["externalId"]: Decimal(row["balance"]) for row in csv.DictReader(file)}


@DATABASES
def test_a_ledger_taken_over_whole_tells_every_past_month_end_as_it_was(make, tmp_path) -> None:
    invoices = _invoices()
    nobody = dict.fromkeys((i.customer for i in invoices), Decimal())
    with _ocs(make, tmp_path) as ocs:
        ocs.take_over(dt.date(2014, 12, 31))
        for day in MONTH_ENDS:
            told = ocs.balances("--dry-run", "--as-of", day.isoformat())
            assert told == nobody | _expected(invoices, day), day
            assert sum(told.values()) == sum(_expected(invoices, day).values())


@pytest.mark.parametrize(
    ("make", "days"),
    [(sqlite_database, MONTH_ENDS), (postgres_database, MONTH_ENDS[::4])],  # each import looks at the whole file
    ids=["sqlite", "postgresql"],
)
def test_a_ledger_that_grows_month_by_month_is_stored_as_it_was_at_each(make, days, tmp_path) -> None:
    invoices = _invoices()
    with _ocs(make, tmp_path) as ocs:
        for day in days:
            ocs.take_over(day)
            assert ocs.balances("--as-of", day.isoformat()) == _expected(invoices, day), day


def test_the_independent_sum_tells_something() -> None:
    invoices = _invoices()
    assert len(invoices) == 2466
    assert sum(i.amount for i in invoices) == Decimal("147703.18")
    totals = [sum(_expected(invoices, day).values()) for day in MONTH_ENDS]
    assert min(totals) >= 0
    assert sum(total > 0 for total in totals) > 15
