"""What a collection run needs of a store beside what use-cases need: the payers of its slices, and where it is."""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef, Payer
from ocs_core.entities.process import GoneThrough, ProcessRun, RunSlice
from ocs_core.ledger import OpenLedger
from ocs_core.ports.store import Store, UnitOfWork


@attrs.frozen(kw_only=True)
class SliceWanted:
    """The next payers of a collection run, by key, behind `after` and up to `through`: those of accounts that are not
    DEACTIVATED.

    `limit` payers at the most; only these `accounts` where any are named.
    """

    as_of: dt.datetime
    after: UUID | None = None
    through: UUID | None = None
    limit: int = 5000
    accounts: tuple[UUID, ...] = ()


@attrs.frozen
class SlicePlan:
    """How many payers a run has, and by which payer's key each of its slices ends but the last, which has no end."""

    payers: int
    ends: Sequence[UUID] = ()


class PayerBalance(NamedTuple):
    """What a run found of one payer, as a `Payer` keeps it."""

    account: AccountRef
    account_type: str
    collection_balance: int
    oldest_due_date: dt.date | None
    in_collection: bool


class RunWork(UnitOfWork, Protocol):
    """One transaction of a run, or of a use-case about runs."""

    def ledgers(self, wanted: SliceWanted) -> Iterable[OpenLedger]:
        """The next payers of a run, ordered by account ref_id, each with the items its balance at T can depend on. They are
        gone through once, with their items, before anything is written: a payer may have more items than memory should hold."""

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        """Keep what a run as of `as_of` found of these payers, and nothing else of them; gives each of them back whole, in the
        same order, with its version raised by one.

        Raises `Conflict`, here or at the end, where one of them changed meanwhile.
        """

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        """What of these payers (`limit` aside) storing runs of the process that began after `as_of`, and are over, have gone
        through: of each slice from where it began to its position. What a worker still holds of one that was cancelled is waited
        for."""

    def plan_slices(self, accounts: tuple[UUID, ...], size: int) -> SlicePlan:
        """How a run over these accounts (none named: all) is cut into slices of that many payers."""

    def take_slice(self, run_ref_id: UUID, number: int | None = None) -> RunSlice | None:
        """The first slice of a run that is not done, or the one of that `number`, read **exclusively**, passing over those
        that others hold; None where nothing is left to take."""

    def slices_left(self, run_ref_id: UUID) -> Sequence[int]:
        """The numbers of a run's slices that are not done, in their order, those that others hold included; not locked."""

    def slices(self, run_ref_id: UUID) -> Sequence[RunSlice]:
        """All slices of a run, by number; not locked."""

    def runs(self, process: str) -> Sequence[ProcessRun]:
        """The runs of a process that are RUNNING, dry ones too, by ref_id, read **exclusively**."""

    def run(self, ref_id: UUID) -> ProcessRun | None:
        """One run as it was saved last; not locked."""


class RunStore(Store, Protocol):
    """A store that runs can be performed on."""

    def begin(self, *, snapshot: bool = False) -> AbstractContextManager[RunWork]: ...
