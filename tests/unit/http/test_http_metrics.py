"""What a monitoring system scrapes."""

import datetime as dt
import threading

from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from ocs_core.errors import StoreUnavailable
from ocs_core.ports import Backlog
from ocs_core.testkit.examples import NOW


def _scraped(client: TestClient) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {s.name: s.value for family in text_string_to_metric_families(response.text) for s in family.samples}


def test_the_size_and_age_of_the_outbox_are_of_the_moment_of_the_scrape(site):
    backlog = [Backlog(rows=7, held=2, oldest=NOW - dt.timedelta(hours=1)), Backlog()]
    with TestClient(site.app(site.services(backlog=lambda: backlog.pop(0)))) as client:
        first, second = _scraped(client), _scraped(client)
    names = ("ocs_outbox_messages", "ocs_outbox_held_messages", "ocs_outbox_oldest_seconds")
    assert [first[name] for name in names] == [7, 2, 3600]
    assert [second[name] for name in names] == [0, 0, 0]
    assert first["process_resident_memory_bytes"] > 1_000_000


def test_while_the_database_is_away_its_figures_are_missing_and_all_others_are_there(site):
    def gone():
        raise StoreUnavailable("PostgreSQL does not answer")

    with TestClient(site.app(site.services(backlog=gone))) as client:
        away = _scraped(client)
    with TestClient(site.app()) as client:
        there = _scraped(client)
    assert (away["ocs_database_up"], there["ocs_database_up"]) == (0, 1)
    assert {name for name in there if name not in away} == {
        "ocs_outbox_messages",
        "ocs_outbox_held_messages",
        "ocs_outbox_oldest_seconds",
    }


def test_while_the_database_is_silent_the_others_are_told_within_seconds(site, monkeypatch):
    monkeypatch.setattr("ocs_http.probe.SECONDS", 0.1)
    silent = threading.Event()
    with TestClient(site.app(site.services(backlog=lambda: silent.wait(20)))) as client:
        assert _scraped(client)["ocs_database_up"] == 0
        silent.set()
