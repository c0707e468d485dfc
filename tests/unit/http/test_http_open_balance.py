"""The open balance, as it is read."""

import datetime as dt

import pytest

from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import Payment
from ocs_core.memory import MemoryQueries
from ocs_core.money import MAX_AMOUNT
from ocs_core.testkit.examples import UNIT

from .conftest import codes

PATH = "/v1/rm/payer/read-open-balance"


@pytest.fixture
def owing(site):
    """A payer with an invoice of 100 that is due since the 3rd, 30 paid of it; a deposit of 7 that is not due; dollars."""
    desk = site.desk
    account = desk.account("A-1")
    due = desk.document(
        account=account, document_issued_date=dt.date(2024, 5, 1), document_due_date=dt.date(2024, 5, 3)
    )
    desk.assign(desk.payment(account=account, amount=35 * UNIT), due, 30 * UNIT)
    deposit = desk.document(account=account, amount=7 * UNIT, document_type="deposit", due_amount_type=DueAmountType.AR)
    dollars = desk.document(account=account, amount=9 * UNIT, currency="USD")
    return account, due, deposit, dollars


def read(client, **parameters):
    response = client.get(PATH, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def figures(currency, open_balance, receivable, due, future, liable, overpayment, **more):
    amounts = {
        "openBalance": open_balance,
        "receivable": receivable,
        "due": due,
        "future": future,
        "liable": liable,
        "overpayment": overpayment,
        "sentBack": 0,
    }
    return {"currency": currency} | {name: amount * UNIT for name, amount in amounts.items()} | more


def test_it_is_calculated_now_and_other_currencies_are_told_apart(site, client, owing):
    before = len(site.store.outbox)
    assert read(client, externalId="A-1") == figures(
        *("EUR", 72, 77, 70, 7, 0, 5),
        account={"refId": str(owing[0].ref_id), "externalId": "A-1"},
        asOf="2024-05-14T10:00:00.000000Z",
        asOfDay=None,
        otherCurrencies=[figures("USD", 9, 9, 0, 9, 0, 0)],
        documentTypes=None,
        lines=None,
        next=None,
    )
    assert len(site.store.outbox) == before


def test_a_payer_without_anything_owes_nothing(site, client):
    site.desk.account("A-2")
    told = read(client, externalId="A-2", documentTypesIncluded="true", detailIncluded="true")
    assert (told["openBalance"], told["receivable"], told["overpayment"]) == (0, 0, 0)
    assert (told["otherCurrencies"], told["documentTypes"], told["lines"]) == ([], [], [])


def test_the_same_figures_are_told_by_document_type(client, owing):
    told = read(client, refId=str(owing[0].ref_id), documentTypesIncluded="true")
    assert told["documentTypes"] == [
        figures("EUR", -5, 0, 0, 0, 0, 5, documentType=None),
        figures("EUR", 7, 7, 0, 7, 0, 0, documentType="deposit"),
        figures("EUR", 70, 70, 70, 0, 0, 0, documentType="genericInvoice"),
        figures("USD", 9, 9, 0, 9, 0, 0, documentType="genericInvoice"),
    ]
    assert told["lines"] is None


def test_every_line_says_which_figure_it_adds_to_or_why_to_none(site, client, owing):
    _, due, deposit, dollars = owing
    (payment,) = site.store.entities[Payment].values()
    site.desk.clock.advance(days=30)
    told = read(client, externalId="A-1", detailIncluded="true", asOf="2024-05-14")
    expected = [
        (due, "DOCUMENT", due.document_no, "genericInvoice", "EUR", 70, "DUE", "COUNTS"),
        (deposit, "DOCUMENT", deposit.document_no, "deposit", "EUR", 7, "FUTURE", "NOT_YET_DUE"),
        (dollars, "DOCUMENT", dollars.document_no, "genericInvoice", "USD", 9, "FUTURE", "NOT_YET_DUE"),
        (payment, "PAYMENT", payment.payment_no, None, "EUR", 5, "OVERPAYMENT", "COUNTS"),
    ]
    assert told["lines"] == [
        {
            "kind": kind,
            "refId": str(item.ref_id),
            "number": number,
            "documentType": document_type,
            "currency": currency,
            "openAmount": amount * UNIT,
            "figure": figure,
            "reason": reason,
        }
        for item, kind, number, document_type, currency, amount, figure, reason in expected
    ]
    assert told["documentTypes"] is None
    earlier = read(client, externalId="A-1", detailIncluded="true", asOf="2024-05-13")
    assert [(line["figure"], line["reason"]) for line in earlier["lines"]] == [
        ("DUE", "COUNTS"),
        (None, "NOT_YET_ISSUED"),
        (None, "NOT_YET_ISSUED"),
        (None, "NOT_YET_RECEIVED"),
    ]


def test_the_lines_are_told_page_by_page_and_the_figures_of_the_whole_balance_with_the_first(site, client, owing):
    whole = read(client, externalId="A-1", detailIncluded="true", documentTypesIncluded="true", asOf="2024-05-14")
    asked = {"externalId": "A-1", "detailIncluded": "true", "documentTypesIncluded": "true", "limit": 3}
    page = client.get(PATH, params={**asked, "asOf": "2024-05-14"})
    assert page.json() == {**whole, "lines": whole["lines"][:3], "next": whole["lines"][2]["refId"]}
    site.desk.clock.advance(hours=5)
    last = client.get(page.links["next"]["url"])
    figures = ("openBalance", "receivable", "due", "future", "liable", "overpayment", "sentBack")
    untold = dict.fromkeys((*figures, "otherCurrencies", "documentTypes", "asOfDay"))
    assert last.json() == {**whole, "lines": whole["lines"][3:], **untold}
    assert "next" not in last.links


@pytest.mark.parametrize("path", [PATH, "/v1/rm/payer/read-collection-balance"])
def test_a_page_of_lines_behind_a_cursor_does_not_look_at_all_that_the_payer_has(client, owing, monkeypatch, path):
    first = client.get(path, params={"externalId": "A-1", "detailIncluded": "true", "limit": 3})
    monkeypatch.delattr(MemoryQueries, "ledger")
    assert len(client.get(first.links["next"]["url"]).json()["lines"]) == 1


def test_a_payer_of_many_documents_is_told_of_two_hundred_at_once_and_of_a_thousand_if_asked(site, client):
    account = site.desk.account("A-3")
    for _ in range(201):
        site.desk.document(account=account, amount=UNIT)
    told = read(client, externalId="A-3", detailIncluded="true")
    assert (len(told["lines"]), told["openBalance"]) == (200, 201 * UNIT)
    assert len(read(client, externalId="A-3", detailIncluded="true", limit="1000")["lines"]) == 201


def test_an_open_balance_as_of_a_day_is_that_of_its_end(client, owing):
    then = read(client, externalId="A-1", asOf="2024-05-03")
    assert (then["due"], then["future"], then["asOf"]) == (0, 100 * UNIT, "2024-05-03T23:59:59.999999Z")
    assert read(client, externalId="A-1", asOf="2024-05-04T00:00:00Z")["due"] == 100 * UNIT


def test_an_open_balance_is_calculated_whether_that_is_forced_or_not(client, owing):
    forced, plain = (client.get(f"{PATH}?externalId=A-1{more}") for more in ("&calculationForced=true", ""))
    assert forced.status_code == 200
    assert forced.json() == plain.json()


@pytest.mark.parametrize(
    ("query", "failures"),
    [
        ("", [("ACCOUNT_REQUIRED", "refId")]),
        ("externalId=nobody", [("ACCOUNT_NOT_FOUND", "externalId")]),
        ("refId=018f3a5c-7b1e-7cc0-8000-0123456789ab", [("ACCOUNT_NOT_FOUND", "refId")]),
        ("externalId=T-1", [("PAYER_NOT_FOUND", "externalId")]),
        ("externalId=A-1&asOf=2999-01-01", [("VALUE_OUT_OF_RANGE", "asOf")]),
        ("externalId=A-1&asOf=2024-05-14T10:00:00", [("TIME_WITHOUT_OFFSET", "asOf")]),
        ("externalId=A-1&documentTypesIncluded=yes", [("TYPE_WRONG", "documentTypesIncluded")]),
        ("externalId=A-1&calculationForced=yes", [("TYPE_WRONG", "calculationForced")]),
        ("externalId=A-1&limit=1001", [("VALUE_OUT_OF_RANGE", "limit")]),
    ],
)
def test_failures_are_told_of_the_parameter_that_was_given(site, client, owing, query, failures):
    site.desk.account("T-1", account_type="technical")
    assert codes(client.get(f"{PATH}?{query}")) == failures


def test_a_figure_beyond_64_bits_is_a_failure_of_the_account_that_was_named(site, client):
    account = site.desk.account("A-1")
    for _ in range(2):
        site.desk.document(account=account, amount=MAX_AMOUNT // 10_000 * 10_000)
    assert codes(client.get(f"{PATH}?externalId=A-1")) == [("AMOUNT_OUT_OF_RANGE", "externalId")]
