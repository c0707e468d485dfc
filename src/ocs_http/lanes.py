"""Threads by what is done in them: nothing waits behind what costs much more than it does."""

import attrs

from ocs_http.workers import Workers

WAITING_WITH_LONG_BODIES = 32
"""Requests, of which each holds its body meanwhile."""


@attrs.frozen
class Lanes:
    """The threads of an application. They begin when there is something to do."""

    commands: Workers
    long_commands: Workers
    """Those over many items at once."""
    reads: Workers
    balances: Workers
    """Reads of everything that a payer has, however much that is."""
    keys: Workers
    """Who calls: before everything else, and behind nothing."""
    probes: Workers
    """Whether the system works, which may never come back where it does not."""

    @classmethod
    def of(cls, threads: int, waiting: int) -> "Lanes":
        """With so many threads for commands, and so many jobs that may wait for any of them."""
        return cls(
            commands=Workers(threads, waiting),
            long_commands=Workers(2, min(waiting, WAITING_WITH_LONG_BODIES)),
            reads=Workers(4, waiting),
            balances=Workers(2, waiting),
            keys=Workers(2, waiting),
            probes=Workers(4, 8),
        )

    def close(self) -> None:
        """End them all, each after the job in hand; a probe that does not come back is left behind."""
        for lane in (self.commands, self.long_commands, self.reads, self.balances, self.keys):
            lane.close()
        self.probes.close(patience=1)
