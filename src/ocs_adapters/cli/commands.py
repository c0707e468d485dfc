"""What every command works with: the settings, the database, and the list of privileges."""

import datetime as dt
import ipaddress
import re
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import attrs
from cyclopts import App, Parameter

from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.cli.master_data import read_entries
from ocs_adapters.settings import OVER_KAFKA, Settings, load, masked, proxies_of
from ocs_core.entities.account import Account, AccountName
from ocs_core.errors import OcsError
from ocs_core.form import FormError, ZoneName
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
DATABASES = ("database_url", "finance_url", "notifications_url")
"""The settings that name a database."""
_SERVERS = re.compile(r"\s*[^\s,:]+:\d{1,5}\s*(,\s*[^\s,:]+:\d{1,5}\s*)*")
HTTP_LIMITS = {
    "http_header_bytes": (1_024, 1_048_576),
    "http_header_count": (10, 10_000),
    "http_url_bytes": (256, 65_536),
    "http_header_seconds": (1, 3_600),
    "http_body_seconds": (1, 3_600),
    "http_idle_seconds": (1, 86_400),
    "http_connections": (10, 100_000),
}
"""What is sensible, from the least to the most."""
WORKERS = ("local", OVER_KAFKA)
COMPRESSIONS = ("gzip", "none", "lz4", "snappy", "zstd")
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


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
    """The settings of this process, checked."""
    try:
        found = load()
    except ExceptionGroup as group:
        raise Refused("\n".join(map(_not_taken, group.exceptions))) from None
    wrong = []
    if found.zone is not None:
        try:
            ZoneName().check(found.zone)
        except FormError as error:
            wrong.append(f"OCS_ZONE: {error.message}")
    wrong += http_needs(found)
    if not 2 <= found.database_pool <= 1000:
        wrong.append(f"OCS_DATABASE_POOL is {found.database_pool}; give 2 to 1000 connections.")
    for field in attrs.fields(Settings):
        days = getattr(found, field.name)
        if field.name.endswith("_keep_days") and days is not None and not 1 <= days <= 36500:
            or_nothing = f"nothing for {'ever' if field.default is None else field.default}"
            wrong.append(f"OCS_{field.name.upper()} is {days}; give 1 to 36500 days, or {or_nothing}.")
    topics = ("business_transactions_topic", "notifications_topic", "process_slices_topic")
    for name in (*topics, "warehouse_folder"):
        if not getattr(found, name).strip():
            wrong.append(f"OCS_{name.upper()} is empty; give a name, or do not set it.")
    for one, other in combinations(topics, 2):
        if getattr(found, one) == getattr(found, other):
            wrong.append(f"OCS_{one.upper()} and OCS_{other.upper()} are the same; give each its own.")
    if found.collection_workers not in WORKERS:
        wrong.append(f"OCS_COLLECTION_WORKERS is {found.collection_workers!r}; give {' or '.join(WORKERS)}.")
    if found.collection_workers == OVER_KAFKA:
        wrong += worker_needs(found)
    if found.kafka_servers is not None and not _SERVERS.fullmatch(found.kafka_servers):
        wrong.append(
            f"OCS_KAFKA_SERVERS is {found.kafka_servers!r}; give HOST:PORT of Kafka's brokers, separated by commas, "
            "or do not set it for the event log."
        )
    if found.kafka_security_protocol not in PROTOCOLS:
        wrong.append(
            f"OCS_KAFKA_SECURITY_PROTOCOL is {found.kafka_security_protocol!r}; give one of {', '.join(PROTOCOLS)}."
        )
    if found.kafka_compression not in COMPRESSIONS:
        wrong.append(f"OCS_KAFKA_COMPRESSION is {found.kafka_compression!r}; give one of {', '.join(COMPRESSIONS)}.")
    for name in DATABASES:
        url = getattr(found, name)
        if not re.match(r"(sqlite|postgres|postgresql)(\+\w+)?://", url):
            wrong.append(
                f"OCS_{name.upper()} is {masked(url)}; give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
            )
    if wrong:
        raise Refused("\n".join(wrong))
    return found


def http_needs(found: Settings) -> list[str]:
    """What is wrong with settings for the HTTP server, as sentences."""
    wrong = []
    for name in ("http_port", "http_metrics_port"):
        port = getattr(found, name)
        if port is not None and not 0 <= port <= 65535:
            wrong.append(f"OCS_{name.upper()} is {port}; give a port from 0 to 65535.")
    if found.http_metrics_port is not None and found.http_metrics_port == found.http_port != 0:
        wrong.append("OCS_HTTP_PORT and OCS_HTTP_METRICS_PORT are the same; give each its own.")
    for name, (least, most) in HTTP_LIMITS.items():
        if not least <= (given := getattr(found, name)) <= most:
            wrong.append(f"OCS_{name.upper()} is {given}; give {least} to {most}.")
    for proxy in proxies_of(found):
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            wrong.append(
                f"OCS_HTTP_TRUSTED_PROXIES has {proxy!r}; give addresses and networks such as 10.1.2.3 and 10.0.0.0/8, "
                "separated by commas, or * for everybody."
            )
    return wrong


def worker_needs(found: Settings) -> list[str]:
    """What is wrong with settings for `ocs worker`, as sentences."""
    wrong = []
    if found.kafka_servers is None:
        wrong.append("Workers are sent slices over Kafka: set OCS_KAFKA_SERVERS to HOST:PORT of its brokers.")
    if found.database_url.startswith("sqlite"):
        wrong.append("Workers need PostgreSQL, since SQLite has one writer at a time: set OCS_DATABASE_URL.")
    return wrong


def _not_taken(error: BaseException) -> str:
    found = re.search(r"value (.*) for option '(\w+)'", str(error))
    if found is None:
        return str(error)
    wanted = "true or false" if found[2] in {"relay", "schedule", "http_metrics"} else "a whole number"
    return f"OCS_{found[2].upper()} is {found[1]}; give {wanted}."


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
