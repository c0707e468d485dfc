"""A file that was cut off within its last row is refused where its last cell shows it."""

import pytest

from ocs_adapters.files.table import read_table
from ocs_core.usecases.take_over_receivables import FileRefused

HEAD = "customer,invoice,amount,outstanding\nC1,I1,500.00,500.00\nC1,I2,300.00,\n"
ROW = "C1,I3,400.00,400.00"


@pytest.mark.parametrize("torn", [ROW[:n] for n in range(3, len(ROW)) if ROW[:n] != "C1,I3,400.00,"])
def test_a_row_that_is_cut_off_is_refused_wherever_it_was_cut(torn: str) -> None:
    """But where an empty cell is left, which another row has, too."""
    with pytest.raises(FileRefused, match=r"line 4 seems to be cut off.*Export the file again"):
        read_table(f"{HEAD}{torn}".encode(), "ledger.csv")
    assert len(read_table(f"{HEAD}{torn}\n".encode(), "ledger.csv").rows) == 3, "it is told that the row is whole"


@pytest.mark.parametrize("day", ["2024-05-1", "2024-0", "2024"])
def test_a_day_that_is_cut_off_is_refused(day: str) -> None:
    with pytest.raises(FileRefused, match="cut off"):
        read_table(f"customer,invoice,due\nC1,I1,2024-05-14\nC1,I2,{day}".encode(), "ledger.csv")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_whole_file_needs_no_last_line_end(end: str) -> None:
    assert len(read_table(f"{HEAD}{ROW}{end}".encode(), "ledger.csv").rows) == 3
    assert len(read_table(f"{HEAD}C1,I3,400.00,{end}".encode(), "ledger.csv").rows) == 3
    assert len(read_table(f"customer,invoice,amount\nC1,I1,5\nC1,I2,500.5{end}".encode(), "ledger.csv").rows) == 2
