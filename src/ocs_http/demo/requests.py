"""The five use-cases as requests to the demonstration's ledger."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import attrs

from ocs_core.messages import format_instant
from ocs_http.auth import API_KEY, APPLICATION_ID
from ocs_http.demo.site import APPLICATION, Site
from ocs_http.operations import OPERATIONS

_PATHS = {operation.name: operation.path for operation in OPERATIONS}


@attrs.frozen
class Try:
    """One use-case to try: what it shows, and its request. `publishes` are the codes of messages that follow."""

    title: str
    operation: str
    body: Mapping[str, Any]
    publishes: tuple[str, ...]

    @property
    def path(self) -> str:
        return _PATHS[self.operation]

    def curl(self, url: str, key: str) -> str:
        """The request as a command that can be pasted."""
        headers = headers_with(key) | {"Content-Type": "application/json"}
        lines = [f"curl -s {url}{self.path}", *(f"-H '{name}: {value}'" for name, value in headers.items())]
        return " \\\n  ".join([*lines, f"-d '{json.dumps(self.body)}'"])


def headers_with(key: str) -> dict[str, str]:
    """The headers that let the demonstration in."""
    return {API_KEY: key, APPLICATION_ID: APPLICATION}


def five(site: Site) -> tuple[Try, ...]:
    """One request for each use-case."""
    highlights = site.highlights
    invoice, account = highlights.open_invoice, {"externalId": highlights.account}
    now = site.platform.services.clock()
    return (
        Try(
            f"Register a payment of {highlights.account} for its invoice {invoice.external_document_no}",
            "RegisterPayment",
            {
                "requestId": "try-register-payment",
                "account": account,
                "externalPaymentNo": "BANK-9001",
                "paymentAmount": invoice.due_amount,
                "currency": invoice.currency,
                "paymentMethod": "bankTransfer",
                "paymentDateReceived": format_instant(now - dt.timedelta(minutes=5)),
                "paymentRef1": invoice.payment_ref1,
            },
            ("payment", "paymentHistory", "paymentHistory", "paymentReceived"),
        ),
        Try(
            "Adjust a chargeable event: credit 0.05 EUR of a charge, tax included",
            "AdjustChargeableEvent",
            {
                "requestId": "try-adjust-chargeable-event",
                "chargeableEventRefId": str(highlights.chargeable_event),
                "chargeType": "CREDIT",
                "chargeAdjustment": 50_000,
                "currency": invoice.currency,
                "taxIncluded": True,
            },
            ("chargeableEvent",),
        ),
        Try(
            f"Update the invoicing flag: {highlights.account} is not invoiced for thirty days",
            "UpdateInvoicingFlag",
            {
                "requestId": "try-update-invoicing-flag",
                "account": account,
                "invoicingExcluded": True,
                "invoicingExcludedTo": format_instant(now + dt.timedelta(days=30)),
            },
            ("payer",),
        ),
        Try(
            f"Update the due date offset: invoices of {highlights.account} are due after 30 days",
            "UpdateDueDateOffset",
            {
                "requestId": "try-update-due-date-offset",
                "account": account,
                "dueDateOffset": 30,
                "documentType": "genericInvoice",
            },
            ("payer",),
        ),
        Try(
            "Calculate collection balances of every payer, and start collection where it is due",
            "CalculateCollectionBalance",
            {"requestId": "try-calculate-collection-balance"},
            ("collectionBalanceCalculated", "collectionStart", "payer"),
        ),
    )
