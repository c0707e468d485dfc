"""`ocs collect`: calculate collection balances now."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ocs_adapters.bootstrap import Services
from ocs_adapters.cli import say
from ocs_adapters.cli.balances import BalancesFile, csv_file, parquet_file
from ocs_adapters.cli.commands import AccountName, AsOf, Commands, File, Flag, Json, Refused, Run
from ocs_adapters.cli.explain import explain
from ocs_adapters.serial import decode_request
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.errors import RequestRejected
from ocs_core.messages import format_instant
from ocs_core.usecases.calculate_collection_balance import SliceDone
from ocs_core.usecases.perform import Caller
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest

CALLER = Caller("command-line")


def join(commands: Commands) -> None:
    @commands.app.command
    def collect(
        *,
        as_of: AsOf | None = None,
        dry_run: Flag = False,
        adopt: Flag = False,
        failed_of: Run | None = None,
        explain_account: Annotated[AccountName | None, Parameter(name="--explain")] = None,
        csv: File | None = None,
        parquet: File | None = None,
        workers: Annotated[int | None, Parameter(metavar="NUMBER", validator=Number(gte=1))] = None,
        json: Json = False,
    ) -> int:
        """Calculate every payer's collection balance, and start collection where it is due.

        Only a run that is not dry stores balances and announces what changed; it is never as of an earlier instant than one
        before it. A run that was cut off goes on when the same is asked for again.

        Args:
            as_of: A day such as 2024-05-14, which stands for its end, or an instant such as 2024-05-14T07:15:00Z; now if not
                given.
            dry_run: Only show what would be; nothing is stored or announced.
            adopt: Store balances of a ledger taken over without announcing that collection starts.
            failed_of: Only the payers that failed in this run, as ocs runs list names it, all of them; as of its own instant
                where none is given. If that run was to adopt, say so again.
            explain_account: Show one account's balance instead, by its externalId or refId: every document and payment
                with what it contributes, or why it does not count. Nothing is stored.
            csv: A file to write every payer's figures to; they are then calculated one slice after the other.
            parquet: The same as a Parquet file, for which ocs-rm[warehouse] is to be installed.
            workers: How many processes of this machine calculate side by side, on PostgreSQL. If not given: every ocs worker
                where OCS_COLLECTION_WORKERS=kafka, else as many as configured, or one for each of the machine's processors.
        """
        with commands.opened() as platform:
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
        task = bar.add_task("payers", total=run.payers_total, completed=run.payers_done + run.payers_failed)

        def on_progress(run: ProcessRun) -> None:
            bar.update(task, completed=run.payers_done + run.payers_failed, refresh=True)

        if not files:
            return services.runner.finish(run.ref_id, workers, on_progress)

        def on_slice(done: SliceDone) -> None:
            for file in files.values():
                file.write(done)
            bar.update(task, advance=len(done.payers), refresh=True)

        return services.runner.run(run.ref_id, on_slice)


def _started(services: Services, order: dict[str, Any]) -> ProcessRun:
    given = {name: value for name, value in order.items() if value is not None}
    request = decode_request(StartCollectionRunRequest, {"requestId": str(services.ids()), **given})
    start = services.use_case(StartCollectionRun)
    try:
        (step,) = start(request, caller=CALLER).steps
    except RequestRejected as rejected:
        if any(v.code == "RUN_ACTIVE" for v in rejected.violations):
            _say_how_to_go_on(services)
        raise
    assert isinstance(step.object, ProcessRun)
    return step.object


def _say_how_to_go_on(services: Services) -> None:
    for run in services.queries.running():
        if run.dry_run:
            continue
        if not run.accounts:
            adopt = " --adopt" if run.adopt else ""
            say.warn(
                f"Unless a server is at it, take that run to its end with: ocs collect --as-of {format_instant(run.as_of)}{adopt}"
            )
        say.warn(f"Or end it where it is with: ocs runs cancel {run.ref_id}")


def _tell(run: ProcessRun, configuration: Configuration, seconds: float, json: bool) -> None:
    rows: list[tuple[str, Any]] = [
        ("id", run.ref_id),
        ("state", run.state),
        ("as of", run.as_of),
        ("payers", run.payers_done),
        ("balance", _moneys(run.balances, configuration)),
        ("not counted, in another currency than the account", _moneys(run.other_currencies, configuration)),
        ("collections that would start" if run.dry_run else "collections started", run.collections_started),
        ("failed", run.payers_failed),
        ("seconds", round(seconds, 1)),
    ]
    title = f"Run {run.ref_id}: {run.state}"
    if run.dry_run:
        title += " (a dry run: nothing was stored or announced)"
    say.record(rows, json=json, title=title)
    for failure in run.failures:
        say.warn(f"{failure.account.external_id or failure.account.ref_id}: {failure.message} ({failure.code})")
    if run.payers_failed > len(run.failures):
        say.warn(f"These are the first of them; all are told by: ocs runs show {run.ref_id} --failures")


def _moneys(amounts: Mapping[str, int], configuration: Configuration) -> tuple[say.Amount, ...]:
    return tuple(say.money(amount, code, configuration) for code, amount in sorted(amounts.items()))
