"""The loop that every consumer has: read, deal with it, tell the platform."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import attrs
import structlog

from ocs_adapters.consumers.processor import PASSING
from ocs_adapters.streaming.tidying import Tidying, TidyUp, nothing
from ocs_adapters.telling import told
from ocs_core.errors import Conflict
from ocs_core.ports import Delivered, Gap, Stream

BATCH = 1000
BATCH_BYTES = 32 * 1024 * 1024
"""Values of so many bytes are a batch, too, however few they are."""
IDLE_SECONDS = 0.05
"""How long it rests where nothing is new."""
PATIENCE_SECONDS = 1.0
"""How long it rests when the database or the platform does not answer."""

log: Any = structlog.get_logger()


class Processing(Protocol):
    """What deals with messages, such as a `Processor`."""

    def process(self, messages: Sequence[Delivered]) -> None:
        """Deal with messages; those that were dealt with before may come again. Raises what is `PASSING`."""


P = TypeVar("P", bound=Processing)


def _not_missed(_: Gap) -> None:
    """For a consumer to whom what has expired is nothing."""


@attrs.define(kw_only=True)
class Consumer(Generic[P]):
    """Effectively once: only after the messages are dealt with the stream goes on, and one that comes again is known by its
    `ce_id`. Messages are gathered for `window` seconds, at most `batch` of them, into one transaction.
    """

    stream: Stream
    processor: P
    batch: int = BATCH
    window: float = 0.0
    tidy_up: TidyUp = nothing
    """What is done between two batches, when it is time to."""
    on_gap: Callable[[Gap], None] = _not_missed
    """What is done about messages that were forgotten before they were read, before it goes on behind them."""
    gaps: int = attrs.field(default=0, init=False)
    """How many of those gaps it met."""
    _in_hand: list[Delivered] = attrs.field(factory=list, init=False)
    _met: list[Gap] = attrs.field(factory=list, init=False)

    def step(self, *, waits: bool = True) -> int:
        """Deal with what is new, at most a batch; gives how many messages it was. Unless it `waits`, what is there is a
        batch before the window ends. Raises what is `PASSING`: the next step goes on with the same messages."""
        if not self._in_hand:
            self._gather(waits)
        has_met = self._tell_gaps()
        if self._in_hand:
            self.processor.process(self._in_hand)
        if self._in_hand or has_met:
            self.stream.commit()
        dealt_with, self._in_hand = len(self._in_hand), []
        return dealt_with

    def drain(self) -> int:
        """Deal with everything that is new."""
        dealt_with = 0
        while step := self.step(waits=False):
            dealt_with += step
        return dealt_with

    def work(self, stop: threading.Event) -> None:
        """Go on until told to stop, and end after the batch in hand."""
        tidying = Tidying(self.tidy_up)
        while not stop.is_set():
            try:
                if not self.step():
                    stop.wait(IDLE_SECONDS)
                # Only now: what was in hand when the last one ended has come again, and was known.
                tidying.go_on()
            except PASSING as error:
                log.warning("consumer interrupted; nothing is lost, it tries again", error=told(error))
                stop.wait(IDLE_SECONDS if isinstance(error, Conflict) else PATIENCE_SECONDS)
            except Exception as error:
                log.error("consumer interrupted unforeseen; nothing is lost, it tries again", error=told(error))
                stop.wait(PATIENCE_SECONDS)

    def _tell_gaps(self) -> bool:
        self._met += self.stream.gaps()
        for gap in self._met:
            self.on_gap(gap)
        self.gaps += len(self._met)
        has_met, self._met = bool(self._met), []
        return has_met

    def _gather(self, waits: bool) -> None:
        ends = time.monotonic() + self.window
        while self._has_room():
            more = self.stream.next(min(BATCH, self.batch - len(self._in_hand)))
            self._in_hand += more
            if not more and (not waits or not self._in_hand):
                return
            if time.monotonic() >= ends:
                return
            if not more:
                time.sleep(IDLE_SECONDS)

    def _has_room(self) -> bool:
        return len(self._in_hand) < self.batch and sum(len(message.value) for message in self._in_hand) < BATCH_BYTES
