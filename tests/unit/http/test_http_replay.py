"""A command that comes again is answered again, and performed once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from litestar.testing import TestClient

from ocs_adapters.settings import Settings

from .conftest import KEY, api_key, codes, headers_of

PATH = "/v1/rm/payments/register-payment"
BODY = {
    "requestId": "r-1",
    "paymentAmount": 49_900_000,
    "currency": "EUR",
    "paymentMethod": "bankTransfer",
    "paymentDateReceived": "2024-05-14T07:15:00Z",
}


def test_the_same_request_gets_the_same_bytes_and_says_that_it_is_a_replay(site, client):
    first, performed = client.post(PATH, json=BODY), len(site.store.outbox)
    again = client.post(PATH, json=BODY)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(site.store.outbox) == performed


def test_the_same_value_written_differently_is_the_same_request(client):
    first = client.post(PATH, json=BODY)
    turned = dict(reversed(BODY.items()))
    text = str(turned).replace("'", '"').replace("bankTransfer", "bank\\u0054ransfer")
    again = client.post(PATH, content=text, headers={"content-type": "application/json"})
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


@pytest.mark.parametrize("change", [{"paymentAmount": 50_000_000}, {"paymentType": "IN"}, {"payerNote": None}])
def test_another_body_under_the_same_id_is_refused(client, change):
    client.post(PATH, json=BODY)
    assert codes(client.post(PATH, json=BODY | change)) == [("REQUEST_ID_REUSED", "/requestId")]


def test_another_operation_under_the_same_id_is_refused(site, client):
    site.desk.account("A-1")
    client.post(PATH, json=BODY)
    body = {"requestId": "r-1", "account": {"externalId": "A-1"}, "invoicingExcluded": True}
    assert codes(client.post("/v1/rm/payer/update-invoicing-flag", json=body)) == [("REQUEST_ID_REUSED", "/requestId")]


def test_form_comes_before_replay(client):
    client.post(PATH, json=BODY)
    assert codes(client.post(PATH, json=BODY | {"paymentAmount": "1"})) == [("TYPE_WRONG", "/paymentAmount")]


def test_a_refused_command_may_come_again_corrected(client):
    assert codes(client.post(PATH, json=BODY | {"currency": "XXX"})) == [("CURRENCY_NOT_CONFIGURED", "/currency")]
    corrected = client.post(PATH, json=BODY)
    assert (corrected.status_code, "Idempotent-Replayed" in corrected.headers) == (200, False)


def test_an_answer_is_kept_for_ninety_days(site, client):
    client.post(PATH, json=BODY)
    site.desk.clock.advance(days=90)
    assert client.post(PATH, json=BODY).headers["Idempotent-Replayed"] == "true"
    site.desk.clock.advance(seconds=1)
    assert codes(client.post(PATH, json=BODY)) == [("REQUEST_ALREADY_PERFORMED", "/requestId")]


def test_how_long_an_answer_is_kept_may_be_set(site):
    with TestClient(site.app(site.services(settings=Settings(answers_keep_days=365)))) as client:
        client.headers.update(headers_of(KEY, "crm"))
        client.post(PATH, json=BODY)
        site.desk.clock.advance(days=365)
        assert client.post(PATH, json=BODY).headers["Idempotent-Replayed"] == "true"
        site.desk.clock.advance(seconds=1)
        assert codes(client.post(PATH, json=BODY)) == [("REQUEST_ALREADY_PERFORMED", "/requestId")]


def test_two_applications_use_the_same_id_without_meeting(site):
    services = site.services()
    services.keys.add(api_key("other", "bank", "payment:register", number=2))
    with TestClient(site.app(services)) as client:
        answers = [client.post(PATH, json=BODY, headers=headers_of(*who)) for who in ((KEY, "crm"), ("other", "bank"))]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json()[0]["object"]["refId"] != answers[1].json()[0]["object"]["refId"]
    assert "Idempotent-Replayed" not in answers[1].headers


def test_callers_at_once_with_one_id_get_the_answer_of_the_one_that_performed(site, client):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.post(PATH, json=BODY), range(50)))
    assert {(a.status_code, a.content) for a in answers} == {(200, answers[0].content)}
    assert ["Idempotent-Replayed" in a.headers for a in answers].count(False) == 1
    assert len(site.store.performed) == 1
