"""What is refused before any rule is asked: all failures at once, and never a 500."""

import json

import attrs
import pytest

from ocs_adapters.serial.forms import MOST_FAILURES
from ocs_core.form import Items, Text, fields
from ocs_core.usecases.feed_chargeable_events import ChargeableEventFed
from ocs_http.operations import OPERATIONS

from .conftest import codes

PATH = "/v1/rm/payments/register-payment"
RIGHT = {
    "requestId": "r-1",
    "paymentAmount": 49_900_000,
    "currency": "EUR",
    "paymentMethod": "bankTransfer",
    "paymentDateReceived": "2024-05-14T07:15:00Z",
}
RIGHT_TEXT = json.dumps(RIGHT)
JSON = {"content-type": "application/json"}


def test_every_failure_of_form_is_told_in_the_order_of_the_fields_and_unknown_ones_last(client):
    wrong = {
        "requestId": " r-1",
        "account": {"refId": "no uuid", "name": "x"},
        "paymentType": "GIFT",
        "paymentAmount": 49.9,
        "paymentMethod": "",
        "paymentDateReceived": "2024-05-14T07:15:00",
        "payerNote": "a\u0000b",
        "notificationRequested": "yes",
        "amount": 1,
        "a/b~c": 1,
    }
    assert codes(client.post(PATH, json=wrong)) == [
        ("TEXT_NOT_ALLOWED", "/requestId"),
        ("TYPE_WRONG", "/account/refId"),
        ("FIELD_UNKNOWN", "/account/name"),
        ("VALUE_NOT_ALLOWED", "/paymentType"),
        ("TYPE_WRONG", "/paymentAmount"),
        ("FIELD_REQUIRED", "/currency"),
        ("LENGTH_OUT_OF_RANGE", "/paymentMethod"),
        ("TIME_WITHOUT_OFFSET", "/paymentDateReceived"),
        ("TEXT_NOT_ALLOWED", "/payerNote"),
        ("TYPE_WRONG", "/notificationRequested"),
        ("FIELD_UNKNOWN", "/a~1b~0c"),
        ("FIELD_UNKNOWN", "/amount"),
    ]


def test_a_problem_says_what_rfc_9457_asks_for(client):
    problem = client.post(PATH, json=RIGHT | {"currency": "XXX", "paymentMethod": "barter"}).json()
    assert problem == {
        "type": "urn:ocs-rm:problem:request-validation-failed",
        "title": "Request validation failed",
        "status": 400,
        "detail": "The request has 2 failures.",
        "errors": [
            {"code": "CURRENCY_NOT_CONFIGURED", "field": "/currency", "message": "Currency XXX is not configured."},
            {
                "code": "PAYMENT_METHOD_NOT_CONFIGURED",
                "field": "/paymentMethod",
                "message": "Payment method barter is not configured.",
            },
        ],
    }


def test_rules_are_asked_only_when_the_form_is_right(client):
    assert codes(client.post(PATH, json=RIGHT | {"currency": "XXX", "paymentAmount": 0})) == [
        ("VALUE_OUT_OF_RANGE", "/paymentAmount")
    ]


@pytest.mark.parametrize("amount", ["49900000.0", "4.99e7", '"49900000"', "true", "[49900000]", "{}", "null"])
def test_only_a_whole_number_is_an_amount(client, amount):
    body = json.dumps(RIGHT).replace("49900000", amount)
    assert codes(client.post(PATH, content=body, headers=JSON)) == [("TYPE_WRONG", "/paymentAmount")]


@pytest.mark.parametrize("amount", ["0", "-1", "9223372036854775808", "9" * 400])
def test_an_amount_is_positive_and_fits_64_bits(client, amount):
    body = json.dumps(RIGHT).replace("49900000", amount)
    ((code, field),) = codes(client.post(PATH, content=body, headers=JSON))
    assert (code, field) == ("VALUE_OUT_OF_RANGE", "/paymentAmount")


