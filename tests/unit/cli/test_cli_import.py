"""`ocs import receivables`: what is new is added, what is known is left, what is in doubt is told."""

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

import pytest

from ocs_adapters.sql.drivers import driver
from ocs_core.entities.document import Document, DocumentState
from ocs_core.entities.payment import Payment
from ocs_core.messages import format_instant
from ocs_core.queries import DocumentSearch, PaymentSearch
from tests.unit.cli.conftest import HEADER, Ended, Ocs

ROWS: tuple[tuple[str, ...], ...] = (
    ("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20"),
    ("C-1", "N-2", "2013-02-25", "2013-03-27", "60.01", ""),
    ("C-2", "N-3", "2013-02-26", "2013-03-28", "1,070.5", "2013-03-31"),
)


def take(ocs: Ocs, file: str, *more: str, as_of: str = "2014-12-31") -> Ended:
    return ocs("import", "receivables", file, "--currency", "EUR", "--as-of", as_of, *more)


def counts(ended: Ended) -> dict[str, tuple[int, ...]]:
    """The closing summary: new and unchanged of each kind, and the rows that were not taken."""
    lines = (line.rsplit(maxsplit=2) for line in re.findall(r"^(?:accounts|documents|payments) .*$", ended.out, re.M))
    found: dict[str, tuple[int, ...]] = {name: (int(new), int(unchanged)) for name, new, unchanged in lines}
    for name in ("left out, issued later", "bad rows", "conflicts"):
        (number,) = re.findall(rf"^{name} +(\d+) *$", ended.out, re.M)
        found[name] = (int(number),)
    return found


def summary(
    accounts: tuple[int, int], documents: tuple[int, int], payments: tuple[int, int], *not_taken: int
) -> dict[str, tuple[int, ...]]:
    left_out, bad, conflicts = not_taken or (0, 0, 0)
    return {
        "accounts": accounts,
        "documents": documents,
        "payments": payments,
        "left out, issued later": (left_out,),
        "bad rows": (bad,),
        "conflicts": (conflicts,),
    }


def stored(ocs: Ocs) -> tuple[dict[str, Document], dict[str, Payment]]:
    made = ocs.platform()
    try:
        documents = made.services.queries.documents(DocumentSearch(limit=200)).items
        payments = made.services.queries.payments(PaymentSearch(limit=200)).items
        return {d.external_document_no or "": d for d in documents}, {p.external_payment_no or "": p for p in payments}
    finally:
        made.services.close()


def test_customers_invoices_and_settlements_become_accounts_documents_and_assigned_payments(ocs: Ocs) -> None:
    ended = take(ocs, ocs.ledger([(*row[:4], f'"{row[4]}"', row[5]) for row in ROWS])).done()
    assert counts(ended) == summary((2, 0), (3, 0), (2, 0))
    documents, payments = stored(ocs)
    assert {n: (d.account.external_id, d.total_amount_net, d.due_amount, d.state) for n, d in documents.items()} == {
        "N-1": ("C-1", 50_000_000, 0, DocumentState.SETTLED),
        "N-2": ("C-1", 60_010_000, 60_010_000, DocumentState.OPEN),
        "N-3": ("C-2", 1_070_500_000, 0, DocumentState.SETTLED),
    }
    assert [str(documents["N-1"].document_issued_date), str(documents["N-1"].document_due_date)] == list(ROWS[0][2:4])
    assert set(payments) == {"N-1", "N-3"}
    assert all(p.remaining_amount == 0 for p in payments.values())
    assert format_instant(payments["N-1"].payment_date_received or pytest.fail()) == "2013-02-20T00:00:00.000000Z"


def test_a_payment_is_received_at_the_beginning_of_the_settled_day_in_the_systems_zone(ocs: Ocs) -> None:
    ocs("configure", ocs.file("zone.toml", '[[system]]\nzone = "America/New_York"\n')).done()
    take(ocs, ocs.ledger([ROWS[0]])).done()
    assert format_instant(stored(ocs)[1]["N-1"].payment_date_received or pytest.fail()) == "2013-02-20T05:00:00.000000Z"


