"""The feed of chargeable events (domain: sections 3 and 6)."""

import datetime as dt
from collections import Counter
from typing import Annotated

import attrs

from ocs_core import rules
from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.errors import Violation
from ocs_core.form import AmountFromZero, Code, ExternalId, Form, Items, Label, TaxRate
from ocs_core.ports import AccountsNamed, Found, TakenEvents
from ocs_core.usecases.perform import Command, UseCase
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class ChargeableEventFed(Form):
    """One event of the feed: amounts in millionths, `charge + tax == charge_with_tax`; the rate in basis points."""

    external_id: ExternalId | None = None
    account: AccountName | None = None
    event_type: Label
    event_date: dt.datetime
    charge: AmountFromZero
    tax: AmountFromZero
    charge_with_tax: AmountFromZero
    currency: Code
    tax_rate: TaxRate


@attrs.frozen(kw_only=True)
class FeedChargeableEventsRequest(Command):
    """1 to 1,000 events, kept all or none."""

    events: Annotated[tuple[ChargeableEventFed, ...], Items(1, 1000)]


@attrs.frozen
class _Wanted:
    accounts: AccountsNamed
    external_ids: TakenEvents


class FeedChargeableEvents(UseCase[FeedChargeableEventsRequest, _Wanted]):
    """Takes chargeable events in, all or nothing; failures point at their event: `/events/17/tax`.

    An event on a technical account belongs to its nearest responsible ancestor. Publishes one `chargeableEvent` each.
    """

    answers = (ChargeableEvent,)
    applies = (
        *rules.accounts.NEEDED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.somebody_pays_for_the_account,
        rules.charging.charge_and_tax_add_up,
        rules.charging.external_event_id_is_new,
        rules.common.currency_is_configured,
    )

    def wanted(self, request: FeedChargeableEventsRequest) -> _Wanted:
        return _Wanted(
            AccountsNamed(tuple(dict.fromkeys(event.account for event in request.events if event.account))),
            TakenEvents(tuple(dict.fromkeys(e.external_id for e in request.events if e.external_id))),
        )

    def execute(self, request: FeedChargeableEventsRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        configuration, accounts = found.configuration, found[wanted.accounts]
        given = Counter(event.external_id for event in request.events if event.external_id)
        taken = found[wanted.external_ids] | {external_id for external_id, times in given.items() if times > 1}
        rules.check(
            *(
                violation
                for index, event in enumerate(request.events)
                for violation in _violations(
                    event,
                    f"/events/{index}",
                    accounts.get(event.account) if event.account else None,
                    configuration,
                    taken,
                )
            )
        )

        for fed in request.events:
            work.publish(
                work.add(
                    ChargeableEvent(
                        ref_id=work.ids(),
                        external_id=fed.external_id,
                        account=accounts[fed.account].ref,  # type: ignore[index]
                        event_type=fed.event_type,
                        event_date=fed.event_date,
                        charge=fed.charge,
                        tax=fed.tax,
                        charge_with_tax=fed.charge_with_tax,
                        currency=fed.currency,
                        tax_rate=fed.tax_rate,
                    )
                )
            )


def _violations(
    event: ChargeableEventFed,
    pointer: str,
    account: Account | None,
    configuration: Configuration,
    taken: frozenset[str],
) -> list[Violation]:
    return rules.within(
        pointer,
        (
            rules.charging.external_event_id_is_new(event.external_id, event.external_id in taken),
            *rules.accounts.account_is_found(event.account, account, needed=True),
            rules.accounts.account_is_not_deactivated(account),
            rules.accounts.somebody_pays_for_the_account(account),
            rules.charging.charge_and_tax_add_up(event.charge, event.tax, event.charge_with_tax),
            rules.common.currency_is_configured(configuration, event.currency),
        ),
    )
