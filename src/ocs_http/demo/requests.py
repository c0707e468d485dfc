"""The use-cases as requests to the demonstration's ledger."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import attrs

from ocs_core.messages import format_instant
from ocs_http.auth import API_KEY, APPLICATION_ID
from ocs_http.demo.site import APPLICATION, Site
from ocs_http.operations import OPERATIONS

PAYMENT = "$PAYMENT"
"""Stands for the payment's refId, which is known once it is registered."""
_PATHS = {operation.name: operation.path for operation in OPERATIONS}


@attrs.frozen
class Try:
    """One use-case to try: what it shows, and its request. `publishes` are the codes of messages that follow; `keeps`: the
    refId of its answer is to be kept, under this name of a variable."""

    title: str
    operation: str
    body: Mapping[str, Any]
    publishes: tuple[str, ...]
    keeps: str | None = None

    @property
    def path(self) -> str:
        return _PATHS[self.operation]

    def curl(self, url: str, key: str) -> str:
        """The request as a command for a shell, which prints the answer."""
        headers = headers_with(key) | {"Content-Type": "application/json"}
        lines = [f"curl -s {url}{self.path}", *(f"-H '{name}: {value}'" for name, value in headers.items())]
        command = " \\\n  ".join([*lines, f"-d '{self._text}'"])
        if self.keeps is None:
            return command
        return f"""{self.keeps}=$({command} \\\n  | tee /dev/stderr | sed -n 's/.*"refId": "\\(.*\\)".*/\\1/p' | head -n 1)"""

    def body_with(self, kept: Mapping[str, str]) -> Any:
        """The body with what was kept of answers before."""
        text = json.dumps(self.body)
        for name, value in kept.items():
            text = text.replace(f"${name}", value)
        return json.loads(text)

    @property
    def _text(self) -> str:
        return json.dumps(self.body).replace(PAYMENT, f"'\"{PAYMENT}\"'")


def headers_with(key: str) -> dict[str, str]:
    """The headers that let the demonstration in."""
    return {API_KEY: key, APPLICATION_ID: APPLICATION}


def trials(site: Site) -> tuple[Try, ...]:
    """One request for each use-case; the payment ends on its invoice."""
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
            keeps="PAYMENT",
        ),
        Try(
            f"Assign the payment to the invoice {invoice.external_document_no}: nothing of either is left open",
            "AssignPaymentInToDocument",
            {
                "requestId": "try-assign-payment-in-to-document",
                "paymentRefId": PAYMENT,
                "documentRefId": str(invoice.ref_id),
                "amount": invoice.due_amount,
                "currency": invoice.currency,
            },
            ("payment", "document", "paymentHistory", "documentOpenBalanceChanged"),
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
