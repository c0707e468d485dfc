"""`ocs consume`, `ocs dead-letters`, `ocs finance` and `ocs reconcile`, as an operator sees them."""

import json

import pytest
import sqlalchemy as sa

from ocs_adapters.consumers.finance.tables import entities
from ocs_adapters.sql.database import connect
from ocs_core.testkit.examples import Desk


@pytest.fixture
def told(ocs):
    """A small ledger, published to the event log."""
    rows = [("c-1", f"N-{n}", "2024-01-01", "2024-01-31", "10.00", "2024-02-10" if n % 2 else "") for n in range(6)]
    ocs("import", "receivables", ocs.ledger(rows), "--currency", "EUR", "--as-of", "2024-12-31").done()
    ocs("events").done()
    return ocs


def test_finance_reads_what_was_published_and_shows_figures(told) -> None:
    assert told("consume", "finance", "--once").done().out == "32 messages.\n"
    assert told("consume", "finance", "--once").done().out == "0 messages.\n"
    shown = told("finance", "--as-of", "2024-04-01").done().out
    assert "EUR       61-90      3  30.00 EUR" in shown
    figures = json.loads(told("finance", "--as-of", "2024-02-12", "--json").done().out)
    assert figures["receivables"] == [
        {"currency": "EUR", "age": "0-30", "count": 3, "amount": {"amount": 30_000_000, "currency": "EUR"}}
    ]
    assert [(p["day"], p["payments"], p["amount"]["amount"]) for p in figures["payments"]] == [
        ("2024-02-10", 3, 30_000_000)
    ]


def test_where_nothing_is_new_it_says_how_many_wait_unpublished(told) -> None:
    assert told("consume", "finance", "--once").done().err == ""
    assert told("consume", "finance", "--once").done().err == ""
    made = told.platform()
    Desk(made.services.store).account("A-1")
    made.services.close()
    ended = told("consume", "finance", "--once").done()
    assert ended.out == "0 messages.\n"
    assert ended.err == "2 messages wait in the outbox, unpublished; ocs serve or ocs relay publishes them.\n"


def test_finance_is_built_anew_from_the_beginning(told) -> None:
    told("consume", "finance", "--once").done()
    assert told("consume", "finance", "--once", "--from-beginning").done().out == "32 messages.\n"
    assert told("reconcile").done().out.endswith("Equal.\n")


def test_what_finance_lost_is_told_and_repaired(told, tmp_path) -> None:
    told("consume", "finance", "--once").done()
    database = connect(f"sqlite:///{tmp_path / 'ocs-finance.sqlite3'}")
    with database.engine.begin() as connection:
        connection.execute(sa.delete(entities).where(entities.c.code == "document"))
    database.close()
    ended = told("reconcile", "--republish")
    assert ended.code == 1
    assert ended.out.count("database version ") == 6
    assert "finance nothing" in ended.out
    assert "6 of 6 are published again" in ended.out
    told("events").done()
    told("consume", "finance", "--once").done()
    assert told("reconcile").done().out.endswith("Equal.\n")


