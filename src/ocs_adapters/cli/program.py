"""Where `ocs` begins: all commands together, and what went wrong as a sentence."""

import datetime as dt
import importlib.metadata
import os
import re
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

from cyclopts import App
from rich.text import Text

from ocs_adapters import logs
from ocs_adapters.cli import (
    DONE,
    INTERRUPTED,
    NOT_UNDERSTOOD,
    REFUSED,
    TERMINATED,
    collect,
    configure,
    consume,
    database,
    deliveries,
    events,
    finance,
    kafka,
    keys,
    maintenance,
    open_balance,
    outbox,
    receivables,
    reconcile,
    relay,
    rules,
    runs,
    say,
    schedule,
    settings,
    warehouse,
    worker,
)
from ocs_adapters.cli.commands import Commands
from ocs_adapters.cli.extras import what_brings
from ocs_adapters.settings import unknown
from ocs_adapters.telling import traced
from ocs_core.errors import Conflict, OcsError, RequestRejected
from ocs_core.form import noun

GROUP = "ocs.commands"
"""The entry-point group of further commands: functions that take `Commands`."""
_WANTED = {"UUID": "an id such as 018f3a5c-7b1e-7cc0-8000-0123456789ab", "date": noun(dt.date), "int": noun(int)}
_UNCONVERTED = re.compile(rf'unable to convert (".*") into ({"|".join(_WANTED)})\.')


def commands() -> Commands:
    """Every command, those of other installed packages included."""
    app = App(
        name="ocs",
        help="Revenue management: payments, charges, receivables and collections.",
        help_epilogue="Settings come from the environment, such as OCS_DATABASE_URL (sqlite:///ocs.sqlite3 if not set) and "
        "OCS_KAFKA_SERVERS; ocs settings shows all. "
        f"A command ends with {DONE} where all is done, {REFUSED} where it is refused or done in part, {NOT_UNDERSTOOD} where it "
        f"is not understood, {INTERRUPTED} interrupted, {TERMINATED} terminated.",
        help_format="markdown",
        error_formatter=_told,
        version=lambda: importlib.metadata.version("ocs-rm"),
    )
    app.register_install_completion_command(
        help="Install completion for the shell that runs this: bash, zsh or fish; a new shell has it."
    )
    joined = Commands(app)
    # Those of others first: what they tell of is in the help of ours.
    for entry_point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda e: e.name):
        entry_point.load()(joined)
    for part in (
        database,
        configure,
        keys,
        receivables,
        collect,
        runs,
        schedule,
        open_balance,
        events,
        outbox,
        relay,
        worker,
        kafka,
        consume,
        finance,
        warehouse,
        deliveries,
        maintenance,
        reconcile,
        rules,
        settings,
    ):
        part.join(joined)
    return joined


def _told(error: Exception) -> Text:
    """What was not understood; what was wanted is said as people call it, not as the type that holds it."""
    return Text(_UNCONVERTED.sub(lambda found: f"give {_WANTED[found[2]]}, not {found[1]}.", str(error)))


def perform(arguments: Sequence[str] | None = None) -> None:
    """Perform one command and exit."""
    _print_anything(sys.stdout)
    _print_anything(sys.stderr)
    logs.configure()  # what is logged must not mix with what is printed
    for name, nearest in unknown(os.environ):
        did_you_mean = f"; did you mean {nearest}?" if nearest else "; ocs settings shows those there are."
        say.warn(f"{name} is no setting, and has no effect{did_you_mean}")
    before = signal.signal(signal.SIGTERM, _end)
    try:
        commands().app(arguments)
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


def _end(*_: object) -> None:
    """Terminated is ended in order: what is open is closed, what is temporary is removed."""
    sys.exit(TERMINATED)


def _print_anything(stream: TextIO) -> None:
    """What a terminal or a file cannot show is escaped: no command fails for the looks of its output."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _refuse(message: str) -> None:
    say.warn(message)
    sys.exit(REFUSED)
