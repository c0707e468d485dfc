"""What every command works with: the settings, the database, and the list of privileges."""

import datetime as dt
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import attrs
from cyclopts import App, Parameter

from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.cli.master_data import read_entries
from ocs_adapters.settings import Settings, SettingsWrong, load
from ocs_adapters.settings.secrecy import masked
from ocs_core.entities.account import Account, AccountName
from ocs_core.errors import OcsError
from ocs_core.queries import Queries

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


@attrs.define
class Commands:
    """The command line as those who join it see it: they add commands to `app`, and work with the rest."""

    app: App
    _privileges: list[Callable[[], Collection[str]]] = attrs.field(factory=list, init=False)

    def knows(self, privileges: Callable[[], Collection[str]]) -> None:
        """Tell of privileges that a key may have."""
        self._privileges.append(privileges)

    def privileges(self) -> list[str]:
        """Every privilege that was told of, in alphabetical order."""
        return sorted({privilege for tell in self._privileges for privilege in tell()})

    def settings(self) -> Settings:
        """The settings of this process. Raises `Refused` with everything that is wrong with them."""
        return settings()

    @contextmanager
    def opened(self, changed: Settings | None = None) -> Iterator[Platform]:
        """The database with all that works on it, ready to be worked on; closed at the end. Raises `Refused`."""
        with connected(changed or settings()) as opened:
            if problem := opened.problem():
                raise Refused(f"{problem}.")
            _tell_of_zones(opened)
            yield opened

    def example(self) -> list[Any]:
        """The entries of the example configuration."""
        return read_entries(example_text(), "the example")


def settings() -> Settings:
    """The settings of this process, checked. Raises `Refused` with everything that is wrong with them."""
    try:
        return load()
    except SettingsWrong as wrong:
        raise Refused(str(wrong)) from None


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


def account_named(queries: Queries, named: str) -> Account:
    """The account with this externalId or refId. Raises `Refused` where there is none."""
    account = queries.account(AccountName(external_id=named)) or queries.account(_by_ref_id(named))
    if account is None:
        raise Refused(f"There is no account with the externalId or refId {named}.")
    return account


def _by_ref_id(named: str) -> AccountName:
    try:
        return AccountName(ref_id=UUID(named))
    except ValueError:
        return AccountName()
