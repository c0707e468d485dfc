"""What taking a ledger over needs to know beside the file, and what it tells."""

import datetime as dt
from collections import Counter

import attrs

from ocs_adapters.files.table import Problem
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import DueAmountType


@attrs.frozen(kw_only=True)
class Terms:
    """What the file does not say."""

    currency: str
    as_of: dt.date
    account_type: str = "payer"
    document_type: str = "genericInvoice"
    payment_method: str = "bankTransfer"
    silent: bool = False
    """Payments and settlements are not notified."""


@attrs.define
class TakenOver:
    """What became of the rows: accounts, documents and payments that are new, or were there as the file says."""

    new: Counter[str] = attrs.field(factory=Counter)
    unchanged: Counter[str] = attrs.field(factory=Counter)
    left_out: int = 0
    refused: list[Problem] = attrs.field(factory=list)
    conflicts: list[Problem] = attrs.field(factory=list)

    def add(self, other: "TakenOver") -> None:
        self.new += other.new
        self.unchanged += other.unchanged
        self.left_out += other.left_out
        self.refused += other.refused
        self.conflicts += other.conflicts


def lacking(configuration: Configuration, terms: Terms) -> list[str]:
    """What the terms need and the configuration does not have, as sentences."""
    account_type = configuration.account_types.get(terms.account_type)
    document_type = configuration.document_types.get(terms.document_type)
    found = {
        f"the currency {terms.currency}": terms.currency in configuration.currencies,
        f"the account type {terms.account_type}, payment responsible": account_type is not None
        and account_type.payment_responsible
        and not account_type.disabled,
        f"the document type {terms.document_type}, of documents that the payer owes": document_type is not None
        and document_type.due_amount_type is not DueAmountType.LIABILITY,
        f"the payment method {terms.payment_method}": terms.payment_method in configuration.payment_methods,
    }
    return [what for what, there in found.items() if not there]
