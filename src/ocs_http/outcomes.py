"""How commands fare: the best witness of whether they can be performed."""

import time

import attrs

FAILURES = 3
"""So many in a row, and none that was performed: it is not one of them that is unlucky."""
SECONDS = 10.0
"""After which it is tried again with commands."""


@attrs.define
class Outcomes:
    """The latest outcomes of an application's commands, as far as the store decides them."""

    failures: int = attrs.field(default=0, init=False)
    """Since one was performed, those that were not performed since the store did not take them."""
    _failed_at: float = attrs.field(default=0.0, init=False)

    def performed(self) -> None:
        self.failures = 0

    def failed(self) -> None:
        self.failures += 1
        self._failed_at = time.monotonic()

    def forget(self) -> None:
        """The store was asked, and takes what is written: what failed long ago says nothing any more."""
        if time.monotonic() - self._failed_at >= SECONDS:
            self.failures = 0

    @property
    def all_fail(self) -> bool:
        return self.failures >= FAILURES and time.monotonic() - self._failed_at < SECONDS
