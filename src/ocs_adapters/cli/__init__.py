"""The command line, `ocs`. Other packages join it through the entry-point groups `ocs.commands` and `ocs.privileges`."""

import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final

DONE: Final = 0
REFUSED: Final = 1
NOT_UNDERSTOOD: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT
TERMINATED: Final = 128 + signal.SIGTERM
EXIT_CODES: Mapping[int, str] = {
    DONE: "Done; or a service that was told to end has ended in order.",
    REFUSED: "Refused, failed, done in part, or a check that found something: standard error, or the table, says what.",
    NOT_UNDERSTOOD: "The command line was not understood; nothing was done.",
    INTERRUPTED: "Interrupted before it was done.",
    TERMINATED: "Terminated before it was done.",
}
"""Every code that a command ends with, and what it means."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Perform one command and exit with one of `EXIT_CODES`."""
    try:
        from ocs_adapters.cli.program import perform  # takes a while, and may be interrupted, too

        perform(arguments)
    except ModuleNotFoundError as error:
        from ocs_adapters.cli.extras import what_brings

        if (sentence := what_brings(error)) is None:
            raise
        print(sentence, file=sys.stderr)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
