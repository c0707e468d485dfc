"""The sender: takes deliveries that are due to their recipients, several at a time, and none holds up the others."""

import datetime as dt
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Protocol

import attrs
import structlog

from ocs_adapters.consumers.notifications import backoff
from ocs_adapters.consumers.notifications.deliveries import Deliveries, Delivery, Outcome, State
from ocs_adapters.telling import told
from ocs_core.ports import Clock

AT_ONCE = 16
"""Deliveries that are under way at the same time at the most."""
AT_ONCE_EACH = 4
"""Those of one recipient; of one that failed last, or was not heard of yet, one."""
IDLE_SECONDS = 0.5
"""How long it rests where nothing is due."""
PATIENCE_SECONDS = 1.0
"""How long it rests when the database does not answer."""

log: Any = structlog.get_logger()


class Channel(Protocol):
    """The way to one recipient."""

    def send(self, delivery: Delivery) -> Outcome:
        """Try once, in less time than a claim holds; the recipient knows a delivery that comes again by its `ref_id`."""


@attrs.define
class _Standing:
    """How it goes with one recipient."""

    under_way: int = 0
    takes: bool = False
    failures: int = 0
    left_alone_until: dt.datetime | None = None
    asked_to_wait_until: dt.datetime | None = None
    served: int = 0

    def is_left_alone(self, now: dt.datetime) -> bool:
        return self.left_alone_until is not None and now < self.left_alone_until

    def room(self, now: dt.datetime) -> int:
        return 0 if self.is_left_alone(now) else (AT_ONCE_EACH if self.takes else 1) - self.under_way

    def answers(self) -> None:
        """It took a message, or refused just that one. The patience that it asked for counts nevertheless."""
        self.takes, self.failures, self.left_alone_until = True, 0, self.asked_to_wait_until

    def fails(self, now: dt.datetime, chance: float, retry_after: float | None) -> None:
        if self.is_left_alone(now):
            return
        self.takes, self.failures = False, self.failures + 1
        self.left_alone_until = now + dt.timedelta(seconds=backoff.leave_alone(self.failures, chance, retry_after))
        self.asked_to_wait_until = self.left_alone_until if retry_after else None


@attrs.define(eq=False)
class Sender:
    """At least once: a delivery is claimed, sent, and its outcome noted; where that is cut off, the claim expires.

    `channels` are by the recipients' names; deliveries for others wait.
    """

    deliveries: Deliveries
    channels: Mapping[str, Channel]
    clock: Clock
    chance: Callable[[], float] = random.random
    _standings: dict[str, _Standing] = attrs.field(init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _changed: threading.Event = attrs.field(factory=threading.Event, init=False)
    _turn: int = attrs.field(default=0, init=False)

    @_standings.default
    def _make_standings(self) -> dict[str, _Standing]:
        return {name: _Standing() for name in self.channels}

    def once(self) -> Counter[State]:
        """Try each delivery that is due now once; gives how many of them are in which state then."""
        due_by, tally, under_way = self.clock(), Counter[State](), set[Future[State]]()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while True:
                with self._lock:
                    rooms = {name: AT_ONCE_EACH - s.under_way for name, s in self._in_turn()}
                under_way |= self._hand_out(pool, rooms, due_by)
                if not under_way:
                    return tally
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                tally.update(future.result() for future in done)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Go on in the background until the end of the block; what is under way then is finished."""
        stop = threading.Event()
        worker = threading.Thread(target=self._work, args=(stop,), name="sender")
        worker.start()
        try:
            yield
        finally:
            stop.set()
            self._changed.set()
            worker.join()

    def _work(self, stop: threading.Event) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not stop.is_set():
                self._changed.clear()
                try:
                    now = self.clock()
                    with self._lock:
                        rooms = {name: standing.room(now) for name, standing in self._in_turn()}
                    handed_out = self._hand_out(pool, rooms, now)
                except Exception as error:
                    log.error("sender interrupted; nothing is lost, it tries again", error=told(error))
                    stop.wait(PATIENCE_SECONDS)
                    continue
                for future in handed_out:
                    future.add_done_callback(_log_failure)
                if not handed_out and not stop.is_set():
                    self._changed.wait(IDLE_SECONDS)

    def _in_turn(self) -> list[tuple[str, _Standing]]:
        """Who was served longest ago comes first: where all hands are busy, everybody's turn comes."""
        return sorted(self._standings.items(), key=lambda item: item[1].served)

    def _hand_out(self, pool: ThreadPoolExecutor, rooms: Mapping[str, int], due_by: dt.datetime) -> set[Future[State]]:
        with self._lock:
            free = AT_ONCE - sum(standing.under_way for standing in self._standings.values())
        rooms = {name: room for name, room in rooms.items() if room > 0}
        claimed = self.deliveries.claim(rooms, free, due_by) if free and rooms else ()
        with self._lock:
            self._turn += 1
            for delivery in claimed:
                standing = self._standings[delivery.recipient]
                standing.under_way += 1
                standing.served = self._turn
        return {pool.submit(self._send, delivery) for delivery in claimed}

    def _send(self, delivery: Delivery) -> State:
        heard: Outcome | None = None
        try:
            try:
                outcome = heard = self.channels[delivery.recipient].send(delivery)
            except Exception as error:
                log.error("a delivery cannot be sent", ref_id=str(delivery.ref_id), error=told(error))
                outcome = Outcome(told=told(error))
            return self.deliveries.ended(delivery, outcome, self._next(delivery, outcome))
        finally:
            self._learn(delivery.recipient, heard)
            self._changed.set()

    def _next(self, delivery: Delivery, outcome: Outcome) -> dt.datetime | None:
        if outcome.for_good or delivery.attempts_left <= 0:
            return None
        seconds = backoff.wait(backoff.ATTEMPTS - delivery.attempts_left, self.chance(), outcome.retry_after)
        return self.clock() + dt.timedelta(seconds=seconds)

    def _learn(self, recipient: str, heard: Outcome | None) -> None:
        """What an attempt tells of the recipient: nothing where it failed before it came there."""
        now = self.clock()
        with self._lock:
            standing = self._standings[recipient]
            standing.under_way -= 1
            if heard is None:
                return
            if heard.delivered or heard.is_refused:
                standing.answers()
            else:
                standing.fails(now, self.chance(), heard.retry_after)


def _log_failure(future: "Future[State]") -> None:
    if error := future.exception():
        log.error("how a delivery ended could not be noted; it comes again", error=told(error))
