"""Settings from the environment: `OCS_DATABASE_URL`, `OCS_ZONE`, `OCS_HTTP_HOST`, `OCS_HTTP_PORT` …"""

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Iterator

import attrs
import typed_settings as ts

from ocs_core.errors import OcsError
from ocs_core.messages import Family

OVER_KAFKA = "kafka"
"""Collection runs are calculated by `ocs worker`, on any machine."""
OF_TESTS = frozenset({"OCS_HYPOTHESIS_PROFILE", "OCS_ORACLE_PAYERS"})
"""Variables that the test kit and tests go by."""
_PASSWORD = re.compile(r"(://[^:/]*:).*@", re.DOTALL)
_SECRET_PARAMETER = re.compile(
    r"((?:[?&;\s]|^)[^=&;?\s]*(?:pass|secret|token|key)[^=&;?\s]*)\s*=.*", re.IGNORECASE | re.DOTALL
)
"""With all that follows: a password may have an `&` or a blank in it that should have been written otherwise."""


@ts.settings(frozen=True)
class Settings:
    """Everything an operator sets outside the database."""

    database_url: str = ts.secret(
        default="sqlite:///ocs.sqlite3",
        help="Where everything is kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )
    database_pool: int = ts.option(
        default=24,
        help="Connections that a process has to a database at the most; give two at least, and let the server allow them all",
    )
    database_statement_seconds: int | None = ts.option(
        default=None,
        help="How long PostgreSQL lets a statement of a command or a read take; any time if not set. Runs are not cut off",
    )
    zone: str | None = ts.option(
        default=None, help="The IANA zone of the system, where the configuration names none; UTC if not set"
    )
    http_host: str = ts.option(default="127.0.0.1", help="The address the server listens on")
    http_port: int = ts.option(default=8000, help="The port the server listens on")
    http_header_bytes: int = ts.option(default=32_768, help="How long all headers of a request may be together")
    http_header_count: int = ts.option(default=100, help="How many headers a request may have")
    http_url_bytes: int = ts.option(default=8_192, help="How long the address of a request may be, with its query")
    http_header_seconds: int = ts.option(default=20, help="How long the headers of a request may take to arrive")
    http_body_seconds: int = ts.option(default=60, help="How long the body of a request may take to arrive")
    http_idle_seconds: int = ts.option(
        default=75, help="How long a connection is kept without a request; give more than the load balancer does"
    )
    http_connections: int = ts.option(default=1_000, help="How many connections a process of the server has at once")
    http_trusted_proxies: str = ts.option(
        default="",
        help="Addresses and networks, separated by commas, whose Forwarded and X-Forwarded-… headers count; * for everybody's",
    )
    http_metrics: bool = ts.option(default=True, help="Whether the server shows /metrics")
    http_metrics_port: int | None = ts.option(
        default=None, help="The port that /metrics has for itself; the API's if not set"
    )
    relay: bool = ts.option(default=True, help="Whether ocs serve publishes messages; ocs relay does nothing else")
    schedule: bool = ts.option(
        default=True, help="Whether ocs serve starts the collection run when it is due; ocs schedule run does, too"
    )
    rules: str | None = ts.option(
        default=None,
        help="Rules of your own, as MODULE:NAME: a mapping from use-cases to the rules that are judged beside theirs",
    )
    answers_keep_days: int = ts.option(default=90, help="How many days a performed command's answer is given again")
    events_keep_days: int | None = ts.option(
        default=None, help="How many days the event log is kept; for ever if not set"
    )
    runs_keep_days: int | None = ts.option(
        default=None, help="How many days a run is kept after its end; for ever if not set"
    )
    kafka_servers: str | None = ts.option(
        default=None, help="HOST:PORT of Kafka's brokers, separated by commas; the event log in the database if not set"
    )
    kafka_security_protocol: str = ts.option(default="PLAINTEXT", help="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
    kafka_sasl_mechanism: str | None = ts.option(default=None, help="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 …")
    kafka_sasl_username: str | None = ts.option(default=None, help="Who we are to Kafka")
    kafka_sasl_password: str | None = ts.secret(default=None, help="The password that goes with it")
    kafka_ssl_cafile: str | None = ts.option(default=None, help="The authorities that brokers are checked against")
    kafka_ssl_certfile: str | None = ts.option(default=None, help="Our own certificate")
    kafka_ssl_keyfile: str | None = ts.option(default=None, help="Its key")
    kafka_compression: str = ts.option(
        default="gzip",
        help="How messages are compressed: gzip, which every client reads, none, lz4, snappy or zstd",
    )
    business_transactions_topic: str = ts.option(default=Family.BUSINESS_TRANSACTION.topic, help="Topic of entities")
    notifications_topic: str = ts.option(default=Family.NOTIFICATION.topic, help="Topic of notifications")
    messages_expand_codes: bool = ts.option(
        default=False,
        help="Whether messages tell configured things as {refId, code, name}, in the place of the code alone",
    )
    process_slices_topic: str = ts.option(
        default="ocs.rm.process-slices", help="Topic of the commands that ocs worker works off"
    )
    collection_starts_unasked: int = ts.option(
        default=10, help="How many collections ocs collect starts as of now without asking, or being told --yes"
    )
    collection_workers: str = ts.option(
        default="local",
        help="Who calculates collection runs: local, processes of this machine; kafka, ocs worker on any",
    )

    finance_url: str = ts.secret(
        default="sqlite:///ocs-finance.sqlite3", help="Where ocs consume finance keeps what it makes of the messages"
    )
    warehouse_folder: str = ts.option(
        default="ocs-warehouse", help="Where ocs consume warehouse keeps every message, in Parquet files"
    )
    notifications_url: str = ts.secret(
        default="sqlite:///ocs-notifications.sqlite3",
        help="Where ocs consume notifications keeps deliveries and what became of them",
    )
    notifications_further_topics: str = ts.option(
        default="", help="Topics of their own that notifications were given, separated by commas"
    )
    inbox_keep_days: int = ts.option(
        default=30,
        help="How many days a consumer knows a message again that it has dealt with; give more than topics keep messages",
    )
    dead_letters_keep_days: int | None = ts.option(
        default=None, help="How many days a message that a consumer could not deal with is kept; for ever if not set"
    )
    deliveries_keep_days: int | None = ts.option(
        default=None,
        help="How many days a delivery is kept after its end, and for how long what happened is delivered; for ever if not set",
    )
    recipients_file: str | None = ts.option(default=None, help="The TOML file of those who are told of notifications")
    smtp_url: str | None = ts.secret(
        default=None, help="Where e-mails go: smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT"
    )
    mail_from: str | None = ts.option(default=None, help="The address that e-mails come from")

    @property
    def answers_kept(self) -> dt.timedelta:
        return dt.timedelta(days=self.answers_keep_days)


def load() -> Settings:
    """The settings of this process. Raises `typed_settings.exceptions.InvalidValueError` for a value of the wrong type."""
    return ts.load_settings(Settings, loaders=[ts.EnvLoader(prefix="OCS_")])


def unknown(variables: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Every variable that looks like a setting and is none, with the setting whose name is nearest, if any is near."""
    known = [f"OCS_{field.name.upper()}" for field in attrs.fields(Settings)]
    for name in sorted(variables):
        if name.startswith("OCS_") and name not in known and name not in OF_TESTS:
            yield name, next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)), None)


def masked(url: str) -> str:
    """A URL without its passwords, wherever they stand, and whether or not they are written as they should be."""
    return _SECRET_PARAMETER.sub(r"\1=***", _PASSWORD.sub(r"\1***@", url))


def usable(url: str) -> str:
    """The same URL. Raises `OcsError` where a part of the password would be taken for a host, and shown as one."""
    if url.startswith("postgres") and url.partition("?")[0].count("@") > 1:
        raise OcsError(f"{masked(url)}: write an @ in the user, the password or the name as %40.")
    return url


def proxies_of(settings: Settings) -> list[str]:
    """The trusted proxies one by one, as networks; `*` is everybody."""
    given = [part.strip() for part in settings.http_trusted_proxies.split(",") if part.strip()]
    return ["0.0.0.0/0", "::/0"] if given == ["*"] else given
