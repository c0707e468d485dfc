"""Where `ocs` begins: all commands together, and what went wrong as a sentence."""

import datetime as dt
import os
import re
import signal
import sys
from collections.abc import Collection, Sequence
from importlib.metadata import entry_points, version
from io import TextIOWrapper
from typing import TextIO

from cyclopts import App
from rich.text import Text

from ocs_adapters.cli import DONE, INTERRUPTED, NOT_UNDERSTOOD, REFUSED, TERMINATED
from ocs_adapters.cli.command_list import COMMANDS
from ocs_adapters.cli.extras import what_brings
from ocs_adapters.telling import traced
from ocs_core.errors import Conflict, OcsError, RequestRejected
from ocs_core.form import noun

GROUP = "ocs.commands"
"""The entry-point group of further commands: mappings such as `table.COMMANDS`."""
TELLS_OF_ITSELF = frozenset({"--help", "-h", "--version"})
_WANTED = {"UUID": "an id such as 018f3a5c-7b1e-7cc0-8000-0123456789ab", "date": noun(dt.date), "int": noun(int)}
_UNCONVERTED = re.compile(rf'unable to convert (".*") into ({"|".join(_WANTED)})\.')


def commands(asked: Collection[str]) -> App:
    """Every command, those of other installed packages included. Those that are asked for say all that is to be said of them;
    of the others there is their sentence in the list."""
    app = App(
        name="ocs",
        help="Revenue management: payments, charges, receivables and collections.",
        help_epilogue="Settings come from the environment, such as OCS_DATABASE_URL (sqlite:///ocs.sqlite3 if not set) and "
        "OCS_KAFKA_SERVERS; ocs settings shows all. "
        f"A command ends with {DONE} where all is done, {REFUSED} where it is refused or done in part, {NOT_UNDERSTOOD} where it "
        f"is not understood, {INTERRUPTED} interrupted, {TERMINATED} terminated.",
        help_format="markdown",
        version_format="plaintext",
        error_formatter=_told,
        version=lambda: version("ocs-rm"),
    )
    app.register_install_completion_command(
        help="Install completion for the shell that runs this: bash, zsh or fish; a new shell has it."
    )
    for joined in (COMMANDS, *(entry_point.load() for entry_point in entry_points(group=GROUP))):
        for name, (place, sentence) in joined.items():
            app.command(place, name=name, help=None if name in asked else sentence)
    return app


def _told(error: Exception) -> Text:
    """What was not understood; what was wanted is said as people call it, not as the type that holds it."""
    return Text(_UNCONVERTED.sub(lambda found: f"give {_WANTED[found[2]]}, not {found[1]}.", str(error)))


def perform(arguments: Sequence[str] | None = None) -> None:
    """Perform one command and exit."""
    _print_anything(sys.stdout)
    _print_anything(sys.stderr)
    asked = sys.argv[1:] if arguments is None else arguments
    before = signal.signal(signal.SIGTERM, _end)
    try:
        if not TELLS_OF_ITSELF.intersection(asked):
            _prepare()
        commands(asked)(asked)
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(REFUSED)
    except RequestRejected as rejected:
        _refuse("\n".join(f"{v.message} ({' at '.join(filter(None, (v.code, v.field)))})" for v in rejected.violations))
    except Conflict as conflict:
        _refuse(f"{conflict}.")
    except OcsError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename or 'The system says'}: {error.strerror or error}.")
    except Exception as error:
        _refuse(what_brings(error) or f"Something went wrong that nobody thought of.\n{traced(error)}")
    finally:
        signal.signal(signal.SIGTERM, before)


def _prepare() -> None:
    """Before a command is at work: what is logged must not mix with what is printed, and a misspelt setting is told of."""
    from ocs_adapters import logs
    from ocs_adapters.settings import unknown

    logs.configure()
    for name, nearest in unknown(os.environ):
        did_you_mean = f"; did you mean {nearest}?" if nearest else "; ocs settings shows those there are."
        _warn(f"{name} is no setting, and has no effect{did_you_mean}")


def _end(*_: object) -> None:
    """Terminated is ended in order: what is open is closed, what is temporary is removed."""
    sys.exit(TERMINATED)


def _print_anything(stream: TextIO) -> None:
    """What a terminal or a file cannot show is escaped: no command fails for the looks of its output."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _refuse(message: str) -> None:
    _warn(message)
    sys.exit(REFUSED)


def _warn(message: str) -> None:
    from ocs_adapters.cli import say

    say.warn(message)
