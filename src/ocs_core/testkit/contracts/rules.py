"""The laws of the rules, made from the catalogue: each is refused with its own code whatever else varies, or accepted."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.catalogue import catalogue, operations, rules_applied
from ocs_core.errors import RequestRejected
from ocs_core.queries import (
    AccountSearch,
    ChargeableEventSearch,
    DocumentSearch,
    PaymentSearch,
)
from ocs_core.rules import RULES
from ocs_core.testkit.profiles import patiently
from ocs_core.testkit.recording import rules_recorded
from ocs_core.testkit.strategies.breaking import requests_breaking
from ocs_core.testkit.strategies.requests import valid_requests
from ocs_core.testkit.world import World


def applied_rules() -> list[tuple[str, str]]:
    """Every rule of the catalogue with every operation that applies it."""
    return [(entry.name, operation) for entry in catalogue() for operation in entry.use_cases]


def rules_contract(make: Callable[[], World]) -> type:
    """The laws of the rules, in worlds that `make` gives, a new one for each example."""

    class RulesContract:
        @pytest.mark.parametrize("operation", operations())
        @patiently()
        @given(data=st.data())
        def test_a_valid_request_is_accepted(self, operation: str, data: st.DataObject) -> None:
            """Whatever the rules do not look at does not matter."""
            world = make()
            use_case = operations()[operation]
            request = data.draw(valid_requests(use_case, world), label="request")
            with rules_recorded() as applied:
                world.perform(use_case, request)
            assert applied <= rules_applied(use_case), f"{operation} says nothing of rules that it applies"

        @pytest.mark.parametrize(("rule", "operation"), applied_rules())
        @patiently()
        @given(data=st.data())
        def test_a_request_that_breaks_one_rule_is_refused_with_its_code_alone(
            self, rule: str, operation: str, data: st.DataObject
        ) -> None:
            """A caller mends what is told; what is told and not broken misleads, what is broken and not told costs a call."""
            world, use_case = make(), operations()[operation]
            request = data.draw(requests_breaking(rule, use_case, world), label="request")
            before = everything_in(world)
            with pytest.raises(RequestRejected) as refused:
                world.perform(use_case, request)
            told = {violation.code for violation in refused.value.violations}
            assert told == {RULES[rule].code}, f"{operation} was to tell {rule}, and told {refused.value}"
            assert everything_in(world) == before, "a refused request changed something"

    return RulesContract


def everything_in(world: World) -> list[Any]:
    """What can be seen of a world."""
    queries = world.queries
    accounts = queries.accounts(AccountSearch(limit=200)).items
    return [
        accounts,
        [queries.ledger(account.ref_id) for account in accounts],
        queries.payments(PaymentSearch(limit=200)).items,
        queries.documents(DocumentSearch(limit=200)).items,
        queries.chargeable_events(ChargeableEventSearch(limit=200)).items,
        queries.running(),
        world.published(),
    ]
