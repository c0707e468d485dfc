"""The command line, `ocs`. Other packages join it through the entry-point group `ocs.commands`."""

import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Perform one command and exit: 0 done, 1 refused or done in part, 2 not understood, 130 interrupted."""
    try:
        from ocs_adapters.cli.main import perform  # takes a while, and may be interrupted, too

        perform(arguments)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
