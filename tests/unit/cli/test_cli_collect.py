"""`ocs collect`: the process, what it tells, and a run that was cut off."""

import csv
import datetime as dt
import io
import json
import re
import sys
from decimal import Decimal
from uuid import UUID

import pyarrow.parquet as pq
import pytest

from ocs_core.entities.account import AccountName
from ocs_core.entities.process import ProcessRun
from ocs_core.messages import format_instant
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_import import take

ROWS = (
    ("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20"),
    ("C-1", "N-2", "2013-02-25", "2013-03-27", "60.01", ""),
    ("C-2", "N-3", "2013-02-26", "2013-03-28", "8.00", ""),
    ("C-3", "N-4", "2013-02-26", "2013-03-28", "70.50", "2013-05-01"),
)


@pytest.fixture
def ledger(ocs: Ocs) -> Ocs:
    take(ocs, ocs.ledger(ROWS)).done()
    return ocs


def told(out: str) -> dict[str, str]:
    """The closing table."""
    return dict(re.findall(r"^(\w[\w, ]*?) {2,}(\S.*?) *$", out, re.M))


def stored(ocs: Ocs, account: str) -> tuple[str, str]:
    out = ocs("collect", "--explain", account).done().out
    match = re.search(r"sum +(\S+ \S+)\ncounted +(\d+)", out)
    assert match is not None
    return match[1], match[2]


def figures(ocs: Ocs, *options: str) -> dict[str, list[str]]:
    file = ocs.folder / "figures.csv"
    ocs("collect", "--csv", str(file), *options).done()
    with file.open(newline="") as opened:
        header, *lines = csv.reader(opened)
    assert header == ["account", "externalId", "currency", "balance", "oldestDueDate", "inCollection", "starts"]
    return {line[1]: line[2:] for line in lines}


def test_a_run_tells_payers_balances_starts_failures_and_seconds(ledger: Ocs) -> None:
    ended = ledger("collect", "--as-of", "2013-04-30").done()
    table = told(ended.out)
    assert table["as of"] == "2013-04-30"
    assert table["payers"] == "3"
    assert table["balance"] == "138.51 EUR"
    assert table["collections started"] == "2", "8.00 EUR is below the threshold"
    assert table["failed"] == "0"
    assert re.fullmatch(r"\d+\.\d", table["seconds"])
    assert "payers" in ended.err, "the progress bar"


def test_the_figures_of_every_payer_are_written_to_a_file(ledger: Ocs) -> None:
    assert figures(ledger, "--as-of", "2013-04-30", "--dry-run") == {
        "C-1": ["EUR", "60.01", "2013-03-27", "true", "true"],
        "C-2": ["EUR", "8.00", "2013-03-28", "false", "false"],
        "C-3": ["EUR", "70.50", "2013-03-28", "true", "true"],
    }
    assert figures(ledger, "--as-of", "2013-05-01", "--dry-run")["C-3"] == ["EUR", "0.00", "", "false", "false"]


def test_the_figures_are_written_as_parquet_too(ledger: Ocs) -> None:
    both = ("--csv", str(ledger.folder / "figures.csv"), "--parquet", str(ledger.folder / "figures.parquet"))
    ledger("collect", "--dry-run", "--as-of", "2013-05-01", *both).done()
    with (ledger.folder / "figures.csv").open(newline="") as opened:
        lines = list(csv.DictReader(opened))
    rows = pq.read_table(ledger.folder / "figures.parquet").to_pylist()
    assert [row["externalId"] for row in rows] == ["C-1", "C-2", "C-3"]
    assert rows[0]["balance"] == Decimal("60.01")
    assert (rows[0]["oldestDueDate"], rows[2]["oldestDueDate"]) == (dt.date(2013, 3, 27), None)
    assert (rows[0]["inCollection"], rows[2]["starts"]) == (True, False)
    for line, row in zip(lines, rows, strict=True):
        assert Decimal(line["balance"]) == row["balance"]
        assert [line[name] for name in ("account", "currency")] == [row[name] for name in ("account", "currency")]
        assert [line[name] == "true" for name in ("inCollection", "starts")] == [row["inCollection"], row["starts"]]


