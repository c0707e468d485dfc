"""`ocs runs`: how far collection runs are, what failed in them, and the end of one that is not wanted."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter
from cyclopts.validators import Number

from ocs_adapters.cli import say
from ocs_adapters.cli.collect import CALLER
from ocs_adapters.cli.commands import Flag, Json, opened
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.process import ProcessRun
from ocs_core.queries import ProcessRunSearch
from ocs_core.usecases.cancel_process_run import CancelProcessRun, CancelProcessRunRequest
from ocs_core.usecases.read_process_run import ReadProcessRun

Limit = Annotated[int, Parameter(metavar="NUMBER", validator=Number(gte=1, lte=200))]


app = App(name="runs", help="Collection runs: show how far they are and what failed, and end one where it is.")


@app.command(name="list")
def list_(*, limit: Limit = 20, json: Json = False) -> None:
    """Show the newest runs, the newest first.

    Args:
        limit: How many to show at the most.
    """
    with opened() as platform:
        runs = platform.services.queries.runs(ProcessRunSearch(limit=limit)).items
    columns = ["id", "state", "as of", "payers ", "of ", "a second ", "time left ", "failed "]
    say.table(columns, [_line(run) for run in runs], json=json)


@app.command
def show(run: UUID, /, *, failures: Flag = False, json: Json = False) -> None:
    """Show everything that is known of a run.

    Args:
        run: Its id, as ocs runs list shows it.
        failures: Every payer that it could not calculate, with the reason, instead.
    """
    with opened() as platform:
        queries = platform.services.queries
        found, configuration = ReadProcessRun(queries)(run), queries.configuration()
        failed = queries.failures(run) if failures else ()
    if failures:
        rows = [(f.account.external_id or f.account.ref_id, f.code, f.message) for f in failed]
        say.table(["account", "code", "reason"], rows, json=json)
    else:
        say.record(list(_fields(found, configuration)), json=json)


@app.command
def cancel(run: UUID, /) -> None:
    """End a run where it is: what it stored and announced stays, and another may be started at once.

    Args:
        run: Its id, as ocs runs list shows it.
    """
    with opened() as platform:
        services = platform.services
        perform = services.use_case(CancelProcessRun)
        perform(CancelProcessRunRequest(request_id=str(services.ids()), ref_id=run), caller=CALLER)
        print(f"{run} is cancelled; what it stored and announced stays.")


def _line(run: ProcessRun) -> tuple[object, ...]:
    return (
        run.ref_id,
        _state(run),
        run.as_of_day or run.as_of,
        run.payers_seen,
        run.payers_total,
        run.payers_per_second,
        _time_left(run),
        run.payers_failed,
    )


def _fields(run: ProcessRun, configuration: Configuration) -> Iterator[tuple[str, object]]:
    yield "id", run.ref_id
    yield "process", run.process
    yield "state", _state(run)
    yield "as of", run.as_of_day or run.as_of
    yield "started", run.started_at
    if run.finished_at is not None:
        yield "finished", run.finished_at
    yield "slices", f"{run.slices_done} of {run.slices_total}"
    yield "payers", f"{run.payers_seen} of {run.payers_total}"
    yield "payers a second", run.payers_per_second
    yield "time left", _time_left(run)
    yield "balance", tuple(say.money(amount, code, configuration) for code, amount in sorted(run.balances.items()))
    yield "collections that would start" if run.dry_run else "collections started", run.collections_started
    yield "collections that would end" if run.dry_run else "collections ended", run.collections_ended
    yield "passed over, as of a later instant already", run.payers_passed_over or None
    yield "failed", run.payers_failed


def _state(run: ProcessRun) -> str:
    options = [told for given, told in ((run.dry_run, "dry run"), (run.adopt, "adopting")) if given]
    return f"{run.state} ({', '.join(options)})" if options else run.state.value


def _time_left(run: ProcessRun) -> dt.timedelta | None:
    return None if run.seconds_left is None else dt.timedelta(seconds=run.seconds_left)
