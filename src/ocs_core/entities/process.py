"""Runs of a process (domain: section 4, calculate collection balance)."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from operator import itemgetter
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from ocs_core.entities.account import AccountRef
from ocs_core.entities.configuration import Configuration, end_of_day
from ocs_core.frozen import frozen_mappings

CALCULATE_COLLECTION_BALANCE = "calculate-collection-balance"
FAILURES_TOLD = 1000
"""A run tells so many of its failures at the most."""
COLLECTIONS_TOLD = 1000
"""A dry run tells so many of the collections that would start or end at the most."""
CLOCKS_APART = dt.timedelta(minutes=1)
"""So far the clock of a host may be from that of the database, and so far, twice, those of two hosts from one another."""


class RunState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    DONE_WITH_FAILURES = "DONE_WITH_FAILURES"
    CANCELLED = "CANCELLED"


@attrs.frozen
class RunFailure:
    """One payer that a run could not calculate; the next run tries again."""

    account: AccountRef
    code: str
    message: str


@attrs.frozen
class CollectionChange:
    """A payer whose collection would start, or end, and why: its balance in millionths, and its oldest due day."""

    account: AccountRef
    currency: str
    collection_balance: int
    oldest_document_due_date: dt.date | None
    starts: bool
    """False: it ends."""


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class RunSlice:
    """A share of a run's payers, in the order of their accounts' keys: those behind `position`, up to and with `through`.

    Whoever calculates it holds it, and moves its `position` in the transaction that writes what was found: where it was cut
    off, others go on there, and no payer is calculated twice. `through` None: there is no end, new payers belong to it.
    """

    code: ClassVar[str] = "runSlice"

    ref_id: UUID
    run_ref_id: UUID
    number: int
    position: UUID | None = None
    through: UUID | None = None
    done: bool = False
    payers_done: int = 0
    payers_failed: int = 0
    payers_passed_over: int = 0
    collections_started: int = 0
    collections_ended: int = 0
    failures: tuple[RunFailure, ...] = ()
    collections: tuple[CollectionChange, ...] = ()
    balances: Mapping[str, int] = attrs.field(factory=dict)
    other_currencies: Mapping[str, int] = attrs.field(factory=dict)
    calculated_at: dt.datetime | None = None
    version: int = 1


@attrs.frozen(kw_only=True)
class GoneThrough:
    """Payers that a storing run has gone through, whatever it found: those behind `after`, up to and with `through`; of a run
    that is limited to some `accounts`, these alone. The instants are the run's."""

    as_of: dt.datetime
    as_of_day: dt.date | None
    started_at: dt.datetime
    accounts: frozenset[UUID] = frozenset()
    after: UUID | None
    through: UUID

    def has(self, account: UUID) -> bool:
        return (
            (self.after is None or self.after < account)
            and account <= self.through
            and (not self.accounts or account in self.accounts)
        )

    def as_of_in(self, zone: ZoneInfo) -> dt.datetime:
        """The instant that the run saw a payer in that zone as of."""
        return _instant_in(zone, self.as_of, self.as_of_day, self.started_at)


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class ProcessRun:
    """One run: what was asked for, frozen at its start, and how far it is.

    `accounts` limits the run; empty means every payer. Its messages carry the `transaction_id` of the command that asked for
    it, and its rules are those of its `configuration`, which is not shown and no part of what a run is compared by; None, in
    runs of before it was kept: the one of today.
    `balances` is the sum of what was calculated, by currency; `other_currencies` what stayed out of it, being in another
    currency than its account, as receivables less liabilities and payments. Both in millionths. `failures` are the first
    `FAILURES_TOLD` of the `payers_failed`; all of them are with the run's slices. `payers_passed_over` were seen as of a
    later instant already. `collections` are, of a dry run, the first `COLLECTIONS_TOLD` that would start or end.
    `as_of_day`: the day that was asked for, whose end is another instant in other zones; `as_of` is then the system's.
    """

    code: ClassVar[str] = "processRun"

    ref_id: UUID
    process: str = CALCULATE_COLLECTION_BALANCE
    state: RunState = RunState.RUNNING
    as_of: dt.datetime
    as_of_day: dt.date | None = None
    dry_run: bool = False
    adopt: bool = False
    accounts: tuple[UUID, ...] = ()
    transaction_id: str = ""
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    progressed_at: dt.datetime | None = None
    slices_total: int = 0
    slices_done: int = 0
    payers_total: int = 0
    payers_done: int = 0
    payers_failed: int = 0
    payers_passed_over: int = 0
    collections_started: int = 0
    collections_ended: int = 0
    failures: tuple[RunFailure, ...] = ()
    collections: tuple[CollectionChange, ...] = ()
    balances: Mapping[str, int] = attrs.field(factory=dict)
    other_currencies: Mapping[str, int] = attrs.field(factory=dict)
    configuration: Configuration | None = attrs.field(default=None, eq=False)
    version: int = 1

    def is_same_order(self, other: "ProcessRun") -> bool:
        """Whether both were asked for with the same time and options."""
        mine, its = (
            (run.as_of_day or run.as_of, run.dry_run, run.adopt, frozenset(run.accounts)) for run in (self, other)
        )
        return mine == its

    def as_of_in(self, zone: ZoneInfo) -> dt.datetime:
        """The instant that the balance of a payer in that zone is as of: where a day was asked for, its end there, at latest
        the run's start."""
        return _instant_in(zone, self.as_of, self.as_of_day, self.started_at)

    def is_behind(self, seen_as_of: dt.datetime | None, as_of: dt.datetime) -> bool:
        """Whether a payer was seen as of a later instant, which a run that sees it as of `as_of` must not replace. An instant
        that no host's clock shows yet, by one that ran ahead, is in nobody's way."""
        latest = self.started_at + 2 * CLOCKS_APART
        return not self.dry_run and seen_as_of is not None and as_of < seen_as_of <= latest

    def behind_in(self, zone: ZoneInfo, gone_through: Iterable[GoneThrough]) -> Sequence[GoneThrough]:
        """Those as of an instant, in that zone, that this run is behind: the latest first."""
        as_of = self.as_of_in(zone)
        later = [(seen, each) for each in gone_through if self.is_behind(seen := each.as_of_in(zone), as_of)]
        return [each for _, each in sorted(later, key=itemgetter(0), reverse=True)]

    def progressed(self, slices: Iterable[RunSlice]) -> "ProcessRun":
        """The run as it is with these slices, all that it has; as it was where it has none."""
        parts = list(slices)
        if not parts:
            return self
        balances: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for part in parts:
            balances.update(part.balances)
            others.update(part.other_currencies)
        return attrs.evolve(
            self,
            progressed_at=max((part.calculated_at for part in parts if part.calculated_at), default=None),
            slices_total=len(parts),
            slices_done=sum(part.done for part in parts),
            payers_done=sum(part.payers_done for part in parts),
            payers_failed=sum(part.payers_failed for part in parts),
            payers_passed_over=sum(part.payers_passed_over for part in parts),
            collections_started=sum(part.collections_started for part in parts),
            collections_ended=sum(part.collections_ended for part in parts),
            collections=tuple(islice((each for part in parts for each in part.collections), COLLECTIONS_TOLD)),
            failures=tuple(islice((failure for part in parts for failure in part.failures), FAILURES_TOLD)),
            balances=dict(balances),
            other_currencies=dict(others),
        )

    def failed_in(self, slices: Iterable[RunSlice]) -> tuple[RunFailure, ...]:
        """Every failure of the run with these slices, all that it has, by account; those it tells where it has none."""
        parts = list(slices)
        return tuple(failure for part in parts for failure in part.failures) if parts else self.failures

    @property
    def payers_per_second(self) -> int | None:
        """How fast it went, from its start to its last slice; None before the first one."""
        seconds = self._seconds
        return None if seconds is None else round(self.payers_seen / seconds)

    @property
    def seconds_left(self) -> int | None:
        """How long it goes on at this rate; None where nobody can say, or it is over."""
        seconds = self._seconds
        if self.state is not RunState.RUNNING or seconds is None or not self.payers_seen:
            return None
        return max(round((self.payers_total - self.payers_seen) * seconds / self.payers_seen), 0)

    @property
    def payers_seen(self) -> int:
        """How many payers it is done with, in whatever way."""
        return self.payers_done + self.payers_failed + self.payers_passed_over

    @property
    def _seconds(self) -> float | None:
        """From its start to its last slice; of one that is over in no time, a thousandth."""
        return (
            None if self.progressed_at is None else max((self.progressed_at - self.started_at).total_seconds(), 0.001)
        )


def _instant_in(zone: ZoneInfo, as_of: dt.datetime, as_of_day: dt.date | None, started_at: dt.datetime) -> dt.datetime:
    return as_of if as_of_day is None else min(end_of_day(as_of_day, zone), started_at)
