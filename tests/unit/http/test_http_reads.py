"""The lists: every filter, page by page, and strict about its parameters."""

import datetime as dt
import json
import re

import pytest

from ocs_adapters.serial import encode
from ocs_core.entities.account import AccountState
from ocs_core.entities.payment import PaymentType
from ocs_core.testkit.examples import UNIT, named
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest

from .conftest import codes

PAYMENTS, DOCUMENTS = "/v1/rm/payments", "/v1/rm/documents"
EVENTS, ACCOUNTS = "/v1/rm/chargeable-events", "/v1/casm/accounts"


def found(client, path, **parameters):
    """The refIds of the items that a search finds."""
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return [item["refId"] for item in response.json()["items"]]


def refs(*entities):
    return [str(entity.ref_id) for entity in entities]


def test_a_list_is_items_as_they_are_in_messages_and_the_cursor_of_the_next_page(site, client):
    account = site.desk.account("A-1")
    payment = site.desk.payment(account=account)
    response = client.get(PAYMENTS)
    assert response.json() == {"items": [json.loads(encode(payment))], "next": None}
    assert "link" not in response.headers
    assert response.headers["content-type"] == "application/json"
    assert client.get(DOCUMENTS).json() == {"items": [], "next": None}


def test_payments_are_found_by_each_filter(site, client):
    desk = site.desk
    one, two = desk.account("A-1"), desk.account("A-2")
    first = desk.payment(account=one, amount=10 * UNIT, external_payment_no="X-1", payment_ref2="VS-1")
    desk.clock.advance(days=1)
    second = desk.payment(account=two, amount=20 * UNIT, payment_ref3="VS-2")
    desk.clock.advance(days=1)
    unknown = desk.payment(amount=30 * UNIT, payment_method="cash")
    sent = desk.payment(
        account=one,
        payment_type=PaymentType.OUT,
        payment_date_received=None,
        payment_date_sent=desk.clock(),
        amount=40 * UNIT,
    )
    expected = {
        "accountRefId": (str(one.ref_id), [sent, first]),
        "accountExternalId": ("A-2", [second]),
        "dateFrom": ("2024-05-15T10:00:00Z", [unknown, second]),
        "dateTo": ("2024-05-15T12:00:00+02:00", [first]),
        "amountFrom": (str(20 * UNIT), [sent, unknown, second]),
        "amountTo": (str(20 * UNIT), [second, first]),
        "paymentRef": ("VS-2", [second]),
        "paymentNo": (first.payment_no, [first]),
        "externalPaymentNo": ("X-1", [first]),
        "paymentType": ("OUT", [sent]),
        "identified": ("false", [unknown]),
        "cancelled": ("true", []),
        "limit": ("1", [sent]),
        "cursor": (str(second.ref_id), [first]),
    }
    for name, (value, payments) in expected.items():
        assert found(client, PAYMENTS, **{name: value}) == refs(*payments), name
    assert found(client, PAYMENTS, dateFrom="2024-05-15", dateTo="2024-05-16") == refs(second)
    assert found(client, PAYMENTS, identified="true", cancelled="false") == refs(sent, second, first)


def test_documents_are_found_by_each_filter(site, client):
    desk, days = site.desk, [dt.date(2024, 5, d) for d in (1, 2, 3)]
    one, two = desk.account("A-1"), desk.account("A-2")
    first = desk.document(account=one, amount=10 * UNIT, document_issued_date=days[0], external_document_no="D-1")
    second = desk.document(account=two, amount=20 * UNIT, document_issued_date=days[1], document_type="creditNote")
    third = desk.document(account=one, amount=30 * UNIT, document_issued_date=days[2], payment_ref1="VS-3")
    desk.assign(desk.payment(account=one), first, 10 * UNIT)
    desk.assign(desk.payment(account=one), third, 10 * UNIT)
    expected = {
        "accountRefId": (str(one.ref_id), [third, first]),
        "accountExternalId": ("A-2", [second]),
        "dateFrom": ("2024-05-02", [third, second]),
        "dateTo": ("2024-05-02", [first]),
        "amountFrom": (str(20 * UNIT), [third, second]),
        "amountTo": (str(20 * UNIT), [second, first]),
        "paymentRef": ("VS-3", [third]),
        "documentNo": (second.document_no, [second]),
        "externalDocumentNo": ("D-1", [first]),
        "documentType": ("creditNote", [second]),
        "limit": ("2", [third, second]),
        "cursor": (str(second.ref_id), [first]),
    }
    for name, (value, documents) in expected.items():
        assert found(client, DOCUMENTS, **{name: value}) == refs(*documents), name
    states = {"SETTLED": [first], "OPEN": [second], "PARTIALLY_PAID": [third], "CANCELLED": []}
    for state, documents in states.items():
        assert found(client, DOCUMENTS, state=state) == refs(*documents), state


