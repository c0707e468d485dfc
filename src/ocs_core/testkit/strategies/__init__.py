"""Hypothesis strategies: values, entities, ledgers, and requests that are valid or break exactly one rule."""

from ocs_core.testkit.strategies.breaking import breaks, requests_breaking
from ocs_core.testkit.strategies.entities import (
    accounts,
    chargeable_events,
    configurations,
    documents,
    payers,
    payment_histories,
    payments,
    settlements,
)
from ocs_core.testkit.strategies.ledgers import ledgers
from ocs_core.testkit.strategies.requests import valid, valid_requests
from ocs_core.testkit.strategies.values import (
    EDGES,
    ZONES,
    amounts,
    days,
    forbidden_texts,
    instants,
    payable_amounts,
    positive_amounts,
    tax_rates,
    texts,
    uuids,
    zones,
)

__all__ = [
    "EDGES",
    "ZONES",
    "accounts",
    "amounts",
    "breaks",
    "chargeable_events",
    "configurations",
    "days",
    "documents",
    "forbidden_texts",
    "instants",
    "ledgers",
    "payable_amounts",
    "payers",
    "payment_histories",
    "payments",
    "positive_amounts",
    "requests_breaking",
    "settlements",
    "tax_rates",
    "texts",
    "uuids",
    "valid",
    "valid_requests",
    "zones",
]