def test_a_dry_run_shows_what_would_come_and_how_it_is_read_and_writes_nothing(ocs: Ocs) -> None:
    file = ocs.ledger(
        [("C-1", "N-1", "1/13/2013", "2/12/2013", "1050.5", "2/1/2013"), ("C-1", "N-2", "2/1/2013", "", "-7", "")]
    )
    ended = take(ocs, file, "--dry-run").done()
    assert counts(ended) == summary((1, 0), (2, 0), (1, 0))
    assert "days as MM/DD/YYYY" in ended.out
    assert "Amounts are read with the decimal separator ." in ended.err
    lines = [line.split() for line in ended.out.splitlines()]
    assert [
        "2",
        "C-1",
        "N-1",
        "invoice",
        "2013-01-13",
        "2013-02-12",
        "1050.50",
        "EUR",
        "1050.50",
        "EUR",
        "2013-02-01",
    ] in lines
    assert ["3", "C-1", "N-2", "credit", "2013-02-01", "7.00", "EUR"] in lines
    assert stored(ocs) == ({}, {})
    assert ocs("events").done().out == ""


def test_the_same_file_again_changes_nothing(ocs: Ocs) -> None:
    file = ocs.ledger(ROWS[:2])
    take(ocs, file).done()
    before, published = stored(ocs), ocs("events").done().out
    again = take(ocs, file).done()
    assert "was taken over already, on 20" in again.err
    assert "1 accounts, 2 documents and 1 payments were new. Nothing was changed now." in again.err
    assert stored(ocs) == before
    assert ocs("events").done().out == published


def test_a_longer_file_adds_only_what_is_new(ocs: Ocs) -> None:
    take(ocs, ocs.ledger(ROWS[:1])).done()
    longer = ocs.ledger([*ROWS[:2], ("C-9", "N-9", "2013-03-01", "", "1.00", "2013-03-01")], name="longer.csv")
    assert counts(take(ocs, longer).done()) == summary((1, 1), (2, 1), (1, 1))


def test_a_later_as_of_adds_invoices_and_settlements_that_have_come(ocs: Ocs) -> None:
    file = ocs.ledger(ROWS[:2])
    first = take(ocs, file, as_of="2013-02-19").done()
    assert counts(first) == summary((1, 0), (1, 0), (0, 0), 1, 0, 0)
    assert counts(take(ocs, file, as_of="2013-02-20").done()) == summary((0, 1), (0, 1), (1, 0), 1, 0, 0)
    assert counts(take(ocs, file, as_of="2013-02-25").done()) == summary((0, 1), (1, 1), (0, 1))
    assert counts(take(ocs, file, as_of="2013-02-18").done()) == summary((0, 1), (0, 1), (0, 0), 1, 0, 0)


def test_an_invoice_settled_later_than_its_first_import_is_settled_by_the_next(ocs: Ocs) -> None:
    take(ocs, ocs.ledger([ROWS[1]])).done()
    paid = (*ROWS[1][:5], "2013-04-01")
    assert counts(take(ocs, ocs.ledger([paid])).done()) == summary((0, 1), (0, 1), (1, 0))


