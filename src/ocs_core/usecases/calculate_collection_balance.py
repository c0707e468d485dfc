"""Calculate collection balance: one slice of a run (domain: section 4). A runner calls it until the run is done."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import attrs

from ocs_core.collection import CollectionBalance, Ledger, LineKind, Reason, collection_balance, should_start
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.process import ProcessRun, RunFailure, RunState
from ocs_core.errors import AmountOutOfRange
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart, Message, Payload
from ocs_core.ports import Clock, SliceWanted, Store, UnitOfWork, Wanted

AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
CALCULATION_FAILED = "CALCULATION_FAILED"
_MESSAGES = uuid.UUID("6b1f2a52-6c1e-5a0b-9a55-3f6d1d1c0c55")


@attrs.frozen(kw_only=True)
class PayerCalculated:
    """What a slice found for one payer; `starts`: collection starts now, or would in a dry run."""

    ledger: Ledger
    calculated: CollectionBalance
    in_collection: bool
    starts: bool


@attrs.frozen(kw_only=True)
class SliceDone:
    """The run as it is after the slice, and what the slice found."""

    run: ProcessRun
    payers: tuple[PayerCalculated, ...] = ()


@attrs.frozen
class CalculateCollectionBalance:
    """Calculates the next payers of a run, at most `limit`, in one transaction with the run's progress.

    For each payer: stores balance, oldest due date and trigger state, and publishes `payer`, where one of them changed;
    notifies `collectionBalanceCalculated`, and `collectionStart` on entering the trigger's condition. A dry run stores
    and announces nothing but its own progress. A payer that cannot be calculated is recorded on the run, and the others go on.
    Message ids are made of the process, T, the account, the code and what is told, so telling the same again is told once.
    """

    store: Store
    clock: Clock = attrs.field(kw_only=True)

    def __call__(self, run_ref_id: UUID, limit: int | None = None) -> SliceDone:
        """Raises `Conflict` when a payer changed meanwhile: nothing was done, call again."""
        with self.store.begin(snapshot=True) as uow:
            configuration, run = uow.find(Wanted()).configuration, _running(uow, run_ref_id)
            if run.state is not RunState.RUNNING:
                return SliceDone(run=run)
            ledgers = uow.ledgers(_next(run, limit or configuration.collection.slice_size))
            payers, failures = [], []
            for ledger in ledgers:
                try:
                    payers.append(_calculate(ledger, configuration, run))
                except AmountOutOfRange as error:
                    failures.append(RunFailure(ledger.account.ref, AMOUNT_OUT_OF_RANGE, str(error)))
            if not run.dry_run:
                for payer in payers:
                    _store(payer, configuration, run, uow, self.clock())
            run = uow.save(_progress(run, ledgers, payers, failures, self.clock()))
        return SliceDone(run=run, payers=tuple(payers))

    def give_up_next(self, run_ref_id: UUID, error: Exception) -> ProcessRun:
        """Record that the run's next payer cannot be calculated, and pass it over; the next run tries it again."""
        with self.store.begin(snapshot=True) as uow:
            run = _running(uow, run_ref_id)
            if run.state is not RunState.RUNNING:
                return run
            ledgers = uow.ledgers(_next(run, 1))
            message = f"{type(error).__name__}: {error}"[:255]
            failures = [RunFailure(ledger.account.ref, CALCULATION_FAILED, message) for ledger in ledgers]
            return uow.save(_progress(run, ledgers, [], failures, self.clock()))


def _running(uow: UnitOfWork, run_ref_id: UUID) -> ProcessRun:
    run = uow.run(run_ref_id)
    if run is None:
        raise LookupError(f"there is no run {run_ref_id}")
    return run


def _next(run: ProcessRun, limit: int) -> SliceWanted:
    return SliceWanted(as_of=run.as_of, after=run.position, limit=limit, accounts=run.accounts)


