"""Questions about the system itself, which are answered within seconds or not at all."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from ocs_http.workers import Overloaded, Workers

T = TypeVar("T")
SECONDS = 3.0
"""How long an answer is waited for."""
GIVEN_UP_SECONDS = 20.0
"""After which a question that does not come back is asked again, over another connection."""


class NoAnswer(Exception):
    """The system did not answer in time."""


@attrs.define
class Probe(Generic[T]):
    """A question that is in hand once, however many ask it: those who come meanwhile get the same answer."""

    workers: Workers
    question: Callable[[], T]
    _asked: "asyncio.Future[T] | None" = attrs.field(default=None, init=False)
    _since: float = attrs.field(default=0.0, init=False)

    async def answer(self) -> T:
        """Raises `NoAnswer`, and whatever the question does."""
        asked, now = self._asked, time.monotonic()
        try:
            if asked is None or asked.done() or now - self._since > GIVEN_UP_SECONDS:
                asked = self._asked = self.workers.run(self.question)
                asked.add_done_callback(_seen)
                self._since = now
            return await asyncio.wait_for(asyncio.shield(asked), SECONDS)
        except (TimeoutError, Overloaded):
            raise NoAnswer from None


def _seen(asked: "asyncio.Future[Any]") -> None:
    """Nobody may wait for it any more, and that is no news."""
    if not asked.cancelled():
        asked.exception()