def test_the_largest_amount_survives_exactly(site, client):
    site.desk.account("A-1")
    largest = 2**63 - 1
    body = {
        "requestId": "r-1",
        "events": [
            {
                "account": {"externalId": "A-1"},
                "eventType": "call",
                "eventDate": "2024-05-14T07:15:00Z",
                "charge": largest,
                "tax": 0,
                "chargeWithTax": largest,
                "currency": "EUR",
                "taxRate": 0,
            }
        ],
    }
    answer = client.post("/v1/charging/chargeable-events", json=body)
    assert f'"charge":{largest},"tax":0,"chargeWithTax":{largest},' in answer.text
    found = client.get("/v1/rm/chargeable-events", params={"amountFrom": largest, "amountTo": largest})
    assert [item["charge"] for item in found.json()["items"]] == [largest]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b'{"requestId": NaN}',
        b'{"requestId": "r-1"} and more',
        b"\xff\xfe{\x00}\x00",
        b'{"requestId": "\xed\xa0\x80"}',
        b'{"requestId": "a\x00"}',
        b"[" * 100_000,
        b"[" * 90_000 + b"]" * 90_000,
        b'{"account":' * 10_000 + b"1" + b"}" * 10_000,
        b"9" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_json_is_told_so(client, body):
    assert codes(client.post(PATH, content=body, headers=JSON)) == [("BODY_NOT_JSON", "")]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (RIGHT_TEXT[:-1] + ', "paymentAmount": 99900000}', "paymentAmount"),
        (RIGHT_TEXT[:-1] + ', "payment\\u0041mount": 49900000}', "paymentAmount"),
        (RIGHT_TEXT[:-1] + ', "account": {"externalId": "A-1", "refId": null, "externalId": "A-2"}}', "externalId"),
        (RIGHT_TEXT[:-1] + ', "unknown": [[{"x": 1, "x": 1}]]}', "x"),
    ],
    ids=["the last amount would win", "escaped", "within an object", "within lists"],
)
def test_an_object_with_one_name_twice_is_refused_with_the_name(site, client, written, name):
    answer = client.post(PATH, content=written, headers=JSON)
    assert codes(answer) == [("BODY_NOT_JSON", "")]
    assert f"the name '{name}' twice" in answer.json()["errors"][0]["message"]
    assert site.store.outbox == {}


@pytest.mark.parametrize("name", ["\\ud800", "\\udfff", "a\\ud800b", "\\ud83d"])
@pytest.mark.parametrize("before", ["{", '{"account": {'])
def test_half_a_character_in_the_name_of_a_field_is_an_unknown_field(client, name, before):
    body = f'{before}"{name}": 1' + "}" * before.count("{")
    answer = client.post(PATH, content=body, headers=JSON)
    assert "FIELD_UNKNOWN" in [code for code, _ in codes(answer)]


@pytest.mark.parametrize(
    ("value", "code"), [(r'"\ud800"', "TEXT_NOT_ALLOWED"), ("1e999", "TYPE_WRONG"), ("9" * 4000, "TYPE_WRONG")]
)
def test_what_a_lenient_reader_takes_is_told_by_its_field(client, value, code):
    body = json.dumps({**RIGHT, "requestId": None}).replace("null", value)
    assert codes(client.post(PATH, content=body, headers=JSON)) == [(code, "/requestId")]


@pytest.mark.parametrize(
    ("instant", "code"),
    [
        ("1900-01-01T00:00:00+14:00", "VALUE_OUT_OF_RANGE"),
        ("2999-12-31T23:59:59-14:00", "VALUE_OUT_OF_RANGE"),
        ("0001-01-01T00:00:00+14:00", "VALUE_OUT_OF_RANGE"),
        ("2024-05-14T07:15:00+02:60", "TYPE_WRONG"),
        ("2024-05-14T07:15:00+24:00", "TYPE_WRONG"),
        ("2024-05-14T07:15:00", "TIME_WITHOUT_OFFSET"),
    ],
)
def test_an_instant_out_of_range_or_no_time_is_told_at_its_item_beside_other_failures(client, instant, code):
    """In UTC, too, an instant lies in the years 1900 to 2999."""
    body = {"requestId": "r-1", "events": [{"eventDate": instant, "charge": "x"}]}
    told = codes(client.post("/v1/charging/chargeable-events", json=body))
    assert (code, "/events/0/eventDate") in told
    assert ("TYPE_WRONG", "/events/0/charge") in told


def test_a_payment_type_that_is_none_makes_no_date_mandatory(client):
    body = {k: v for k, v in RIGHT.items() if k != "paymentDateReceived"}
    assert codes(client.post(PATH, json=body | {"paymentType": "X"})) == [("VALUE_NOT_ALLOWED", "/paymentType")]
    assert codes(client.post(PATH, json=body)) == [("FIELD_REQUIRED", "/paymentDateReceived")]