def test_chargeable_events_are_found_by_each_filter(site, client):
    desk = site.desk
    one, two = desk.account("A-1"), desk.account("A-2")
    first = desk.event(account=one)
    desk.clock.advance(days=1)
    second = desk.event(account=two, charge=20 * UNIT, event_type="data")
    adjusted = client.post(
        "/v1/rm/billing-invoicing/adjust-chargeable-event",
        json={
            "requestId": "adjust",
            "chargeableEventRefId": str(first.ref_id),
            "chargeType": "CREDIT",
            "chargeAdjustment": UNIT,
            "currency": "EUR",
            "taxIncluded": True,
        },
    ).json()[0]["object"]["refId"]
    one_ref, two_ref = refs(first, second)
    expected = {
        "accountRefId": (str(one.ref_id), [adjusted, one_ref]),
        "accountExternalId": ("A-2", [two_ref]),
        "dateFrom": ("2024-05-15", [adjusted, two_ref]),
        "dateTo": ("2024-05-15", [one_ref]),
        "amountFrom": ("0", [two_ref, one_ref]),
        "amountTo": ("-1", [adjusted]),
        "refId": (two_ref, [two_ref]),
        "eventType": ("data", [two_ref]),
        "invoiced": ("true", []),
        "originalRefId": (one_ref, [adjusted]),
        "limit": ("1", [adjusted]),
        "cursor": (two_ref, [one_ref]),
    }
    for name, (value, events) in expected.items():
        assert found(client, EVENTS, **{name: value}) == events, name


def test_accounts_are_found_by_each_filter(site, client):
    desk = site.desk
    one = desk.account("A-1", customer="C-1")
    two = desk.account("A-2", account_type="technical")
    request = UpdateAccountStateRequest(request_id="s", account=named(one), state=AccountState.SUSPENDED)
    desk.perform(UpdateAccountState, request)
    expected = {
        "accountRefId": (str(one.ref_id), [one]),
        "accountExternalId": ("A-2", [two]),
        "externalId": ("A-1", [one]),
        "accountType": ("technical", [two]),
        "customer": ("C-1", [one]),
        "state": ("SUSPENDED", [one]),
        "limit": ("1", [two]),
        "cursor": (str(two.ref_id), [one]),
    }
    for name, (value, accounts) in expected.items():
        assert found(client, ACCOUNTS, **{name: value}) == refs(*accounts), name


