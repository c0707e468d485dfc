"""Requests that break exactly one rule, whatever else varies: `requests_breaking("account_exists", RegisterPayment, world)`.

Each begins as a valid request of the use-case; a breaker changes it, or the world, so that the one rule is broken and no
other. Rules of one's own join with `@breaks("my_rule")`.
"""

from ocs_core.testkit.strategies.breaking import accounts, charging, common, documents, payments, processes, settlements
from ocs_core.testkit.strategies.breaking.registry import breaks, requests_breaking

__all__ = [
    "accounts",
    "breaks",
    "charging",
    "common",
    "documents",
    "payments",
    "processes",
    "requests_breaking",
    "settlements",
]
