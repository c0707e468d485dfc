"""`ocs maintenance prune` and the databases of consumers, and what a running consumer does by itself."""

import sqlite3

import pytest
import sqlalchemy as sa

from ocs_adapters.bootstrap import consumers
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_adapters.settings import load
from ocs_adapters.sql.database import connect
from ocs_core.testkit.examples import Desk
from tests.contract.recipients import SECRET, hooks
from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_maintenance import told

FILES = {
    "finance": "ocs-finance.sqlite3",
    "warehouse": "ocs-warehouse/manifest.sqlite3",
    "notifications": "ocs-notifications.sqlite3",
}
LONG_AGO = "2001-01-01T00:00:00.000000Z"


@pytest.fixture
def published(ocs: Ocs) -> Ocs:
    """An account and a payment are published: eight messages, one of which somebody is to be told of."""
    made = ocs.platform()
    desk = Desk(made.services.store)
    desk.clock.now = utc_now()
    payer = desk.account("A-1")
    desk.payment(account=payer)
    made.relay.drain()
    made.services.close()
    return ocs


def _count(ocs: Ocs, name: str, change: str | None = None) -> int:
    """How many rows a consumer's table has; what `change` names happened long ago in all of them."""
    kind = name.partition("_")[0]
    table = consumers.KINDS[kind].tables.metadata.tables[name]
    database = connect(f"sqlite:///{ocs.folder / FILES[kind]}")
    with database.engine.begin() as connection:
        if change:
            connection.execute(sa.update(table).values({change: LONG_AGO}))
        count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    database.close()
    return int(count)


def _in_log(ocs: Ocs, change: str, *values: str) -> None:
    connection = sqlite3.connect(ocs.folder / "ocs.sqlite3")
    connection.execute(change, values)
    connection.commit()
    connection.close()


def test_a_consumer_that_has_read_nothing_is_passed_over_and_nothing_is_made_for_it(published: Ocs) -> None:
    out = published("maintenance", "prune").done().out
    assert [name for name in FILES if f"{name}_" in out] == []
    assert [file for file in FILES.values() if (published.folder / file).exists()] == []


@pytest.mark.parametrize("name", ["finance", "warehouse"])
def test_what_a_consumer_dealt_with_long_ago_is_forgotten_once(published: Ocs, name: str) -> None:
    published("consume", name, "--once").done()
    whole = _count(published, f"{name}_inbox", change="received_at")
    out = published("maintenance", "prune", "--dry-run").done().out
    table, what, setting, days, _, number = told(out, f"{name}_inbox")
    assert (table, what, setting, days) == (f"{name}_inbox", "ids of messages dealt with", "OCS_INBOX_KEEP_DAYS", "30")
    assert int(number) == _count(published, f"{name}_inbox") == whole > 0, "a dry run forgets nothing"
    assert told(out, f"{name}_dead_letters")[2:] == ["OCS_DEAD_LETTERS_KEEP_DAYS", "for ever", "0"]
    assert told(published("maintenance", "prune").done().out, f"{name}_inbox")[-1] == number
    assert told(published("maintenance", "prune").done().out, f"{name}_inbox")[-1] == "0"
    assert _count(published, f"{name}_inbox") == 0


def test_dead_letters_are_forgotten_where_a_setting_says_so(published: Ocs, monkeypatch) -> None:
    _in_log(published, "UPDATE event_log SET value = '[]'")
    published("consume", "finance", "--once").done()
    whole = _count(published, "finance_dead_letters", change="set_aside_at")
    published("maintenance", "prune").done()
    assert _count(published, "finance_dead_letters") == whole > 0
    monkeypatch.setenv("OCS_DEAD_LETTERS_KEEP_DAYS", "7")
    assert told(published("maintenance", "prune").done().out, "finance_dead_letters")[-1] == str(whole)
    assert "0 dead letters" in published("dead-letters", "list", "finance").done().out


def test_a_delivery_is_forgotten_with_its_attempts_and_not_sent_again_from_the_beginning(
    published: Ocs, monkeypatch
) -> None:
    recipient = '[[recipient]]\nname = "crm"\ncodes = ["paymentReceived"]\nwebhook = "{}/crm"\nsecret = "{}"\n'
    with hooks() as seen:
        monkeypatch.setenv("OCS_RECIPIENTS_FILE", published.file("recipients.toml", recipient.format(seen.url, SECRET)))
        published("consume", "notifications", "--once").done()
        out = published("maintenance", "prune").done().out
        assert told(out, "notifications_deliveries")[2:] == ["OCS_DELIVERIES_KEEP_DAYS", "for ever", "0"]
        for change in ("due_at", "occurred_at"):
            _count(published, "notifications_deliveries", change)
        _in_log(published, "UPDATE event_log SET headers = json_set(headers, '$.ce_time', ?)", LONG_AGO)
        monkeypatch.setenv("OCS_DELIVERIES_KEEP_DAYS", "90")
        assert told(published("maintenance", "prune").done().out, "notifications_deliveries")[-1] == "1"
        assert _count(published, "notifications_attempts") == 0
        published("consume", "notifications", "--once", "--from-beginning").done()
        assert len(seen.came) == 1


def test_the_warehouse_is_seen_to_while_another_process_has_its_folder(published: Ocs) -> None:
    published("consume", "warehouse", "--once").done()
    whole = _count(published, "warehouse_inbox", change="received_at")
    with Folder(published.folder / "ocs-warehouse").alone():
        assert told(published("maintenance", "prune").done().out, "warehouse_inbox")[-1] == str(whole)


def test_a_consumers_database_that_cannot_be_used_is_told_and_the_others_are_seen_to(
    published: Ocs, monkeypatch
) -> None:
    published("consume", "warehouse", "--once").done()
    monkeypatch.setenv("OCS_FINANCE_URL", "postgresql://me:secret@127.0.0.1:1/ocs")
    ended = published("maintenance", "prune")
    assert ended.code == 1
    assert "finance: the database does not answer" in ended.err
    assert "secret" not in ended.err
    assert told(ended.out, "event_log")[-1] == told(ended.out, "warehouse_inbox")[-1] == "0"


@pytest.mark.parametrize("name", ["finance", "warehouse"])
def test_a_running_consumer_forgets_by_itself(published: Ocs, name: str) -> None:
    published("consume", name, "--once").done()
    _count(published, f"{name}_inbox", change="received_at")
    with consumers.consumer(consumers.KINDS[name], load()) as consumer:
        assert [consumer.tidy_up() for _ in range(2)] == [True, False]
    assert _count(published, f"{name}_inbox") == 0
