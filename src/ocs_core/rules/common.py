"""Rules about requests, currencies and amounts."""

import datetime as dt

import attrs

from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.form import wire_name
from ocs_core.money import format_amount, is_whole_minor_units, minor_unit
from ocs_core.performed import Performed
from ocs_core.rules.rule import rule

ANSWERS_KEPT = dt.timedelta(days=90)
"""How long the answer to a performed command is given again, unless set otherwise; its id and digest are kept for ever."""


@rule("REQUEST_ID_REUSED", "/requestId")
def request_is_the_same(performed: Performed, operation: str, digest: bytes) -> str | None:
    """A requestId that was performed comes again only with the same operation and the same body."""
    if (performed.operation, performed.digest) == (operation, digest):
        return None
    return f"This requestId was used for another request ({performed.operation}); give every command its own."


@rule("REQUEST_ALREADY_PERFORMED", "/requestId")
def answer_is_still_kept(performed: Performed, now: dt.datetime, kept: dt.timedelta = ANSWERS_KEPT) -> str | None:
    """The answer to a performed command is given again for 90 days, unless set otherwise."""
    if performed.answer is not None and now - performed.performed_at <= kept:
        return None
    touched = ", ".join(map(str, performed.ref_ids)) or "nothing"
    return f"This request was performed earlier and its answer is no longer kept; it touched: {touched}."


@rule("REASON_NOT_CONFIGURED", "/reason")
def reason_is_configured(configuration: Configuration, code: str, kind: str) -> str | None:
    """The reason is configured, and of the kind that the operation needs."""
    configured = configuration.reasons.get(code)
    if configured is not None and configured.kind == kind:
        return None
    return f"Reason {code} is {f'not of the kind {kind}' if configured else 'not configured'}."


@rule("CURRENCY_NOT_CONFIGURED", "/currency")
def currency_is_configured(configuration: Configuration, currency: str) -> str | None:
    """The currency is configured."""
    return None if currency in configuration.currencies else f"Currency {currency} is not configured."


@rule("CURRENCY_DIFFERS", "/currency")
def currency_is_that_of(subject: Payment | Document | ChargeableEvent | None, currency: str) -> str | None:
    """The currency is that of everything the operation is about; nothing is converted."""
    if subject is None or subject.currency == currency:
        return None
    return f"The {subject.code} is in {subject.currency}; nothing is converted."


@rule("AMOUNT_TOO_FINE", "/paymentAmount")
def payment_amount_is_payable(configuration: Configuration, amount: int, currency: str) -> str | None:
    """A payment's amount is a whole number of the currency's minor units."""
    return _fineness(configuration, amount, currency)


@rule("AMOUNT_TOO_FINE", "/amount")
def amount_is_payable(configuration: Configuration, amount: int, currency: str) -> str | None:
    """An amount that is settled is a whole number of the currency's minor units."""
    return _fineness(configuration, amount, currency)


def not_there(kind: str, named: PaymentName | DocumentName) -> str:
    """The sentence for names that no item has; of several, that they must all be of one."""
    given = [f"{wire_name(name)} {value}" for name, value in attrs.asdict(named).items() if value is not None]
    if len(given) == 1:
        return f"There is no {kind} with {given[0]}."
    return f"No {kind} has {' and '.join(given)}: all names given must be of the same one."


@rule("AMOUNT_TOO_FINE", "/amount")
def total_is_payable(configuration: Configuration, amount: int, total_with_tax: int, currency: str) -> str | None:
    """A document's total with tax is a whole number of the currency's minor units, and at least one."""
    configured = configuration.currencies.get(currency)
    if configured is None or total_with_tax:
        return _fineness(configuration, total_with_tax, currency)
    smallest = format_amount(minor_unit(configured.minor_digits), currency, configured.minor_digits)
    given = format_amount(amount, currency, configured.minor_digits)
    return f"With its tax, {given} rounds to nothing; the least that can be paid is {smallest}."


def _fineness(configuration: Configuration, amount: int, currency: str) -> str | None:
    configured = configuration.currencies.get(currency)
    if configured is None or (amount and is_whole_minor_units(amount, configured.minor_digits)):
        return None
    return f"{currency} is paid in steps of {minor_unit(configured.minor_digits)} millionths."
