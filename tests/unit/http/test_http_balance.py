"""The collection balance and the runs that calculate it, as they are read."""

import datetime as dt
import time

import pytest
from litestar.testing import TestClient

from ocs_core.entities.payment import Payment
from ocs_core.memory import MemoryQueries
from ocs_core.testkit.examples import UNIT

from .conftest import KEY, codes, headers_of

PATH = "/v1/rm/payer/read-collection-balance"
RUNS = "/v1/rm/processes/runs"
START = "/v1/rm/processes/calculate-collection-balance"


@pytest.fixture
def owing(site):
    """A payer with an invoice of 100 that is due since the 3rd, 30 paid of it, and one that is not due."""
    account = site.desk.account("A-1")
    due = site.desk.document(
        account=account, document_issued_date=dt.date(2024, 5, 1), document_due_date=dt.date(2024, 5, 3)
    )
    site.desk.assign(site.desk.payment(account=account, amount=30 * UNIT), due, 30 * UNIT)
    later = site.desk.document(account=account, amount=7 * UNIT)
    return account, due, later


def read(client, **parameters):
    response = client.get(PATH, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_balance_that_was_never_calculated_is_nulls(client, owing):
    account, _, _ = owing
    assert read(client, externalId="A-1") == {
        "account": {"refId": str(account.ref_id), "externalId": "A-1"},
        "currency": "EUR",
        "collectionBalance": None,
        "oldestDocumentDueDate": None,
        "inCollection": False,
        "asOf": None,
        "asOfDay": None,
        "calculatedAt": None,
        "lines": None,
        "next": None,
    }


def test_the_stored_balance_is_what_the_last_run_stored(site, client, owing):
    site.desk.collect()
    site.desk.clock.advance(hours=1)
    stored = read(client, refId=str(owing[0].ref_id))
    assert (stored["collectionBalance"], stored["oldestDocumentDueDate"]) == (70 * UNIT, "2024-05-03")
    assert (stored["inCollection"], stored["asOf"]) == (True, "2024-05-14T10:00:00.000000Z")
    assert (stored["calculatedAt"], stored["lines"]) == ("2024-05-14T10:00:00.000000Z", None)


def test_a_forced_balance_is_calculated_now_and_nothing_is_stored(site, client, owing):
    before = len(site.store.outbox)
    forced = read(client, externalId="A-1", calculationForced="true")
    assert (forced["collectionBalance"], forced["asOf"]) == (70 * UNIT, "2024-05-14T10:00:00.000000Z")
    assert (forced["calculatedAt"], forced["lines"]) == ("2024-05-14T10:00:00.000000Z", None)
    assert read(client, externalId="A-1", calculationForced="false")["collectionBalance"] is None
    assert len(site.store.outbox) == before


def test_the_lines_tell_of_every_item_and_their_sum_is_the_balance(site, client, owing):
    _, due, later = owing
    (payment,) = site.store.entities[Payment].values()
    told = read(client, externalId="A-1", detailIncluded="true")
    assert told["lines"] == [
        {
            "kind": "DOCUMENT",
            "refId": str(due.ref_id),
            "number": due.document_no,
            "openAmount": 70 * UNIT,
            "contribution": 70 * UNIT,
            "reason": "COUNTS",
        },
        {
            "kind": "DOCUMENT",
            "refId": str(later.ref_id),
            "number": later.document_no,
            "openAmount": 7 * UNIT,
            "contribution": 0,
            "reason": "NOT_YET_DUE",
        },
        {
            "kind": "PAYMENT",
            "refId": str(payment.ref_id),
            "number": payment.payment_no,
            "openAmount": 0,
            "contribution": 0,
            "reason": "NOTHING_OPEN",
        },
    ]
    assert sum(line["contribution"] for line in told["lines"]) == told["collectionBalance"]


def test_a_stored_balance_is_read_without_looking_at_what_the_payer_has(site, client, owing, monkeypatch):
    site.desk.collect()
    monkeypatch.delattr(MemoryQueries, "ledger")
    assert read(client, externalId="A-1")["collectionBalance"] == 70 * UNIT


def test_the_lines_are_told_page_by_page_and_the_figures_of_the_whole_balance_with_the_first(site, client, owing):
    whole = read(client, externalId="A-1", detailIncluded="true")
    page = client.get(PATH, params={"externalId": "A-1", "detailIncluded": "true", "limit": 2})
    assert page.json() == {**whole, "lines": whole["lines"][:2], "next": whole["lines"][1]["refId"]}
    site.desk.clock.advance(days=30)
    last = client.get(page.links["next"]["url"])
    later = {"calculatedAt": "2024-06-13T10:00:00.000000Z", "collectionBalance": None, "oldestDocumentDueDate": None}
    assert last.json() == {**whole, "lines": whole["lines"][2:], **later}
    assert "next" not in last.links
    assert "next" not in client.get(PATH, params={"externalId": "A-1", "calculationForced": "true", "limit": 1}).links


def test_a_balance_as_of_a_day_is_that_of_its_end(client, owing):
    then = read(client, externalId="A-1", asOf="2024-05-04")
    assert (then["collectionBalance"], then["asOf"]) == (100 * UNIT, "2024-05-04T23:59:59.999999Z")
    assert then["asOfDay"] == "2024-05-04"
    assert read(client, externalId="A-1", asOf="2024-05-03T12:00:00+02:00")["collectionBalance"] == 0


@pytest.mark.parametrize(
    ("query", "failures"),
    [
        ("", [("ACCOUNT_REQUIRED", "refId")]),
        ("externalId=nobody", [("ACCOUNT_NOT_FOUND", "externalId")]),
        ("refId=018f3a5c-7b1e-7cc0-8000-0123456789ab", [("ACCOUNT_NOT_FOUND", "refId")]),
        ("externalId=T-1", [("PAYER_NOT_FOUND", "externalId")]),
        ("externalId=A-1&asOf=2999-01-01", [("VALUE_OUT_OF_RANGE", "asOf")]),
        ("asOf=2999-01-01", [("ACCOUNT_REQUIRED", "refId"), ("VALUE_OUT_OF_RANGE", "asOf")]),
        ("externalId=A-1&calculationForced=yes", [("TYPE_WRONG", "calculationForced")]),
        ("externalId=A-1&limit=0", [("VALUE_OUT_OF_RANGE", "limit")]),
        ("externalId=A-1&limit=1001", [("VALUE_OUT_OF_RANGE", "limit")]),
        ("externalId=A-1&limit=null&cursor=first", [("TYPE_WRONG", "limit"), ("TYPE_WRONG", "cursor")]),
        ("externalId=A-1&account=1", [("FIELD_UNKNOWN", "account")]),
        ("externalId=A-1&externalId=A-1", [("TYPE_WRONG", "externalId")]),
    ],
)
def test_failures_are_told_of_the_parameter_that_was_given(site, client, owing, query, failures):
    site.desk.account("T-1", account_type="technical")
    assert codes(client.get(f"{PATH}?{query}")) == failures


def test_two_ids_of_two_accounts_are_told_of_the_ref_id(site, client, owing):
    site.desk.account("A-2")
    query = {"refId": str(owing[0].ref_id), "externalId": "A-2"}
    assert codes(client.get(PATH, params=query)) == [("ACCOUNT_IDS_DISAGREE", "refId")]


def test_runs_are_listed_newest_first_page_by_page_as_they_read_alone(site, client, owing):
    site.desk.collect()
    started = site.desk.start_run(dry_run=True)
    site.services().runner.calculate(started.ref_id, 1)
    first = client.get(RUNS, params={"limit": 1})
    (running,) = first.json()["items"]
    assert (running["refId"], running["state"], running["payersDone"]) == (str(started.ref_id), "RUNNING", 1)
    assert running == client.get(f"{RUNS}/{started.ref_id}").json()
    (done,) = client.get(first.links["next"]["url"]).json()["items"]
    assert done["state"] == "DONE"
    assert codes(client.get(RUNS, params={"state": "DONE"})) == [("FIELD_UNKNOWN", "state")]


def test_a_run_shows_how_far_it_is(site, client, owing):
    site.desk.account("A-2")
    (started,) = client.post(START, json={"requestId": "r-1"}).json()
    url = f"{RUNS}/{started['object']['refId']}"
    assert client.get(url).json() == started["object"]
    site.desk.clock.advance(seconds=4)
    run = site.services().runner.calculate(site.services().queries.running()[0].ref_id, 1).run
    half = client.get(url).json()
    assert (half["state"], half["payersDone"], half["slicesDone"]) == ("RUNNING", 1, 0)
    assert (half["progressedAt"], half["secondsLeft"]) == ("2024-05-14T10:00:04.000000Z", 4)
    site.desk.clock.advance(seconds=56)
    site.desk.finish(run.ref_id)
    done = client.get(url).json()
    assert (done["state"], done["payersDone"], done["collectionsStarted"]) == ("DONE", 2, 1)
    assert done["finishedAt"] == "2024-05-14T10:01:00.000000Z"
    assert done.keys() == started["object"].keys()


def test_the_same_order_again_answers_the_active_run_and_another_is_refused(client, owing):
    (first,) = client.post(START, json={"requestId": "r-1"}).json()
    (second,) = client.post(START, json={"requestId": "r-2"}).json()
    assert second["object"] == first["object"]
    assert codes(client.post(START, json={"requestId": "r-3", "adopt": True})) == [("RUN_ACTIVE", "")]


def test_a_run_that_is_asked_for_is_taken_to_its_end_in_the_background(site, owing):
    with TestClient(site.app(background=True)) as client:
        client.headers.update(headers_of(KEY, "crm"))
        (started,) = client.post(START, json={"requestId": "r-1"}).json()
        assert started["object"]["state"] == "RUNNING"
        until = time.monotonic() + 10
        while (run := client.get(f"{RUNS}/{started['object']['refId']}").json())["state"] == "RUNNING":
            assert time.monotonic() < until
        assert (run["state"], run["payersDone"]) == ("DONE", 1)
        assert read(client, externalId="A-1")["collectionBalance"] == 70 * UNIT


def test_an_unknown_run_is_a_failure_of_the_request(client):
    assert codes(client.get(f"{RUNS}/018f3a5c-7b1e-7cc0-8000-0123456789ab")) == [("RUN_NOT_FOUND", "refId")]
    assert codes(client.get(f"{RUNS}/latest")) == [("TYPE_WRONG", "refId")]
    run = "018f3a5c-7b1e-7cc0-8000-0123456789ab"
    assert codes(client.get(f"{RUNS}/{run}?verbose=true")) == [("FIELD_UNKNOWN", "verbose")]
    assert codes(client.get(f"{RUNS}/{run}?refId={run}")) == [("TYPE_WRONG", "refId")]


def test_a_process_that_is_not_configured_is_told_whole(site, client):
    site.store.configuration = type(site.store.configuration)()
    refused = client.post(START, json={"requestId": "r-1"})
    assert codes(refused) == [("PROCESS_NOT_CONFIGURED", "")] * 4
