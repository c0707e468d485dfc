"""What every contract needs: its subject, a desk that threads may share, and many callers at once."""

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from itertools import zip_longest
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import attrs
import pytest

from ocs_core.entities.settlement import Settlement
from ocs_core.errors import OcsError, RequestRejected
from ocs_core.ledger import LedgerAccount, LedgerDocument, LedgerPayer, LedgerPayment
from ocs_core.memory import MemoryIds, MemoryStore
from ocs_core.ports import Lookup, RunStore, RunWork, SliceWanted, Store
from ocs_core.queries import Queries
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import SettableClock

T = TypeVar("T")
MANY = 50
"""How many callers race."""
MORE_THAN_A_PAGE = 250
"""More than anybody fetches at once without saying so."""
TEXT_THAT_HURTS = 'Zoë O\'Neil \\ "x" %s :p $1 {} – 💶 ﷽ ‱'


@attrs.frozen
class Published:
    """A message as it waits in the outbox."""

    ref_id: UUID
    key: UUID
    code: str


@attrs.frozen
class Subject:
    """What a contract is held against. `published` gives the outbox, the oldest first."""

    store: Store
    queries: Queries
    published: Callable[[], Sequence[Published]]

    @property
    def run_store(self) -> RunStore:
        """The store, where it is held against the laws of runs."""
        return cast(RunStore, self.store)

    def look_up(self, lookup: Lookup[T]) -> T:
        """The answer to one look-up, in a unit of work of its own."""
        with self.store.begin() as uow:
            return uow.find(lookup)[lookup]


Make = Callable[[], AbstractContextManager[Subject]]


def published_in(store: MemoryStore) -> list[Published]:
    """The outbox of a store in memory."""
    with store.lock:
        return [Published(m.ref_id, m.key, m.payload.code) for m in store.outbox.values()]


def keep(subject: Subject, *entities: Any) -> None:
    """Keep these in one unit of work."""
    with subject.store.begin() as uow:
        for entity in entities:
            uow.add(entity)


def all_there(found: Collection[Any], expected: Collection[Any], what: str) -> None:
    """Fails where these are not the same, in whatever order, and says how many are missing and how many too much. Comparing
    them whole would take pytest minutes to explain."""
    missing, more = [e for e in expected if e not in found], [f for f in found if f not in expected]
    told = f"of {len(expected)} {what} {len(missing)} are missing, and {len(more)} others are there"
    assert (len(found), len(missing), len(more)) == (len(expected), 0, 0), told


def same_messages(found: Sequence[Published], expected: Sequence[Published]) -> None:
    """Fails where other messages wait than expected, and names the first that differs."""
    for number, (one, other) in enumerate(zip_longest(found, expected), start=1):
        assert one == other, (
            f"message {number} of {len(expected)} is {_told(one)}, where the reference has {_told(other)}"
        )


def _told(message: Published | None) -> str:
    return "missing" if message is None else f"{message.code} {message.ref_id} under the key {message.key}"


def contract(name: str, make: Make, *laws: type) -> type:
    """A test class of these laws, held against what `make` makes: one fresh `subject` for each, and a `desk` on its store."""

    @pytest.fixture
    def subject(self: Any) -> Any:
        with make() as made:
            yield made

    @pytest.fixture
    def desk(self: Any, subject: Subject) -> Desk:
        return desk_on(subject.store)

    return type(name, laws, {"subject": subject, "desk": desk})


@attrs.define
class SafeIds:
    """Ids that threads may draw at once."""

    ids: MemoryIds
    lock: Any = attrs.field(factory=threading.Lock)

    def __call__(self) -> UUID:
        with self.lock:
            return self.ids()


def desk_on(store: Store) -> Desk:
    clock = SettableClock()
    return Desk(store, clock, SafeIds(MemoryIds(clock)))


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all calls at the same moment; gives what each returned or raised."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except OcsError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


SOON = 0.3
"""Seconds in which somebody who need not wait has long answered."""


@attrs.frozen
class Beside(Generic[T]):
    """A call that goes on in a thread of its own."""

    future: "Future[T]"

    def result_soon(self) -> T | None:
        """What it gave; None where it is still waiting for somebody."""
        done, _ = wait([self.future], timeout=SOON)
        return self.future.result() if done else None

    def result(self) -> T:
        return self.future.result()


def beside(call: Callable[[], T]) -> Beside[T]:
    """Begin a call in a thread of its own."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    return Beside(future)


def only(found: Sequence[T], what: str) -> T:
    """The one that there must be."""
    assert len(found) == 1, f"{what}: one was expected, there are {len(found)}"
    return found[0]


@attrs.frozen
class HeldLedger:
    """A ledger of a slice that can be looked at again."""

    account: LedgerAccount
    payer: LedgerPayer
    documents: tuple[LedgerDocument, ...]
    payments: tuple[LedgerPayment, ...]
    settlements: tuple[Settlement, ...]


def slice_of(uow: RunWork, wanted: SliceWanted) -> list[HeldLedger]:
    """A slice's ledgers, gone through as a run does, with all that each had."""
    return [
        HeldLedger(each.account, each.payer, tuple(each.documents), tuple(each.payments), tuple(each.settlements))
        for each in uow.ledgers(wanted)
    ]


def codes_of(outcome: Any) -> list[str]:
    return [v.code for v in outcome.violations] if isinstance(outcome, RequestRejected) else []
