"""The bell of the outbox: whoever committed messages rings it, and a relay that rests wakes up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import sqlalchemy as sa

from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.drivers.postgres import is_pooled
from ocs_core.errors import StoreUnavailable

RING_SECONDS = 0.1
"""A writer rings no more often: PostgreSQL lets transactions that notify commit one after the other only."""
POLL_SECONDS = 0.05
"""Without a bell, on SQLite and behind a pooler, a relay looks again after so long."""
_NOTIFY = sa.text("NOTIFY ocs_outbox")


@attrs.define
class Bell:
    """Rung after the commit, in a transaction of its own, so that it slows no other and tells of nothing too early.

    Not every commit rings: a relay must look on for longer than `RING_SECONDS` after it found something.
    """

    database: Database
    _rung_at: float = float("-inf")
    _listening: Any = None
    _is_deaf: bool = attrs.field(init=False)

    @_is_deaf.default
    def _has_no_bell(self) -> bool:
        return self.database.driver.name != "postgresql"

    def ring(self) -> None:
        """Wake those who wait. Never raises: a relay that is not woken looks by itself in a moment."""
        now = time.monotonic()
        if self.database.driver.name == "postgresql" and now - self._rung_at >= RING_SECONDS:
            self._rung_at = now
            with suppress(StoreUnavailable):
                self.database.write(Call(_NOTIFY))

    def wait(self, seconds: float) -> None:
        """Wait until it is rung, or for so long. Raises `StoreUnavailable`."""
        if self._is_deaf:
            time.sleep(min(seconds, POLL_SECONDS))
        elif self._listening is None:
            self._listen()  # what was committed before is not told of: the caller looks once more
        else:
            self._wait_for_a_ring(seconds)

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _listen(self) -> None:
        with self._ended_by_an_error():
            pooled = self.database.engine.raw_connection()
            if is_pooled(pooled.driver_connection):
                self._is_deaf = True  # what a pooler's connection listens to is told to whoever has it then
                pooled.close()
                return
            self._listening = pooled.driver_connection
            pooled.detach()
            self._listening.autocommit = True
            self._listening.execute("LISTEN ocs_outbox")

    def _wait_for_a_ring(self, seconds: float) -> None:
        with self._ended_by_an_error():
            for _ in self._listening.notifies(timeout=seconds, stop_after=1):
                pass

    @contextmanager
    def _ended_by_an_error(self) -> Iterator[None]:
        """What went wrong may have happened to the connection: the next wait makes another."""
        try:
            with self.database.translated():
                yield
        except BaseException:
            self.close()
            raise
