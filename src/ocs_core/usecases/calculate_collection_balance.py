"""Calculate collection balance: the slices of a run (domain: section 4). Workers call it until the run is over."""

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha1
from itertools import compress, islice
from uuid import UUID

import attrs

from ocs_core.collection import Balance, balance_of, should_start
from ocs_core.entities.account import Payer
from ocs_core.entities.configuration import Configuration, Notify
from ocs_core.entities.process import COLLECTIONS_TOLD, CollectionChange, ProcessRun, RunFailure, RunSlice, RunState
from ocs_core.errors import AmountOutOfRange, Conflict, StoreUnavailable
from ocs_core.ledger import LedgerAccount, LedgerPayer, OpenLedger
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart, Message, Payload, format_instant, key_of
from ocs_core.ports import Clock, PayerBalance, RunStore, RunWork, SliceWanted

AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
CALCULATION_FAILED = "CALCULATION_FAILED"
_MESSAGES = UUID("6b1f2a52-6c1e-5a0b-9a55-3f6d1d1c0c55").bytes
_VERSION_BITS, _VERSION_5 = (0xF << 76) | (0x3 << 62), (0x5 << 76) | (0x2 << 62)


@attrs.frozen
class PayerCalculated:
    """What a slice found for one payer; `starts`: collection starts now, or would in a dry run."""

    account: LedgerAccount
    payer: LedgerPayer
    """As it was before."""
    as_of: dt.datetime
    found: Balance
    in_collection: bool
    starts: bool

    @property
    def changed(self) -> bool:
        """Whether anything is otherwise than what was found last."""
        payer, found = self.payer, self.found
        return (
            payer.collection_balance != found.balance
            or payer.oldest_due_date != found.oldest_due_date
            or payer.in_collection is not self.in_collection
        )

    @property
    def ends(self) -> bool:
        """Whether it was in collection, and is not any more."""
        return self.payer.in_collection and not self.in_collection


@attrs.frozen(kw_only=True)
class SliceDone:
    """The run as it was saved last, the slice after its transaction, and what was found in it.

    No `part`: there was nothing to take. Either the run is over, or others are at its last slices, or at the one asked for.
    """

    run: ProcessRun
    part: RunSlice | None = None
    payers: Sequence[PayerCalculated] = ()


class SliceFailed(Exception):
    """A slice cannot be calculated as it is; the cause is of one of its next payers."""

    def __init__(self, part: RunSlice) -> None:
        super().__init__(f"slice {part.number} of run {part.run_ref_id}")
        self.part = part


@attrs.frozen
class CalculateCollectionBalance:
    """Calculates the next payers of a run, at most `limit`, in one transaction with the progress of their slice.

    For each payer: stores balance, oldest due date and trigger state, and publishes `payer`, where one of them changed;
    notifies `collectionBalanceCalculated`, and `collectionStart` on entering the trigger's condition. A dry run stores
    and announces nothing but its own progress. A payer that cannot be calculated is recorded on the slice, and the others go
    on. Who finds nothing left ends the run. Several may be at a run at once: each takes a slice that nobody holds.
    Message ids are made of the process, T, the account, the code and what is told, so telling the same again is told once.
    """

    store: RunStore
    clock: Clock = attrs.field(kw_only=True)

    def __call__(self, run_ref_id: UUID, limit: int | None = None, number: int | None = None) -> SliceDone:
        """The first slice that is free, or the one of that `number`: where that is done, or others hold it, nothing is done,
        and the run is not ended.

        Raises `Conflict` when a payer or a slice changed meanwhile: nothing was done, call again. `SliceFailed`, where the
        slice that was taken fails for another reason: one of its next payers is to blame."""
        taken: RunSlice | None = None
        try:
            with self.store.begin(snapshot=True) as uow:
                taken = uow.take_slice(run_ref_id, number)
                run, configuration = _run(uow, run_ref_id)
                if run.state is not RunState.RUNNING or (taken is None and number is not None):
                    return SliceDone(run=run)
                if taken is None:
                    return SliceDone(run=_ended(run, uow, self.clock()))
                return self._calculated(uow, run, configuration, taken, limit or configuration.collection.slice_size)
        except (Conflict, StoreUnavailable, LookupError):
            raise
        except Exception as error:
            if taken is None:
                raise
            raise SliceFailed(taken) from error

    def give_up_next(self, failed: "SliceFailed") -> SliceDone:
        """Record that the next payer of a slice that failed cannot be calculated, and pass it over; a later run tries it
        again. Nothing is done where somebody else has gone on with the slice meanwhile."""
        with self.store.begin(snapshot=True) as uow:
            part = uow.take_slice(failed.part.run_ref_id, failed.part.number)
            run, configuration = _run(uow, failed.part.run_ref_id)
            if run.state is not RunState.RUNNING or part != failed.part:
                return SliceDone(run=run)
            message = f"{type(failed.__cause__).__name__}: {failed.__cause__}"[:255]
            failures = [
                RunFailure(ledger.account.ref, CALCULATION_FAILED, message)
                for ledger in _ledgers(uow, run, _next(run, part, 1, configuration))
            ]
            position = failures[0].account.ref_id if failures else part.position
            gone = _GoneThrough(position, failures=failures)
            return SliceDone(run=run, part=uow.save(_progressed(part, gone, 1, self.clock(), dry_run=run.dry_run)))

    def _calculated(
        self, uow: RunWork, run: ProcessRun, configuration: Configuration, part: RunSlice, limit: int
    ) -> SliceDone:
        gone = _GoneThrough(part.position)
        wanted = _next(run, part, limit, configuration)
        gone_through = () if run.dry_run else uow.gone_through(run.process, wanted)
        zone_of = configuration.zone_of
        as_of_in = functools.cache(lambda account_type: run.as_of_in(zone_of(account_type)))
        behind_in = functools.cache(lambda account_type: run.behind_in(zone_of(account_type), gone_through))
        for ledger in _ledgers(uow, run, wanted):
            account = ledger.account
            gone.position, as_of, later = (
                account.ref_id,
                as_of_in(account.account_type),
                behind_in(account.account_type),
            )
            if run.is_behind(ledger.payer.collection_balance_as_of, as_of) or any(
                each.has(account.ref_id) for each in later
            ):
                gone.passed_over += 1
                continue
            try:
                gone.payers.append(_calculate(ledger, configuration, run, as_of))
            except AmountOutOfRange as error:
                gone.failures.append(RunFailure(ledger.account.ref, AMOUNT_OUT_OF_RANGE, str(error)))
        now = self.clock()
        if not run.dry_run:
            _Keeping(run, configuration, uow, now).keep(gone.payers)
        part = uow.save(_progressed(part, gone, limit, now, dry_run=run.dry_run))
        return SliceDone(run=run, part=part, payers=gone.payers)


