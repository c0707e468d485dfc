"""Rules about processes and their runs."""

import datetime as dt
from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from ocs_core.entities.configuration import Configuration, start_of_day
from ocs_core.entities.process import CLOCKS_APART, ProcessRun, RunFailure, RunState
from ocs_core.errors import Violation
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart, format_instant
from ocs_core.rules.rule import rule


@rule("PROCESS_NOT_CONFIGURED", "")
def process_needs(configured: object, what: str) -> str | None:
    """Document types, payment types, currencies and the process's notifications are configured."""
    return None if configured else f"The process needs {what} to be configured."


def process_is_configured(configuration: Configuration) -> list[Violation | None]:
    """One violation for each kind of master data that calculate collection balance lacks."""
    notifications = (CollectionBalanceCalculated.code, CollectionStart.code)
    return [
        process_needs(configuration.document_types, "document types"),
        process_needs(configuration.payment_types, "payment types"),
        process_needs(configuration.currencies, "currencies"),
        process_needs(
            all(n in configuration.notifications for n in notifications), "notifications " + " and ".join(notifications)
        ),
    ]


@rule("VALUE_OUT_OF_RANGE", "/asOf")
def as_of_has_come(as_of: dt.datetime | dt.date, zones: Iterable[ZoneInfo], now: dt.datetime) -> str | None:
    """A balance is calculated as of an instant that has come, or of a day that has begun where a payer is."""
    if isinstance(as_of, dt.datetime):
        return "This instant lies in the future." if as_of > now else None
    return "This day lies in the future." if all(start_of_day(as_of, zone) > now for zone in zones) else None


@rule("RUN_ACTIVE", "")
def no_other_run_is_active(active: ProcessRun | None) -> str | None:
    """One storing run at a time: another one is asked for only when it is done (dry runs are free)."""
    return (
        None if active is None else f"The run {active.ref_id} as of {format_instant(active.as_of)} is still going on."
    )


@rule("RUN_NOT_LATEST", "/accounts")
def run_is_the_latest(run: ProcessRun, as_of: dt.datetime, seen_as_of: Iterable[dt.datetime | None]) -> str | None:
    """A storing run that names a payer is not as of an earlier instant than the payer's own balance, or than a storing run
    that has gone through it."""
    later = [seen for seen in seen_as_of if seen is not None and run.is_behind(seen, as_of)]
    if not later:
        return None
    return f"A run as of {format_instant(max(later))} has gone through this payer; only a dry run may look back."


@rule("CLOCKS_DIFFER", "")
def clocks_agree(now: dt.datetime, kept: dt.datetime | None) -> str | None:
    """A storing run is started by a clock that is at most a minute apart from that of the database."""
    if kept is None or abs(now - kept) <= CLOCKS_APART:
        return None
    return (
        f"The clock of this machine shows {format_instant(now)}, and that of the database {format_instant(kept)}: "
        "set the one that is wrong. Nothing was started."
    )


@rule("RUN_ACTIVE", "")
def dry_runs_are_few(running: Collection[ProcessRun], at_once: int) -> str | None:
    """So many dry runs are going on at once as are configured, at the most."""
    if len(running) < at_once:
        return None
    return f"{len(running)} dry runs are going on already; wait for one to end, or cancel one."


@rule("RUN_NOT_FOUND", "/refId")
def run_exists(run: ProcessRun | None) -> str | None:
    """The run exists."""
    return "There is no run with this refId." if run is None else None


@rule("RUN_NOT_RUNNING", "/refId")
def run_is_going_on(run: ProcessRun | None) -> str | None:
    """The run is RUNNING."""
    return None if run is None or run.state is RunState.RUNNING else f"The run is over: it is {run.state}."


@rule("VALUE_NOT_ALLOWED", "/failedOf")
def accounts_or_failed_of(accounts: object, failed_of: object) -> str | None:
    """A run names its accounts, or the run whose failures it tries again, not both."""
    return (
        "A run that names accounts does not take those that failed in another one." if accounts and failed_of else None
    )


@rule("RUN_NOT_OVER", "/failedOf")
def failed_run_is_over(failed: ProcessRun | None) -> str | None:
    """A run whose failures are tried again is over: until then it may find more."""
    return "This run is still going on." if failed is not None and failed.state is RunState.RUNNING else None


@rule("RUN_WITHOUT_FAILURES", "/failedOf")
def failed_run_has_failures(failed: ProcessRun | None, failures: Collection[RunFailure]) -> str | None:
    """A run whose failures are tried again has some."""
    if failed is None or failed.state is RunState.RUNNING or failures:
        return None
    return "In this run no payer failed."
