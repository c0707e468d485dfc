"""`ocs collect`: calculate collection balances now."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ocs_adapters.bootstrap import Services
from ocs_adapters.cli import say
from ocs_adapters.cli.balances import BalancesFile, csv_file, parquet_file
from ocs_adapters.cli.commands import AccountGiven, AsOf, File, Flag, Json, Refused, Run, opened
from ocs_adapters.cli.explain import explain
from ocs_adapters.serial import decode_request
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.errors import RequestRejected
from ocs_core.messages import format_instant
from ocs_core.usecases.calculate_collection_balance import SliceDone
from ocs_core.usecases.cancel_process_run import CancelProcessRun, CancelProcessRunRequest
from ocs_core.usecases.perform import Caller
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest

CALLER = Caller("command-line")


def collect(
    *,
    as_of: AsOf | None = None,
    dry_run: Flag = False,
    adopt: Flag = False,
    failed_of: Run | None = None,
    explain_account: Annotated[AccountGiven | None, Parameter(name="--explain")] = None,
    csv: File | None = None,
    parquet: File | None = None,
    workers: Annotated[int | None, Parameter(metavar="NUMBER", validator=Number(gte=1))] = None,
    yes: Flag = False,
    json: Json = False,
) -> int:
    """Calculate every payer's collection balance, and start collection where it is due.

    Only a run that is not dry stores balances and announces what changed; a payer that was seen as of a later instant already
    is passed over. A run that was cut off goes on when the same is asked for again.

    Args:
        as_of: A day such as 2024-05-14, which stands for its end where each payer is, or an instant such as
            2024-05-14T07:15:00Z; now if not given.
        dry_run: Only show what would be, and whose collection would start or end; nothing is stored or announced.
        adopt: Store balances of a ledger taken over without announcing that collection starts.
        failed_of: Only the payers that failed in this run, as ocs runs list names it, all of them; as of its own instant
            where none is given. If that run was to adopt, say so again.
        explain_account: Show one account's balance instead, by its externalId or refId: every document and payment
            with what it contributes, or why it does not count. Nothing is stored.
        csv: A file to write every payer's figures to; they are then calculated one slice after the other.
        parquet: The same as a Parquet file, for which ocs-rm[warehouse] is to be installed.
        workers: How many processes of this machine calculate side by side, on PostgreSQL. If not given: every ocs worker
            where OCS_COLLECTION_WORKERS=kafka, else as many as configured, or one for each of the machine's processors.
        yes: Start however many collections are due. Without it, a run as of now that would start more than
            OCS_COLLECTION_STARTS_UNASKED asks first.
    """
    with opened() as platform:
        services = platform.services
        if explain_account is not None:
            if adopt or csv or parquet or failed_of:
                raise Refused(
                    "--explain shows one account and stores nothing; "
                    "it does not go with --adopt, --csv, --parquet or --failed-of."
                )
            explain(services, explain_account, as_of, json)
            return 0
        began = time.monotonic()
        order = {"asOf": as_of, "dryRun": dry_run, "adopt": adopt, "failedOf": failed_of}
        if not (dry_run or adopt or yes or as_of) and not _is_going_on(services):
            order["asOf"] = _agreed(services, order, workers)
        with ExitStack() as stack:
            files = _opened(stack, csv, parquet, services.queries.configuration())
            run = _run(services, order, files, workers)
        _tell(run, services.queries.configuration(), time.monotonic() - began, json)
        return 0 if run.state is RunState.DONE else 1


def _opened(
    stack: ExitStack, csv: Path | None, parquet: Path | None, configuration: Configuration
) -> dict[Path, BalancesFile]:
    files: dict[Path, BalancesFile] = {}
    if csv:
        files[csv] = stack.enter_context(csv_file(csv, configuration))
    if parquet:
        files[parquet] = stack.enter_context(parquet_file(parquet))
    return files


def _run(services: Services, order: dict[str, Any], files: dict[Path, BalancesFile], workers: int | None) -> ProcessRun:
    run = _started(services, order)
    if run.payers_done:
        for path in files:
            say.warn(f"The run goes on where it was cut off: {path} lacks the {run.payers_done} payers done before.")
    # A process with one thread hires workers in no time.
    with say.progress(auto_refresh=False) as bar:
        task = bar.add_task("payers", total=run.payers_total, completed=run.payers_seen)

        def on_progress(run: ProcessRun) -> None:
            bar.update(task, completed=run.payers_seen, refresh=True)

        if not files:
            with _cancelled_if_stopped(services, run):
                return services.runner.finish(run.ref_id, workers, on_progress)

        def on_slice(done: SliceDone) -> None:
            for file in files.values():
                file.write(done)
            bar.update(task, advance=len(done.payers), refresh=True)

        with _cancelled_if_stopped(services, run):
            return services.runner.run(run.ref_id, on_slice)


@contextmanager
def _cancelled_if_stopped(services: Services, run: ProcessRun) -> Iterator[None]:
    """A dry run that its caller stops waiting for would go on for nobody."""
    try:
        yield
    except KeyboardInterrupt:
        if run.dry_run:
            request = CancelProcessRunRequest(request_id=str(services.ids()), ref_id=run.ref_id)
            with suppress(RequestRejected):
                services.use_case(CancelProcessRun)(request, caller=CALLER)
        raise


def _is_going_on(services: Services) -> bool:
    return any(not run.dry_run for run in services.queries.running())


def _agreed(services: Services, order: dict[str, Any], workers: int | None) -> str:
    """As of when the run is to be. Raises `Refused` where it would start more collections than anybody has agreed to."""
    dry_run = _run(services, {**order, "dryRun": True}, {}, workers)
    most, starts = services.settings.collection_starts_unasked, dry_run.collections_started
    if starts > most:
        _show_collections(dry_run, services.queries.configuration(), error=True)
        if not say.agreed(f"Collection of {starts} payers is due. Start it?"):
            raise Refused(
                f"Nothing was stored or announced: {starts} collections would start, and OCS_COLLECTION_STARTS_UNASKED is "
                f"{most}. Look at them with --dry-run, or start them with --yes."
            )
    return _asked(dry_run)


def _asked(run: ProcessRun) -> str:
    """As of when a run is, as it was asked for."""
    return run.as_of_day.isoformat() if run.as_of_day else format_instant(run.as_of)


def _started(services: Services, order: dict[str, Any]) -> ProcessRun:
    given = {name: value for name, value in order.items() if value is not None}
    request = decode_request(StartCollectionRunRequest, {"requestId": str(services.ids()), **given})
    start = services.use_case(StartCollectionRun)
    try:
        (step,) = start(request, caller=CALLER).steps
    except RequestRejected as rejected:
        if any(v.code == "RUN_ACTIVE" for v in rejected.violations):
            _say_how_to_go_on(services, dry_run=request.dry_run)
        raise
    assert isinstance(step.object, ProcessRun)
    return step.object


def _say_how_to_go_on(services: Services, *, dry_run: bool) -> None:
    for run in services.queries.running():
        if run.dry_run is not dry_run:
            continue
        if not (run.accounts or run.dry_run):
            adopt = " --adopt" if run.adopt else ""
            say.warn(
                f"Unless a server is at it, take that run to its end with: ocs collect --as-of {_asked(run)}{adopt}"
            )
        say.warn(f"{'E' if run.dry_run else 'Or e'}nd it where it is with: ocs runs cancel {run.ref_id}")


def _tell(run: ProcessRun, configuration: Configuration, seconds: float, json: bool) -> None:
    rows: list[tuple[str, Any]] = [
        ("id", run.ref_id),
        ("state", run.state),
        ("as of", run.as_of_day or run.as_of),
        ("payers", run.payers_done),
        ("passed over, as of a later instant already", run.payers_passed_over or None),
        ("balance", _moneys(run.balances, configuration)),
        ("not counted, in another currency than the account", _moneys(run.other_currencies, configuration)),
        ("collections that would start" if run.dry_run else "collections started", run.collections_started),
        ("collections that would end" if run.dry_run else "collections ended", run.collections_ended),
        ("failed", run.payers_failed),
        ("seconds", round(seconds, 1)),
    ]
    title = f"Run {run.ref_id}: {run.state}"
    if run.dry_run:
        title += " (a dry run: nothing was stored or announced)"
    record = say.Record(rows, title)
    if json:
        told = {"collections": _collections(run, configuration).plain} if run.dry_run else {}
        say.print_json(record.plain | told)
    else:
        _show_collections(run, configuration)
        record.show(say.console())
    for failure in run.failures:
        say.warn(f"{failure.account.external_id or failure.account.ref_id}: {failure.message} ({failure.code})")
    if run.payers_failed > len(run.failures):
        say.warn(f"These are the first of them; all are told by: ocs runs show {run.ref_id} --failures")


def _show_collections(run: ProcessRun, configuration: Configuration, *, error: bool = False) -> None:
    if not run.collections:
        return
    target = say.console(error=error)
    _collections(run, configuration).show(target)
    if run.collections_started + run.collections_ended > len(run.collections):
        say.warn("These are the first of them; all are in the file of: ocs collect --dry-run --csv FILE")
    target.print()


def _collections(run: ProcessRun, configuration: Configuration) -> say.Table:
    """Whose collection would start, and whose end."""
    rows = [
        (
            each.account.external_id or each.account.ref_id,
            say.money(each.collection_balance, each.currency, configuration),
            each.oldest_document_due_date,
            "starts" if each.starts else "ends",
        )
        for each in run.collections
    ]
    return say.Table(["account", "balance ", "oldest due", "collection"], rows)


def _moneys(amounts: Mapping[str, int], configuration: Configuration) -> tuple[say.Amount, ...]:
    return tuple(say.money(amount, code, configuration) for code, amount in sorted(amounts.items()))
