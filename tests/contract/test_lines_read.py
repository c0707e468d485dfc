"""A page of a balance's lines costs what is on it, however much the payer has: shown by the rows and plans of the databases."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.queries import SqlQueries
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage, lines_page
from ocs_core.testkit.contracts.subject import keep
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_settlement, an_account, id_of
from ocs_core.testkit.fakes import NOW
from ocs_core.testkit.strategies import ledgers
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest
from ocs_core.usecases.read_open_balance import ReadOpenBalance, ReadOpenBalanceRequest
from tests.contract.explained import plan_of, steps_of
from tests.contract.stores import postgres_database, sqlite, sqlite_database, subject_on

ITEMS = 1500
LIMIT = 10
ANN, BOB = an_account(1), an_account(2)
FIRST_DOCUMENT, FIRST_PAYMENT, FIRST_SETTLEMENT = 10_000, 20_000, 30_000
MIDDLES = {"documents": FIRST_DOCUMENT + ITEMS // 2, "payments": FIRST_PAYMENT + ITEMS // 2}
"""Cursors in the middle of the documents, and of the payments."""
READS = {
    "open": (ReadOpenBalance, ReadOpenBalanceRequest),
    "collection": (ReadCollectionBalance, ReadCollectionBalanceRequest),
}


def _fill(database: Database) -> None:
    """A payer with as many documents, payments that settle a part of each, and settlements; and somebody else between them."""
    with subject_on(database).store.begin() as uow:
        for entity in (ANN, BOB, a_payer(ANN), a_payer(BOB)):
            uow.add(entity)
        for n in range(ITEMS):
            account = BOB if n % 100 == 0 else ANN
            document, payment = a_document(FIRST_DOCUMENT + n, account), a_payment(FIRST_PAYMENT + n, account)
            for entity in (document, payment, a_settlement(FIRST_SETTLEMENT + n, payment, document, 1_000_000)):
                uow.add(entity)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


@pytest.fixture(scope="module")
def sqlite_filled() -> Iterator[Database]:
    with sqlite_database() as database:
        _fill(database)
        yield database


@pytest.fixture(scope="module")
def postgres_filled() -> Iterator[Database]:
    with postgres_database() as database:
        _fill(database)
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"{request.param}_filled")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Call, int]]:
    """The statements that are run, each with how many rows it gave."""
    found: list[tuple[Call, int]] = []
    run = Transaction.run

    def noted(self: Transaction, calls: Any, *, commit: bool = False) -> list[Any]:
        results = run(self, calls, commit=commit)
        found.extend((call, len(rows)) for call, rows in zip(calls, results, strict=True))
        return results

    monkeypatch.setattr(Transaction, "run", noted)
    return found


@given(ledger=ledgers(), limit=st.integers(1, 9) | st.none())
def test_pages_are_those_of_the_whole_ledger_whatever_is_in_it(ledger: Ledger, limit: int | None) -> None:
    with sqlite() as subject:
        keep(subject, ledger.account, ledger.payer, *ledger.documents, *ledger.payments, *ledger.settlements)
        whole = subject.queries.ledger(ledger.account.ref_id)
        assert whole is not None
        expected, cursor = lines_page(whole, limit, None), None
        while True:
            found = subject.queries.lines(ledger.account.ref_id, limit, cursor)
            assert found is not None
            assert _without_order(found) == _without_order(expected)
            if (cursor := found.next) is None:
                break
            expected = lines_page(whole, limit, cursor)


def _without_order(page: LinesPage) -> LinesPage:
    """The settlements of a page have no order."""
    settlements = tuple(sorted(page.part.settlements, key=lambda settlement: settlement.ref_id))
    return attrs.evolve(page, part=attrs.evolve(page.part, settlements=settlements))


@pytest.mark.parametrize("behind", MIDDLES)
@pytest.mark.parametrize("balance", READS)
def test_a_page_of_lines_reads_the_rows_of_its_lines_and_no_more(
    filled: Database, asked: list[tuple[Call, int]], balance: str, behind: str
) -> None:
    read, request = READS[balance]
    queries = SqlQueries(filled)
    cursor = id_of(MIDDLES[behind])
    queries.configuration()
    own = len(asked)
    ask = request(ref_id=ANN.ref_id, detail_included=True, limit=LIMIT, cursor=cursor, as_of=NOW)
    view = read(queries, clock=lambda: NOW + dt.timedelta(days=1))(ask)
    assert len(view.lines or ()) == LIMIT
    statements = asked[own:]
    of_configuration = sum(rows for _, rows in asked[:own])
    # The account and its payer, twice each; of documents and payments one more than a page has; what each was settled with.
    assert sum(rows for _, rows in statements) - of_configuration <= 5 + 2 * (LIMIT + 1) + 2 * LIMIT
    assert len(statements) - own <= 9


@pytest.mark.parametrize("behind", MIDDLES)
def test_postgresql_finds_a_page_of_lines_at_its_place_in_an_index(
    postgres_filled: Database, asked: list[tuple[Call, int]], behind: str
) -> None:
    SqlQueries(postgres_filled).lines(ANN.ref_id, LIMIT, id_of(MIDDLES[behind]))
    plans = [plan_of(postgres_filled, call) for call, _ in list(asked)]
    nodes = [node for plan in plans for node in plan]
    of_items = [n for n in nodes if n.get("Relation Name") in {"documents", "payments", "settlements"}]
    assert of_items
    assert not [
        n
        for n in nodes
        if n["Node Type"] in {"Seq Scan", "Sort"} and n.get("Relation Name") not in {"accounts", "payers"}
    ]
    places = [n for n in of_items if n["Relation Name"] == behind]
    # Where most of a table is one payer's, the table's own key is as good a way to the cursor as the payer's index.
    assert all({n["Index Name"]} <= {f"ix_{behind}_account_ref_id", f"{behind}_pkey"} for n in places)
    assert all(re.search(r"\bref_id [>=] ", n["Index Cond"]) for n in places)
    assert any(re.search(r"\bref_id > ", n["Index Cond"]) for n in places)


@pytest.mark.parametrize("behind", MIDDLES)
def test_sqlite_finds_a_page_of_lines_at_its_place_in_an_index(
    sqlite_filled: Database, asked: list[tuple[Call, int]], behind: str
) -> None:
    SqlQueries(sqlite_filled).lines(ANN.ref_id, LIMIT, id_of(MIDDLES[behind]))
    steps = [step for call, _ in list(asked) for step in steps_of(sqlite_filled, call)]
    assert f"SEARCH {behind} USING INDEX ix_{behind}_account_ref_id (account_ref_id=? AND ref_id>?)" in steps
    assert any("USING INDEX ix_settlements_source_ref_id" in step for step in steps)
    assert any("USING INDEX ix_settlements_target_ref_id" in step for step in steps)
    assert not [step for step in steps if "TEMP B-TREE" in step]
