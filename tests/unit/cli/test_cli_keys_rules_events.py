"""`ocs key`, `ocs rules` and `ocs events`."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest

from ocs_core.catalogue import catalogue
from ocs_http.cli.privileges import privileges
from tests.interrupts import hearing
from tests.unit.cli.conftest import Ocs

ROW = ("C-1", "N-1", "2013-01-25", "2013-02-24", "50.00", "2013-02-20")


def imported(ocs: Ocs) -> None:
    ocs("import", "receivables", ocs.ledger([ROW]), "--currency", "EUR", "--as-of", "2014-12-31").done()


def test_a_key_is_printed_alone_opens_and_is_not_kept(ocs: Ocs) -> None:
    printed = ocs("key", "add", "crm", "--privilege", "payment:register", "--privilege", "payer:read").done()
    key = printed.out.strip()
    assert printed.out == f"{key}\n"
    assert len(key) == 43
    assert printed.err == ""
    made = ocs.platform()
    (kept,) = made.services.keys.of("crm")
    made.services.close()
    assert kept.opens_with(key)
    assert kept.privileges == {"payment:register", "payer:read"}
    assert key not in ocs("key", "list").done().out


def test_several_privileges_may_follow_one_option(ocs: Ocs) -> None:
    ocs("key", "add", "crm", "--privilege", "payment:register", "payer:read").done()
    assert "payer:read, payment:register" in ocs("key", "list").done().out


def test_an_unknown_privilege_is_refused_with_the_list_of_those_there_are(ocs: Ocs) -> None:
    refusal = ocs("key", "add", "crm", "--privilege", "payments:register", "--privilege", "*").refused()
    assert refusal.startswith("payments:register is no privilege; there are: *, account:create, ")
    assert "payment:register" in refusal
    assert ocs("key", "list").done().out.count("\n") == 1


def test_a_key_without_a_privilege_is_refused(ocs: Ocs) -> None:
    refusal = ocs("key", "add", "crm", "--privilege").refused()
    assert refusal.startswith(
        "A key without a privilege opens nothing; give --privilege with at least one; there are: *, "
    )
    ocs("key", "add", "crm").refused(2)
    ocs("key", "add", "crm", "--privilege", "").refused()
    assert ocs("key", "list").done().out == "(none)\n"


def test_the_privileges_are_listed_in_the_help_and_in_the_documentation(empty: Ocs) -> None:
    helped = " ".join(re.sub("[│╭╮╰╯─]", " ", empty("key", "add", "--help").done().out).split())
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    of_keys = page.partition("## Keys and privileges")[2].partition("\n## ")[0]
    assert ", ".join(sorted(privileges())) in helped
    assert re.findall(r"`([a-z-]+:[a-z-]+)`", of_keys) == sorted(privileges())


def test_a_name_that_no_application_can_send_is_refused(ocs: Ocs) -> None:
    assert "Leading and trailing blanks" in ocs("key", "add", " crm", "--privilege", "*").refused()
    assert "1 to 255 characters" in ocs("key", "add", "", "--privilege", "*").refused()


def test_a_key_is_revoked_once(ocs: Ocs) -> None:
    ocs("key", "add", "crm", "--privilege", "*").done()
    ref_id = ocs("key", "list").done().out.splitlines()[1].split()[0]
    assert ocs("key", "revoke", ref_id).done().out == f"Revoked {UUID(ref_id)}.\n"
    assert "not revoked already" in ocs("key", "revoke", ref_id).refused()
    assert "is not a refId" in ocs("key", "revoke", "crm").refused()
    assert len(ocs("key", "list").done().out.splitlines()[1].split()) == 5


def test_the_rules_are_printed_with_code_field_sentence_and_operations(empty: Ocs) -> None:
    out = empty("rules").done().out
    for entry in catalogue():
        assert entry.code in out
    assert "The currency is configured." in out
    assert "RegisterPayment" in out


def test_the_page_of_rules_has_one_row_for_each(empty: Ocs) -> None:
    page = empty("rules", "--markdown").done().out
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(catalogue())
    assert all(row.count(" | ") == 3 for row in rows)
    assert page.startswith("# Rules\n")


def test_events_are_json_lines_of_the_promised_shape_after_what_waited_was_moved(ocs: Ocs) -> None:
    imported(ocs)
    lines = [json.loads(line) for line in ocs("events").done().out.splitlines()]
    assert [line["offset"] for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        assert list(line) == ["offset", "topic", "key", "headers", "value"]
        assert line["topic"] in {"ocs.rm.business-transactions", "ocs.rm.notifications"}
        assert UUID(line["key"])
        assert all(isinstance(value, str) for value in line["headers"].values())
        assert line["headers"]["ce_type"].startswith("io.ocs.rm.")
    codes = [line["headers"]["ce_type"].removeprefix("io.ocs.rm.") for line in lines]
    assert codes[:4] == ["account", "payer", "document", "payment"]
    assert (
        next(line for line in lines if line["headers"]["ce_type"].endswith(".document"))["value"]["dueAmount"]
        == 50_000_000
    )


def test_events_are_printed_behind_an_offset(ocs: Ocs) -> None:
    imported(ocs)
    everything = ocs("events").done().out.splitlines()
    assert ocs("events", "--after", "3").done().out.splitlines() == everything[3:]
    assert ocs("events", "--after", "999999").done().out == ""


@pytest.mark.usefixtures("in_the_background")
def test_followed_events_go_on_until_interrupted(ocs: Ocs) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-c", "from ocs_adapters.cli import main; main()", "events", "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ},
        text=True,
        preexec_fn=hearing,
    )
    assert follower.stdout is not None
    assert follower.stderr is not None
    with follower.stdout, follower.stderr:
        imported(ocs)
        first = json.loads(follower.stdout.readline())
        time.sleep(0.5)
        follower.send_signal(signal.SIGINT)
        rest = follower.stdout.read()
        assert follower.wait(30) == 0, follower.stderr.read()
    assert first["offset"] == 1
    assert len(rest.splitlines()) >= 5


def test_a_reader_that_goes_away_is_no_traceback(ocs: Ocs) -> None:
    imported(ocs)
    printer = subprocess.Popen(
        [sys.executable, "-c", "from ocs_adapters.cli import main; main()", "events"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ},
        text=True,
    )
    assert printer.stdout is not None
    assert printer.stderr is not None
    printer.stdout.close()
    with printer.stderr:
        assert "Traceback" not in printer.stderr.read()
    assert printer.wait(30) in {0, 1}


@pytest.mark.parametrize("offset", ["-1", "x", "9" * 23])
def test_an_offset_that_is_none_is_not_understood(ocs: Ocs, offset: str) -> None:
    assert "--after" in ocs("events", "--after", offset).refused(2)


def test_the_usage_of_key_add_is_an_order_that_works(ocs: Ocs) -> None:
    assert "ocs key add APPLICATION --privilege PRIVILEGE" in ocs("key", "add", "--help").done().out
    ocs("key", "add", "crm", "--privilege", "payment:register", "payment:read").done()


def test_no_id_and_no_day_is_broken_in_a_narrow_terminal(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    ocs("key", "add", "crm", "--privilege", "*").done()
    printed = re.sub(r"\x1b\[[0-9;]*m", "", ocs("key", "list").done().out)
    assert re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", printed)
    assert re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", printed)
