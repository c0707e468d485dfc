"""A body of every command, as it would be with the example configuration. Amounts are in millionths."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

Example = Mapping[str, Any]
ACCOUNT: Final = {"externalId": "A-1001"}

CREATE_ACCOUNT: Final[Example] = {
    "requestId": "crm-2024-05-14-000001",
    "user": "jana",
    "externalId": "A-1001",
    "accountType": "payer",
    "currency": "EUR",
    "customer": "C-77",
    "billCycle": "monthly",
}
UPDATE_ACCOUNT_STATE: Final[Example] = {
    "requestId": "crm-2024-05-14-000002",
    "account": ACCOUNT,
    "state": "SUSPENDED",
}
CREATE_ANY_DOCUMENT: Final[Example] = {
    "requestId": "billing-2024-05-14-000003",
    "account": ACCOUNT,
    "documentType": "genericInvoice",
    "externalDocumentNo": "2024-0001",
    "documentIssuedDate": "2024-05-14",
    "currency": "EUR",
    "amount": 49_900_000,
    "taxIncluded": True,
    "paymentRef1": "20240001",
    "billingPeriodStart": "2024-04-01",
    "billingPeriodEnd": "2024-04-30",
    "customAttributes": {"contract": "C-77"},
}
REGISTER_PAYMENT: Final[Example] = {
    "requestId": "bank-2024-05-14-000004",
    "account": ACCOUNT,
    "externalPaymentNo": "BANK-0001",
    "paymentAmount": 49_900_000,
    "currency": "EUR",
    "paymentMethod": "bankTransfer",
    "paymentDateReceived": "2024-05-14T07:15:00Z",
    "paymentRef1": "20240001",
    "iban": "ES9121000418450200051332",
}
IDENTIFY_PAYMENT_IN: Final[Example] = {
    "requestId": "crm-2024-05-14-000005",
    "account": ACCOUNT,
    "paymentRefId": "018f7628-0fb0-7cc0-8000-000000000007",
}
ASSIGN_PAYMENT_IN_TO_DOCUMENT: Final[Example] = {
    "requestId": "crm-2024-05-14-000006",
    "paymentRefId": "018f7628-0fb0-7cc0-8000-000000000007",
    "documentRefId": "018f7628-0fb0-7cc0-8000-000000000003",
    "amount": 49_900_000,
    "currency": "EUR",
}
CANCEL_PAYMENT_IN_ASSIGNMENT: Final[Example] = {
    "requestId": "crm-2024-05-14-000012",
    "account": ACCOUNT,
    "monetaryTransactionRefId": "018f7628-0fb0-7cc0-8000-000000000009",
    "reason": "mistake",
}
CANCEL_PAYMENT_IN_IDENTIFICATION: Final[Example] = {
    "requestId": "crm-2024-05-14-000013",
    "account": ACCOUNT,
    "externalPaymentNo": "BANK-0001",
    "reason": "mistake",
}
CANCEL_PAYMENT: Final[Example] = {
    "requestId": "crm-2024-05-14-000014",
    "paymentNo": "P0000000001",
    "reason": "bankRefused",
}
CANCEL_DOCUMENT: Final[Example] = {
    "requestId": "billing-2024-05-14-000015",
    "account": ACCOUNT,
    "externalDocumentNo": "2024-0001",
    "reason": "mistake",
}
FEED_CHARGEABLE_EVENTS: Final[Example] = {
    "requestId": "rating-2024-05-14-000007",
    "events": [
        {
            "externalId": "EDR-1",
            "account": ACCOUNT,
            "eventType": "call",
            "eventDate": "2024-05-13T18:02:11Z",
            "charge": 1_000_000,
            "tax": 210_000,
            "chargeWithTax": 1_210_000,
            "currency": "EUR",
            "taxRate": 2100,
        }
    ],
}
ADJUST_CHARGEABLE_EVENT: Final[Example] = {
    "requestId": "crm-2024-05-14-000008",
    "chargeableEventRefId": "018f7628-0fb0-7cc0-8000-00000000000b",
    "chargeType": "CREDIT",
    "chargeAdjustment": 605_000,
    "currency": "EUR",
    "taxIncluded": True,
}
UPDATE_INVOICING_FLAG: Final[Example] = {
    "requestId": "crm-2024-05-14-000009",
    "account": ACCOUNT,
    "invoicingExcluded": True,
    "invoicingExcludedTo": "2999-12-31T00:00:00Z",
}
UPDATE_DUE_DATE_OFFSET: Final[Example] = {
    "requestId": "crm-2024-05-14-000010",
    "account": ACCOUNT,
    "dueDateOffset": 30,
    "documentType": "genericInvoice",
}
UPDATE_PAYER: Final[Example] = {
    "requestId": "crm-2024-05-14-000016",
    "account": ACCOUNT,
    "paymentMethod": "bankTransfer",
    "invoicingExcluded": True,
    "invoicingExcludedTo": "2999-12-31T00:00:00Z",
    "dueDateOffset": None,
    "iban": "ES9121000418450200051332",
    "bankAccountNumberDirectDebit": "0200051332",
    "bankNumberCodeDirectDebit": "2100",
    "paymentRef1": None,
}
CALCULATE_COLLECTION_BALANCE: Final[Example] = {
    "requestId": "operations-2024-05-14-000011",
    "dryRun": True,
}

CANCEL_PROCESS_RUN: Final[Example] = {
    "requestId": "operations-2024-05-14-000012",
    "refId": "018f768b-6d00-7000-8000-000000000016",
}

PROBLEM: Final[Example] = {
    "type": "urn:ocs-rm:problem:request-validation-failed",
    "title": "Request validation failed",
    "status": 400,
    "detail": "The request has 2 failures.",
    "errors": [
        {
            "code": "ACCOUNT_NOT_FOUND",
            "field": "/account",
            "message": "There is no account with externalId A-1001.",
        },
        {
            "code": "AMOUNT_TOO_FINE",
            "field": "/paymentAmount",
            "message": "EUR is paid in steps of 10000 millionths.",
        },
    ],
}


def problem(status: int, detail: str) -> Example:
    """A refusal with that status."""
    if status == 400:
        return dict(PROBLEM)
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "errors": []}
