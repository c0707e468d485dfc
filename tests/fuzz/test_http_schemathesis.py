"""schemathesis against the running application: whatever the document allows and forbids is answered as it says."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi

from ocs_core.entities.account import Account
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_http.operations import OPERATIONS
from tests.unit.http.conftest import KEY, Site, headers_of

CONFORMANCE = [
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.response_headers_conformance,
]
REFUSALS = [
    openapi.negative_data_rejection,
    openapi.missing_required_header,
    openapi.unsupported_method,
    openapi.allow_header_conformance,
]
SITE = Site()
EXAMPLES = {operation.path.rsplit("/", 1)[1]: operation.example for operation in OPERATIONS}
schema = schemathesis.openapi.from_asgi("/openapi.json", SITE.app())
bounded = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
answered: defaultdict[str, set[int]] = defaultdict(set)


@schema.parametrize()
@bounded
def test_every_operation_answers_as_the_document_says(case):
    case.query = _plain(case.query)
    case.call_and_validate(headers=headers_of(KEY, "crm"), checks=CONFORMANCE + REFUSALS)


@schema.parametrize()
@bounded
def test_every_operation_on_things_that_exist_answers_as_the_document_says(case):
    known = things_that_exist(case.operation.path)
    if isinstance(case.body, dict):
        case.body |= known | {"requestId": SITE.desk.request_id()}
    case.query = {name: known.get(name, value) for name, value in _plain(case.query).items()}
    case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    response = case.call_and_validate(headers=headers_of(KEY, "crm"), checks=CONFORMANCE)
    answered[case.operation.path].add(response.status_code)


def _plain(query):
    """Without `expand`: the document describes the plain form."""
    return {name: value for name, value in (query or {}).items() if name != "expand"}


def _a_run():
    """A dry run that goes on; those before it end, for only so many may."""
    for run in SITE.services().queries.running():
        SITE.desk.cancel_run(run.ref_id)
    return str(SITE.desk.start_run(dry_run=True).ref_id)


def test_on_things_that_exist_every_operation_succeeded():
    if len(answered) < len(schema):
        pytest.skip("the tests above did not all run in this process")
    assert [path for path, statuses in answered.items() if 200 not in statuses] == []


def things_that_exist(path: str) -> dict[str, Any]:
    """Values, made for this call, with which the operation finds what it is about."""
    desk = SITE.desk
    number = desk.request_id()
    account = desk.account(number)
    named = {"account": {"externalId": number}}
    fields = {
        "register-payment": lambda: {"currency": "EUR", "paymentMethod": "bankTransfer", "paymentAmount": 49_900_000},
        "identify-payment-in": lambda: named | {"paymentRefId": str(desk.payment().ref_id)},
        "assign-payment-in-to-document": lambda: {
            "account": None,
            "paymentRefId": str(desk.payment(account=account).ref_id),
            "documentRefId": str(desk.document(account=account).ref_id),
            "amount": 10_000,
            "currency": "EUR",
        },
        "cancel-payment-in-assignment": lambda: assigned(account) | {"account": None, "reason": "mistake"},
        "cancel-payment-in-identification": lambda: payment_names(account) | {"account": None, "reason": "mistake"},
        "cancel-payment": lambda: payment_names(account) | {"account": None, "reason": "mistake"},
        "cancel-document": lambda: document_names(account) | {"account": None, "reason": "mistake"},
        "adjust-chargeable-event": lambda: {
            "account": None,
            "chargeableEventRefId": str(desk.event(account=account).ref_id),
            "chargeAdjustment": 1,
            "currency": "EUR",
        },
        "update-invoicing-flag": lambda: named,
        "update-due-date-offset": lambda: named | {"documentType": None},
        "update-payer": lambda: named | {"paymentMethod": "cash"},
        "update-account-state": lambda: named,
        "create-any-document": lambda: (
            named | {"documentType": "genericInvoice", "currency": "EUR", "tax": None, "amount": 10_000}
        ),
        "create-account": lambda: {"accountType": "payer", "currency": "EUR", "parent": None},
        "calculate-collection-balance": lambda: {
            "accounts": [named["account"]],
            "asOf": None,
            "dryRun": True,
            "failedOf": None,
        },
        "cancel-process-run": lambda: {"refId": _a_run()},
        "chargeable-events": lambda: {
            "events": [dict(EXAMPLES["chargeable-events"]["events"][0]) | named | {"externalId": None}]
        },
        "read-collection-balance": lambda: {"refId": str(account.ref_id), "externalId": number},
        "read-open-balance": lambda: {"refId": str(account.ref_id), "externalId": number},
        "{refId}": lambda: {"refId": _a_run()},
    }
    return fields.get(path.rsplit("/", 1)[1], dict)()


def payment_names(account: Account) -> dict[str, Any]:
    """All names of a payment."""
    number = SITE.desk.request_id()
    payment = SITE.desk.payment(account=account, external_payment_no=number)
    return {"paymentRefId": str(payment.ref_id), "paymentNo": payment.payment_no, "externalPaymentNo": number}


def document_names(account: Account) -> dict[str, Any]:
    """All names of a document."""
    number = SITE.desk.request_id()
    document = SITE.desk.document(account=account, external_document_no=number)
    return {"documentRefId": str(document.ref_id), "documentNo": document.document_no, "externalDocumentNo": number}


def assigned(account: Account) -> dict[str, Any]:
    """All names of a payment and of the document that it is assigned to."""
    names = payment_names(account) | document_names(account)
    request = AssignPaymentInToDocumentRequest(
        request_id=SITE.desk.request_id(),
        payment_ref_id=UUID(names["paymentRefId"]),
        document_ref_id=UUID(names["documentRefId"]),
        amount=10_000,
        currency="EUR",
    )
    SITE.desk.perform(AssignPaymentInToDocument, request)
    return names
