"""Rules about chargeable events."""

from collections.abc import Iterable

from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.money import MAX_AMOUNT, TaxSplit
from ocs_core.rules.rule import rule


@rule("CHARGEABLE_EVENT_NOT_FOUND", "/chargeableEventRefId")
def chargeable_event_exists(event: ChargeableEvent | None) -> str | None:
    """The chargeable event exists."""
    return "There is no chargeable event with this refId." if event is None else None


@rule("CHARGEABLE_EVENT_IS_ADJUSTMENT", "/chargeableEventRefId")
def chargeable_event_is_no_adjustment(event: ChargeableEvent | None) -> str | None:
    """The chargeable event is not itself an adjustment."""
    if event is None or not event.is_adjustment:
        return None
    return f"It is an adjustment; adjust the original event {event.original_ref_id}."


@rule("ADJUSTMENT_EXCEEDS_CHARGE", "/chargeAdjustment")
def credit_is_covered(
    event: ChargeableEvent | None,
    adjustments: Iterable[ChargeableEvent],
    charge_type: ChargeType,
    amount: int,
    currency: str,
    tax_included: bool,
) -> str | None:
    """Credits in all do not exceed the original charge plus debits, with or without tax as the caller gives the amount."""
    if event is None or event.is_adjustment or event.currency != currency or charge_type is not ChargeType.CREDIT:
        return None
    events = (event, *adjustments)
    left = sum(e.charge_with_tax if tax_included else e.charge for e in events)
    return f"Of the charge {left} millionths are left to credit, less than {amount}." if amount > left else None


@rule("VALUE_OUT_OF_RANGE", "/chargeAdjustment")
def adjustment_fits(parts: TaxSplit | None) -> str | None:
    """The adjustment with its tax fits a signed 64-bit number of millionths."""
    return None if parts is None or parts.with_tax <= MAX_AMOUNT else "With its tax, the adjustment is beyond 64 bits."


@rule("AMOUNTS_DISAGREE", "/tax")
def charge_and_tax_add_up(charge: int, tax: int, charge_with_tax: int) -> str | None:
    """The charge plus its tax is the charge with tax."""
    if charge + tax == charge_with_tax:
        return None
    return f"{charge} and {tax} make {charge + tax}, not {charge_with_tax}."


@rule("EXTERNAL_ID_EXISTS", "/externalId")
def external_event_id_is_new(external_id: str | None, taken: bool) -> str | None:
    """No other chargeable event, in the store or in the same request, has the externalId."""
    return f"Another chargeable event has the externalId {external_id}." if taken else None