def differing(column: str, value: str) -> tuple[str, ...]:
    return tuple(value if name == column else old for name, old in zip(HEADER, ROWS[0], strict=True))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("amount", "50.01", "invoice N-1: the amount is stored as 50.00 EUR, the file says 50.01 EUR"),
        ("customer", "C-7", "invoice N-1: the customer is stored as C-1, the file says C-7"),
        ("issued", "2013-01-24", "invoice N-1: the issued day is stored as 2013-01-25, the file says 2013-01-24"),
        ("due", "2013-02-23", "invoice N-1: the due day is stored as 2013-02-24, the file says 2013-02-23"),
        (
            "settled",
            "2013-02-21",
            "the payment of invoice N-1: the settled day is stored as 2013-02-20, the file says 2013-02-21",
        ),
        ("settled", "", "the payment of invoice N-1: the settled day is stored as 2013-02-20, the file says none"),
    ],
)
def test_what_contradicts_the_stored_is_a_conflict_that_changes_nothing(
    ocs: Ocs, column: str, value: str, said: str
) -> None:
    take(ocs, ocs.ledger(ROWS[:1])).done()
    before = stored(ocs)
    ended = take(ocs, ocs.ledger([differing(column, value), ROWS[1]]))
    assert f"line 2: conflict: {said}" in ended.refused()
    assert counts(ended)["conflicts"] == (1,)
    assert stored(ocs) == before, "one row keeps the whole file from being taken over"
    assert take(ocs, ocs.ledger([differing(column, value), ROWS[1]]), "--keep-good").code == 1
    after = stored(ocs)
    assert set(after[0]) == {"N-1", "N-2"}, "told so, the other row goes on"
    assert after[0]["N-1"] == before[0]["N-1"]
    assert after[1] == before[1]
    assert ocs("collect", "--explain", "C-7").code == 1, "no account was made for nothing"


def test_an_account_in_another_currency_is_a_conflict(ocs: Ocs) -> None:
    take(ocs, ocs.ledger(ROWS[:1])).done()
    other = ocs.ledger([("C-1", "N-8", "2013-03-01", "2013-03-31", "5", "")])
    ended = ocs("import", "receivables", other, "--currency", "USD", "--as-of", "2014-12-31")
    assert "line 2: conflict: the account C-1 is in EUR, not in USD" in ended.refused()


def test_bad_rows_are_told_with_line_and_every_reason_and_the_others_go_on(ocs: Ocs) -> None:
    bad: Iterable[tuple[Any, ...]] = (
        ("", "N-4", "2013-01-25", "2013-02-24", "1", ""),
        ("C-1", "", "", "2013-02-24", "", ""),
        ("C-1", "N-5", "2013-01-25", "2013-01-24", '"1,234.00"', ""),
        ("C-1", "N-6", "2013-01-25", "2013-02-24", "0", ""),
        ("C-1", "N-7", "2013-01-25", "2013-02-24", "5", "2013-01-24"),
        ("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", ""),
        ("C-1", "N-8", "2013-01-25", "2013-02-24", "5", "", "x"),
        ("C-1", "N-10", "2013-01-25", "2013-02-24", "5.0051", ""),
        ("C-1", "N-11", "2013-01-25", "2013-02-24", "99999999999999999", ""),
        ("C-1", "N-12", "2013-01-25", "2013-02-24", "1e3", ""),
        ("C-1", "N-13", "2013-01-25", "2013-02-24", "5.005", ""),
    )
    bad = [row for row in bad if row[1] != "N-1"]
    file = ocs.ledger([ROWS[0], *bad, ROWS[1]])
    assert "Nothing was written" in take(ocs, file).refused()
    assert stored(ocs) == ({}, {})
    ended = take(ocs, file, "--keep-good")
    said = ended.refused()
    for reason in (
        "line 3: the customer is missing",
        "line 4: the number is missing; the issued is missing; the amount is missing",
        "line 5: it was due on 2013-01-24, before it was issued on 2013-01-25",
        "line 6: the amount is zero",
        "line 7: it was settled on 2013-01-24, before it was issued on 2013-01-25",
        "line 8: the row has 7 columns, the header 6",
        "line 9: the amount 5.0051 EUR is finer than EUR is paid (AMOUNT_TOO_FINE)",
        "line 10: the amount: ",
        "line 11: the amount: '1e3' is not an amount",
        "line 12: the amount '5.005' may be of thousands: EUR has no three places",
    ):
        assert reason in said
    assert counts(ended) == summary((1, 0), (2, 0), (1, 0), 0, 10, 0)
    assert set(stored(ocs)[0]) == {"N-1", "N-2"}