def _calculate(ledger: Ledger, configuration: Configuration, run: ProcessRun) -> PayerCalculated:
    account = ledger.account
    calculated = collection_balance(ledger, configuration, run.as_of)
    zone = configuration.zone_of(account.account_type)
    due = should_start(calculated.balance, calculated.oldest_due_date, configuration, account.currency, run.as_of, zone)
    entering = due and (configuration.collection.repeat or not ledger.payer.in_collection)
    return PayerCalculated(ledger=ledger, calculated=calculated, in_collection=due, starts=entering and not run.adopt)


def _store(
    found: PayerCalculated, configuration: Configuration, run: ProcessRun, uow: UnitOfWork, now: dt.datetime
) -> None:
    payer, account, calculated = found.ledger.payer, found.ledger.account, found.calculated
    changed = attrs.evolve(
        payer,
        collection_balance=calculated.balance,
        oldest_due_date=calculated.oldest_due_date,
        in_collection=found.in_collection,
    )
    told: list[Payload] = []
    if changed != payer:
        told.append(
            uow.save(attrs.evolve(changed, collection_balance_as_of=run.as_of, collection_balance_calculated_at=now))
        )
    if configuration.sends(CollectionBalanceCalculated.code):
        told.append(
            CollectionBalanceCalculated(
                effective_date=run.as_of,
                account=account.ref,
                currency=account.currency,
                collection_balance=calculated.balance,
                oldest_document_due_date=calculated.oldest_due_date,
            )
        )
    if found.starts and configuration.sends(CollectionStart.code):
        assert calculated.oldest_due_date is not None
        told.append(
            CollectionStart(
                effective_date=run.as_of,
                account=account.ref,
                currency=account.currency,
                due_amount=calculated.balance,
                oldest_document_due_date=calculated.oldest_due_date,
            )
        )
    for payload in told:
        uow.publish(
            Message(
                ref_id=_message_id(run, payload, found),
                key=account.ref_id,
                subject=account.ref_id,
                transaction_id=run.transaction_id,
                occurred_at=now,
                payload=payload,
            )
        )


def _message_id(run: ProcessRun, payload: Payload, found: PayerCalculated) -> UUID:
    told = (
        run.process,
        run.as_of.isoformat(),
        found.ledger.account.ref_id,
        payload.code,
        getattr(payload, "version", None),
        found.calculated.balance,
        found.calculated.oldest_due_date,
    )
    return uuid.uuid5(_MESSAGES, "|".join(map(str, told)))


def _progress(
    run: ProcessRun,
    ledgers: Sequence[Ledger],
    payers: Sequence[PayerCalculated],
    failures: Sequence[RunFailure],
    now: dt.datetime,
) -> ProcessRun:
    balances, others = Counter(run.balances), Counter(run.other_currencies)
    for payer in payers:
        balances[payer.ledger.account.currency] += payer.calculated.balance
        others.update(_other_currencies(payer))
    all_failures = run.failures + tuple(failures)
    progressed = attrs.evolve(
        run,
        slices_done=run.slices_done + bool(ledgers),
        payers_done=run.payers_done + len(payers),
        payers_failed=len(all_failures),
        collections_started=run.collections_started + sum(payer.starts for payer in payers),
        failures=all_failures,
        balances=dict(balances),
        other_currencies=dict(others),
        position=ledgers[-1].account.ref_id if ledgers else run.position,
    )
    if ledgers:
        return progressed
    state = RunState.DONE_WITH_FAILURES if all_failures else RunState.DONE
    return attrs.evolve(progressed, state=state, finished_at=now, slices_total=run.slices_done)


def _other_currencies(payer: PayerCalculated) -> Counter[str]:
    others: Counter[str] = Counter()
    receivable = {d.ref_id for d in payer.ledger.documents if d.due_amount_type == "AR"}
    for line in payer.calculated.lines:
        if line.reason is Reason.OTHER_CURRENCY:
            owed = line.kind is LineKind.DOCUMENT and line.ref_id in receivable
            others[line.currency] += line.open_amount if owed else -line.open_amount
    return others