def test_one_of_the_names_of_a_thing_is_needed_and_one_given_wrongly_is_not_missing(client):
    path, body = "/v1/rm/payments/cancel-payment-in-assignment", {"requestId": "r-1", "reason": "mistake"}
    assert codes(client.post(path, json=body | {"documentRefId": None})) == [
        ("FIELD_REQUIRED", "/monetaryTransactionRefId"),
    ]
    assert codes(client.post(path, json=body | {"documentNo": "D1"})) == [("FIELD_REQUIRED", "/paymentRefId")]
    assert codes(client.post(path, json=body | {"monetaryTransactionRefId": 7})) == [
        ("TYPE_WRONG", "/monetaryTransactionRefId"),
    ]
    assert codes(client.post(path, json=body | {"paymentNo": 7, "documentNo": "D1"})) == [("TYPE_WRONG", "/paymentNo")]


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'"text"', b"1", b"1.5", b"1e999", b'"\\ud800"', b"true", b"[" * 500 + b"]" * 500]
)
def test_a_body_that_is_no_object_is_told_so(client, body):
    assert codes(client.post(PATH, content=body, headers=JSON)) == [("TYPE_WRONG", "")]


def test_a_deep_value_where_text_is_wanted_is_the_wrong_type(client):
    body = json.dumps(RIGHT).replace('"EUR"', "[" * 500 + "]" * 500)
    assert codes(client.post(PATH, content=body, headers=JSON)) == [("TYPE_WRONG", "/currency")]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_body_may_be_as_long_as_its_operation_allows_and_no_longer(client, operation):
    longest = b" " * (operation.longest_body - 2) + b"[]"
    assert codes(client.post(operation.path, content=longest, headers=JSON)) == [("TYPE_WRONG", "")]
    longer = client.post(operation.path, content=b" " + longest, headers=JSON)
    assert (longer.status_code, longer.headers["content-type"]) == (413, "application/problem+json")
    assert f"{operation.longest_body:,} bytes are allowed" in longer.json()["detail"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_right_request_fits_and_only_lists_may_be_long(operation):
    """Every text as long as it may be, each character escaped; lists full of items with ids of usual length."""
    full, has_list = _longest(operation.request)
    assert full <= operation.longest_body
    assert has_list or operation.longest_body <= 200_000


def _longest(cls) -> tuple[int, bool]:
    """How many bytes a request has at the most, and whether there is a list in it."""
    bytes_, has_list = 2, False
    for field in fields(cls):
        bytes_ += len(field.name) + 6
        match field.constraints:
            case [Items(most=most)]:
                has_list = True
                bytes_ += most * (_usual(field.item.base) + 1)
            case [Text(longest=longest)]:
                bytes_ += 12 * longest  # a character beyond the first 65,536 is two escapes
            case _:
                bytes_ += _longest(field.base)[0] if attrs.has(field.base) else 40
    return bytes_, has_list


def _usual(cls) -> int:
    """An item with UUIDs, amounts and instants, and texts of 60 characters."""
    return sum(len(f.name) + 66 + (120 if attrs.has(f.base) else 0) for f in fields(cls))


def test_a_long_body_without_a_length_is_refused_as_well(client):
    chunks = (b" " * 1_000 for _ in range(201))
    assert client.post(PATH, content=chunks, headers=JSON).status_code == 413


@pytest.mark.parametrize("item", ["{}", '{"x":1}', "1"])
def test_a_list_that_is_too_long_is_told_as_that_and_nothing_is_made_of_its_items(client, item, monkeypatch):
    made = []
    monkeypatch.setattr(ChargeableEventFed, "__attrs_post_init__", made.append)
    body = f'{{"requestId":"r-1","events":[{",".join([item] * 200_000)}]}}'
    told = client.post("/v1/charging/chargeable-events", content=body, headers=JSON)
    assert codes(told) == [("LENGTH_OUT_OF_RANGE", "/events")]
    assert "not 200000" in told.json()["errors"][0]["message"]
    assert made == []


def test_a_body_of_unknown_fields_is_told_the_first_of_them(client):
    body = json.dumps({"requestId": "r-1", "events": []} | {f"f{n}": 1 for n in range(100_000)})
    assert len(codes(client.post("/v1/charging/chargeable-events", content=body, headers=JSON))) == MOST_FAILURES


def test_every_failure_of_a_full_feed_is_told(client):
    body = {"requestId": "r-1", "events": [{"x": 1}] * 1000}
    assert len(codes(client.post("/v1/charging/chargeable-events", json=body))) == 8 * 1000


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json-patch+json"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=str,
)
def test_anything_else_than_json_is_an_unsupported_media_type(client, headers):
    response = client.post(PATH, content=json.dumps(RIGHT), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (415, "application/problem+json")
    assert response.json()["errors"] == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_parameters_and_case_of_the_media_type_do_not_matter(client, content_type):
    assert client.post(PATH, content=json.dumps(RIGHT), headers={"content-type": content_type}).status_code == 200