def test_a_parquet_file_is_written_group_by_group(ledger: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocs_adapters.cli.parquet.ROW_GROUP", 2)
    ledger("configure", ledger.file("slices.toml", "[[processes]]\nslice_size = 1\n")).done()
    ledger("collect", "--dry-run", "--as-of", "2013-05-01", "--parquet", "figures.parquet").done()
    file = pq.ParquetFile(ledger.folder / "figures.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [2, 1]


def test_the_widest_amounts_fit_into_parquet(ledger: Ocs) -> None:
    most = 9 * 10**12
    rows = [("C-9", "N-9", "2013-02-26", "2013-03-28", str(most), "")]
    take(ledger, ledger.ledger(rows, name="huge.csv")).done()
    ledger("collect", "--dry-run", "--as-of", "2013-05-01", "--parquet", "figures.parquet").done()
    told = {row["externalId"]: row["balance"] for row in pq.read_table("figures.parquet").to_pylist()}
    assert told["C-9"] == most


def test_parquet_without_its_library_is_refused_before_anything_is_calculated(
    ledger: Ocs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ocs_adapters.cli.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refusal = ledger("collect", "--parquet", "figures.parquet").refused()
    assert "install ocs-rm[warehouse]" in refusal
    assert figures(ledger, "--as-of", "2013-04-30"), "no run was stored"
    assert [*ledger.folder.glob("*parquet*")] == []


def test_a_dry_run_stores_and_announces_nothing(ledger: Ocs) -> None:
    before = ledger("events").done().out
    assert "nothing was stored" in ledger("collect", "--dry-run").done().out
    assert ledger("events").done().out == before
    assert figures(ledger, "--as-of", "2013-04-30")["C-1"][-1] == "true", "an earlier day may be stored still"


def test_collection_starts_once_and_with_adopt_unannounced(ledger: Ocs) -> None:
    ledger("collect", "--as-of", "2013-04-30", "--adopt").done()
    assert "collectionStart" not in ledger("events").done().out
    assert figures(ledger)["C-1"][-2:] == ["true", "false"]


def test_an_instant_with_its_offset_is_taken_as_it_is(ledger: Ocs) -> None:
    out = ledger("collect", "--dry-run", "--as-of", "2013-04-30T12:00:00+02:00").done().out
    assert told(out)["as of"] == "2013-04-30T10:00:00.000000Z"


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("yesterday", "Give a "),
        ("2013-04-31", "Give a day such as 2024-05-14"),
        ("2013-04-30T12:00:00", "with its offset"),
        ("2999-01-01", "This day lies in the future. (VALUE_OUT_OF_RANGE at /asOf)"),
    ],
)
def test_a_wrong_as_of_is_refused(ledger: Ocs, as_of: str, said: str) -> None:
    assert said in ledger("collect", "--as-of", as_of).refused()
    assert said in ledger("collect", "--as-of", as_of, "--explain", "C-1").refused()


def test_payers_whose_balance_is_of_a_later_day_are_passed_over(ledger: Ocs) -> None:
    ledger("collect", "--as-of", "2013-04-30").done()
    table = told(ledger("collect", "--as-of", "2013-04-29").done().out)
    assert (table["payers"], table["passed over, as of a later instant already"]) == ("0", "3")


def test_a_run_of_an_empty_ledger_shuts_the_past_for_nobody(ocs: Ocs) -> None:
    ocs("collect").done()
    take(ocs, ocs.ledger(ROWS)).done()
    assert told(ocs("collect", "--as-of", "2013-04-30").done().out)["payers"] == "3"


def test_a_dry_run_shows_whose_collection_would_start_and_whose_would_end(ledger: Ocs) -> None:
    out = ledger("collect", "--as-of", "2013-04-30", "--dry-run").done().out
    assert re.findall(r"^(C-\d) +(\S+ EUR) +(\S+) +(\w+) *$", out, re.M) == [
        ("C-1", "60.01 EUR", "2013-03-27", "starts"),
        ("C-3", "70.50 EUR", "2013-03-28", "starts"),
    ]
    ledger("collect", "--as-of", "2013-04-30").done()
    (ended,) = json.loads(ledger("collect", "--as-of", "2013-05-01", "--dry-run", "--json").done().out)["collections"]
    assert (ended["account"], ended["collection"]) == ("C-3", "ends")


def test_more_collections_than_a_setting_allows_are_started_only_when_somebody_says_so(
    ledger: Ocs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCS_COLLECTION_STARTS_UNASKED", "0")
    asked = ledger("collect")
    assert "--yes" in asked.refused()
    assert re.search(r"^C-1 .* starts *$", asked.err, re.M)
    for answer, started in (("\n", False), ("y\n", True)):
        at_the_terminal = io.StringIO(answer)
        monkeypatch.setattr(at_the_terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", at_the_terminal)
        ended = ledger("collect")
        assert "Start it? [y/N]" in ended.err
        assert (ended.code == 0) is started
    assert stored_balance(ledger, "C-1") is not None


def test_who_says_so_beforehand_is_not_asked(ledger: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_COLLECTION_STARTS_UNASKED", "0")
    for how in (["--dry-run"], ["--adopt"], ["--yes"], ["--as-of", "2013-04-30"]):
        assert "Start it?" not in ledger("collect", *how).done().err


def stored_balance(ocs: Ocs, account: str) -> int | None:
    opened = ocs.platform()
    try:
        queries = opened.services.queries
        found = queries.account(AccountName(external_id=account))
        assert found is not None
        ledger = queries.ledger(found.ref_id)
        assert ledger is not None
        return ledger.payer.collection_balance
    finally:
        opened.services.close()


def test_every_kind_of_configuration_that_lacks_is_told(empty: Ocs) -> None:
    empty("migrate").done()
    refusal = empty("collect").refused()
    for kind in ("document types", "payment types", "currencies", "notifications"):
        assert f"The process needs {kind}" in refusal


def test_an_explanation_has_a_line_for_everything_and_their_sum(ledger: Ocs) -> None:
    out = ledger("collect", "--explain", "C-1", "--as-of", "2013-04-30").done().out
    assert out.startswith("C-1 as of 2013-04-30\n")
    assert re.search(r"document +D\d+ +N-1 +2013-01-25 +2013-02-24 +0.00 EUR +0.00 EUR +NOTHING_OPEN", out)
    assert re.search(r"document +D\d+ +N-2 +2013-02-25 +2013-03-27 +60.01 EUR +60.01 EUR +COUNTS", out)
    assert re.search(r"payment +P\d+ +N-1 +2013-02-20T00:00:00.000000Z +0.00 EUR +0.00 EUR +NOTHING_OPEN", out)
    assert re.search(r"sum +60.01 EUR\ncounted +1\n", out)


def test_an_account_is_explained_by_its_ref_id_too_and_an_unknown_one_is_told(ledger: Ocs) -> None:
    made = ledger.platform()
    account = made.services.queries.account(AccountName(external_id="C-1"))
    made.services.close()
    assert account is not None
    assert stored(ledger, str(account.ref_id)) == stored(ledger, "C-1") == ("60.01 EUR", "1")
    assert "no account with the externalId or refId C-9" in ledger("collect", "--explain", "C-9").refused()
    assert "does not go with" in ledger("collect", "--explain", "C-1", "--adopt").refused()


def test_a_file_that_cannot_be_written_stops_before_anything_is_calculated(ledger: Ocs) -> None:
    refusal = ledger("collect", "--csv", str(ledger.folder / "nowhere" / "x.csv")).refused()
    assert "x.csv: No such file or directory." in refusal
    assert figures(ledger, "--as-of", "2013-04-30"), "no run was stored"


def test_a_file_of_figures_stays_when_the_run_is_refused(ledger: Ocs) -> None:
    ledger("collect", "--dry-run", "--as-of", "2013-04-30", "--csv", "kept.csv").done()
    before = (ledger.folder / "kept.csv").read_text()
    assert ledger("collect", "--as-of", "2099-01-01", "--csv", "kept.csv").refused()
    assert (ledger.folder / "kept.csv").read_text() == before
    assert [path.name for path in ledger.folder.glob("kept*")] == ["kept.csv"]


def cut_off(ocs: Ocs, as_of: dt.date | None) -> ProcessRun:
    """A run of which one slice was done when its process was killed."""
    ocs("configure", ocs.file("slices.toml", "[[processes]]\nslice_size = 1\n")).done()
    made = ocs.platform()
    services = made.services
    request = StartCollectionRunRequest(request_id="cut-off", as_of=as_of)
    (step,) = StartCollectionRun(services.store, clock=services.clock, ids=services.ids)(request).steps
    assert isinstance(step.object, ProcessRun)
    CalculateCollectionBalance(services.store, clock=services.clock)(step.object.ref_id)
    services.close()
    return step.object


def test_a_run_that_was_cut_off_goes_on_when_the_same_is_asked_for_again(ledger: Ocs) -> None:
    run = cut_off(ledger, dt.date(2013, 4, 30))
    file = ledger.folder / "figures.csv"
    ended = ledger("collect", "--as-of", "2013-04-30", "--csv", str(file)).done()
    assert f"Run {run.ref_id}: DONE" in ended.out
    assert told(ended.out)["payers"] == "3"
    assert told(ended.out)["balance"] == "138.51 EUR"
    assert "lacks the 1 payers done before" in ended.err
    assert len(file.read_text().splitlines()) == 3


def test_another_run_is_refused_meanwhile_and_told_how_to_end_the_one_that_was_cut_off(ledger: Ocs) -> None:
    run = cut_off(ledger, None)
    refusal = ledger("collect").refused()
    command = f"ocs collect --as-of {format_instant(run.as_of)}"
    assert command in refusal
    assert "RUN_ACTIVE" in refusal
    assert f"Run {run.ref_id}: DONE" in ledger(*command.split()[1:]).done().out
    ledger("collect").done()


def test_the_payers_that_failed_are_tried_again_alone(ledger: Ocs) -> None:
    most = f"{(2**63 - 1) // 10_000 * 10_000 // 1_000_000}"
    rows = [("C-9", f"N-9{n}", "2013-02-26", "2013-03-28", most, "") for n in (1, 2)]
    take(ledger, ledger.ledger(rows, name="huge.csv")).done()
    ended = ledger("collect", "--as-of", "2013-04-30")
    match = re.search(r"Run (\S+): DONE_WITH_FAILURES", ended.out)
    assert match is not None
    again = ledger("collect", "--failed-of", match[1])
    assert (told(again.out)["payers"], told(again.out)["failed"]) == ("0", "1")
    assert told(again.out)["as of"] == "2013-04-30"
    assert "RUN_NOT_FOUND at /failedOf" in ledger("collect", "--failed-of", str(UUID(int=1))).refused()
    assert "failedOf" in ledger("collect", "--failed-of", "yesterday's").refused()
    assert "does not go with" in ledger("collect", "--explain", "C-1", "--failed-of", match[1]).refused()


def test_a_payer_that_cannot_be_calculated_is_told_and_the_others_are_done(ledger: Ocs) -> None:
    most = f"{(2**63 - 1) // 10_000 * 10_000 // 1_000_000}"
    rows = [("C-9", f"N-9{n}", "2013-02-26", "2013-03-28", most, "") for n in (1, 2)]
    take(ledger, ledger.ledger(rows, name="huge.csv")).done()
    ended = ledger("collect", "--as-of", "2013-04-30")
    assert re.search(r"C-9: .* \(AMOUNT_OUT_OF_RANGE\)", ended.refused())
    assert (told(ended.out)["payers"], told(ended.out)["failed"]) == ("3", "1")
    assert "DONE_WITH_FAILURES" in ended.out


def test_a_total_beyond_64_bits_is_told_though_no_balance_may_be(ledger: Ocs) -> None:
    most = 9 * 10**12
    rows = [(f"C-{n}", f"N-9{n}", "2013-02-26", "2013-03-28", str(most), "") for n in (8, 9)]
    take(ledger, ledger.ledger(rows, name="huge.csv")).done()
    ended = ledger("collect", "--as-of", "2013-04-30").done()
    assert int(told(ended.out)["balance"].split(".")[0]) >= 2 * most
