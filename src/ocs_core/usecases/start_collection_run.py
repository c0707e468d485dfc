"""Calculate collection balance: asking for a run (domain: section 4). The slices are in `calculate_collection_balance`."""

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.entities.configuration import Configuration, as_instant, day_given
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, GoneThrough, ProcessRun, RunSlice
from ocs_core.form import Items, Moment
from ocs_core.ports import AccountsNamed, Found, PayersOf, RunStore, SliceWanted
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work, run_work


@attrs.frozen(kw_only=True)
class StartCollectionRunRequest(Command):
    """A run as of an instant, or of the end of a day where each payer is (default: now), over the payers named, or all if none
    are.

    `dry_run` only shows; `adopt` stores without announcing that collection starts. `failed_of` names a run that is over: the
    payers are all those that failed in it, and its instant is the default.
    """

    as_of: Moment | None = None
    dry_run: bool = False
    adopt: bool = False
    accounts: Annotated[tuple[AccountName, ...], Items(1, 1000)] | None = None
    failed_of: UUID | None = None


@attrs.frozen
class _Wanted:
    accounts: AccountsNamed
    payers: PayersOf


@attrs.frozen
class StartCollectionRun(UseCase[StartCollectionRunRequest, _Wanted]):
    """Starts a run, or answers the active one where the same is asked for again; a runner then loops over its slices.

    One storing run at a time, started by a clock that is right; a payer that was calculated as of a later instant is passed
    over, and refused where it is named. Dry runs are free, as many at once as are configured.
    """

    operation = "CalculateCollectionBalance"
    answers = (ProcessRun,)
    applies = (
        *rules.accounts.NEEDED_ACCOUNT,
        rules.accounts.payer_exists,
        rules.processes.accounts_or_failed_of,
        rules.processes.as_of_has_come,
        rules.processes.clocks_agree,
        rules.processes.dry_runs_are_few,
        rules.processes.failed_run_has_failures,
        rules.processes.failed_run_is_over,
        rules.processes.no_other_run_is_active,
        rules.processes.process_needs,
        rules.processes.run_exists,
        rules.processes.run_is_the_latest,
    )

    store: RunStore

    def wanted(self, request: StartCollectionRunRequest) -> _Wanted:
        names = tuple(dict.fromkeys(request.accounts or ()))
        return _Wanted(AccountsNamed(names), PayersOf(() if request.dry_run else names))

    def execute(self, request: StartCollectionRunRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        uow = run_work(work)
        failed = uow.run(request.failed_of) if request.failed_of else None
        failures = failed.failed_in(uow.slices(failed.ref_id)) if failed else ()
        known = found.configuration
        moment = request.as_of or (failed and (failed.as_of_day or failed.as_of)) or work.now
        named_accounts, payers = found[wanted.accounts], found[wanted.payers]
        accounts = [(named, named_accounts.get(named)) for named in request.accounts or ()]
        run = ProcessRun(
            ref_id=work.ids(),
            as_of=as_instant(moment, known.zone, work.now),
            as_of_day=day_given(moment),
            dry_run=request.dry_run,
            adopt=request.adopt,
            accounts=tuple(failure.account.ref_id for failure in failures)
            or tuple(account.ref_id for _, account in accounts if account),
            transaction_id=work.transaction_id,
            started_at=work.now,
            configuration=known,
        )
        gone_through = _gone_through(run, [account.ref_id for account in named_accounts.values()], work)
        running = uow.runs(CALCULATE_COLLECTION_BALANCE)
        dry_runs = [r for r in running if r.dry_run and run.dry_run]
        active = next((r for r in running if not (r.dry_run or run.dry_run)), None)
        same = active is not None and active.is_same_order(run)
        rules.check(
            *rules.processes.process_is_configured(known),
            rules.processes.clocks_agree(work.now, None if run.dry_run else uow.now()),
            rules.processes.no_other_run_is_active(None if same else active),
            rules.processes.dry_runs_are_few(dry_runs, known.collection.dry_runs),
            rules.processes.as_of_has_come(moment, known.zones, work.now),
            *(
                violation
                for index, (named, account) in enumerate(accounts)
                for violation in rules.at(
                    f"/accounts/{index}",
                    (
                        *rules.accounts.account_is_found(named, account, needed=True),
                        rules.accounts.payer_exists(account, account.own_payer if account else None),
                        rules.processes.run_is_the_latest(run, *_seen(run, account, payers, gone_through, known)),
                    ),
                )
            ),
            rules.processes.accounts_or_failed_of(request.accounts, request.failed_of),
            *(rules.at("/failedOf", [rules.processes.run_exists(failed)]) if request.failed_of else ()),
            rules.processes.failed_run_is_over(failed),
            rules.processes.failed_run_has_failures(failed, failures),
            fields=fields_of(StartCollectionRunRequest),
        )

        if active is not None:
            work.answer(active.progressed(uow.slices(active.ref_id)))
            return
        plan = uow.plan_slices(run.accounts, known.collection.slice_size)
        bounds = [None, *plan.ends, None] if plan.payers else []
        for number, (after, through) in enumerate(pairwise(bounds), start=1):
            part = RunSlice(ref_id=work.ids(), run_ref_id=run.ref_id, number=number, position=after, through=through)
            work.add(part)
        work.answer(work.add(attrs.evolve(run, payers_total=plan.payers, slices_total=max(len(bounds) - 1, 0))))


def _gone_through(run: ProcessRun, named: Sequence[UUID], work: Work) -> Sequence[GoneThrough]:
    """Whom of the payers that are named later runs have gone through."""
    if run.dry_run or not named:
        return ()
    as_of = min(map(run.as_of_in, work.configuration.zones))
    return run_work(work).gone_through(run.process, SliceWanted(as_of=as_of, accounts=tuple(named)))


def _seen(
    run: ProcessRun,
    account: Account | None,
    payers: Mapping[UUID, Payer],
    gone_through: Sequence[GoneThrough],
    configuration: Configuration,
) -> tuple[dt.datetime, list[dt.datetime | None]]:
    """The instant that a payer is calculated as of, and those that it was before."""
    if account is None:
        return run.as_of, []
    zone = configuration.zone_of(account.account_type)
    payer = payers.get(account.ref_id)
    kept = payer.collection_balance_as_of if payer else None
    return run.as_of_in(zone), [kept, *(g.as_of_in(zone) for g in gone_through if g.has(account.ref_id))]
