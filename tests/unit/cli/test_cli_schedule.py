"""`ocs schedule status`: when the collection run is due, and what came of the last time."""

import datetime as dt
import re

import pytest
from structlog.testing import capture_logs

from ocs_adapters.bootstrap import Platform
from ocs_adapters.clock import utc_now
from ocs_core.schedule import Seen
from ocs_core.testkit.examples import Desk
from tests.unit.cli.conftest import Ocs

NIGHTLY = '[[processes]]\ncron = "30 2 * * *"\nzone = "Europe/Madrid"\n'


@pytest.fixture
def nightly(ocs: Ocs) -> Ocs:
    ocs("configure", ocs.file("nightly.toml", NIGHTLY)).done()
    return ocs


def _status(ocs: Ocs) -> str:
    return ocs("schedule", "status").done().out


def _seen_days_ago(made: Platform, days: int) -> None:
    made.scheduler.schedule.begin(
        Seen(schedule="30 2 * * * Europe/Madrid", until=utc_now() - dt.timedelta(days=days)),
    )


def test_where_none_is_configured_or_it_is_switched_off_that_is_said(ocs: Ocs) -> None:
    assert re.fullmatch(r"schedule +none is configured *\nnext +never *\n", _status(ocs))
    ocs("configure", ocs.file("off.toml", f"{NIGHTLY}enabled = false\n")).done()
    assert re.fullmatch(r"schedule +switched off *\nnext +never *\n", _status(ocs))


def test_the_next_time_is_shown_as_an_instant_and_as_the_clock_there_shows_it(nightly: Ocs) -> None:
    shown = _status(nightly)
    assert re.search(r"^schedule +30 2 \* \* \* in Europe/Madrid", shown)
    assert re.search(r"^next +20\S+T0[01]:30:00.000000Z, 20\S+ 02:30 in Europe/Madrid", shown, re.MULTILINE)
    assert "overdue" not in shown
    assert "last" not in shown


def test_what_is_overdue_is_told_and_then_the_run_that_was_started(nightly: Ocs) -> None:
    made = nightly.platform()
    _seen_days_ago(made, 3)
    assert "overdue   neither ocs schedule run nor ocs serve is at it" in _status(nightly)
    with capture_logs():
        made.scheduler.step()
    (run,) = made.services.queries.running()
    made.services.close()
    shown = _status(nightly)
    assert re.search(
        rf"^last +20\S+:30:00.000000Z, 20\S+ 02:30 in Europe/Madrid\nrun +{run.ref_id}", shown, re.MULTILINE
    )
    assert "overdue" not in shown


def test_why_the_last_one_was_refused_is_told(nightly: Ocs) -> None:
    made = nightly.platform()
    Desk(made.services.store, clock=utc_now).start_run()
    _seen_days_ago(made, 3)
    with capture_logs():
        made.scheduler.step()
    made.services.close()
    assert re.search(
        r"^run +refused: The run \S+ as of \S+ is still going on. \(RUN_ACTIVE\)", _status(nightly), re.MULTILINE
    )