def test_line_ends_a_byte_order_mark_quotes_and_line_breaks_in_a_cell_are_as_they_come(ocs: Ocs) -> None:
    content = (
        "\ufeffcustomer,number,issued,due,amount,settled,note\r\n"
        '"C ""x"", 1",N-1,2013-01-25,2013-02-24,50.00,2013-02-20,"two\r\nlines"\r\n'
        "\r\n"
        "C-2,N-2,2013-01-26,,x,,\r\n"
        "C-2,N-3,2013-01-26,,1.00,,\r\n"
    )
    ended = take(ocs, ocs.file("ledger.csv", content), "--keep-good")
    assert "line 5: the amount: 'x'" in ended.refused()
    assert counts(ended) == summary((2, 0), (2, 0), (1, 0), 0, 1, 0)
    assert stored(ocs)[0]["N-1"].account.external_id == 'C "x", 1'


def test_a_quote_that_is_never_closed_is_told_with_the_line_where_it_begins(ocs: Ocs) -> None:
    ended = take(ocs, ocs.ledger([ROWS[0], ('"C-1', *ROWS[1][1:]), ROWS[2]]))
    assert re.search(r"line 3: the row cannot be read: .*is a quote never closed", ended.refused())
    assert counts(ended)["documents"] == (1, 0)


def test_other_delimiters_decimal_commas_and_encodings_are_read_when_told(ocs: Ocs) -> None:
    content = "Kunde;Rechnung;Datum;due;amount;settled\nMüller;N-1;25.01.2013;24.02.2013;1.250,5;\n".encode("cp1252")
    file = ocs.file("ledger.csv", content)
    columns = ("--column", "customer=Kunde", "--column", "number=Rechnung", "--column", "issued=Datum")
    assert "line 2 is not utf-8" in take(ocs, file, *columns).refused()
    assert "no encoding 'klingon'" in take(ocs, file, *columns, "--encoding", "klingon").refused()
    assert (
        "the file is utf-8; leave it out"
        in take(ocs, ocs.file("u.csv", content.decode("cp1252")), *columns, "--encoding", "cp1252").refused()
    )
    take(ocs, file, *columns, "--encoding", "cp1252", "--decimal-separator", ",").done()
    document = stored(ocs)[0]["N-1"]
    assert (document.account.external_id, document.total_amount_net) == ("Müller", 1_250_500_000)


AMBIGUOUS = [("C-1", "N-1", "1/2/2013", "2/3/2013", "50", ""), ("C-1", "N-2", "3/4/2013", "5/4/2013", "50", "")]


def test_where_two_date_formats_fit_every_row_both_are_named_and_one_is_asked_for(ocs: Ocs) -> None:
    file = ocs.ledger(AMBIGUOUS)
    refusal = take(ocs, file).refused()
    assert "--date-format 'MM/DD/YYYY' reads 1/2/2013 as 2013-01-02" in refusal
    assert "--date-format 'DD/MM/YYYY' reads 1/2/2013 as 2013-02-01" in refusal
    assert stored(ocs) == ({}, {})
    take(ocs, file, "--date-format", "%d/%m/%Y").done()
    assert str(stored(ocs)[0]["N-1"].document_issued_date) == "2013-02-01"


def test_one_row_anywhere_decides_how_all_dates_are_read(ocs: Ocs) -> None:
    decisive = ("C-1", "N-3", "3/4/2013", "4/5/2013", "50", "4/13/2013")
    take(ocs, ocs.ledger([*AMBIGUOUS, decisive])).done()
    assert str(stored(ocs)[0]["N-1"].document_issued_date) == "2013-01-02"


