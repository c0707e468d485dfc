"""Adjust chargeable event (domain: section 4)."""

from collections.abc import Iterable
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeableEventKind, ChargeType
from ocs_core.form import Code, PositiveAmount
from ocs_core.money import TaxSplit, split_tax
from ocs_core.ports import AccountNamed, AdjustmentsOf, ChargeableEventWithId, Found, OwnerOf
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class AdjustChargeableEventRequest(Command):
    """How much a chargeable event is credited or debited, in millionths, with or without tax as `tax_included` says."""

    chargeable_event_ref_id: UUID
    charge_type: ChargeType
    charge_adjustment: PositiveAmount
    currency: Code
    tax_included: bool
    account: AccountName | None = None


@attrs.frozen
class _Wanted:
    account: AccountNamed
    event: ChargeableEventWithId
    adjustments: AdjustmentsOf
    owner: OwnerOf


class AdjustChargeableEvent(UseCase[AdjustChargeableEventRequest, _Wanted]):
    """Credits or debits a chargeable event by a new event that points at it; the original stays as it was.

    The original is read with its adjustments exclusively, so that two credits at once cannot exceed it. An event that is
    invoiced already is adjusted on the next invoice. Publishes `chargeableEvent` (the adjustment).
    """

    answers = (ChargeableEvent,)
    applies = (
        *rules.accounts.NAMED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.account_owns,
        rules.accounts.somebody_pays_for_the_account,
        rules.charging.adjustment_fits,
        rules.charging.chargeable_event_exists,
        rules.charging.chargeable_event_is_no_adjustment,
        rules.charging.credit_is_covered,
        rules.common.currency_is_configured,
        rules.common.currency_is_that_of,
    )

    def wanted(self, request: AdjustChargeableEventRequest) -> _Wanted:
        event = ChargeableEventWithId(request.chargeable_event_ref_id)
        return _Wanted(AccountNamed(request.account), event, AdjustmentsOf(event.ref_id), OwnerOf(event))

    def execute(self, request: AdjustChargeableEventRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, owner = found[wanted.account], found[wanted.owner]
        event, adjustments = found[wanted.event], found[wanted.adjustments]
        parts = _parts(request, event, adjustments) if event else None
        rules.check(
            rules.charging.chargeable_event_exists(event),
            rules.charging.chargeable_event_is_no_adjustment(event),
            rules.charging.credit_is_covered(
                event,
                adjustments,
                request.charge_type,
                request.charge_adjustment,
                request.currency,
                request.tax_included,
            ),
            rules.charging.adjustment_fits(parts),
            rules.common.currency_is_configured(found.configuration, request.currency),
            rules.common.currency_is_that_of(event, request.currency),
            *rules.accounts.account_is_found(request.account, account, needed=False),
            rules.accounts.account_owns(account, owner),
            rules.accounts.account_is_not_deactivated(owner),
            rules.accounts.somebody_pays_for_the_account(owner),
            fields=fields_of(AdjustChargeableEventRequest),
        )
        assert event is not None
        assert parts is not None

        sign = -1 if request.charge_type is ChargeType.CREDIT else 1
        adjustment = work.add(
            ChargeableEvent(
                ref_id=work.ids(),
                account=event.account,
                event_type=event.event_type,
                event_date=work.now,
                charge=sign * parts.without_tax,
                tax=sign * parts.tax,
                charge_with_tax=sign * parts.with_tax,
                currency=event.currency,
                tax_rate=event.tax_rate,
                original_ref_id=event.ref_id,
                kind=ChargeableEventKind(request.charge_type.value),
            )
        )
        work.publish(adjustment)


def _parts(
    request: AdjustChargeableEventRequest, event: ChargeableEvent, adjustments: Iterable[ChargeableEvent]
) -> TaxSplit:
    """The adjustment taken apart; of a credit no part goes below zero, and one that takes its basis to zero takes all."""
    split = split_tax(request.charge_adjustment, event.tax_rate, tax_included=request.tax_included)
    if request.charge_type is ChargeType.DEBIT:
        return split
    events = (event, *adjustments)
    charge_left, tax_left = sum(e.charge for e in events), sum(e.tax for e in events)
    if request.charge_adjustment == (charge_left + tax_left if request.tax_included else charge_left):
        return TaxSplit(charge_left, tax_left, charge_left + tax_left)
    if request.tax_included:
        tax = max(min(split.tax, tax_left), request.charge_adjustment - charge_left)
        return TaxSplit(request.charge_adjustment - tax, tax, request.charge_adjustment)
    tax = min(split.tax, tax_left)
    return TaxSplit(request.charge_adjustment, tax, request.charge_adjustment + tax)
