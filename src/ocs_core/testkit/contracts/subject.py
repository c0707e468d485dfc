"""What every contract needs: its subject, a desk that threads may share, and many callers at once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import attrs

from ocs_core.errors import OcsError, RequestRejected
from ocs_core.memory import MemoryIds, MemoryStore
from ocs_core.ports import Store
from ocs_core.queries import (
    Queries,
)
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import SettableClock

MANY = 50
"""How many callers race."""
TEXT_THAT_HURTS = 'Zoë O\'Neil \\ "x" %s :p $1 {} – 💶 ﷽ \u202e'


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


Make = Callable[[], AbstractContextManager[Subject]]


def published_in(store: MemoryStore) -> list[Published]:
    """The outbox of a store in memory."""
    return [Published(m.ref_id, m.key, m.payload.code) for m in store.outbox.values()]


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


def codes_of(outcome: Any) -> list[str]:
    return [v.code for v in outcome.violations] if isinstance(outcome, RequestRejected) else []
