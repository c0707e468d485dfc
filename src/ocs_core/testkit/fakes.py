"""Stand-ins that behave: a clock that is set by hand, and stores and ports that fail when they are told to."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import attrs

from ocs_core.ports import Store, UnitOfWork

NOW = dt.datetime(2024, 5, 14, 10, 0, tzinfo=dt.UTC)
"""When the examples take place: a Tuesday morning."""


@attrs.define
class SettableClock:
    """A clock that stands still until it is set."""

    now: dt.datetime = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **duration: float) -> dt.datetime:
        """`clock.advance(days=1, minutes=30)`"""
        self.now += dt.timedelta(**duration)
        return self.now


@attrs.define
class FaultyStore:
    """A store that raises `error` at the `fault_at`-th step that any unit of work takes, counted from 1, and then no more.

    A step is a call of a method of the unit of work, or its commit. `answer_lost`: the commit that fails has happened.
    """

    store: Store
    fault_at: int
    error: Exception
    answer_lost: bool = False
    steps: list[str] = attrs.field(factory=list, init=False)

    @property
    def has_failed(self) -> bool:
        return len(self.steps) >= self.fault_at

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[UnitOfWork]:
        lost = False
        with self.store.begin(snapshot=snapshot) as uow:
            yield cast(UnitOfWork, _FaultyUnitOfWork(self, uow))
            lost = self._is_next("commit")
            if lost and not self.answer_lost:
                raise self.error
        if lost:
            raise self.error

    def step(self, name: str) -> None:
        if self._is_next(name):
            raise self.error

    def _is_next(self, name: str) -> bool:
        self.steps.append(name)
        return len(self.steps) == self.fault_at


@attrs.frozen
class _FaultyUnitOfWork:
    faulty: FaultyStore
    uow: UnitOfWork

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.uow, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.faulty.step(name)
            return method(*args, **kwargs)

        return call


class Crash(Exception):
    """The process ends here: nobody is to catch it."""


@attrs.define
class CrashAt:
    """Ports under it end the process at the `step`-th call of any of them, counted from 1: before it is done, or, with
    `answer_lost`, when it is.
    """

    step: int
    answer_lost: bool = False
    steps: list[str] = attrs.field(factory=list, init=False)

    @property
    def has_crashed(self) -> bool:
        return len(self.steps) >= self.step

    def over(self, port: Any) -> Any:
        """The same port, with its calls counted."""
        return _Counted(self, port)


@attrs.frozen
class _Counted:
    crash: CrashAt
    port: Any

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.crash.steps.append(name)
            ends_here = len(self.crash.steps) == self.crash.step
            if ends_here and not self.crash.answer_lost:
                raise Crash
            answer = method(*args, **kwargs)
            if ends_here:
                raise Crash
            return answer

        return call
