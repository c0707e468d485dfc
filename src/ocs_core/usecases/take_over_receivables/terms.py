"""What taking a ledger over needs to know beside the file."""

import datetime as dt
from collections.abc import Mapping

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import DueAmountType
from ocs_core.frozen import frozen_mappings
from ocs_core.usecases.take_over_receivables.words import Meaning


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Terms:
    """How a file is to be read and taken over. With the same terms, the same bytes are the same take-over."""

    as_of: dt.date
    currency: str | None = None
    signs: Mapping[str, str] = attrs.field(factory=dict)
    """The code that is meant by a sign or a word of the currency column, in small letters."""
    encoding: str | None = None
    columns: Mapping[str, str] = attrs.field(factory=dict)
    ignored: tuple[str, ...] = ()
    date_format: str | None = None
    decimal_separator: str | None = None
    decimal_places: int | None = None
    statuses: Mapping[str, Meaning] = attrs.field(factory=dict)
    types: Mapping[str, Meaning] = attrs.field(factory=dict)
    add_up: bool = False
    """Rows with one number are added up: one row for each line of an invoice."""
    repeated: tuple[str, ...] | None = None
    """The amounts that are of the whole invoice and stand in each of its rows; None where nobody said."""
    keep_good: bool = False
    """Rows that cannot be taken over are left out; otherwise they keep the whole file from it."""
    account_type: str = "payer"
    document_type: str = "genericInvoice"
    credit_type: str = "creditNote"
    payment_method: str = "bankTransfer"
    notify: bool = False
    """Customers are notified of documents, payments and settlements as if they happened now."""


def lacking(configuration: Configuration, terms: Terms, *, credits: bool = False) -> list[str]:
    """What the terms need and the configuration does not have, as sentences."""
    account_type = configuration.account_types.get(terms.account_type)
    found = {
        f"the currency {terms.currency}": terms.currency is None or terms.currency in configuration.currencies,
        f"the account type {terms.account_type}, payment responsible": account_type is not None
        and account_type.payment_responsible
        and not account_type.disabled,
        f"the document type {terms.document_type}, of documents that the payer owes": _allows(
            configuration, terms.document_type, DueAmountType.AR
        ),
        f"the document type {terms.credit_type}, of documents that the provider owes (--credit-type)": not credits
        or _allows(configuration, terms.credit_type, DueAmountType.LIABILITY),
        f"the payment method {terms.payment_method}": terms.payment_method in configuration.payment_methods,
    }
    return [what for what, there in found.items() if not there]


def _allows(configuration: Configuration, code: str, due_amount_type: DueAmountType) -> bool:
    document_type = configuration.document_types.get(code)
    return document_type is not None and document_type.due_amount_type in {None, due_amount_type}