@attrs.define
class _GoneThrough:
    """The payers of one transaction, and what became of each."""

    position: UUID | None
    payers: list[PayerCalculated] = attrs.field(factory=list)
    failures: list[RunFailure] = attrs.field(factory=list)
    passed_over: int = 0


def _run(uow: RunWork, run_ref_id: UUID) -> tuple[ProcessRun, Configuration]:
    """The run, and the configuration it was started with."""
    run = uow.run(run_ref_id)
    if run is None:
        raise LookupError(f"there is no run {run_ref_id}")
    return run, run.configuration or uow.find().configuration


def _next(run: ProcessRun, part: RunSlice, limit: int, configuration: Configuration) -> SliceWanted:
    after, through = part.position, part.through
    accounts = tuple(
        ref for ref in run.accounts if (after is None or ref > after) and (through is None or ref <= through)
    )
    as_of = min(map(run.as_of_in, configuration.zones))
    return SliceWanted(as_of=as_of, after=after, through=through, limit=limit, accounts=accounts)


def _ledgers(uow: RunWork, run: ProcessRun, wanted: SliceWanted) -> Iterable[OpenLedger]:
    """The payers that are wanted: none where those that the run names are all behind it, which to name none would not say."""
    return () if run.accounts and not wanted.accounts else uow.ledgers(wanted)


def _calculate(
    ledger: OpenLedger, configuration: Configuration, run: ProcessRun, as_of: dt.datetime
) -> PayerCalculated:
    account = ledger.account
    found = balance_of(ledger, configuration, as_of)
    zone = configuration.zone_of(account.account_type)
    due = should_start(found.balance, found.oldest_due_date, configuration, account.currency, as_of, zone)
    entering = due and (configuration.collection.repeat or not ledger.payer.in_collection)
    return PayerCalculated(account, ledger.payer, as_of, found, due, entering and not run.adopt)


