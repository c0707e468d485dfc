"""Every command through HTTP: the answer is its business transactions, in their order."""

import datetime as dt
from typing import Any

import pytest

from ocs_core import catalogue
from ocs_core.testkit.examples import UNIT
from ocs_core.usecases.perform import UseCase
from ocs_http.operations import OPERATIONS

from .conftest import codes

RECEIVED = "2024-05-14T07:15:00Z"


def performed(site, client, path: str, name: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer's steps, after seeing that they are what was published."""
    before = len(site.store.outbox)
    response = client.post(path, json={"requestId": "r-1"} | body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert "Idempotent-Replayed" not in response.headers
    assert response.json() == site.steps(name, before)
    return response.json()


def kinds(steps: list[dict[str, Any]]) -> list[str]:
    return [step["objectType"] for step in steps]


def test_register_payment_answers_the_whole_payment_then_its_history(site, client):
    payer = site.desk.account("A-1")
    steps = performed(
        site,
        client,
        "/v1/rm/payments/register-payment",
        "RegisterPayment",
        {
            "account": {"externalId": "A-1"},
            "externalPaymentNo": "BANK-1",
            "paymentAmount": 49_900_000,
            "currency": "EUR",
            "paymentMethod": "bankTransfer",
            "paymentDateReceived": "2024-05-14T09:15:00+02:00",
        },
    )
    assert kinds(steps) == ["PaymentEx", "PaymentHistoryEx", "PaymentHistoryEx"]
    assert [s["object"]["operationCode"] for s in steps[1:]] == ["PAYMENT_IN_CREATED", "PAYMENT_IN_IDENTIFIED"]
    assert steps[0] == {
        "name": "RegisterPayment",
        "seqno": 1,
        "objectType": "PaymentEx",
        "object": {
            "refId": steps[0]["object"]["refId"],
            "paymentNo": "P0000000001",
            "externalPaymentNo": "BANK-1",
            "paymentType": "IN",
            "paymentMethod": "bankTransfer",
            "paymentAmount": 49_900_000,
            "remainingAmount": 49_900_000,
            "currency": "EUR",
            "paymentDateReceived": "2024-05-14T07:15:00.000000Z",
            "paymentDateSent": None,
            "paymentRef1": None,
            "paymentRef2": None,
            "paymentRef3": None,
            "bankAccountName": None,
            "bankAccountNumber": None,
            "bankNumberCode": None,
            "iban": None,
            "bic": None,
            "bankAccountNameProvider": None,
            "bankAccountNumberProvider": None,
            "bankNumberCodeProvider": None,
            "ibanProvider": None,
            "bicProvider": None,
            "channelType": None,
            "recipientNote": None,
            "payerNote": None,
            "description": None,
            "bankAccountTransactionId": None,
            "moneyOrder": None,
            "account": {"refId": str(payer.ref_id), "externalId": "A-1"},
            "cancelled": False,
            "cancelReason": None,
            "cancelledAt": None,
            "version": 1,
        },
    }


def test_a_payment_by_money_order_keeps_to_whom_it_goes_and_a_text_of_it_that_is_wrong_is_told(site, client):
    site.desk.account("A-1")
    path, order = "/v1/rm/payments/register-payment", {"name": "Ana Ruiz", "address": "Calle Mayor 1", "city": "Madrid"}
    body = {
        "account": {"externalId": "A-1"},
        "paymentType": "OUT",
        "paymentAmount": 49_900_000,
        "currency": "EUR",
        "paymentMethod": "cash",
        "paymentDateSent": "2024-05-14T07:15:00Z",
        "moneyOrder": order,
    }
    shown = {**order, "postalCode": None, "country": None}
    assert performed(site, client, path, "RegisterPayment", body)[0]["object"]["moneyOrder"] == shown
    assert client.get("/v1/rm/payments").json()["items"][0]["moneyOrder"] == shown
    wrong = {"city": "M" * 256, "colour": "red"}
    refused = client.post(path, json={**body, "requestId": "r-2", "moneyOrder": wrong})
    assert sorted(codes(refused)) == [
        ("FIELD_REQUIRED", "/moneyOrder/name"),
        ("FIELD_UNKNOWN", "/moneyOrder/colour"),
        ("LENGTH_OUT_OF_RANGE", "/moneyOrder/city"),
    ]


def test_an_unidentified_payment_has_no_account_and_is_identified_later(site, client):
    site.desk.account("A-1")
    payment = site.desk.payment()
    steps = performed(
        site,
        client,
        "/v1/rm/payments/identify-payment-in",
        "IdentifyPaymentIn",
        {"account": {"externalId": "A-1"}, "paymentRefId": str(payment.ref_id)},
    )
    assert kinds(steps) == ["PaymentEx", "PaymentHistoryEx"]
    assert steps[0]["object"]["account"]["externalId"] == "A-1"


def test_an_assigned_payment_answers_both_sides_and_both_links(site, client):
    payer = site.desk.account("A-1")
    payment, document = site.desk.payment(account=payer), site.desk.document(account=payer)
    steps = performed(
        site,
        client,
        "/v1/rm/payments/assign-payment-in-to-document",
        "AssignPaymentInToDocument",
        {
            "paymentRefId": str(payment.ref_id),
            "documentRefId": str(document.ref_id),
            "amount": 20 * UNIT,
            "currency": "EUR",
        },
    )
    assert kinds(steps) == [
        "PaymentEx",
        "DocumentEx",
        "PaymentDocumentsEx",
        "DocumentPaymentsEx",
        "PaymentHistoryEx",
    ]
    assert steps[0]["object"]["remainingAmount"] == 30 * UNIT
    assert (steps[1]["object"]["dueAmount"], steps[1]["object"]["state"]) == (80 * UNIT, "PARTIALLY_PAID")


def test_a_cancelled_assignment_answers_both_sides_open_again(site, client):
    payer = site.desk.account("A-1")
    payment = site.desk.payment(account=payer, external_payment_no="BANK-1")
    document = site.desk.document(account=payer)
    site.desk.assign(payment, document, 20 * UNIT)
    path, name = "/v1/rm/payments/cancel-payment-in-assignment", "CancelPaymentInAssignment"
    names = {"externalPaymentNo": "BANK-1", "documentNo": document.document_no, "reason": "mistake"}
    steps = performed(site, client, path, name, names)
    assert kinds(steps) == [
        "PaymentEx",
        "DocumentEx",
        "PaymentDocumentsEx",
        "DocumentPaymentsEx",
        "PaymentHistoryEx",
    ]
    assert steps[0]["object"]["remainingAmount"] == 50 * UNIT
    assert (steps[1]["object"]["dueAmount"], steps[1]["object"]["state"]) == (100 * UNIT, "OPEN")
    assert steps[2]["object"]["monetaryTransaction"]["cancelReason"] == "mistake"
    assert codes(client.post(path, json={"requestId": "r-2"} | names)) == [("ASSIGNMENT_NOT_FOUND", "/documentRefId")]


def test_one_assignment_is_cancelled_by_the_id_of_its_monetary_transaction(site, client):
    payer = site.desk.account("A-1")
    payment, document = site.desk.payment(account=payer), site.desk.document(account=payer)
    site.desk.assign(payment, document, 20 * UNIT)
    link = site.desk.assign(payment, document, 5 * UNIT).steps[2].object
    path, name = "/v1/rm/payments/cancel-payment-in-assignment", "CancelPaymentInAssignment"
    body = {"account": {"externalId": "A-1"}, "reason": "mistake"}
    body |= {"monetaryTransactionRefId": str(link.monetary_transaction.ref_id)}
    steps = performed(site, client, path, name, body)
    assert (steps[0]["object"]["remainingAmount"], steps[1]["object"]["dueAmount"]) == (30 * UNIT, 80 * UNIT)
    told = steps[2]["object"]["monetaryTransaction"]
    assert (told["refId"], told["cancelled"], told["amount"]) == (body["monetaryTransactionRefId"], True, 5 * UNIT)
    assert steps[4]["object"]["refDocumentRefId"] == str(document.ref_id)
    again = client.post(path, json={"requestId": "r-2"} | body)
    assert codes(again) == [("SETTLEMENT_NOT_FOUND", "/monetaryTransactionRefId")]
    other = {"account": {"externalId": site.desk.account("A-2").external_id}}
    assert codes(client.post(path, json={"requestId": "r-3"} | body | other)) == [
        ("SETTLEMENT_NOT_FOUND", "/monetaryTransactionRefId")
    ]


def test_a_cancelled_identification_answers_the_payment_without_an_account(site, client):
    payment = site.desk.payment(account=site.desk.account("A-1"))
    steps = performed(
        site,
        client,
        "/v1/rm/payments/cancel-payment-in-identification",
        "CancelPaymentInIdentification",
        {"account": {"externalId": "A-1"}, "paymentNo": payment.payment_no, "reason": "mistake"},
    )
    assert kinds(steps) == ["PaymentEx", "PaymentHistoryEx"]
    assert steps[0]["object"]["account"] is None


def test_a_cancelled_payment_answers_the_payment_with_the_reason(site, client):
    payment = site.desk.payment()
    path, body = "/v1/rm/payments/cancel-payment", {"paymentRefId": str(payment.ref_id), "reason": "mistake"}
    steps = performed(site, client, path, "CancelPayment", body)
    assert kinds(steps) == ["PaymentEx", "PaymentHistoryEx"]
    told = steps[0]["object"]
    assert (told["cancelled"], told["cancelReason"], told["cancelledAt"]) == (
        True,
        "mistake",
        "2024-05-14T10:00:00.000000Z",
    )
    assert client.get("/v1/rm/payments?cancelled=true").json()["items"] == [told]


def test_a_cancelled_document_answers_the_document_and_may_not_be_cancelled_again(site, client):
    site.desk.document(account=site.desk.account("A-1"), external_document_no="X-1")
    path, body = "/v1/rm/documents/cancel-document", {"externalDocumentNo": "X-1", "reason": "mistake"}
    steps = performed(site, client, path, "CancelDocument", body)
    assert kinds(steps) == ["DocumentEx"]
    assert (steps[0]["object"]["state"], steps[0]["object"]["cancelReason"]) == ("CANCELLED", "mistake")
    assert codes(client.post(path, json={"requestId": "r-2"} | body)) == [("DOCUMENT_CANCELLED", "/documentRefId")]


def test_an_adjustment_is_a_new_event_that_points_at_the_original(site, client):
    event = site.desk.event(account=site.desk.account("A-1"))
    steps = performed(
        site,
        client,
        "/v1/rm/billing-invoicing/adjust-chargeable-event",
        "AdjustChargeableEvent",
        {
            "chargeableEventRefId": str(event.ref_id),
            "chargeType": "CREDIT",
            "chargeAdjustment": 1_210_000,
            "currency": "EUR",
            "taxIncluded": True,
        },
    )
    assert kinds(steps) == ["ChargeableEventEx"]
    told = steps[0]["object"]
    assert (told["charge"], told["tax"], told["chargeWithTax"]) == (-1_000_000, -210_000, -1_210_000)
    assert told["originalRefId"] == str(event.ref_id)


def test_the_invoicing_flag_answers_the_payer_and_nothing_where_nothing_changed(site, client):
    site.desk.account("A-1")
    path, name = "/v1/rm/payer/update-invoicing-flag", "UpdatePayer"
    body = {"account": {"externalId": "A-1"}, "invoicingExcluded": True}
    assert kinds(performed(site, client, path, name, body)) == ["PayerEx"]
    assert performed(site, client, path, name, body | {"requestId": "r-2"}) == []


def test_a_payer_is_changed_by_what_is_in_the_body_and_by_nothing_else(site, client):
    site.desk.account("A-1")
    path, name, who = "/v1/rm/payer/update-payer", "UpdatePayer", {"account": {"externalId": "A-1"}}
    body = who | {"paymentMethod": "cash", "iban": "ES1", "paymentRef2": "2"}
    assert kinds(performed(site, client, path, name, body)) == ["PayerEx"]
    (step,) = performed(site, client, path, name, who | {"requestId": "r-2", "iban": None, "bic": "B"})
    told = step["object"]
    assert (told["refId"], told["accountType"]) == (told["account"]["refId"], "payer")
    details = {
        "bankAccountNumberDirectDebit": "1",
        "bankNumberCodeDirectDebit": "2",
        "bankAccountNumberDirectDebitProvider": "3",
        "bankNumberCodeDirectDebitProvider": "4",
        "invoicingExcluded": True,
        "invoicingExcludedTo": "2999-12-31T00:00:00.000000Z",
        "dueDateOffset": 0,
    }
    (step,) = performed(site, client, path, name, who | {"requestId": "r-5"} | details)
    assert step["object"] == told | details | {"version": told["version"] + 1}
    assert (told["paymentMethod"], told["iban"], told["bic"], told["paymentRef2"]) == ("cash", None, "B", "2")
    assert performed(site, client, path, name, who | {"requestId": "r-3", "deliveryMethod": None}) == []
    wrong = {"requestId": "r-4", "account": {}, "iban": 7, "bic": "", "paymentMethod": ["cash"]}
    wrong |= {"invoicingExcluded": None, "dueDateOffset": 3651}
    assert codes(client.post(path, json=wrong)) == [
        ("TYPE_WRONG", "/paymentMethod"),
        ("TYPE_WRONG", "/invoicingExcluded"),
        ("VALUE_OUT_OF_RANGE", "/dueDateOffset"),
        ("TYPE_WRONG", "/iban"),
        ("LENGTH_OUT_OF_RANGE", "/bic"),
    ]


@pytest.mark.parametrize("offset", [0, 30, 3650])
def test_the_due_date_offset_answers_the_payer(site, client, offset):
    site.desk.account("A-1")
    body = {"account": {"externalId": "A-1"}, "dueDateOffset": offset, "documentType": "genericInvoice"}
    path, name = "/v1/rm/payer/update-due-date-offset", "UpdateDueDateOffset"
    steps = performed(site, client, path, name, body)
    assert kinds(steps) == ["PayerEx"]
    assert steps[0]["object"]["dueDateOffsets"] == {"genericInvoice": offset}
    assert performed(site, client, path, name, body | {"requestId": "r-2", "dueDateOffset": None})


def test_a_created_document_is_due_after_the_payers_offset(site, client):
    site.desk.account("A-1")
    steps = performed(
        site,
        client,
        "/v1/rm/documents/create-any-document",
        "CreateAnyDocument",
        {
            "account": {"externalId": "A-1"},
            "documentType": "genericInvoice",
            "documentIssuedDate": "2024-05-14",
            "currency": "EUR",
            "amount": 100 * UNIT,
            "taxIncluded": False,
            "tax": "vat21",
        },
    )
    assert kinds(steps) == ["DocumentEx"]
    told = steps[0]["object"]
    assert (told["documentDueDate"], told["totalAmountNet"], told["state"]) == ("2024-05-28", 121 * UNIT, "OPEN")
    assert (told["recommendedPaymentDate"], told["totalInvoiced"]) == ("2024-05-28", 121 * UNIT)


DOCUMENTED = {
    "documentCode": "INV-B2C",
    "documentName": "Invoice of May",
    "paymentMethod": "cash",
    "deliveryMethod": "mail",
    "billingPeriodStart": "2024-05-01",
    "billingPeriodEnd": "2024-05-31",
    "customAttributes": {"contract/no": "C~7", "größe": "✓"},
}


def test_a_document_has_what_is_documented_and_the_rest_from_its_payer(site, client):
    payer = site.desk.account("A-1", customer="C-77")
    site.desk.update_payer(payer, payment_method="bankTransfer", delivery_method="letter")
    path, name = "/v1/rm/documents/create-any-document", "CreateAnyDocument"
    body = {
        "account": {"externalId": "A-1"},
        "documentType": "genericInvoice",
        "currency": "EUR",
        "amount": 100 * UNIT,
        "taxIncluded": True,
    }
    (step,) = performed(site, client, path, name, body | DOCUMENTED | {"documentCategory": "GENERIC_INVOICE"})
    assert step["object"].items() >= {**DOCUMENTED, "customer": "C-77"}.items()
    told = list(site.store.outbox.values())[-1].payload
    assert (told.code, told.payment_method) == ("documentCreated", "cash")
    assert (told.billing_period_start, told.billing_period_end) == (dt.date(2024, 5, 1), dt.date(2024, 5, 31))
    (plain,) = performed(site, client, path, name, body | {"requestId": "r-2"})
    left_out = dict.fromkeys(DOCUMENTED) | {"paymentMethod": "bankTransfer", "deliveryMethod": "letter"}
    assert plain["object"].items() >= left_out.items()


def test_custom_attributes_are_bounded_texts_and_every_failure_is_told_at_its_name(site, client):
    site.desk.account("A-1")
    body = {"requestId": "r-1", "documentType": "genericInvoice", "currency": "EUR", "amount": 1, "taxIncluded": True}

    def failures(attributes):
        answer = client.post("/v1/rm/documents/create-any-document", json=body | {"customAttributes": attributes})
        return [(code, field.removeprefix("/customAttributes")) for code, field in codes(answer)]

    assert failures([]) == [("TYPE_WRONG", "")]
    assert failures({"a": 1, "b/c": "", "": "x", "d": "x\0", " e": "x", "f": None}) == [
        ("TYPE_WRONG", "/a"),
        ("LENGTH_OUT_OF_RANGE", "/b~1c"),
        ("LENGTH_OUT_OF_RANGE", "/"),
        ("TEXT_NOT_ALLOWED", "/d"),
        ("TEXT_NOT_ALLOWED", "/ e"),
        ("TYPE_WRONG", "/f"),
    ]
    assert failures({str(n): "x" for n in range(51)}) == [("LENGTH_OUT_OF_RANGE", "")]
    assert failures({"n" * 60: "x" * 256, "n" * 61: "x" * 255}) == [
        ("LENGTH_OUT_OF_RANGE", "/" + "n" * 60),
        ("LENGTH_OUT_OF_RANGE", "/" + "n" * 61),
    ]


def test_a_payment_responsible_account_comes_with_its_payer_and_a_technical_one_does_not(site, client):
    path, name = "/v1/casm/account/create-account", "CreateAccount"
    account = {"externalId": "A-1", "accountType": "payer", "currency": "EUR"}
    assert kinds(performed(site, client, path, name, account)) == ["AccountEx", "PayerEx"]
    technical = {"requestId": "r-2", "accountType": "technical", "currency": "EUR", "parent": {"externalId": "A-1"}}
    assert kinds(performed(site, client, path, name, technical)) == ["AccountEx"]


def test_an_accounts_state_answers_the_account(site, client):
    site.desk.account("A-1")
    body = {"account": {"externalId": "A-1"}, "state": "SUSPENDED"}
    steps = performed(site, client, "/v1/casm/account/update-account-state", "UpdateAccountState", body)
    assert [(s["objectType"], s["object"]["state"], s["object"]["version"]) for s in steps] == [
        ("AccountEx", "SUSPENDED", 2)
    ]


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "externalId": f"E-{number}",
        "account": {"externalId": "A-1"},
        "eventType": "call",
        "eventDate": RECEIVED,
        "charge": 10,
        "tax": 2,
        "chargeWithTax": 12,
        "currency": "EUR",
        "taxRate": 2100,
    } | changes


def test_a_thousand_events_are_taken_at_once_and_one_more_is_refused(site, client):
    site.desk.account("A-1")
    path = "/v1/charging/chargeable-events"
    steps = performed(site, client, path, "FeedChargeableEvents", {"events": [event(n) for n in range(1000)]})
    assert kinds(steps) == ["ChargeableEventEx"] * 1000
    assert [s["seqno"] for s in steps] == list(range(1, 1001))
    refused = client.post(path, json={"requestId": "r-2", "events": [event(n) for n in range(2000, 3001)]})
    assert [(e["code"], e["field"]) for e in refused.json()["errors"]] == [("LENGTH_OUT_OF_RANGE", "/events")]


def test_failures_of_a_feed_point_at_their_events(site, client):
    site.desk.account("A-1")
    wrong = [event(1), event(2, tax=3), event(3, account={"externalId": "A-9"}, currency="XXX")]
    refused = client.post("/v1/charging/chargeable-events", json={"requestId": "r-1", "events": wrong})
    assert [(e["code"], e["field"]) for e in refused.json()["errors"]] == [
        ("AMOUNTS_DISAGREE", "/events/1/tax"),
        ("ACCOUNT_NOT_FOUND", "/events/2/account"),
        ("CURRENCY_NOT_CONFIGURED", "/events/2/currency"),
    ]


def test_a_collection_run_is_answered_at_once_with_the_run(site, client):
    site.desk.account("A-1")
    path = "/v1/rm/processes/calculate-collection-balance"
    response = client.post(path, json={"requestId": "r-1", "dryRun": True})
    assert response.status_code == 200
    (step,) = response.json()
    ref_id = step["object"]["refId"]
    assert step == {
        "name": "CalculateCollectionBalance",
        "seqno": 1,
        "objectType": "ProcessRunEx",
        "object": {
            "refId": ref_id,
            "process": "calculate-collection-balance",
            "state": "RUNNING",
            "asOf": "2024-05-14T10:00:00.000000Z",
            "asOfDay": None,
            "dryRun": True,
            "startedAt": "2024-05-14T10:00:00.000000Z",
            "finishedAt": None,
            "progressedAt": None,
            "payersPerSecond": None,
            "secondsLeft": None,
            "slicesTotal": 1,
            "slicesDone": 0,
            "payersTotal": 1,
            "payersDone": 0,
            "payersFailed": 0,
            "payersPassedOver": 0,
            "collectionsStarted": 0,
            "collectionsEnded": 0,
            "failures": [],
            "collections": [],
        },
    }


def test_a_run_that_is_cancelled_is_answered_as_it_ended_and_reads_so(site, client):
    site.desk.account("A-1")
    (started,) = client.post(
        "/v1/rm/processes/calculate-collection-balance", json={"requestId": "r-1", "dryRun": True}
    ).json()
    ref_id = started["object"]["refId"]
    cancel = {"requestId": "r-2", "user": "jana", "refId": ref_id}
    (step,) = client.post("/v1/rm/processes/cancel-process-run", json=cancel).json()
    assert (step["name"], step["objectType"]) == ("CancelProcessRun", "ProcessRunEx")
    assert step["object"] == started["object"] | {
        "state": "CANCELLED",
        "finishedAt": "2024-05-14T10:00:00.000000Z",
    }
    assert client.get(f"/v1/rm/processes/runs/{ref_id}").json() == step["object"]
    again = client.post("/v1/rm/processes/cancel-process-run", json=cancel | {"requestId": "r-3"})
    assert codes(again) == [("RUN_NOT_RUNNING", "/refId")]


def test_every_command_of_the_catalogue_is_in_the_table():
    commands = [name for name, cls in catalogue.operations().items() if issubclass(cls, UseCase)]
    assert sorted(operation.name for operation in OPERATIONS) == commands


def test_every_command_has_a_path_and_a_privilege_of_its_own():
    assert len(OPERATIONS) == len({o.path for o in OPERATIONS}) == len({o.privilege for o in OPERATIONS})


def test_the_caller_is_who_did_it_where_no_user_is_named(site, client):
    site.desk.account("A-1")
    body = {
        "requestId": "r-1",
        "paymentAmount": UNIT,
        "currency": "EUR",
        "paymentMethod": "cash",
        "paymentDateReceived": RECEIVED,
    }
    first = client.post("/v1/rm/payments/register-payment", json=body).json()
    second = client.post("/v1/rm/payments/register-payment", json=body | {"requestId": "r-2", "user": "jana"}).json()
    assert [steps[1]["object"]["createdBy"] for steps in (first, second)] == ["crm", "jana"]