def test_every_page_is_reached_by_link_and_by_cursor_and_the_filters_are_kept(site, client):
    account = site.desk.account("A-1 & Söhne")
    payments = [site.desk.payment(account=account) for _ in range(7)]
    site.desk.payment()
    expected = refs(*reversed(payments))

    seen, url, pages = [], f"{PAYMENTS}?limit=3&accountExternalId=A-1+%26+S%C3%B6hne", 0
    while url:
        response = client.get(url)
        assert response.status_code == 200
        pages += 1
        seen += [item["refId"] for item in response.json()["items"]]
        link = re.fullmatch(r'<(/v1/rm/payments\?.*)>; rel="next"', response.headers.get("link", ""))
        assert bool(link) == (response.json()["next"] is not None)
        url = link and link[1]
    assert (seen, pages) == (expected, 3)

    seen, cursor = [], {}
    while cursor is not None:
        page = client.get(PAYMENTS, params={"limit": 2, "accountExternalId": "A-1 & Söhne"} | cursor).json()
        seen += [item["refId"] for item in page["items"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert seen == expected


def test_a_page_has_fifty_items_unless_said_otherwise(site, client):
    for _ in range(51):
        site.desk.payment()
    assert len(found(client, PAYMENTS)) == 50
    assert len(found(client, PAYMENTS, limit=200)) == 51


@pytest.mark.parametrize(
    ("query", "failure"),
    [
        ("limit=0", ("VALUE_OUT_OF_RANGE", "limit")),
        ("limit=201", ("VALUE_OUT_OF_RANGE", "limit")),
        ("limit=", ("TYPE_WRONG", "limit")),
        ("limit=+5", ("TYPE_WRONG", "limit")),
        ("limit=5.0", ("TYPE_WRONG", "limit")),
        ("limit=05", ("TYPE_WRONG", "limit")),
        ("limit=1_0", ("TYPE_WRONG", "limit")),
        ("limit=%D9%A5", ("TYPE_WRONG", "limit")),
        ("limit=null", ("TYPE_WRONG", "limit")),
        ("amountFrom=9223372036854775808", ("VALUE_OUT_OF_RANGE", "amountFrom")),
        ("amountFrom=" + "9" * 5000, ("TYPE_WRONG", "amountFrom")),
        ("amountTo=49.90", ("TYPE_WRONG", "amountTo")),
        ("identified=True", ("TYPE_WRONG", "identified")),
        ("identified=1", ("TYPE_WRONG", "identified")),
        ("paymentType=in", ("VALUE_NOT_ALLOWED", "paymentType")),
        ("cursor=1", ("TYPE_WRONG", "cursor")),
        ("accountRefId=%7B018f3a5c-7b1e-7cc0-8000-0123456789ab%7D", ("TYPE_WRONG", "accountRefId")),
        ("dateFrom=2024-05-14T10:00:00", ("TIME_WITHOUT_OFFSET", "dateFrom")),
        ("dateFrom=2024-02-30", ("TYPE_WRONG", "dateFrom")),
        ("dateFrom=0001-01-01", ("VALUE_OUT_OF_RANGE", "dateFrom")),
        ("dateTo=today", ("TYPE_WRONG", "dateTo")),
        ("paymentNo=", ("LENGTH_OUT_OF_RANGE", "paymentNo")),
        ("paymentNo=%00", ("TEXT_NOT_ALLOWED", "paymentNo")),
        ("paymentRef=%FF", ("TEXT_NOT_ALLOWED", "paymentRef")),
        ("paymentRef=%ED%A0%80", ("TEXT_NOT_ALLOWED", "paymentRef")),
        ("externalPaymentNo=+X", ("TEXT_NOT_ALLOWED", "externalPaymentNo")),
        ("paymentno=1", ("FIELD_UNKNOWN", "paymentno")),
        ("payment_no=1", ("FIELD_UNKNOWN", "payment_no")),
        ("a%2Fb~c=1", ("FIELD_UNKNOWN", "a/b~c")),
        ("%FF=1", ("FIELD_UNKNOWN", "?")),
        ("=1", ("FIELD_UNKNOWN", "")),
        ("limit=5&limit=5", ("TYPE_WRONG", "limit")),
        ("paymentNo=1&paymentNo=2", ("TYPE_WRONG", "paymentNo")),
    ],
)
def test_a_parameter_that_is_not_right_is_told_by_its_name(client, query, failure):
    assert codes(client.get(f"{PAYMENTS}?{query}")) == [failure]


def test_all_failures_of_the_parameters_are_told_in_the_order_of_the_fields(client):
    query = "wrong=1&paymentType=GIFT&limit=x&cursor=y&dateTo=z"
    assert codes(client.get(f"{PAYMENTS}?{query}")) == [
        ("TYPE_WRONG", "limit"),
        ("TYPE_WRONG", "cursor"),
        ("TYPE_WRONG", "dateTo"),
        ("VALUE_NOT_ALLOWED", "paymentType"),
        ("FIELD_UNKNOWN", "wrong"),
    ]


def test_filters_of_one_list_are_unknown_to_another(client):
    assert codes(client.get(f"{ACCOUNTS}?dateFrom=2024-05-14")) == [("FIELD_UNKNOWN", "dateFrom")]
    assert codes(client.get(f"{DOCUMENTS}?identified=true")) == [("FIELD_UNKNOWN", "identified")]


def test_a_document_filter_takes_the_day_that_an_instant_is_written_with(site, client):
    document = site.desk.document(account=site.desk.account("A-1"))
    assert found(client, DOCUMENTS, dateFrom="2024-05-14T23:30:00-10:00") == refs(document)
    assert found(client, DOCUMENTS, dateTo="2024-05-14T00:30:00+14:00") == []


def test_text_is_compared_exactly(site, client):
    site.desk.account("A-1")
    for almost in ("a-1", "A-1 x", "A-", "A%"):
        assert found(client, ACCOUNTS, externalId=almost) == []
