"""`ocs import undo`: a file is taken back as a whole, while nothing else rests on it, and may then be taken over rightly."""

import datetime as dt
import re
import sqlite3
from contextlib import closing

import pytest

from ocs_adapters.files import undoing
from ocs_core.entities.account import AccountName, AccountState
from ocs_core.usecases.cancel_document import CancelDocument, CancelDocumentRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.read_open_balance import ReadOpenBalance, ReadOpenBalanceRequest
from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_import import ROWS as WITH_COMMAS
from tests.unit.cli.test_cli_import import stored, take

ROWS = tuple(tuple(cell.replace(",", "") for cell in row) for row in WITH_COMMAS)


def wrong_by_a_factor(ocs: Ocs) -> str:
    return ocs.ledger([(*row[:4], f"{n}.00", row[5]) for n, row in enumerate(ROWS, 1)])


def open_balance(ocs: Ocs, customer: str, day: str) -> int:
    made = ocs.platform()
    try:
        read = ReadOpenBalance(made.services.queries, clock=made.services.clock)
        return read(ReadOpenBalanceRequest(external_id=customer, as_of=dt.date.fromisoformat(day))).open_balance
    finally:
        made.services.close()


def test_a_file_is_taken_back_and_the_right_one_taken_over_in_its_place(ocs: Ocs) -> None:
    wrong = wrong_by_a_factor(ocs)
    take(ocs, wrong).done()
    assert "3 documents, 2 payments. A dry run" in ocs("import", "undo", wrong, "--dry-run").done().err
    assert all(not document.cancelled for document in stored(ocs)[0].values())
    assert "Taken back: import " in ocs("import", "undo", wrong).done().err
    documents, payments = stored(ocs)
    assert {d.cancelled for d in documents.values()} == {p.cancelled for p in payments.values()} == {True}
    assert all(d.due_amount == d.total_amount_net for d in documents.values())
    assert all(p.remaining_amount == p.payment_amount for p in payments.values())
    assert "was taken back already" in ocs("import", "undo", wrong).refused()

    right = ocs.ledger(ROWS, name="right.csv")
    take(ocs, right).done()
    documents = {number: d for number, d in stored(ocs)[0].items() if not d.cancelled}
    assert {n: d.total_amount_net for n, d in documents.items()} == {
        "N-1": 50_000_000,
        "N-2": 60_010_000,
        "N-3": 1_070_500_000,
    }
    # What was taken back counts at no time: not even when both were issued and neither was cancelled yet.
    assert open_balance(ocs, "C-1", "2013-02-26") == 60_010_000
    assert open_balance(ocs, "C-2", "2013-03-30") == 1_070_500_000


def test_the_same_file_may_be_taken_over_again_after_it_was_taken_back(ocs: Ocs) -> None:
    file = ocs.ledger(ROWS)
    for _ in range(2):
        take(ocs, file).done()
        ocs("import", "undo", file).done()
    take(ocs, file).done()
    assert sorted(n for n, d in stored(ocs)[0].items() if not d.cancelled) == ["N-1", "N-2", "N-3"]
    states = re.findall(r" (DONE|UNDONE) ", ocs("import", "list").done().out)
    assert states == ["DONE", "UNDONE", "UNDONE"]


def test_accounts_in_the_wrong_currency_are_taken_back_and_those_that_others_use_stay(ocs: Ocs) -> None:
    file = ocs.ledger(ROWS)
    ocs("import", "receivables", file, "--currency", "USD", "--as-of", "2014-12-31").done()
    made = ocs.platform()
    services = made.services
    CreateAnyDocument(services.store, clock=services.clock, ids=services.ids)(
        CreateAnyDocumentRequest(
            request_id="1",
            account=AccountName(external_id="C-2"),
            document_type="genericInvoice",
            currency="USD",
            amount=1_000_000,
            tax_included=True,
        )
    )
    assert "1 accounts. 1 accounts stay, since others use them." in ocs("import", "undo", file).done().err
    kept = services.queries.account(AccountName(external_id="C-2"))
    assert kept is not None
    assert kept.state is AccountState.ACTIVE
    assert services.queries.account(AccountName(external_id="C-1")) is None
    services.close()
    take(ocs, ocs.ledger(ROWS[:2], name="eur.csv")).done()


def test_what_others_used_keeps_all_of_it_from_being_taken_back(ocs: Ocs) -> None:
    first, second = ocs.ledger([ROWS[1]]), ocs.ledger([(*ROWS[1][:5], "2013-04-01")], name="second.csv")
    take(ocs, first).done()
    take(ocs, second).done()
    before = stored(ocs)
    refusal = ocs("import", "undo", first).refused()
    assert "line 2: document N-2 was settled by others" in refusal
    assert "something else rests on it" in refusal
    assert stored(ocs) == before
    ocs("import", "undo", second).done()
    documents = stored(ocs)[0]
    assert (documents["N-2"].cancelled, documents["N-2"].due_amount) == (False, 60_010_000)
    ocs("import", "undo", first).done()


def test_a_document_that_somebody_cancelled_is_told(ocs: Ocs) -> None:
    file = ocs.ledger([ROWS[1]])
    take(ocs, file).done()
    services = ocs.platform().services
    CancelDocument(services.store, clock=services.clock, ids=services.ids)(
        CancelDocumentRequest(request_id="1", external_document_no="N-2", reason="mistake")
    )
    services.close()
    assert "line 2: document N-2 was cancelled" in ocs("import", "undo", file).refused()


def test_a_taking_back_that_was_cut_off_goes_on(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ocs.ledger([(f"C-{n % 3}", f"N-{n}", "2013-01-25", "", "1.00", "2013-02-20") for n in range(9)])
    take(ocs, file).done()
    monkeypatch.setattr(undoing, "TOGETHER", 2)
    batches = iter(range(3))

    def power_fails(self: undoing.Undoing, *rest: object) -> int:
        if next(batches, None) is None:
            raise KeyboardInterrupt
        return some_back(self, *rest)  # type: ignore[arg-type]

    some_back = undoing.Undoing._take_some_back
    monkeypatch.setattr(undoing.Undoing, "_take_some_back", power_fails)
    assert ocs("import", "undo", file).code != 0
    monkeypatch.setattr(undoing.Undoing, "_take_some_back", some_back)
    assert "being taken back; end that first" in take(ocs, file).refused()
    assert sum(d.cancelled for d in stored(ocs)[0].values()) == 6
    ocs("import", "undo", file).done()
    with closing(sqlite3.connect(ocs.folder / "ocs.sqlite3")) as connection:
        assert connection.execute("SELECT count(*), sum(cancelled) FROM documents").fetchall() == [(9, 9)]
        assert connection.execute("SELECT count(*), sum(cancelled) FROM payments").fetchall() == [(9, 9)]
        assert connection.execute("SELECT count(*) FROM accounts WHERE state = 'DEACTIVATED'").fetchall() == [(3,)]


def test_nothing_that_was_taken_over_is_a_sentence(ocs: Ocs) -> None:
    assert "Nothing was taken over from " in ocs("import", "undo", ocs.ledger(ROWS)).refused()
    assert "ocs import list shows what was" in ocs("import", "undo", "018f3a5c-7b1e-7cc0-8000-0123456789ab").refused()
