"""An invoice of several rows is taken over whole, or not at all."""

import pytest

from ocs_adapters.files.table import read_table
from ocs_core.money import MILLIONTHS
from ocs_core.usecases.take_over_receivables import FileRefused, Receivables, Terms, read_receivables
from tests.unit.core.test_take_over_cells import within
from tests.unit.core.test_take_over_receivables import AS_OF, CONFIGURATION, read

HEADER = "customer,number,issued,due,amount,settled\n"


def read_file(text: str, **terms: object) -> Receivables:
    table = read_table((HEADER + text).encode(), "ledger.csv")
    return read_receivables(table, Terms(as_of=AS_OF, currency="EUR", **terms), CONFIGURATION)  # type: ignore[arg-type]


OF_THE_INVOICE = [
    "C,R,2024-05-14,,1,234.00,,x\n",
    "C,R,2024-05-14,,40.00,,more\n",
    "C,R,soon,,40.00,\n",
    "C,R,2024-05-14,,#N/A,\n",
    'C,R,2024-05-14,,40.00,"never closed\n',
    'C,R,2024-05-14,,"40.00"x,\n',
    ",R,2024-05-14,,40.00,\n",
]
WITHOUT_NUMBER = ["C,,2024-05-14,,40.00,\n", "C,#REF!,2024-05-14,,40.00,\n"]


@pytest.mark.parametrize(
    ("add_up", "other"),
    [(True, row) for row in OF_THE_INVOICE + WITHOUT_NUMBER] + [(False, row) for row in OF_THE_INVOICE],
)
def test_an_invoice_with_one_row_that_cannot_be_read_is_left_whole(other: str, add_up: bool) -> None:
    found = read_file(f"D,Q,2024-05-14,,5.00,\nC,R,2024-05-14,,60.00,\n{other}", add_up=add_up)
    assert [i.number for i in found.invoices] == ["Q"]
    assert {p.line for p in found.bad} == {3, 4}


def test_rows_with_empty_cells_behind_the_last_column_or_without_those_at_the_end_are_whole() -> None:
    found = read_file("C,R-1,2024-05-14,,5.00,,,,\nC,R-2,2024-05-14,,6.00\nC,R-3,2024-05-14,,7.00,,  \n")
    assert found.bad == ()
    assert [i.amount // MILLIONTHS for i in found.invoices] == [5, 6, 7]


def test_two_columns_of_one_name_are_told_apart() -> None:
    table = read_table(b"customer,number,issued,due,amount,settled,Note,Note,,\nC,R,2024-05-14,,5,,a,CR,,\n", "x.csv")
    assert table.header[6:] == ("Note", "Note (2)", "column 9", "column 10")
    with pytest.raises(FileRefused, match="'Note \\(2\\)'"):
        read_receivables(table, Terms(as_of=AS_OF, currency="EUR"), CONFIGURATION)


@pytest.mark.parametrize("cell", ["", "a", '"x"'])
def test_a_header_of_a_hundred_thousand_columns_is_refused_in_a_moment(cell: str) -> None:
    with within(20), pytest.raises(FileRefused, match="a header has 1000 at the most"):
        read_table(f"x{f',{cell}' * 100_000}\n1,2\n".encode(), "wide.csv")


def test_a_cancelled_row_of_the_same_number_is_told_as_that() -> None:
    found = read([{"number": "R", "status": "open"}, {"number": "R", "status": "Cancelled"}])
    (problem,) = found.bad
    assert "the number R stands in line 3, too, which is left out as 'Cancelled'" in problem.reason


REPEATED = [
    {"number": "R", "amount": "100", "amount paid": "0"},
    {"number": "R", "amount": "100", "amount paid": "0"},
    {"number": "S", "amount": "70", "amount paid": "0"},
    {"number": "S", "amount": "70", "amount paid": "0"},
]
LINES = [
    {"number": "R", "amount": "60", "amount paid": "100"},
    {"number": "R", "amount": "40", "amount paid": "100"},
]


def test_an_amount_that_is_the_same_in_all_rows_of_an_invoice_is_asked_about() -> None:
    with pytest.raises(FileRefused, match=r"--repeated amount; .* --repeated none"):
        read(REPEATED, add_up=True)
    with pytest.raises(FileRefused, match=r"paid may be the same in all rows of one number, such as R .lines 2, 3."):
        read(LINES, add_up=True)


def test_all_amounts_that_may_be_repeated_are_told_at_once() -> None:
    rows = [{"number": "R", "amount": "100", "amount paid": "40"}] * 2
    with pytest.raises(FileRefused, match="--repeated amount --repeated paid;"):
        read(rows, add_up=True)
    (whole,) = read(rows, add_up=True, repeated=("amount", "paid")).invoices
    assert (whole.amount // MILLIONTHS, whole.paid // MILLIONTHS) == (100, 40)


def test_what_is_repeated_counts_once_and_what_is_not_is_added_up() -> None:
    once = read(REPEATED, add_up=True, repeated=("amount",))
    assert [i.amount // MILLIONTHS for i in once.invoices] == [100, 70]
    each = read(REPEATED, add_up=True, repeated=())
    assert [i.amount // MILLIONTHS for i in each.invoices] == [200, 140]
    (whole,) = read(LINES, add_up=True, repeated=("paid",)).invoices
    assert (whole.amount // MILLIONTHS, whole.paid // MILLIONTHS) == (100, 100)
    wrong = read(LINES, add_up=True, repeated=("amount", "paid"))
    assert "differ in amount, which is said to be repeated" in wrong.bad[0].reason


def test_a_few_invoices_of_equal_lines_among_others_are_added_up() -> None:
    rows = [
        {"number": number, "amount": amount} for number in "ABC" for amount in ("60", "40" if number > "A" else "60")
    ]
    assert [i.amount // MILLIONTHS for i in read(rows, add_up=True).invoices] == [120, 100, 100]
