"""`ocs runs`: what operators see of collection runs, and the end of one that is not wanted."""

import re
from uuid import UUID

import attrs
import pytest

from ocs_core.entities.account import AccountRef
from ocs_core.entities.process import FAILURES_TOLD, RunFailure
from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_collect import cut_off, told
from tests.unit.cli.test_cli_collect import ledger as ledger

NOTHING = str(UUID(int=1))


def run_of(out: str) -> str:
    match = re.search(r"Run (\S+):", out)
    assert match is not None
    return match[1]


def test_runs_are_listed_newest_first_with_how_far_they_are(ledger: Ocs) -> None:
    done = run_of(ledger("collect", "--as-of", "2013-04-30").done().out)
    dry = run_of(ledger("collect", "--as-of", "2013-04-29", "--dry-run", "--adopt").done().out)
    going_on = cut_off(ledger, None)

    header, *lines = ledger("runs", "list").done().out.splitlines()

    assert header.split("  ")[0] == "id"
    shown = [line.split() for line in lines]
    assert [words[0] for words in shown] == [str(going_on.ref_id), dry, done]
    assert shown[0][1] == "RUNNING"
    assert shown[0][3:5] == ["1", "3"]
    assert re.fullmatch(r"\d+:\d\d:\d\d", shown[0][6]), "the time left"
    assert lines[1].split("2013")[0].endswith("DONE (dry run, adopting)  ")
    assert shown[2][1:5] == ["DONE", "2013-04-30", "3", "3"]
    assert shown[2][-1] == "0"
    assert len(ledger("runs", "list", "--limit", "1").done().out.splitlines()) == 2


def test_a_run_is_shown_with_all_its_figures(ledger: Ocs) -> None:
    run = run_of(ledger("collect", "--as-of", "2013-04-30").done().out)

    shown = told(ledger("runs", "show", run).done().out)

    assert shown["id"] == run
    assert (shown["state"], shown["as of"]) == ("DONE", "2013-04-30")
    assert (shown["payers"], shown["slices"], shown["balance"]) == ("3 of 3", "1 of 1", "138.51 EUR")
    assert (shown["collections started"], shown["failed"]) == ("2", "0")
    assert "finished" in shown


def test_every_failure_of_a_run_is_shown_however_many(ledger: Ocs) -> None:
    run = cut_off(ledger, None)
    services = ledger.platform().services
    many = FAILURES_TOLD + 1
    with services.store.begin() as uow:
        part = uow.slices(run.ref_id)[0]
        failures = tuple(RunFailure(AccountRef(UUID(int=n), None), "ODD", "It is odd.") for n in range(many))
        uow.save(attrs.evolve(part, failures=failures, payers_failed=many))
    services.close()

    header, *lines = ledger("runs", "show", str(run.ref_id), "--failures").done().out.splitlines()

    assert header.split() == ["account", "code", "reason"]
    assert len(lines) == many
    assert re.fullmatch(rf"{UUID(int=0)} +ODD +It is odd\. *", lines[0])


def test_a_run_is_cancelled_and_another_starts(ledger: Ocs) -> None:
    run = cut_off(ledger, None)
    cancel = ("runs", "cancel", str(run.ref_id))
    assert f"ocs {' '.join(cancel)}" in ledger("collect").refused(), "the way out is told"

    assert "is cancelled" in ledger(*cancel).done().out

    assert told(ledger("runs", "show", str(run.ref_id)).done().out)["state"] == "CANCELLED"
    assert "The run is over: it is CANCELLED. (RUN_NOT_RUNNING" in ledger(*cancel).refused()
    ledger("collect").done()


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_a_run_that_does_not_exist_is_told(ledger: Ocs, command: str) -> None:
    assert "There is no run with this refId." in ledger("runs", command, NOTHING).refused()
    assert "yesterday" in ledger("runs", command, "yesterday").refused(2)
