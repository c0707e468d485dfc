"""`ocs open-balance`: the figures of one account, by type and explained."""

import re

import pytest

from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_import import take

ROWS = (
    ("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20"),
    ("C-1", "N-2", "2013-02-25", "2013-03-27", "60.01", ""),
    ("C-1", "N-3", "2013-03-25", "2013-04-24", "8.00", ""),
)


@pytest.fixture
def ledger(ocs: Ocs) -> Ocs:
    take(ocs, ocs.ledger(ROWS)).done()
    return ocs


def rows(out: str) -> dict[str, list[str]]:
    """The amounts of each row, in euros, by its name."""
    return {
        told[0]: re.findall(r"(\S+) EUR", line)
        for line in out.splitlines()
        if (told := line.split()) and told[0] in {"all", "genericInvoice", "payments"}
    }


def test_the_figures_are_those_of_the_day(ledger: Ocs) -> None:
    out = ledger("open-balance", "C-1", "--as-of", "2013-04-01").done().out
    assert out.startswith("C-1 as of 2013-04-01\n")
    assert re.search(r"due +future +receivable +liable +overpayment +sent back +open balance", out)
    assert rows(out) == {"all": ["60.01", "8.00", "68.01", "0.00", "0.00", "0.00", "68.01"]}
    then = ledger("open-balance", "C-1", "--as-of", "2013-02-10").done().out
    assert rows(then) == {"all": ["0.00", "50.00", "50.00", "0.00", "0.00", "0.00", "50.00"]}


def test_they_are_told_by_type_and_for_every_item(ledger: Ocs) -> None:
    out = ledger("open-balance", "C-1", "--as-of", "2013-04-01", "--document-types", "--explain").done().out
    told = rows(out)
    assert told["genericInvoice"] == told["all"] == ["60.01", "8.00", "68.01", "0.00", "0.00", "0.00", "68.01"]
    assert re.search(r"document +D\d+ +genericInvoice +0.00 EUR +NOTHING_OPEN", out)
    assert re.search(r"document +D\d+ +genericInvoice +60.01 EUR +DUE +COUNTS", out)
    assert re.search(r"document +D\d+ +genericInvoice +8.00 EUR +FUTURE +NOT_YET_DUE", out)
    assert re.search(r"payment +P\d+ +0.00 EUR +NOTHING_OPEN", out)


def test_an_account_that_is_not_there_and_a_day_to_come_are_refused(ledger: Ocs) -> None:
    assert "no account with the externalId or refId C-9" in ledger("open-balance", "C-9").refused()
    assert "VALUE_OUT_OF_RANGE" in ledger("open-balance", "C-1", "--as-of", "2099-01-01").refused()


def test_a_payer_of_many_documents_is_explained_whole(ocs: Ocs) -> None:
    take(ocs, ocs.ledger([("C-1", f"N-{n}", "2013-02-25", "2013-03-27", "1.00", "") for n in range(201)])).done()
    out = ocs("open-balance", "C-1", "--as-of", "2013-04-01", "--explain").done().out
    assert len(re.findall(r"^ *document +D\d+", out, re.MULTILINE)) == 201
    out = ocs("collect", "--explain", "C-1", "--as-of", "2013-04-01").done().out
    assert len(re.findall(r"^ *document +D\d+", out, re.MULTILINE)) == 201