def test_a_day_that_no_format_reads_makes_a_bad_row_and_days_that_two_formats_share_refuse_the_file(ocs: Ocs) -> None:
    soon = [ROWS[0], ("C-1", "N-2", "soon", "", "1", ""), ("C-1", "N-3", "2013-01-01", "", "1", "2013-13-01")]
    ended = take(ocs, ocs.ledger(soon), "--keep-good")
    assert "line 3: the issued day 'soon' is not written as YYYY-MM-DD" in ended.refused()
    assert counts(ended) == summary((1, 0), (1, 0), (1, 0), 0, 2, 0)
    both = [("C-1", "N-8", "31/12/2013", "", "1", ""), ("C-1", "N-9", "12/31/2013", "", "1", "")]
    refusal = take(ocs, ocs.ledger(both), "--keep-good").refused()
    assert (
        "No date format fits every row: MM/DD/YYYY fits all but line 2 (issued '31/12/2013'); DD/MM/YYYY fits all but line 3"
        in refusal
    )


def test_a_date_format_that_does_not_fit_every_row_is_refused_as_a_whole(ocs: Ocs) -> None:
    file = ocs.ledger([*AMBIGUOUS, ("C-1", "N-3", "3/4/2013", "4/5/2013", "50", "4/13/2013")])
    for more in ((), ("--keep-good",)):
        refusal = take(ocs, file, "--date-format", "DD/MM/YYYY", *more).refused()
        assert "--date-format 'DD/MM/YYYY' does not fit every row: not line 4 (settled '4/13/2013')" in refusal
        assert "Every row is written as MM/DD/YYYY." in refusal
    assert stored(ocs) == ({}, {})


def test_dates_that_nobody_knows_are_named(ocs: Ocs) -> None:
    refusal = take(ocs, ocs.ledger([("C-1", "N-1", "yesterday", "", "1", "")])).refused()
    assert "No date format that is known fits any row, such as line 2 (issued 'yesterday')" in refusal


@pytest.mark.parametrize(
    "written",
    ["20130125", "25.01.2013", "25-Jan-2013", "25 January 2013", "January 25, 2013", "2013-01-25T23:30:00+02:00"],
)
def test_days_are_read_as_companies_write_them(ocs: Ocs, written: str) -> None:
    take(ocs, ocs.ledger([("C-1", "N-1", f'"{written}"', "", "1", "")])).done()
    assert str(stored(ocs)[0]["N-1"].document_issued_date) == "2013-01-25"


def test_a_date_format_that_tells_no_day_is_refused(ocs: Ocs) -> None:
    for wrong in ("%d/%m", "whatever", "%Q"):
        assert "does not tell year, month and day" in take(ocs, ocs.ledger(ROWS[:1]), "--date-format", wrong).refused()


def test_columns_that_cannot_be_guessed_are_asked_for_all_at_once(ocs: Ocs) -> None:
    header = ("Client", "Customer ID", "ref", "Issue Date", "due", "Amount", "when paid")
    refusal = take(ocs, ocs.ledger([], header)).refused()
    assert "'Client' and 'Customer ID' may be the field customer; say which with --column customer=NAME." in refusal
    assert "No column looks like the field number; say which with --column number=NAME." in refusal
    assert (
        "No column looks like the field settled; say which with --column settled=NAME, or --column settled= if"
        in refusal
    )
    assert "The file's columns are: Client, Customer ID, ref, Issue Date, due, Amount, when paid." in refusal


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("customer", "--column customer: write field=NAME; the fields are customer, number"),
        ("client=customer", "There is no field 'client'; the fields are customer, number"),
        ("customer=Kunde", "--column customer=Kunde: there is no column of that name."),
        ("customer=", "--column customer=: there is no column of that name."),
        ("customer=number", "No column looks like the field number; say which with --column number=NAME."),
        ("due=issued", "No column looks like the field issued"),
    ],
)
def test_a_column_told_wrongly_is_refused(ocs: Ocs, column: str, said: str) -> None:
    assert said in take(ocs, ocs.ledger(ROWS[:1]), "--column", column).refused()