@attrs.frozen
class _Keeping:
    """What a slice found is stored and announced."""

    run: ProcessRun
    configuration: Configuration
    uow: RunWork
    now: dt.datetime

    def keep(self, found: Sequence[PayerCalculated]) -> None:
        changed = [each.changed for each in found]
        saved = iter(self._saved(list(compress(found, changed))))
        about_at = functools.cache(lambda as_of: f"{self.run.process}|{format_instant(as_of)}")
        tells = self.configuration.sends(CollectionBalanceCalculated.code)
        tells_every = tells and self.configuration.collection.notify is Notify.EVERY
        tells_starts = self.configuration.sends(CollectionStart.code)
        for each, is_changed in zip(found, changed, strict=True):
            if not (is_changed or tells_every or each.starts):
                continue
            account, balance, about = each.account, each.found, about_at(each.as_of)
            payer = next(saved) if is_changed else None
            ref = payer.account if payer else account.ref
            told = f"{balance.balance}|{balance.oldest_due_date}"
            if payer is not None:
                self._publish(payer, ref.ref_id, about, payer.version, told)
            if tells_every or (tells and payer is not None):
                calculated = CollectionBalanceCalculated(
                    effective_date=each.as_of,
                    account=ref,
                    currency=account.currency,
                    collection_balance=balance.balance,
                    oldest_document_due_date=balance.oldest_due_date,
                )
                self._publish(calculated, ref.ref_id, about, None, told)
            if each.starts and tells_starts:
                assert balance.oldest_due_date is not None
                starts = CollectionStart(
                    effective_date=each.as_of,
                    account=ref,
                    currency=account.currency,
                    due_amount=balance.balance,
                    oldest_document_due_date=balance.oldest_due_date,
                )
                self._publish(starts, ref.ref_id, about, None, told)

    def _saved(self, changed: Sequence[PayerCalculated]) -> Iterable[Payer]:
        """The payers in the same order; those of one instant are kept together."""
        found: defaultdict[dt.datetime, list[PayerBalance]] = defaultdict(list)
        for each in changed:
            account, balance = each.account, each.found
            found[each.as_of].append(
                PayerBalance(
                    account.ref, account.account_type, balance.balance, balance.oldest_due_date, each.in_collection
                )
            )
        kept = {as_of: iter(self.uow.keep_balances(of, as_of, self.now)) for as_of, of in found.items()}
        return (next(kept[each.as_of]) for each in changed)

    def _publish(self, payload: Payload, account: UUID, about: str, version: int | None, told: str) -> None:
        """Its id is made of what it is about and what it tells (ADR 4)."""
        self.uow.publish(
            Message(
                ref_id=_message_id(f"{about}|{account.hex}|{payload.code}|{version}|{told}"),
                key=key_of(payload),
                subject=account,
                transaction_id=self.run.transaction_id,
                occurred_at=self.now,
                payload=payload,
                own_topic=self.configuration.topic_of(payload.code),
            )
        )


def _message_id(told: str) -> UUID:
    """A UUID of version 5; `uuid.uuid5` itself takes three times as long."""
    digest = int.from_bytes(sha1(_MESSAGES + told.encode(), usedforsecurity=False).digest()[:16], "big")
    return UUID(int=digest & ~_VERSION_BITS | _VERSION_5)


def _progressed(part: RunSlice, gone: _GoneThrough, limit: int, now: dt.datetime, *, dry_run: bool) -> RunSlice:
    balances, others = Counter(part.balances), Counter(part.other_currencies)
    payers, failures, position = gone.payers, gone.failures, gone.position
    for payer in payers:
        balances[payer.account.currency] += payer.found.balance
        if payer.found.other_currencies:
            others.update(payer.found.other_currencies)
    return attrs.evolve(
        part,
        position=position,
        done=len(payers) + len(failures) + gone.passed_over < limit or position == part.through,
        payers_done=part.payers_done + len(payers),
        payers_failed=part.payers_failed + len(failures),
        payers_passed_over=part.payers_passed_over + gone.passed_over,
        collections_started=part.collections_started + sum(payer.starts for payer in payers),
        collections_ended=part.collections_ended + sum(payer.ends for payer in payers),
        collections=_told(part, payers) if dry_run else (),
        failures=part.failures + tuple(failures),
        balances=dict(balances),
        other_currencies=dict(others),
        calculated_at=now,
    )


def _told(part: RunSlice, payers: Sequence[PayerCalculated]) -> tuple[CollectionChange, ...]:
    """Whose collection would start or end, for who asks before it does; what a storing run does is in its messages."""
    changes = (
        CollectionChange(
            payer.account.ref, payer.account.currency, payer.found.balance, payer.found.oldest_due_date, payer.starts
        )
        for payer in payers
        if payer.starts or payer.ends
    )
    return part.collections + tuple(islice(changes, COLLECTIONS_TOLD - len(part.collections)))


def _ended(run: ProcessRun, uow: RunWork, now: dt.datetime) -> ProcessRun:
    """The run as it ends, unless others are still at one of its slices."""
    slices = uow.slices(run.ref_id)
    progressed = run.progressed(slices)
    if not all(part.done for part in slices):
        return progressed
    state = RunState.DONE_WITH_FAILURES if progressed.payers_failed else RunState.DONE
    return uow.save(attrs.evolve(progressed, state=state, finished_at=now))
