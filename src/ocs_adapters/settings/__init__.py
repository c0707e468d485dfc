"""Settings from the environment: `OCS_DATABASE_URL`, `OCS_ZONE`, `OCS_HTTP_HOST`, `OCS_HTTP_PORT` …"""

import datetime as dt
import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

import attrs

from ocs_adapters.settings.options import (
    between,
    database,
    days,
    mail,
    named,
    networks,
    one_of,
    option,
    proxies,
    read,
    secret,
    servers,
    topic,
    variable_of,
    zone,
)
from ocs_core.errors import OcsError
from ocs_core.messages import Family

LOCAL, OVER_KAFKA = "local", "kafka"
"""Collection runs are calculated by `ocs worker`, on any machine."""
OF_TESTS = frozenset({"OCS_HYPOTHESIS_PROFILE", "OCS_ORACLE_PAYERS"})
"""Variables that the test kit and tests go by."""


@attrs.frozen(kw_only=True)
class Settings:
    """Everything an operator sets outside the database."""

    database_url: str = secret(
        valid=database,
        default="sqlite:///ocs.sqlite3",
        help="Where everything is kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )
    database_pool: int = option(
        valid=between(2, 1000, " connections"),
        default=24,
        help="Connections that a process has to a database at the most; give two at least, and let the server allow them all",
    )
    database_statement_seconds: int | None = option(
        valid=between(1, 86_400),
        default=None,
        help="How long PostgreSQL lets a statement of a command or a read take; any time if not set. Runs are not cut off",
    )
    zone: str | None = option(
        valid=zone, default=None, help="The IANA zone of the system, where the configuration names none; UTC if not set"
    )
    http_host: str = option(default="127.0.0.1", help="The address the server listens on")
    http_port: int = option(
        valid=between(0, 65535, name="a port from 0 to 65535"), default=8000, help="The port the server listens on"
    )
    http_header_bytes: int = option(
        valid=between(1_024, 1_048_576), default=32_768, help="How long all headers of a request may be together"
    )
    http_header_count: int = option(valid=between(10, 10_000), default=100, help="How many headers a request may have")
    http_url_bytes: int = option(
        valid=between(256, 65_536), default=8_192, help="How long the address of a request may be, with its query"
    )
    http_header_seconds: int = option(
        valid=between(1, 3_600), default=20, help="How long the headers of a request may take to arrive"
    )
    http_body_seconds: int = option(
        valid=between(1, 3_600), default=60, help="How long the body of a request may take to arrive"
    )
    http_idle_seconds: int = option(
        valid=between(1, 86_400),
        default=75,
        help="How long a connection is kept without a request; give more than the load balancer does",
    )
    http_connections: int = option(
        valid=between(10, 100_000), default=1_000, help="How many connections a process of the server has at once"
    )
    http_trusted_proxies: str = option(
        valid=proxies,
        default="",
        help="Addresses and networks, separated by commas, whose Forwarded and X-Forwarded-… headers count; * for everybody's",
    )
    http_metrics: bool = option(default=True, help="Whether the server shows /metrics")
    http_metrics_port: int | None = option(
        valid=between(0, 65535, name="a port from 0 to 65535"),
        default=None,
        help="The port that /metrics has for itself; the API's if not set",
    )
    relay: bool = option(default=True, help="Whether ocs serve publishes messages; ocs relay does nothing else")
    schedule: bool = option(
        default=True, help="Whether ocs serve starts the collection run when it is due; ocs schedule run does, too"
    )
    rules: str | None = option(
        default=None,
        help="Rules of your own, as MODULE:NAME: a mapping from use-cases to the rules that are judged beside theirs",
    )
    answers_keep_days: int = option(
        valid=days, default=90, help="How many days a performed command's answer is given again"
    )
    events_keep_days: int | None = option(
        valid=days, default=None, help="How many days the event log is kept; for ever if not set"
    )
    runs_keep_days: int | None = option(
        valid=days, default=None, help="How many days a run is kept after its end; for ever if not set"
    )
    kafka_servers: str | None = option(
        valid=servers,
        default=None,
        help="HOST:PORT of Kafka's brokers, separated by commas; the event log in the database if not set",
    )
    kafka_security_protocol: str = option(
        valid=one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        default="PLAINTEXT",
        help="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    )
    kafka_sasl_mechanism: str | None = option(
        valid=one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"),
        default=None,
        help="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 …",
    )
    kafka_sasl_username: str | None = option(default=None, help="Who we are to Kafka")
    kafka_sasl_password: str | None = secret(default=None, help="The password that goes with it")
    kafka_ssl_cafile: str | None = option(default=None, help="The authorities that brokers are checked against")
    kafka_ssl_certfile: str | None = option(default=None, help="Our own certificate")
    kafka_ssl_keyfile: str | None = option(default=None, help="Its key")
    kafka_compression: str = option(
        valid=one_of("gzip", "none", "lz4", "snappy", "zstd"),
        default="gzip",
        help="How messages are compressed: gzip, which every client reads, none, lz4, snappy or zstd",
    )
    business_transactions_topic: str = option(
        valid=topic, default=Family.BUSINESS_TRANSACTION.topic, help="Topic of entities"
    )
    notifications_topic: str = option(valid=topic, default=Family.NOTIFICATION.topic, help="Topic of notifications")
    messages_expand_codes: bool = option(
        default=False,
        help="Whether messages tell configured things as {refId, code, name}, in the place of the code alone",
    )
    process_slices_topic: str = option(
        valid=topic, default="ocs.rm.process-slices", help="Topic of the commands that ocs worker works off"
    )
    collection_starts_unasked: int = option(
        valid=between(0, 1_000_000_000),
        default=10,
        help="How many collections ocs collect starts as of now without asking, or being told --yes",
    )
    collection_workers: str = option(
        valid=one_of(LOCAL, OVER_KAFKA),
        default=LOCAL,
        help="Who calculates collection runs: local, processes of this machine; kafka, ocs worker on any",
    )

    finance_url: str = secret(
        valid=database,
        default="sqlite:///ocs-finance.sqlite3",
        help="Where ocs consume finance keeps what it makes of the messages",
    )
    warehouse_folder: str = option(
        valid=named, default="ocs-warehouse", help="Where ocs consume warehouse keeps every message, in Parquet files"
    )
    notifications_url: str = secret(
        valid=database,
        default="sqlite:///ocs-notifications.sqlite3",
        help="Where ocs consume notifications keeps deliveries and what became of them",
    )
    notifications_further_topics: str = option(
        default="", help="Topics of their own that notifications were given, separated by commas"
    )
    inbox_keep_days: int = option(
        valid=days,
        default=30,
        help="How many days a consumer knows a message again that it has dealt with; give more than topics keep messages",
    )
    dead_letters_keep_days: int | None = option(
        valid=days,
        default=None,
        help="How many days a message that a consumer could not deal with is kept; for ever if not set",
    )
    deliveries_keep_days: int | None = option(
        valid=days,
        default=None,
        help="How many days a delivery is kept after its end, and for how long what happened is delivered; for ever if not set",
    )
    recipients_file: str | None = option(default=None, help="The TOML file of those who are told of notifications")
    smtp_url: str | None = secret(
        valid=mail,
        default=None,
        help="Where e-mails go: smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT",
    )
    mail_from: str | None = option(default=None, help="The address that e-mails come from")

    @property
    def answers_kept(self) -> dt.timedelta:
        return dt.timedelta(days=self.answers_keep_days)


class SettingsWrong(OcsError):
    """Settings cannot be taken; the message has a line for each."""


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment has. Raises `SettingsWrong` with everything that is wrong with them."""
    values, wrong = {}, []
    for field in attrs.fields(Settings):
        variable = variable_of(field)
        text = environment.get(variable)
        if text is None:
            continue
        try:
            value = read(field, text)
            if field.validator is not None:
                field.validator(None, field, value)
            values[field.name] = value
        except ValueError as error:
            wrong.append(str(error))
    if not wrong:
        settings = Settings(**values)
        wrong = contradictions(settings)
        if not wrong:
            return settings
    raise SettingsWrong("\n".join(wrong))


def contradictions(settings: Settings) -> list[str]:
    """What of the settings does not go together, as sentences."""
    wrong = []
    port, own = settings.http_port, settings.http_metrics_port
    if own is not None and own == port != 0:
        wrong.append("OCS_HTTP_PORT and OCS_HTTP_METRICS_PORT are the same; give each its own.")
    for one, other in combinations(("business_transactions_topic", "notifications_topic", "process_slices_topic"), 2):
        if getattr(settings, one) == getattr(settings, other):
            wrong.append(f"OCS_{one.upper()} and OCS_{other.upper()} are the same; give each its own.")
    return wrong + (worker_needs(settings) if settings.collection_workers == OVER_KAFKA else [])


def worker_needs(settings: Settings) -> list[str]:
    """What is wrong with settings for `ocs worker`, as sentences."""
    wrong = []
    if settings.kafka_servers is None:
        wrong.append("Workers are sent slices over Kafka: set OCS_KAFKA_SERVERS to HOST:PORT of its brokers.")
    if settings.database_url.startswith("sqlite"):
        wrong.append("Workers need PostgreSQL, since SQLite has one writer at a time: set OCS_DATABASE_URL.")
    return wrong


def unknown(variables: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Every variable that looks like a setting and is none, with the setting whose name is nearest, if any is near."""
    known = [variable_of(field) for field in attrs.fields(Settings)]
    for name in sorted(variables):
        if name.startswith("OCS_") and name not in known and name not in OF_TESTS:
            yield name, next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)), None)


def proxies_of(settings: Settings) -> list[str]:
    """The trusted proxies one by one, as networks; `*` is everybody."""
    return networks(settings.http_trusted_proxies)
