"""Where `ocs` begins: all commands together, and what went wrong as a sentence."""

import importlib.metadata
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

from cyclopts import App
from rich.text import Text

from ocs_adapters import logs
from ocs_adapters.cli import (
    collect,
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
    schedule,
    settings,
    warehouse,
    worker,
)
from ocs_adapters.cli.commands import Commands
from ocs_adapters.telling import traced
from ocs_core.errors import Conflict, OcsError, RequestRejected

GROUP = "ocs.commands"
"""The entry-point group of further commands: functions that take `Commands`."""


def commands() -> Commands:
    """Every command, those of other installed packages included."""
    app = App(
        name="ocs",
        help="Revenue management: payments, charges, receivables and collections.",
        help_epilogue="Settings come from the environment, such as OCS_DATABASE_URL (sqlite:///ocs.sqlite3 if not set) and "
        "OCS_KAFKA_SERVERS; ocs settings shows all.",
        help_format="markdown",
        error_formatter=lambda error: Text(str(error)),
        version=lambda: importlib.metadata.version("ocs-rm"),
    )
    joined = Commands(app)
    for part in (
        database,
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
    for entry_point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda e: e.name):
        entry_point.load()(joined)
    return joined


def perform(arguments: Sequence[str] | None = None) -> None:
    """Perform one command and exit."""
    _print_anything(sys.stdout)
    _print_anything(sys.stderr)
    logs.configure()  # what is logged must not mix with what is printed
    before = signal.signal(signal.SIGTERM, _end)
    try:
        commands().app(arguments)
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except RequestRejected as rejected:
        _refuse("\n".join(f"{v.message} ({' at '.join(filter(None, (v.code, v.field)))})" for v in rejected.violations))
    except Conflict as conflict:
        _refuse(f"{conflict}.")
    except OcsError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename or 'The system says'}: {error.strerror or error}.")
    except Exception as error:
        _refuse(f"Something went wrong that nobody thought of.\n{traced(error)}")
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(*_: object) -> None:
    """Terminated is ended in order: what is open is closed, what is temporary is removed."""
    sys.exit(128 + signal.SIGTERM)


def _print_anything(stream: TextIO) -> None:
    """What a terminal or a file cannot show is escaped: no command fails for the looks of its output."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _refuse(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(1)
