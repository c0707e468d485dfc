"""The rules of every use-case, each written once, named as the sentence that is true when it is kept."""

from ocs_core.rules import accounts, charging, common, documents, payments, processes
from ocs_core.rules.rule import RULES, Judge, Judged, Rule, at, check, within

__all__ = [
    "RULES",
    "Judge",
    "Judged",
    "Rule",
    "accounts",
    "at",
    "charging",
    "check",
    "common",
    "documents",
    "payments",
    "processes",
    "within",
]
