"""Settings from the environment, and databases that cannot be worked on."""

import sqlite3
import sys

import attrs
import pytest

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings, SettingsWrong, load, unknown
from ocs_adapters.settings.secrecy import masked
from tests.unit.cli.conftest import Ocs

PASSWORD = "planted-password"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OCS_HTTP_PORT", "abc", "OCS_HTTP_PORT is 'abc'; give a whole number."),
        ("OCS_HTTP_PORT", "70000", "OCS_HTTP_PORT is 70000; give a port from 0 to 65535."),
        ("OCS_HTTP_METRICS_PORT", "-1", "OCS_HTTP_METRICS_PORT is -1; give a port from 0 to 65535."),
        ("OCS_HTTP_METRICS_PORT", "8000", "OCS_HTTP_PORT and OCS_HTTP_METRICS_PORT are the same; give each its own."),
        ("OCS_HTTP_METRICS", "perhaps", "OCS_HTTP_METRICS is 'perhaps'; give true or false."),
        ("OCS_HTTP_IDLE_SECONDS", "0", "OCS_HTTP_IDLE_SECONDS is 0; give 1 to 86400."),
        ("OCS_HTTP_HEADER_BYTES", "10", "OCS_HTTP_HEADER_BYTES is 10; give 1024 to 1048576."),
        ("OCS_HTTP_BODY_SECONDS", "1.5", "OCS_HTTP_BODY_SECONDS is '1.5'; give a whole number."),
        (
            "OCS_HTTP_TRUSTED_PROXIES",
            "10.0.0.0/8, proxy.example",
            "OCS_HTTP_TRUSTED_PROXIES has 'proxy.example'; give addresses and networks such as 10.1.2.3 and 10.0.0.0/8",
        ),
        ("OCS_EVENTS_KEEP_DAYS", "soon", "OCS_EVENTS_KEEP_DAYS is 'soon'; give a whole number."),
        ("OCS_EVENTS_KEEP_DAYS", "0", "OCS_EVENTS_KEEP_DAYS is 0; give 1 to 36500 days, or nothing for ever."),
        ("OCS_RUNS_KEEP_DAYS", "-7", "OCS_RUNS_KEEP_DAYS is -7; give 1 to 36500 days, or nothing for ever."),
        ("OCS_ANSWERS_KEEP_DAYS", "36501", "OCS_ANSWERS_KEEP_DAYS is 36501; give 1 to 36500 days, or nothing for 90."),
        ("OCS_RELAY", "perhaps", "OCS_RELAY is 'perhaps'; give true or false."),
        ("OCS_SCHEDULE", "at night", "OCS_SCHEDULE is 'at night'; give true or false."),
        ("OCS_KAFKA_SERVERS", "", "OCS_KAFKA_SERVERS is ''; give HOST:PORT of Kafka's brokers"),
        (
            "OCS_KAFKA_SERVERS",
            "localhost:abc",
            "OCS_KAFKA_SERVERS is 'localhost:abc'; give HOST:PORT of Kafka's brokers",
        ),
        ("OCS_KAFKA_SECURITY_PROTOCOL", "TLS", "OCS_KAFKA_SECURITY_PROTOCOL is 'TLS'; give one of PLAINTEXT, SSL"),
        ("OCS_COLLECTION_WORKERS", "all", "OCS_COLLECTION_WORKERS is 'all'; give local or kafka."),
        ("OCS_COLLECTION_WORKERS", "kafka", "set OCS_KAFKA_SERVERS to HOST:PORT of its brokers."),
        ("OCS_PROCESS_SLICES_TOPIC", " ", "OCS_PROCESS_SLICES_TOPIC is empty; give a name, or do not set it."),
        (
            "OCS_PROCESS_SLICES_TOPIC",
            "ocs.rm.notifications",
            "OCS_NOTIFICATIONS_TOPIC and OCS_PROCESS_SLICES_TOPIC are the same; give each its own.",
        ),
        ("OCS_ZONE", "Europe/Atlantis", "OCS_ZONE: 'Europe/Atlantis' is not the name of a time zone"),
        (
            "OCS_DATABASE_URL",
            "mysql://me:secret@there/db",
            "OCS_DATABASE_URL is mysql://me:***@there/db; give sqlite:///",
        ),
        (
            "OCS_FINANCE_URL",
            "mysql://me:secret@there/db",
            "OCS_FINANCE_URL is mysql://me:***@there/db; give sqlite:///",
        ),
        ("OCS_NOTIFICATIONS_URL", "notes.sqlite3", "OCS_NOTIFICATIONS_URL is notes.sqlite3; give sqlite:///"),
        ("OCS_DATABASE_URL", "ocs.sqlite3", "OCS_DATABASE_URL is ocs.sqlite3; give sqlite:///"),
        ("OCS_DATABASE_URL", "postgresql://me:secret@there:x/db", "OCS_DATABASE_URL postgresql://me:***@there:x/db"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(
    empty: Ocs, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    refusal = empty("migrate").refused()
    assert said in refusal
    assert "secret" not in refusal


def test_all_wrong_settings_are_named_at_once(empty: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_PORT", "abc")
    monkeypatch.setenv("OCS_EVENTS_KEEP_DAYS", "x")
    refusal = empty("migrate").refused()
    assert "OCS_HTTP_PORT" in refusal
    assert "OCS_EVENTS_KEEP_DAYS" in refusal


@pytest.mark.parametrize(
    "command",
    [
        ("collect",),
        ("maintenance", "prune"),
        ("events",),
        ("key", "list"),
        ("key", "add", "crm", "--privilege", "*"),
        ("serve", "--port", "0"),
        ("import", "receivables", "ledger.csv", "--currency", "USD", "--as-of", "2014-12-31"),
        ("configure", "example.toml"),
    ],
    ids=" ".join,
)
def test_a_database_without_the_schema_stops_every_command_and_names_the_way_out(
    empty: Ocs, command: tuple[str, ...]
) -> None:
    empty.ledger([])
    empty.file("example.toml", empty("configure", "--example").done().out)
    assert "The database has no schema yet; run: ocs migrate" in empty(*command).refused()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all/ocs.sqlite3", "unable to open database file"),
        ("postgresql://me:secret@127.0.0.1:1/ocs", "PostgreSQL does not answer: "),
    ],
)
def test_a_database_that_does_not_answer_is_a_sentence(
    empty: Ocs, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("OCS_DATABASE_URL", url)
    refusal = empty("migrate").refused()
    assert said in refusal
    assert "secret" not in refusal


def test_a_command_that_needs_a_database_makes_none(empty: Ocs) -> None:
    empty("collect").refused()
    assert list(empty.folder.iterdir()) == []


def test_a_database_with_tables_of_others_is_left_alone_with_a_sentence(empty: Ocs) -> None:
    with sqlite3.connect(empty.folder / "ocs.sqlite3") as other:
        other.execute("CREATE TABLE accounts (x)")
    assert "table accounts already exists" in empty("migrate").refused()
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts",)]
    other.close()


def test_a_file_that_is_no_database_is_a_sentence(empty: Ocs) -> None:
    empty.file("ocs.sqlite3", b"this is a letter to my grandmother, nothing else" * 40)
    for command in ("migrate", "collect"):
        assert "file is not a database" in empty(command).refused()


def test_a_schema_of_a_newer_release_is_left_alone(ocs: Ocs) -> None:
    made = ocs.platform()
    with made.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    made.services.close()
    for command in ("migrate", "collect"):
        assert "which a newer release made" in ocs(command).refused()


def test_migrating_twice_says_that_nothing_was_to_be_done(empty: Ocs) -> None:
    assert "brought to the newest" in empty("migrate").done().out
    assert "the newest already" in empty("migrate").done().out


def test_the_zone_of_the_environment_counts_where_the_configuration_names_none(
    ocs: Ocs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For that command alone: nothing of it is kept, so none of another zone is bound by it."""
    for zone, shown in (("Europe/Prague", "Europe/Prague"), ("Asia/Tokyo", "Asia/Tokyo"), (None, "UTC")):
        if zone is None:
            monkeypatch.delenv("OCS_ZONE")
        else:
            monkeypatch.setenv("OCS_ZONE", zone)
        assert ocs("collect", "--dry-run", "--as-of", "2013-06-30").done().err.count("OCS_ZONE") == 0
        made = platform(load())
        assert made.services.queries.configuration().zone.key == shown
        made.services.close()


def test_the_zone_of_the_configuration_wins_and_the_difference_is_told(
    ocs: Ocs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocs("configure", ocs.file("zone.toml", '[[system]]\nzone = "Europe/Madrid"\n')).done()
    monkeypatch.setenv("OCS_ZONE", "Europe/Prague")
    assert "the configuration names Europe/Madrid, which counts" in ocs("collect", "--dry-run").done().err
    made = ocs.platform()
    assert made.services.queries.configuration().zone.key == "Europe/Madrid"
    made.services.close()


def test_topics_cannot_be_made_without_a_broker_and_that_is_said(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCS_KAFKA_SERVERS", raising=False)
    assert "OCS_KAFKA_SERVERS is not set" in ocs("kafka", "init").refused()


def test_kafka_without_its_client_is_refused_with_what_brings_it(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_KAFKA_SERVERS", "127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ocs_adapters.kafka.publisher", None)
    assert "install ocs-rm[kafka]" in ocs("outbox", "status").refused()


@pytest.mark.parametrize("command", [("migrate",), ("key", "list"), ("collect", "--dry-run"), ("rules",)], ids=" ".join)
def test_a_variable_that_is_no_setting_is_named_with_the_nearest_one_and_the_command_goes_on(
    ocs: Ocs, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OCS_DATABSE_URL", "sqlite:///other.sqlite3")
    monkeypatch.setenv("OCS_Zone", "Europe/Madrid")
    monkeypatch.setenv("OCS_COLOUR", "red")
    told = ocs(*command).done().err
    assert "OCS_DATABSE_URL is no setting, and has no effect; did you mean OCS_DATABASE_URL?\n" in told
    assert "OCS_Zone is no setting, and has no effect; did you mean OCS_ZONE?\n" in told
    assert "OCS_COLOUR is no setting, and has no effect; ocs settings shows those there are.\n" in told


def test_no_setting_is_taken_for_none(ocs: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(unknown(f"OCS_{field.name.upper()}" for field in attrs.fields(Settings))) == []
    assert "no setting" not in ocs("rules").done().err


def test_every_setting_is_shown_and_no_password(empty, monkeypatch) -> None:
    monkeypatch.setenv("OCS_FINANCE_URL", "postgresql://ocs:ge/he@im@db/finance")
    monkeypatch.setenv("OCS_SMTP_URL", "smtp://ocs:geheim@mail")
    monkeypatch.setenv("OCS_KAFKA_SASL_PASSWORD", "geheim")
    shown = empty("settings").done().out
    for field in attrs.fields(Settings):
        assert f"OCS_{field.name.upper()} " in shown
    assert "postgresql://ocs:***@db/finance" in shown
    assert "heim" not in shown


@pytest.mark.parametrize("command", ["serve", "migrate", "settings"])
@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/ocs",
        f"postgresql://me:x@{PASSWORD}@127.0.0.1:1/ocs",
        f"postgresql://me@corp:x@{PASSWORD}@127.0.0.1:1/ocs",
        f"postgresql://me:x@{PASSWORD}:5432/ocs@127.0.0.1:1/ocs",
        f"postgresql://127.0.0.1:1/ocs?user=me&password={PASSWORD}",
        f"postgresql://127.0.0.1:1/ocs?user=me&sslkey=/x&sslpassword={PASSWORD}",
        f"postgresql://me:{PASSWORD}@127.0.0.1:x/ocs",
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/ocs?nonsense=1",
        f"mysql://me:{PASSWORD}@127.0.0.1:1/ocs",
    ],
    ids=range(9),
)
def test_no_password_is_shown_where_a_database_cannot_be_had(
    empty: Ocs, monkeypatch: pytest.MonkeyPatch, command: str, url: str
) -> None:
    for name in ("OCS_DATABASE_URL", "OCS_FINANCE_URL", "OCS_NOTIFICATIONS_URL"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("OCS_KAFKA_SASL_PASSWORD", PASSWORD)
    monkeypatch.setenv("OCS_SMTP_URL", f"smtp://me:x@{PASSWORD}@mail")
    ended = empty(*([command, "--port", "0"] if command == "serve" else [command]))
    assert (ended.code == 0) == (command == "settings" and not url.startswith("mysql"))
    assert "planted" not in ended.out + ended.err
    try:
        told = repr(load())
    except SettingsWrong as wrong:
        told = str(wrong)
    assert PASSWORD not in told


def test_settings_that_a_program_makes_are_checked_like_those_of_the_environment() -> None:
    with pytest.raises(ValueError, match="OCS_HTTP_PORT is 70000; give a port from 0 to 65535"):
        Settings(http_port=70_000)
    with pytest.raises(ValueError, match="OCS_EVENTS_KEEP_DAYS is 0"):
        Settings(events_keep_days=0)
    assert Settings(events_keep_days=None).events_keep_days is None


def test_everything_that_is_wrong_with_the_environment_is_told_at_once() -> None:
    given = {"OCS_HTTP_PORT": "x", "OCS_RELAY": "x", "OCS_ZONE": "Mars", "OCS_RUNS_KEEP_DAYS": "0", "PATH": "/"}
    with pytest.raises(SettingsWrong) as wrong:
        load(given)
    assert [line.split()[0].rstrip(":") for line in str(wrong.value).splitlines()] == [
        "OCS_ZONE",
        "OCS_HTTP_PORT",
        "OCS_RELAY",
        "OCS_RUNS_KEEP_DAYS",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@h/db?password=ab&geheim",
        "postgresql://u@h/db?user=me&password=ab;geheim&application_name=x",
        "host=h password=geheim",
        "host=h password = geheim dbname=x",
        "password=geheim",
    ],
)
def test_no_part_of_a_password_is_shown_however_it_is_written(url: str) -> None:
    assert "geheim" not in masked(url)
    assert "***" in masked(url)


def test_what_is_no_secret_is_shown() -> None:
    url = "postgresql://u@h/db?application_name=x&connect_timeout=3"
    assert masked(url) == url


SCHEMES = ("postgresql://", "postgresql:/", "postgres//", "postgresql:", "smtp:/", "mysql+x://", "://", "")
USERS = ("ocs", "o/cs", "o:cs", "o@cs", "", "a b")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("user", USERS)
def test_a_password_is_not_shown_however_wrong_the_address_is(scheme: str, user: str) -> None:
    for password in (PASSWORD, f"x@{PASSWORD}", f"{PASSWORD}/x", f"x:{PASSWORD}", f"x {PASSWORD}"):
        url = f"{scheme}{user}:{password}@db.example/ocs"
        for field in attrs.fields(Settings):
            if field.metadata["is_secret"] and field.name.endswith("_url"):
                assert "planted" not in masked(url) + _refusal(field.name, url)
        assert masked(url).endswith("@db.example/ocs")


def _refusal(name: str, url: str) -> str:
    """Why a setting is not taken; nothing where it is."""
    try:
        Settings(**{name: url})
    except ValueError as error:
        return str(error)
    return ""


def test_every_number_has_its_limits() -> None:
    for field in attrs.fields(Settings):
        if field.type in (int, int | None):
            for absurd in (-(10**12), 10**12):
                assert _refusal(field.name, absurd), field.name  # type: ignore[arg-type]


@pytest.mark.parametrize("servers", ["[::1]:9092", "a:1,b:65535", " a:1 , [fe80::1]:2 "])
def test_brokers_by_name_and_by_address_are_taken(servers: str) -> None:
    assert Settings(kafka_servers=servers).kafka_servers == servers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka_servers", "a:99999"),
        ("kafka_servers", "::1:9092"),
        ("kafka_sasl_mechanism", "pass"),
        ("notifications_topic", "a b/c"),
        ("smtp_url", "mail.example"),
    ],
)
def test_what_no_server_would_take_is_told_before_it_is_asked(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"OCS_{name.upper()} is "):
        Settings(**{name: value})