def test_a_ledger_without_due_days_or_settlements_is_taken_when_that_is_said(ocs: Ocs) -> None:
    file = ocs.ledger([(*ROWS[0][:3], "50")], ("customer", "number", "issued", "amount"))
    take(ocs, file, "--column", "due=", "--column", "settled=").done()
    document = stored(ocs)[0]["N-1"]
    assert (str(document.document_due_date), document.state) == ("2013-02-08", DocumentState.OPEN)


def test_a_file_of_nothing_or_of_a_header_alone_is_a_sentence(ocs: Ocs) -> None:
    assert "there is no header line" in take(ocs, ocs.file("empty.csv", "")).refused()
    assert counts(take(ocs, ocs.ledger([])).done()) == summary((0, 0), (0, 0), (0, 0))


def test_a_day_that_has_not_come_or_is_none_is_refused(ocs: Ocs) -> None:
    assert "2999-01-01 has not come yet" in take(ocs, ocs.ledger(ROWS[:1]), as_of="2999-01-01").refused()
    assert "give a day such as" in take(ocs, ocs.ledger(ROWS[:1]), as_of="12/31/2014").refused()


def test_what_is_not_configured_is_named_with_the_command_that_helps(empty: Ocs) -> None:
    empty("migrate").done()
    refusal = take(empty, empty.ledger(ROWS[:1])).refused()
    for missing in ("the currency EUR", "the account type payer", "the document type genericInvoice", "bankTransfer"):
        assert missing in refusal
    assert "ocs configure FILE.toml (ocs configure --example prints one)" in refusal


def test_types_and_method_are_as_the_options_say(ocs: Ocs) -> None:
    ocs("configure", ocs.file("x.toml", '[[document_types]]\ncode = "oldInvoice"\n')).done()
    take(ocs, ocs.ledger(ROWS[:1]), "--document-type", "oldInvoice", "--payment-method", "cash").done()
    documents, payments = stored(ocs)
    assert documents["N-1"].document_type == "oldInvoice"
    assert payments["N-1"].payment_method == "cash"
    for wrong in (("--account-type", "technical"), ("--document-type", "creditNote"), ("--payment-method", "gold")):
        assert "Not configured" in take(ocs, ocs.ledger(ROWS[:1]), *wrong).refused()


@pytest.mark.parametrize("notify", [False, True])
def test_nobody_is_notified_of_what_is_taken_over_unless_that_is_asked_for(ocs: Ocs, notify: bool) -> None:
    take(ocs, ocs.ledger(ROWS[:1]), *(["--notify"] if notify else [])).done()
    told = set(re.findall(r'"ce_type":"io\.ocs\.rm\.(\w+)"', ocs("events").done().out))
    assert {"account", "payer", "payment", "document", "paymentDocuments"} <= told
    notifications = {"documentCreated", "paymentReceived", "documentOpenBalanceChanged"}
    assert told & notifications == (notifications if notify else set())


def test_a_row_that_is_refused_leaves_no_account_behind(ocs: Ocs) -> None:
    rows = [("A", "1", "2014-01-31", "2014-02-28", "10.00", ""), ("Z", "2", "2014-01-31", "2014-02-28", "3.001", "")]
    rows.append(("Z", "3", "2014-01-31", "2014-02-28", "3.0011", ""))
    ended = take(ocs, ocs.ledger(rows), "--keep-good")
    assert "line 4: the amount 3.0011 EUR is finer than EUR is paid (AMOUNT_TOO_FINE)" in ended.refused()
    assert counts(ended)["accounts"] == (1, 0)


def test_a_database_that_somebody_holds_is_a_sentence(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LOCK_SECONDS", 1)
    other = sqlite3.connect(ocs.folder / "ocs.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refusal = take(ocs, ocs.ledger([("A", "1", "2014-01-31", "2014-02-28", "10.00", "")])).refused()
    other.rollback()
    other.close()
    assert "others hold what this needs for too long" in refusal
