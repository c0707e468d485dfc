"""Broken clocks and ids."""

import datetime as dt
import itertools
import time
import uuid
from collections.abc import Callable
from uuid import UUID

import attrs

from ocs_core.memory import MemoryIds
from ocs_core.ports import Clock, Ids
from ocs_core.testkit.broken.planted import planting
from ocs_core.testkit.contracts import clock_contract, ids_contract
from ocs_core.testkit.fakes import NOW, SettableClock

_STEADY: Callable[[], Clock] = SettableClock
_clock_breaks = planting(clock_contract, clock_contract, _STEADY)


@_clock_breaks("test_it_gives_utc_with_its_offset_wherever_the_machine_is")
class NaiveClock:
    """The time in UTC, without saying so."""

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@_clock_breaks("test_it_gives_utc_with_its_offset_wherever_the_machine_is")
class LocalClock:
    """The time where the machine stands, which is where its developer does."""

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC).astimezone()


@_clock_breaks("test_it_does_not_go_back")
@attrs.frozen
class UnsteadyClock:
    """Two machines behind one name, a second apart."""

    turns: "itertools.count[int]" = attrs.field(factory=itertools.count)

    def __call__(self) -> dt.datetime:
        return NOW - dt.timedelta(seconds=next(self.turns) % 2)


class CountedIds(MemoryIds):
    """What broken ids are made of."""

    def __init__(self) -> None:
        super().__init__(SettableClock())


_COUNTED: Callable[[], Ids] = CountedIds
_ids_break = planting(ids_contract, ids_contract, _COUNTED)


@_ids_break("test_they_are_uuids_of_version_7")
class RandomIds:
    """Any unique id will do, until a list is in its order."""

    def __call__(self) -> UUID:
        return uuid.uuid4()


@_ids_break("test_they_rise")
class IdsInAnyOrderWithinAMillisecond(CountedIds):
    """Version 7 by the letter: random behind the millisecond."""

    def __call__(self) -> UUID:
        return UUID(int=super().__call__().int >> 62 << 62 | uuid.uuid4().int & (2**62 - 1))


@_ids_break("test_none_comes_twice_under_threads")
class IdsWithoutALock:
    """Read, count up, write back: two threads read the same."""

    def __init__(self) -> None:
        self.last = CountedIds()().int

    def __call__(self) -> UUID:
        drawn = self.last + 1
        time.sleep(0)
        self.last = drawn
        return UUID(int=drawn)
