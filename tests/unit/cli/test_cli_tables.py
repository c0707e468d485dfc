"""What commands print: tables that fit any width, and the same rows as JSON."""

import ast
import datetime as dt
import inspect
import io
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ocs_adapters.cli import say
from ocs_adapters.cli.cells import Amount
from tests.unit.cli.conftest import Ocs

INSTANT = dt.datetime(2024, 5, 14, 7, 15, tzinfo=dt.UTC)
WORDS = st.lists(st.text("abcdefghij-", min_size=1, max_size=20), min_size=1, max_size=12).map(" ".join)
CELLS = st.one_of(
    st.uuids(),
    st.dates(),
    st.integers(-(10**24), 10**24),
    st.builds(Amount, st.integers(-(10**24), 10**24), st.just("EUR")),
    st.none(),
    WORDS,
)


def printed(part: say.Table | say.Record, width: int = say.WIDE) -> str:
    target = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    part.show(target)
    assert isinstance(target.file, io.StringIO)
    return target.file.getvalue()


def unbroken(cell: object) -> list[str]:
    return [] if cell is None else cell.split() if isinstance(cell, str) else [str(cell)]


def test_an_amount_that_just_does_not_fit_is_not_broken_between_number_and_currency() -> None:
    rows = [(uuid4(), INSTANT, Amount(1, "EUR"))]
    for width in range(20, 100):
        assert "0.000001 EUR" in printed(say.Table(["id", "as of", "amount "], rows), width)


@given(rows=st.lists(st.tuples(*[CELLS] * 5), min_size=1, max_size=3), width=st.integers(20, 200))
def test_no_id_no_day_no_amount_and_no_word_is_broken_at_any_width(rows: list[tuple[object, ...]], width: int) -> None:
    out = printed(say.Table(["id", "as of", "amount ", "count ", "reason"], rows), width)
    parts = [part for row in rows for cell in row for part in unbroken(cell)]
    assert all(part in out for part in parts)
    if max(map(len, parts), default=0) <= width - 2:
        assert max(map(len, out.splitlines())) <= width


@given(rows=st.lists(st.tuples(*[CELLS] * 3), max_size=5))
def test_what_goes_to_a_program_has_a_line_for_each_row(rows: list[tuple[object, ...]]) -> None:
    assert len(printed(say.Table(["one", "two ", "three"], rows)).splitlines()) == len(rows) + 1


def test_a_row_that_is_too_wide_is_a_list_of_its_fields() -> None:
    ids = [uuid4() for _ in range(2)]
    rows = [(each, INSTANT, Amount(49_900_000, "EUR"), "The recipient does not answer at all") for each in ids]
    table = say.Table(["id", "as of", "amount ", "reason"], rows)
    assert len(printed(table, 120).splitlines()) == 3
    assert printed(table, 60).split("\n\n")[0].splitlines() == [
        f"id      {ids[0]}",
        "as of   2024-05-14T07:15:00.000000Z",
        "amount  49.90 EUR",
        "reason  The recipient does not answer at all",
    ]
    assert printed(table, 40).startswith(f"id\n  {ids[0]}\nas of   2024")


def test_the_same_rows_are_json_with_amounts_in_millionths(capsys: pytest.CaptureFixture[str]) -> None:
    ref_id = uuid4()
    rows = [(ref_id, INSTANT, Amount(2**70, "EUR"), None, INSTANT.date(), ("a", "b"), True)]
    say.table(["id", "as of", "open amount ", "reason", "day", "privileges", "dry run"], rows, json=True)
    assert json.loads(capsys.readouterr().out) == [
        {
            "id": str(ref_id),
            "asOf": "2024-05-14T07:15:00.000000Z",
            "openAmount": {"amount": 2**70, "currency": "EUR"},
            "reason": None,
            "day": "2024-05-14",
            "privileges": ["a", "b"],
            "dryRun": True,
        }
    ]


def test_what_others_wrote_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\u202egro.live\nid  forged"
    say.table(["reason"], [(hostile,)], json=False)
    say.record([("reason", hostile)], json=False, title=hostile)
    say.warn(hostile)
    told = capsys.readouterr()
    assert not re.search("[\x1b\x07\u202e]", told.out + told.err)
    assert not re.search("^id +forged", told.out, re.MULTILINE)
    say.record([("name", "علی\u200cرضا")], json=False)
    assert "علی\u200cرضا" in capsys.readouterr().out


def test_no_line_ends_with_blanks_and_only_names_are_bold(capsys: pytest.CaptureFixture[str]) -> None:
    say.table(["one", "two"], [("a", "b"), ("a", "a long text")], json=False)
    assert not re.search(" $", capsys.readouterr().out, re.MULTILINE)
    target = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard", no_color=False)
    say.Record([("id", "A-1")]).show(target)
    assert isinstance(target.file, io.StringIO)
    assert re.fullmatch(r"\x1b\[1mid\x1b\[0m  A-1\n", target.file.getvalue())


def test_a_table_without_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    say.table(["id"], [], json=False, title="Payments")
    assert capsys.readouterr().out == "Payments\n(none)\n"


EMPTY = ("key list", "runs list", "rules", "settings", "outbox status", "schedule status", "maintenance prune")


@pytest.mark.parametrize("command", EMPTY)
def test_what_is_printed_with_json_is_json_alone(ocs: Ocs, command: str) -> None:
    json.loads(ocs(*command.split(), "--json").done().out)


def test_whatever_prints_a_table_has_json() -> None:
    """`say` asks every caller for it; here is looked whether one gives it what its user said."""
    folder, given_, fixed = Path(inspect.getfile(say)).parent, 0, []
    for path in folder.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and re.fullmatch(r"say\.(table|record|several)", ast.unparse(call.func)):
                (value,) = [keyword.value for keyword in call.keywords if keyword.arg == "json"]
                given_ += ast.unparse(value) == "json"
                fixed += [path.name] if ast.unparse(value) != "json" else []
    assert given_ >= 15
    assert fixed == ["warehouse.py"], "its questions are answered as lines of JSON, by another function"
