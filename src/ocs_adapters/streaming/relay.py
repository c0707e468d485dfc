"""The relay: takes what waits in the outbox to the streaming platform, in order per key, at least once."""

import threading
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

import attrs
import structlog

from ocs_adapters.streaming.tidying import Tidying, TidyUp, nothing
from ocs_adapters.telling import told
from ocs_core.ports import Outbox, Published, Publisher

BATCH = 1000
ALERT_SECONDS = 0.3
"""How long the relay looks again and again after it found something: others follow soon, and not each is told of."""
GLANCE_SECONDS = 0.01
"""How long it rests between two looks then."""
IDLE_SECONDS = 0.5
"""How long it rests when nothing waits, unless it is woken."""
PATIENCE_SECONDS = 1.0
"""How long it rests when the database or the platform does not answer."""

log: Any = structlog.get_logger()


class Sharing(Protocol):
    """One relay's part in the work."""

    def mine(self) -> Collection[int] | None:
        """The shares of the keys that are this relay's now, asked for before each batch; None where all are."""

    def leave(self) -> None:
        """Give them back, so that others take them over at once."""


class Alone:
    """The part of a relay that has no other beside it."""

    def mine(self) -> None:
        return None

    def leave(self) -> None:
        """There is nobody to give anything to."""


@attrs.frozen
class Relay:
    """A row leaves the outbox only after the platform has kept it, so a crash in between publishes it again."""

    outbox: Outbox
    publisher: Publisher
    sharing: Sharing = attrs.field(factory=Alone, kw_only=True)
    """How the work in the background is divided, where several relays work side by side."""
    tidy_up: TidyUp = attrs.field(default=nothing, kw_only=True)
    """What is done between two batches, when it is time to."""
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)
    _threads: list[threading.Thread] = attrs.field(factory=list, init=False)
    wait: Callable[[float], object] = attrs.field(kw_only=True)
    """Wait for messages, for so many seconds at the most; without it, they are looked for."""

    @wait.default
    def _rest(self) -> Callable[[float], object]:
        return self._stop.wait

    def move(self, limit: int = BATCH, shares: Collection[int] | None = None) -> int:
        """Move at most `limit` messages of these shares of the keys, of all if none are named; gives how many were moved."""
        return len(self._settle(limit, shares).kept)

    def drain(self) -> int:
        """Move everything that waits."""
        moved = 0
        while (settled := self._settle(BATCH)).kept or settled.refused:
            moved += len(settled.kept)
        return moved

    def _settle(self, limit: int, shares: Collection[int] | None = None) -> Published:
        rows = self.outbox.waiting(limit, shares)
        if not rows:
            return Published()
        published = self.publisher.publish(rows)
        self.outbox.done(published.kept)
        for refused in published.refused:
            log.error(
                "a message cannot be published and is held", ref_id=str(refused.row.ref_id), reason=refused.reason
            )
        self.outbox.hold(published.refused)
        return published

    def start(self) -> None:
        """Keep moving, in the background."""
        thread = threading.Thread(target=self._work, name="relay", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        moved_at, tidying = -ALERT_SECONDS, Tidying(self.tidy_up)
        while not self._stop.is_set():
            try:
                settled = self._settle(BATCH, self.sharing.mine())
                if settled.kept or settled.refused:
                    moved_at = time.monotonic()
                elif time.monotonic() - moved_at < ALERT_SECONDS:
                    self._stop.wait(GLANCE_SECONDS)
                else:
                    self.wait(IDLE_SECONDS)
            except Exception as error:
                log.error("relay interrupted; nothing is lost, it tries again", error=told(error))
                self._stop.wait(PATIENCE_SECONDS)
            tidying.go_on()
        self._hand_over()

    def _hand_over(self) -> None:
        try:
            self.sharing.leave()
        except Exception as error:
            log.error("the shares were not given back; others take them over in seconds", error=told(error))
