"""A column that nobody uses and that may change what a row means is asked about, whatever it is called and in any language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.usecases.take_over_receivables import FileRefused
from ocs_core.usecases.take_over_receivables.unused import _PLAIN
from tests.unit.core.test_take_over_receivables import read

SAYING = [
    ("Dr/Cr", "CR"),
    ("D/C", "D"),
    ("S/H", "H"),
    ("Soll/Haben", "Haben"),
    ("Document class", "GU"),
    ("Category", "Credit note"),
    ("Written off", "Yes"),
    ("Write-off", "100.00"),
    ("Cancellation date", "2024-06-01"),
    ("Storno", "X"),
    ("CGST", "9.00"),
    ("IGST", "18"),
    ("TDS", "2.00"),
    ("HST", "13.00"),
    ("IVA", "21,00"),
    ("Freight", "12.50"),
    ("Adjustments", "-5.00"),
    ("Prepaid", "40.00"),
    ("Collected", "40.00"),
    ("Receipts", "40.00"),
    ("Owing", "60.00"),
    ("Währung", "USD"),
    ("Divisa", "USD"),
    ("Devise", "dollars"),
    ("Bezahlt", "ja"),
    ("Bezahlt am", "01.06.2024"),
    ("Saldo", "0,00"),
    ("Saldo", "-"),
    ("Estado", "Pagada"),
    ("Zustand", "storniert"),
    ("Beglichen", "x"),
    ("column 7", "CR"),
    ("column 7", "40 USD"),
    ("column 7", "60.00"),
    ("Paid by customer", "40.00"),
    ("Account balance", "0.00"),
    ("Client currency", "USD"),
    ("Reference type", "Credit note"),
    ("Reversed document no", "R-1"),
    ("Credit note number", "CN-7"),
    ("Discount", "2.00"),
    ("VAT rate", "21"),
    ("VAT %", "21%"),
    ("Exchange rate", "1.08"),
    ("Written off total", "1.00"),
    ("gross_amount_2", "1.00"),
    ("taxCode", "V1"),
    ("Notes", "PAID"),
    ("Notes", "-40.00"),
    ("Description", "2024-06-01"),
    ("Reference", "USD"),
    ("Customer name", "#REF!"),
    ("Notes", "paid by cheque"),
    ("Notes", "40"),
    ("Customer share", "40"),
    ("Reduced to", "40"),
    ("Unit", "USD"),
    ("Gutschrift zu", "RE-1000"),
    ("Comment", "Rechnung storniert"),
    ("30 days", "120.00"),
    ("30 days", "120"),
    ("0-30 days", "0.00"),
    ("Period 1", "120"),
    ("Account 2", "120"),
    ("Days late", "100,50"),
    ("Days late", "1,000"),
    ("Days late", "12000"),
    ("Weeks", "2.5"),
    ("Code", "RG"),
    ("Code", "1"),
    ("Code", "offen"),
    ("Trans code", "4"),
    ("Reference code", "GS"),
    ("Product code", "GS"),
    ("Reference", "GS"),
    ("Skonto days", "100,50"),
    ("Rest account", "120"),
    ("Ausgleich updated", "2024-06-01"),
    ("Unit", "TEUR"),
    ("Unit", "Thousand"),
    ("Unit", "2"),
    ("Region", "USD"),
    ("Country", "paid"),
    ("Disputed", "USD"),
    ("Disputed", "CR"),
    ("Limit", "120.00"),
    ("VAT no amount", "9.00"),
    ("VAT number", "19"),
    ("Payment method", "120"),
    ("Ref (+/-)", "17"),
    ("Quantity €", "2"),
    ("Notes", "40’000.00"),
    ("Notes", "500/-"),
    ("Notes", "1.2E+03"),
    ("Schlüssel", "V1"),
    ("Wert", "120.5k"),
    ("Fax", "120.50"),
]


@pytest.mark.parametrize(("column", "cell"), SAYING)
def test_a_column_that_may_change_what_a_row_means_is_named_until_it_is_ignored(column: str, cell: str) -> None:
    with pytest.raises(FileRefused, match="may change what a row means") as refused:
        read([{column: ""}, {column: cell}])
    assert f"{column!r} (line 3: {cell!r})" in str(refused.value)
    assert read([{column: cell}], ignored=(column,)).bad == ()


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("VAT number", "DE123456789"),
        ("VAT reg. no", "123456789"),
        ("credit limit", "5,000.00"),
        ("payment terms", "30"),
        ("Payment method", "bank transfer"),
        ("countryCode", "391"),
        ("Country", "CR"),
        ("Disputed", "Yes"),
        ("DaysLate", "13"),
        ("DaysToSettle", "36"),
        ("PaperlessDate", "2012-03-03"),
        ("PaperlessBill", "Electronic"),
        ("Customer name", "Müller GmbH"),
        ("Billing address", "Hauptstr. 1"),
        ("E-mail", "a@example.org"),
        ("POAddressLine1", "1 High St"),
        ("PO number", "4711"),
        ("Order date", "2024-05-01"),
        ("Description", "Consulting in May, 3 days"),
        ("Notes", "-"),
        ("Ansprechpartner", "a@example.org"),
        ("Vorgang", "AB-4711"),
        ("column 9", ""),
        ("Rabatt", "NULL"),
        ("Saldo", " "),
        ("Address 2", "Hinterhaus"),
        ("Country code", "US"),
        ("Country code", "USA"),
        ("Zip code", "10115"),
        ("Product code", "4711"),
        ("Department", "HR"),
        ("Phone", "+49 30 1234567"),
        ("Qty", "2.50"),
        ("Days late", "-4"),
        ("Days past due", "4"),
        ("Sales rep", "Lee"),
        ("Date created", "2024-05-01"),
    ],
)
def test_a_plain_name_or_cells_that_can_say_nothing_are_listed_as_not_used(column: str, cell: str) -> None:
    assert read([{column: cell}, {column: ""}]).columns.unused == (column,)


PLAIN_WORDS = sorted({word for words in _PLAIN for word in words.split()} - {"hours", "quantity", "qty"})


@given(
    st.lists(st.sampled_from(PLAIN_WORDS), min_size=1, max_size=3), st.sampled_from(["Rest", "31", "€", "%", "Teil"])
)
def test_one_word_that_nobody_knows_makes_a_name_that_is_asked_about(words: list[str], other: str) -> None:
    for name in (" ".join([other, *words]), " ".join([*words, other])):
        for cell in ("60.00", "-5", "120", "USD", "PAID", "CR", "RG", "2024-06-01"):
            with pytest.raises(FileRefused, match="may change what a row means"):
                read([{name: cell}])


@given(st.lists(st.sampled_from(PLAIN_WORDS), min_size=1, max_size=3))
def test_no_plain_name_hides_an_amount_a_state_or_a_currency(words: list[str]) -> None:
    for cell in ("60.00", "100,50", "12.5", "1,000.00-", "USD", "PAID", "credit note", "60 EUR", "#REF!"):
        with pytest.raises(FileRefused, match="may change what a row means"):
            read([{" ".join(["the", *words]): cell}])


def test_all_such_columns_are_told_at_once_with_the_options_that_pass_them_over() -> None:
    rows = [{"Dr/Cr": "CR", "Freight": "1.50", "Notes": "soon", "VAT %": "21"}]
    with pytest.raises(FileRefused) as refused:
        read(rows)
    flags = "--ignore-column=Dr/Cr --ignore-column=Freight --ignore-column='VAT %'"
    assert flags in str(refused.value)
    assert read(rows, ignored=("Dr/Cr", "Freight", "VAT %")).columns.unused == ("Notes",)


@given(st.text(st.characters(categories=("L", "Nd")), min_size=1, max_size=12), st.text(min_size=1, max_size=20))
def test_a_name_that_nobody_knows_over_a_number_or_a_code_is_never_passed_over(name: str, other: str) -> None:
    column = f"q{name}q"
    for cell in ("60.00", "-5", "USD", "CR", "2024-06-01", "Pagada"):
        with pytest.raises(FileRefused, match="may change what a row means"):
            read([{column: other}, {column: cell}])


@pytest.mark.parametrize("cell", ["a" * 40_000, " x" * 20_000, "0" * 40_000, "-" * 40_000])
def test_long_cells_of_unused_columns_are_looked_at_in_no_time(cell: str) -> None:
    assert read([{"Notes": cell}]).columns.unused == ("Notes",)
