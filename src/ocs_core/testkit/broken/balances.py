"""Broken calculations of the collection balance, and broken triggers: each is the core's, given or giving something else."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from ocs_core import collection
from ocs_core.collection import CollectionBalance
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.ledger import Ledger
from ocs_core.money import within_range
from ocs_core.testkit.broken.planted import planting
from ocs_core.testkit.contracts import collection_contract

_breaks = planting(
    collection_contract,
    lambda calculate: collection_contract(collection_balance=calculate),
    collection.collection_balance,
)
_SHOULD_START: Callable[..., bool] = collection.should_start
_trigger_breaks = planting(
    collection_contract, lambda trigger: collection_contract(should_start=trigger), _SHOULD_START
)


def _with_documents(ledger: Ledger, change: Callable[[Document], Document]) -> Ledger:
    return attrs.evolve(ledger, documents=tuple(map(change, ledger.documents)))


@_breaks("test_on_its_due_day_a_document_is_not_yet_due")
def due_on_its_due_day(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """`<=` where `<` was meant: who pays on the last day is already late."""
    day = dt.timedelta(days=1)
    earlier = _with_documents(ledger, lambda d: attrs.evolve(d, document_due_date=d.document_due_date - day))
    return collection.collection_balance(earlier, configuration, as_of)


@_breaks("test_today_is_the_day_in_the_payers_zone")
def today_where_the_server_is(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """The date of the instant as it is written, in UTC."""
    types = {code: attrs.evolve(kind, zone=None) for code, kind in configuration.account_types.items()}
    return collection.collection_balance(ledger, attrs.evolve(configuration, account_types=types), as_of)


@_breaks("test_of_a_partly_paid_document_what_is_open_counts_once")
def partly_paid_documents_in_full(
    ledger: Ledger, configuration: Configuration, as_of: dt.datetime
) -> CollectionBalance:
    """A document that is open counts with its total."""
    whole = _with_documents(ledger, lambda d: attrs.evolve(d, due_amount=d.total_amount_net if d.due_amount else 0))
    return collection.collection_balance(whole, configuration, as_of)


@_breaks("test_of_a_partly_paid_document_what_is_open_counts_once")
def settlements_taken_off_twice(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """What is open is less what was paid already, and it is taken off again."""
    found = collection.collection_balance(ledger, configuration, as_of)
    paid = sum(s.amount for s in ledger.settlements if s.is_in_effect_at(as_of))
    return attrs.evolve(found, balance=found.balance - paid)


@_breaks("test_what_was_settled_later_was_open_before")
def the_past_with_what_is_open_now(
    ledger: Ledger, configuration: Configuration, as_of: dt.datetime
) -> CollectionBalance:
    """A balance of last week from this week's open amounts."""
    return collection.collection_balance(attrs.evolve(ledger, settlements=()), configuration, as_of)


@_breaks("test_a_cancelled_settlement_counts_until_it_was_cancelled")
def cancelled_settlements_still_pay(
    ledger: Ledger, configuration: Configuration, as_of: dt.datetime
) -> CollectionBalance:
    """A settlement that was cancelled goes on paying the document."""
    found = collection.collection_balance(ledger, configuration, as_of)
    cancelled = sum(s.amount for s in ledger.settlements if s.cancelled_at and s.cancelled_at <= as_of)
    return attrs.evolve(found, balance=found.balance - cancelled)


@_breaks("test_nothing_is_converted")
def every_currency_is_the_same(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """Amounts are added up, whatever they are amounts of."""
    same = _with_documents(ledger, lambda d: attrs.evolve(d, currency=ledger.account.currency))
    return collection.collection_balance(same, configuration, as_of)


@_breaks("test_what_the_provider_owes_counts_at_once_and_the_other_way")
def credits_are_debts(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """All documents are added up, credit notes too."""
    debts = _with_documents(ledger, lambda d: attrs.evolve(d, due_amount_type=DueAmountType.AR))
    return collection.collection_balance(debts, configuration, as_of)


@_breaks("test_incoming_payments_count_from_the_instant_of_their_receipt")
def promises_are_money(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """A payment is a payment: what was promised is taken for paid."""
    payments = tuple(attrs.evolve(p, payment_type=PaymentType.IN) for p in ledger.payments)
    return collection.collection_balance(attrs.evolve(ledger, payments=payments), configuration, as_of)


@_breaks("test_incoming_payments_count_from_the_instant_of_their_receipt")
def received_means_before(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """`<` where `<=` was meant: what comes at the very instant does not count."""
    later = dt.timedelta(microseconds=1)
    payments = tuple(
        attrs.evolve(p, payment_date_received=p.payment_date_received + later) if p.payment_date_received else p
        for p in ledger.payments
    )
    return collection.collection_balance(attrs.evolve(ledger, payments=payments), configuration, as_of)


@_breaks("test_money_sent_back_counts_against_the_payer_from_the_instant_it_was_sent")
def money_sent_is_money_received(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """A payment lowers the balance, whichever way it went."""
    payments = tuple(
        attrs.evolve(p, payment_type=PaymentType.IN, payment_date_received=p.payment_date_sent)
        if p.payment_type is PaymentType.OUT
        else p
        for p in ledger.payments
    )
    return collection.collection_balance(attrs.evolve(ledger, payments=payments), configuration, as_of)


@_breaks("test_sums_are_exact_up_to_64_bits_and_refused_beyond")
def sums_of_floats(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """Added up by a library that counts in floats."""
    found = collection.collection_balance(ledger, configuration, as_of)
    total = float(sum(float(line.contribution) for line in found.lines))
    return attrs.evolve(found, balance=min(int(total), within_range(2**63 - 1)))


@_breaks("test_the_oldest_due_day_is_of_a_document_that_counts")
def oldest_of_all_documents(ledger: Ledger, configuration: Configuration, as_of: dt.datetime) -> CollectionBalance:
    """The oldest due day of everything, paid or not."""
    found = collection.collection_balance(ledger, configuration, as_of)
    oldest = min((d.document_due_date for d in ledger.documents), default=None)
    return attrs.evolve(found, oldest_due_date=oldest)


@_trigger_breaks("test_collection_starts_above_the_threshold_and_not_at_it")
def starts_at_the_threshold(balance: int, *others: Any) -> bool:
    """`>=` where `>` was meant: who owes nothing more than is tolerated is collected from."""
    return collection.should_start(balance + 1, *others)


@_trigger_breaks("test_collection_starts_when_the_days_of_grace_are_over")
def starts_a_day_late(
    balance: int,
    oldest: dt.date | None,
    configuration: Configuration,
    currency: str,
    as_of: dt.datetime,
    zone: ZoneInfo,
) -> bool:
    """`>` where `>=` was meant: one more day of grace."""
    before = as_of - dt.timedelta(days=1)
    return collection.should_start(balance, oldest, configuration, currency, before, zone)
