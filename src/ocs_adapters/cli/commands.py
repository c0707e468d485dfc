"""What every command works with: the settings, the database, and the list of privileges."""

import datetime as dt
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.cli.master_data import read_entries
from ocs_adapters.settings import Settings, SettingsWrong, load
from ocs_adapters.settings.secrecy import masked
from ocs_core.errors import OcsError

PRIVILEGES = "ocs.privileges"
"""The entry-point group of functions that give the privileges which a key may have."""
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
"""An option that is given or not."""
Json = Annotated[
    bool,
    Parameter(
        negative=(),
        show_default=False,
        help="Print JSON in the place of tables: amounts in millionths, instants in UTC.",
    ),
]
"""What every command has that prints a table; it goes on to `say`."""
AsOf = Annotated[str, Parameter(metavar="DAY|INSTANT")]
Day = Annotated[dt.date, Parameter(metavar="DAY")]
AccountGiven = Annotated[str, Parameter(metavar="ACCOUNT")]
Run = Annotated[str, Parameter(metavar="RUN")]
File = Annotated[Path, Parameter(metavar="FILE")]


def until_terminated() -> None:
    """From now on this process is at work until it is terminated: that ends it in order, with 0."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Refused(OcsError):
    """A command cannot be performed; the message is one sentence for the operator."""


def privileges() -> list[str]:
    """Every privilege that a key may have, in alphabetical order."""
    return sorted({each for entry_point in entry_points(group=PRIVILEGES) for each in entry_point.load()()})


def read_settings() -> Settings:
    """The settings of this process, checked. Raises `Refused` with everything that is wrong with them."""
    try:
        return load()
    except SettingsWrong as wrong:
        raise Refused(str(wrong)) from None


@contextmanager
def opened(changed: Settings | None = None) -> Iterator[Platform]:
    """The database with all that works on it, ready to be worked on; closed at the end. Raises `Refused`."""
    with connected(changed or read_settings()) as found:
        if problem := found.problem():
            raise Refused(f"{problem}.")
        _tell_of_zones(found)
        yield found


@contextmanager
def connected(given: Settings) -> Iterator[Platform]:
    """The database, whatever its state; closed at the end. Raises `Refused`."""
    try:
        opened = platform(given)
    except OcsError:
        raise
    except Exception as error:  # what a URL can do wrong is known to the driver alone
        raise Refused(
            f"OCS_DATABASE_URL {masked(given.database_url)} cannot be used ({type(error).__name__}); give "
            "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME."
        ) from None
    try:
        yield opened
    finally:
        opened.services.close()


def _tell_of_zones(opened: Platform) -> None:
    zone, configured = opened.settings.zone, opened.services.queries.configuration().zone
    if zone is not None and configured.key != zone:
        print(
            f"OCS_ZONE is {zone}, but the configuration names {configured.key}, which counts; "
            "change it with [[system]] in a file for: ocs configure",
            file=sys.stderr,
        )


def example_text() -> str:
    """The example configuration as it is printed."""
    return (files("ocs_adapters.cli") / "example.toml").read_text(encoding="utf-8")


def example() -> list[Any]:
    """The entries of the example configuration."""
    return read_entries(example_text(), "the example")
