"""Tidying up beside other work: in short steps, now and then, and never in its way."""

import time
from collections.abc import Callable
from typing import Any

import attrs
import structlog

from ocs_adapters.telling import told

TIDY_SECONDS = 3600.0
"""How long after it was all tidy, or could not be tidied up, somebody looks again."""
PAUSE_SECONDS = 0.2
"""How long the work has the database for itself between two steps."""

TidyUp = Callable[[], bool]
"""One short step of forgetting what need not be kept; tells whether there may be more."""

log: Any = structlog.get_logger()


def nothing() -> bool:
    """Where nothing is ever forgotten."""
    return False


@attrs.define
class Tidying:
    """What takes the steps when it is time to."""

    tidy_up: TidyUp
    _due_at: float = attrs.field(default=0.0, init=False)

    def go_on(self) -> None:
        """Take a step, if one is due. The work does not depend on it: a failure is only told."""
        if time.monotonic() >= self._due_at:
            seconds = self._step()
            self._due_at = time.monotonic() + seconds

    def _step(self) -> float:
        try:
            return PAUSE_SECONDS if self.tidy_up() else TIDY_SECONDS
        except Exception as error:
            log.error("what is old was not forgotten; the work goes on, it is tried again later", error=told(error))
            return TIDY_SECONDS
