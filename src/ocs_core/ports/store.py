"""What keeps everything: a store, its units of work, and what is asked of them."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountRef, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentHistory
from ocs_core.entities.process import GoneThrough, ProcessRun, RunSlice
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import OpenLedger
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports.lookups import Found, Lookup, Series

Clock = Callable[[], dt.datetime]
"""Gives the present instant, in UTC, with its offset."""
Ids = Callable[[], UUID]
"""Gives a new id, a UUID of version 7, never the same twice."""

Entity = Account | Payer | Payment | PaymentHistory | Document | Settlement | ChargeableEvent | ProcessRun | RunSlice
E = TypeVar("E", Account, Payer, Payment, PaymentHistory, Document, Settlement, ChargeableEvent, ProcessRun, RunSlice)


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


class UnitOfWork(Protocol):
    """One transaction. What is written becomes visible to others all at once at its end, or not at all."""

    def now(self) -> dt.datetime | None:
        """What the store's own clock shows, in UTC; None where it has none and goes by its callers'."""

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        """Answer every look-up, under the locks that it promises, and whether the command of that key was performed.

        What is asked together does not change an answer. Raises `NotImplementedError` for a look-up that the store does not know.
        """

    def add(self, entity: E) -> E:
        """Keep a new entity. Raises `Conflict`, here or at the end, where a unique value is taken.

        Unique are: each kind's `ref_id` (a payer's is its account's), an account's `external_id`, a payment's `payment_no`, the
        `external_payment_no` of incoming payments, a document's `document_no` and `external_document_no`, an event's
        `external_id`, and of each process the storing run that is RUNNING. What is None is not compared. A value stays taken
        when its owner is cancelled, deactivated or invoiced; a run alone frees its process, by its end.
        """

    def save(self, entity: E) -> E:
        """Keep a changed entity; gives it back with its version raised by one.

        Raises `Conflict`, here or at the end, when the stored version is not the one that was read.
        """

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        """The next numbers of a series, each given once. Of one without gaps they are held until the commit, and given
        back without one."""

    def publish(self, message: Message) -> None:
        """Put a message into the outbox, to leave after the commit, in order per key. An id already there is published once."""

    def remember(self, performed: Performed) -> None:
        """Remember a command. Raises `Conflict`, here or at the end, when its key is taken."""

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


class Store(Protocol):
    """Where everything is kept."""

    def begin(self, *, snapshot: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Begin a unit of work: it commits when the block ends, and leaves nothing behind when the block raises.

        `snapshot`: everything read in it is of one instant; what was changed meanwhile ends its own write in `Conflict`.
        Raises `Conflict` when somebody else was faster, `StoreUnavailable` when the store does not answer.
        """
