"""Calculate collection balance: asking for a run (domain: section 4). The slices are in `calculate_collection_balance`."""

from itertools import pairwise
from typing import Annotated
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.configuration import as_instant
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, ProcessRun, RunSlice, RunState
from ocs_core.form import Items, Moment
from ocs_core.ports import AccountId, Found, Wanted
from ocs_core.usecases.perform import Command, UseCase, Work, fields_of


@attrs.frozen(kw_only=True)
class StartCollectionRunRequest(Command):
    """A run as of an instant, or of the end of a day (default: now), over the payers named, or all if none are.

    `dry_run` only shows; `adopt` stores without announcing that collection starts. `failed_of` names a run that is over: the
    payers are all those that failed in it, and its instant is the default.
    """

    as_of: Moment | None = None
    dry_run: bool = False
    adopt: bool = False
    accounts: Annotated[tuple[AccountId, ...], Items(1, 1000)] | None = None
    failed_of: UUID | None = None


class StartCollectionRun(UseCase[StartCollectionRunRequest]):
    """Starts a run, or answers the active one where the same is asked for again; a runner then loops over its slices.

    One storing run at a time, never as of an earlier instant than one before it; dry runs are free.
    """

    @property
    def operation(self) -> str:
        return "CalculateCollectionBalance"

    def wanted(self, request: StartCollectionRunRequest) -> Wanted:
        return Wanted(accounts=tuple(dict.fromkeys(request.accounts or ())))

    def execute(self, request: StartCollectionRunRequest, found: Found, work: Work) -> None:
        failed = work.uow.run(request.failed_of) if request.failed_of else None
        failures = failed.failed_in(work.uow.slices(failed.ref_id)) if failed else ()
        as_of = as_instant(request.as_of or (failed.as_of if failed else work.now), found.configuration.zone, work.now)
        accounts = [(named, found.accounts.get(named)) for named in request.accounts or ()]
        run = ProcessRun(
            ref_id=work.ids(),
            as_of=as_of,
            dry_run=request.dry_run,
            adopt=request.adopt,
            accounts=tuple(failure.account.ref_id for failure in failures)
            or tuple(account.ref_id for _, account in accounts if account),
            transaction_id=work.transaction_id,
            started_at=work.now,
            configuration=found.configuration,
        )
        storing = [] if run.dry_run else work.uow.runs(CALCULATE_COLLECTION_BALANCE)
        active = next((r for r in storing if r.state is RunState.RUNNING), None)
        same = active is not None and active.is_same_order(run)
        rules.check(
            *rules.process_is_configured(found.configuration),
            rules.no_other_run_is_active(None if same else active),
            rules.as_of_has_come(as_of, work.now),
            rules.run_is_the_latest(as_of, max(storing, key=lambda r: r.as_of, default=None)),
            *(
                violation
                for index, (named, account) in enumerate(accounts)
                for violation in rules.at(
                    f"/accounts/{index}",
                    (
                        rules.account_is_given(named),
                        rules.account_exists(named, account),
                        rules.account_ids_agree(named, account),
                        rules.payer_exists(account, account.own_payer if account else None),
                    ),
                )
            ),
            rules.accounts_or_failed_of(request.accounts, request.failed_of),
            *(rules.at("/failedOf", [rules.run_exists(failed)]) if request.failed_of else ()),
            rules.failed_run_is_over(failed),
            rules.failed_run_has_failures(failed, failures),
            fields=fields_of(StartCollectionRunRequest),
        )

        if active is not None:
            work.answer(active.progressed(work.uow.slices(active.ref_id)))
            return
        plan = work.uow.plan_slices(run.accounts, found.configuration.collection.slice_size)
        bounds = [None, *plan.ends, None] if plan.payers else []
        for number, (after, through) in enumerate(pairwise(bounds), start=1):
            part = RunSlice(ref_id=work.ids(), run_ref_id=run.ref_id, number=number, position=after, through=through)
            work.add(part)
        work.answer(work.add(attrs.evolve(run, payers_total=plan.payers, slices_total=max(len(bounds) - 1, 0))))