def test_a_consumer_that_was_away_for_longer_than_the_log_keeps_says_so_and_is_helped(told, monkeypatch) -> None:
    told("consume", "finance", "--once").done()
    rows = [("c-2", f"M-{n}", "2024-01-01", "2024-01-31", "10.00", "") for n in range(6)]
    told("import", "receivables", told.ledger(rows), "--currency", "EUR", "--as-of", "2024-12-31").done()
    told("events").done()
    database = connect(told.url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event_log SET logged_at = '2024-01-01T00:00:00.000000Z'")
    database.close()
    monkeypatch.setenv("OCS_EVENTS_KEEP_DAYS", "1")
    told("maintenance", "prune").done()
    ended = told("consume", "finance", "--once")
    assert (ended.code, ended.out) == (1, "0 messages.\n")
    assert "ocs.rm.business-transactions, partition 0, was to be read on at offset" in ended.err
    assert "messages had expired and were not read" in ended.err
    assert "ocs reconcile --republish" in ended.err
    assert "ocs consume finance --from-beginning" in ended.err
    again = told("consume", "finance", "--once").done()
    assert "messages had expired" in again.err, "it is said until somebody has seen to it"
    status = told("consume", "status")
    assert status.code == 1
    assert "partition 0, was to be read on" in status.out
    assert "ocs reconcile --republish" in status.err
    (gap,) = json.loads(told("consume", "status", "--json").out)["gaps"]
    assert (gap["consumer"], gap["partition"]) == ("finance", 0)
    assert gap["begins"] > gap["expected"]
    lacking = told("reconcile", "--republish")
    assert (lacking.code, lacking.out.count("finance nothing, topics nothing")) == (1, 8)
    told("events").done()
    told("consume", "finance", "--once").done()
    equal = told("reconcile").done().out
    assert "What finance was once not given, in 1 gaps, it has now." in equal
    assert equal.endswith("Equal.\n")
    assert told("consume", "finance", "--once").done().err == ""
    assert told("consume", "status").done().err == ""


def test_a_gap_is_seen_to_by_a_person(told) -> None:
    told("consume", "finance", "--once").done()
    database = connect(told.url)
    with database.engine.begin() as connection:
        topic = "ocs.rm.business-transactions"
        connection.exec_driver_sql("INSERT INTO event_log_forgotten VALUES (?, 1000)", (topic,))
    database.close()
    assert told("consume", "finance", "--once").code == 1
    assert told("consume", "seen-to", "finance").done().out == "1 gaps of finance were seen to.\n"
    told("consume", "status").done()
    assert "has read nothing yet" in told("consume", "seen-to", "notifications").refused()


def test_a_dead_letter_is_shown_retried_and_discarded(told, tmp_path) -> None:
    database = connect(told.url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event_log SET value = '[]' WHERE \"offset\" IN (1, 2)")
    database.close()
    told("consume", "finance", "--once").done()
    listed = told("dead-letters", "list", "finance").done().out
    assert listed.startswith("2 dead letters of finance.")
    assert "Its value is no JSON object." in listed
    first, second = (line.split()[0] for line in listed.splitlines()[2:])
    shown = told("dead-letters", "show", "finance", first).done().out
    assert "Its value is no JSON object." in shown
    assert "ce_type" in shown
    assert shown.endswith("[]\n")
    assert (
        "stays a dead letter: Its value is no JSON object." in told("dead-letters", "retry", "finance", first).refused()
    )
    assert "stays a dead letter" in told("dead-letters", "retry", "finance", "ALL").refused()
    assert told("dead-letters", "discard", "finance", first).done().out == f"{first} was forgotten.\n"
    assert "There is no dead letter" in told("dead-letters", "discard", "finance", first).refused()
    assert told("dead-letters", "list", "finance").done().out.startswith("1 dead letters")
    assert second in told("dead-letters", "list", "finance").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("reconcile",), "finance has read nothing yet; run: ocs consume finance"),
        (("finance",), "finance has read nothing yet; run: ocs consume finance"),
        (("dead-letters", "list", "finance"), "finance has read nothing yet; run: ocs consume finance"),
        (("dead-letters", "list", "sales"), "There is no consumer sales; give one of finance"),
        (("finance", "--as-of", "yesterday"), "yesterday"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(ocs, arguments, sentence) -> None:
    ended = ocs(*arguments)
    assert ended.code in {1, 2}
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_a_wrong_id_is_told(told) -> None:
    told("consume", "finance", "--once").done()
    assert "7 is not the id of a dead letter" in told("dead-letters", "retry", "finance", "7").refused()


def test_there_is_nothing_to_read_without_a_schema(empty) -> None:
    assert "The database has no schema yet; run: ocs migrate." in empty("consume", "finance", "--once").refused()
