"""Cells that are no day, amount, currency or id are told as that, in a moment; what looks odd and is right is read."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ocs_core.entities.configuration import Currency
from ocs_core.money import MILLIONTHS
from ocs_core.usecases.take_over_receivables import DateFormat, FileRefused, Row, Table, Terms, read_receivables
from tests.unit.core.test_take_over_receivables import AS_OF, CONFIGURATION, amounts, read, reasons, refusal

BROAD = CONFIGURATION.with_entries([Currency(code="USD"), Currency(code="GBP"), Currency(code="INR")])


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Far more than what is done needs: a hang ends, and nothing is measured."""

    def too_long(*_: Any) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("field", ["issued", "due", "settled", "amount", "outstanding", "currency", "status", "type"])
@pytest.mark.parametrize("part", [" ", "a", "0", "-", "1 ", "T", "(", "€", "'", "0.", "\u00a0"])
def test_a_cell_of_forty_kilobytes_is_told_in_a_moment(field: str, part: str) -> None:
    cell = "5" + part * 40_000 + "x"
    with within(20):
        found = read([{field: cell, "customer": "D"}, {"currency": "EUR", "status": "open", "type": "invoice"}])
    assert "more than one can have" in found.bad[0].reason
    assert [i.number for i in found.invoices] == ["N1"]


@pytest.mark.parametrize("field", ["customer", "number"])
@pytest.mark.parametrize("part", [" ", "1", '"', "'", "#a"])
def test_an_id_of_forty_kilobytes_is_told_in_a_moment(field: str, part: str) -> None:
    with within(20):
        assert [p.line for p in read([{field: '="' + part * 40_000 + "x"}]).bad] == [2]


@pytest.mark.parametrize(
    ("told", "fits", "misfits"),
    [
        ("DDMMYYYY", ["01112024"], ["1112024", "111202", "1 112024", "001112024"]),
        ("MMDDYYYY", ["01112024"], ["1112024"]),
        ("YYYYMMDD", ["20240111"], ["2024111", "202411"]),
        ("DDMMYY", ["011124"], ["11124", "0111245"]),
        ("YYMMDD", ["240111"], ["24111"]),
        ("DDMM-YYYY", ["0111-2024"], ["111-2024"]),
    ],
)
def test_days_without_separators_have_all_their_digits(told: str, fits: list[str], misfits: list[str]) -> None:
    format_ = DateFormat.given(told)
    assert all(format_.parse(text) for text in fits)
    assert [format_.parse(text) for text in misfits] == [None] * len(misfits)
    for text in misfits:
        with pytest.raises(FileRefused):
            read([{"issued": text}], date_format=told)


ERRORS = ["#REF!", "#N/A", "####", "#VALUE!", "#NAME?", "#DIV/0!", "#ref!", "#NV", "#BEZUG!", "#########", "Err:502"]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("field", ["customer", "number", "issued", "due", "settled", "amount", "outstanding", "status"])
def test_what_a_spreadsheet_shows_for_an_error_is_no_value_and_not_nothing(field: str, error: str) -> None:
    found = read([{field: error, "customer": "D"} | ({field: error})])
    assert "what a spreadsheet shows for an error" in found.bad[0].reason
    assert found.invoices == ()


def test_a_number_sign_before_an_id_is_an_id() -> None:
    assert read([{"number": "#123"}]).invoices[0].number == "#123"


@pytest.mark.parametrize(
    ("written", "id_"),
    [("'t Hart", "'t Hart"), ("'s-Gravenhage", "'s-Gravenhage"), ("'00123", "00123"), ("'=1+1", "=1+1"), ("'-5", "-5")],
)
def test_an_apostrophe_is_cut_only_before_a_number_or_a_formula(written: str, id_: str) -> None:
    (invoice,) = read([{"customer": written}]).invoices
    assert invoice.customer == id_


