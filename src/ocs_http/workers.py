"""Threads for the work that blocks: the system is synchronous, the server is not."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import attrs

P = ParamSpec("P")
T = TypeVar("T")


class Overloaded(Exception):
    """Too much work waits already; nothing of this was begun."""


@attrs.frozen
class _Job:
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    work: Callable[[], Any]

    def perform(self) -> None:
        if self.future.cancelled():
            return
        result, error = None, None
        try:
            result = self.work()
        except BaseException as raised:
            error = raised
        try:
            self.loop.call_soon_threadsafe(self.settle, result, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


@attrs.define
class Workers:
    """A fixed number of threads, and a bounded number of jobs that wait for one.

    One queue and one call back into the loop per job: measured, that costs three quarters of what `run_in_executor` does.
    The threads begin with the first job, and again with the first one after `close`.
    """

    threads: int = 16
    waiting: int = 256
    _jobs: "SimpleQueue[_Job | None]" = attrs.field(factory=SimpleQueue, init=False)
    _running: list[threading.Thread] = attrs.field(factory=list, init=False)
    _in_hand: int = attrs.field(default=0, init=False)

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Do the work in a thread. Raises `Overloaded` when too much waits. Called in the event loop's thread only."""
        if self._in_hand >= self.threads + self.waiting:
            raise Overloaded
        if not self._running:
            self._open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._in_hand += 1
        future.add_done_callback(self._done)
        self._jobs.put(_Job(loop, future, lambda: work(*args, **kwargs)))
        return future

    def close(self, patience: float | None = None) -> None:
        """End the threads, each after the job in hand; one that takes more seconds than this is left behind."""
        for _ in self._running:
            self._jobs.put(None)
        for thread in self._running:
            thread.join(patience)
        self._running.clear()

    def _open(self) -> None:
        for number in range(self.threads):
            thread = threading.Thread(target=self._work, name=f"http-worker-{number}", daemon=True)
            self._running.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.perform()

    def _done(self, future: "asyncio.Future[Any]") -> None:
        self._in_hand -= 1
