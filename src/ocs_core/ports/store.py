"""What keeps everything: a store, its units of work, and what is asked of them."""

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar
from uuid import UUID

from ocs_core.entities.account import Account, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentHistory
from ocs_core.entities.process import ProcessRun, RunSlice
from ocs_core.entities.settlement import Settlement
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports.lookups import Found, Lookup, Series

Clock = Callable[[], dt.datetime]
"""Gives the present instant, in UTC, with its offset."""
Ids = Callable[[], UUID]
"""Gives a new id, a UUID of version 7, never the same twice."""

Entity = Account | Payer | Payment | PaymentHistory | Document | Settlement | ChargeableEvent | ProcessRun | RunSlice
E = TypeVar("E", Account, Payer, Payment, PaymentHistory, Document, Settlement, ChargeableEvent, ProcessRun, RunSlice)


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


class Store(Protocol):
    """Where everything is kept."""

    def begin(self, *, snapshot: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Begin a unit of work: it commits when the block ends, and leaves nothing behind when the block raises.

        `snapshot`: everything read in it is of one instant; what was changed meanwhile ends its own write in `Conflict`.
        Raises `Conflict` when somebody else was faster, `StoreUnavailable` when the store does not answer.
        """