def with_currencies(*cells: str, **terms: Any) -> list[str]:
    rows = [
        {"customer": f"C{n}", "number": f"N{n}", "issued": "2024-05-14", "amount": "5", "currency": cell, "due": ""}
        for n, cell in enumerate(cells)
    ]
    table = Table(tuple(rows[0]), tuple(Row(n, row) for n, row in enumerate(rows, 2)))
    terms = {"columns": {"settled": ""}, **terms}
    return [i.currency for i in read_receivables(table, Terms(as_of=AS_OF, **terms), BROAD).invoices]


def test_signs_of_currencies_are_asked_for_and_may_be_told() -> None:
    with pytest.raises(FileRefused) as refused:
        with_currencies("$", "£", "€")
    assert "--currency-sign '$=USD' --currency-sign '£=GBP'" in str(refused.value)
    assert with_currencies("$", "£", "€", signs={"$": "USD", "£": "GBP"}) == ["USD", "GBP", "EUR"]
    assert with_currencies("$", "usd", currency="USD") == ["USD", "USD"]
    assert with_currencies("Rs.", signs={"rs": "INR"}) == ["INR"]
    with pytest.raises(FileRefused, match="there is no column of the currency"):
        read([{}], signs={"$": "USD"})


@pytest.mark.parametrize("amount", ["-40", "(40.00)", "40-", "40 CR"])
def test_an_invoice_below_zero_is_a_contradiction(amount: str) -> None:
    (reason,) = reasons({"amount": amount, "type": "Invoice"})
    assert "its type is an invoice, and its amount -40.00 EUR is a credit's" in reason
    assert read([{"amount": amount, "type": "Credit note"}]).invoices[0].credit


def test_a_credit_that_is_written_as_a_debit_is_a_contradiction() -> None:
    (reason,) = reasons({"amount": "40 DR", "type": "Credit note"})
    assert "its type is a credit, and its amount '40 DR' is a debit" in reason
    assert read([{"amount": "40 CR", "type": "Credit note"}]).bad == ()


def test_a_column_of_amounts_whose_name_says_another_currency_is_a_contradiction() -> None:
    row = {"amount": "", "Total (KWD)": "5", "customer": "D"}
    columns = {"amount": "Total (KWD)"}
    (reason,) = reasons(row, columns=columns, ignored=("amount",))
    assert "the row is in EUR, and by its name the column 'Total (KWD)' is not" in reason
    assert read([row], columns=columns, ignored=("amount",), currency="KWD").bad == ()
    mixed = [{**row, "currency": "KWD"}, {**row, "currency": "EUR", "customer": "E"}]
    assert [p.line for p in read(mixed, columns=columns, ignored=("amount",), currency=None).bad] == [3]


def test_a_lone_group_of_three_in_a_currency_without_minor_digits_is_of_thousands() -> None:
    assert amounts(["1,000"], currency="JPY") == [1000]
    assert amounts(["1.000", "12.500"], currency="JPY") == [1000, 12500]
    assert "does not fit" in refusal(["1,000"], currency="JPY", decimal_separator=",")
    assert amounts(["500.000", "1000.000"], currency="JPY", decimal_places=3, decimal_separator=".") == [500, 1000]


def test_amounts_as_they_are_written_in_india() -> None:
    found = read_receivables(
        Table(
            ("customer", "number", "issued", "amount"),
            tuple(
                Row(n, {"customer": "C", "number": f"N{n}", "issued": "2024-05-14", "amount": text})
                for n, text in enumerate(["Rs 500/-", "Rs. 1,23,456/-", "₹ 12.50", "500/="])
            ),
        ),
        Terms(as_of=AS_OF, currency="INR", columns={"due": "", "settled": ""}),
        BROAD,
    )
    assert [i.amount / MILLIONTHS for i in found.invoices] == [500, 123456, 12.5, 500]


def test_a_day_without_a_year_is_told_as_that() -> None:
    with pytest.raises(FileRefused, match=r"a month .a number, or its English name. and a year"):
        read([{"issued": "14 März"}])
