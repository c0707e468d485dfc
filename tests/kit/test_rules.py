"""Every rule of the catalogue as two properties; and each line that applies one is needed."""

import ast
import importlib
import inspect
import types
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import attrs
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ocs_core import rules
from ocs_core.catalogue import operations, rules_applied
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.rules import RULES
from ocs_core.testkit.contracts.rules import rules_contract
from ocs_core.testkit.recording import rules_recorded
from ocs_core.testkit.strategies import requests_breaking, valid_requests
from ocs_core.testkit.world import World
from ocs_core.usecases.perform import UseCase

TestRules = rules_contract(World.in_memory)

OF_EVERY_COMMAND = rules_applied(UseCase)
FINDS = {rule.__name__ for rule in (*rules.accounts.NAMED_ACCOUNT, *rules.accounts.NEEDED_ACCOUNT)}
GROUPS = {
    "process_is_configured": {"process_needs"},
    "account_is_found": FINDS,
    "payer_is_found": FINDS | {rule.__name__ for rule in rules.accounts.NEEDED_PAYER},
}
"""Functions that apply several rules, or one several times."""


@attrs.frozen
class Line:
    """One place where an operation applies a rule."""

    operation: str
    rule: str
    place: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.operation}-{self.rule}-line {self.place[0]}"

    def removed(self) -> Any:
        """The operation as it would be without that line."""
        operation = operations()[self.operation]
        module = types.ModuleType(operation.__module__)
        tree = ast.fix_missing_locations(_Without(self.place).visit(_tree(operation)))
        exec(compile(tree, operation.__module__, "exec"), vars(module))  # noqa: S102 - our own source, less a line
        return getattr(module, operation.__name__)


class _Without(ast.NodeTransformer):
    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _rules_of(node) and (node.lineno, node.col_offset) == self.place:
            return ast.Constant(None) if _name_of(node) in RULES else ast.Tuple([], ast.Load())
        return self.generic_visit(node)


def _tree(operation: type) -> ast.Module:
    return ast.parse(inspect.getsource(importlib.import_module(operation.__module__)))


def _name_of(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _rules_of(node: ast.Call) -> set[str]:
    name = _name_of(node)
    return GROUPS.get(name, {name} & RULES.keys())


def _each_line() -> Iterator[Line]:
    for name, operation in operations().items():
        applied = rules_applied(operation) - OF_EVERY_COMMAND
        for node in ast.walk(_tree(operation)):
            for rule in sorted(_rules_of(node) & applied if isinstance(node, ast.Call) else ()):
                yield Line(name, rule, (node.lineno, node.col_offset))


LINES = list(_each_line())


def _tells_the_rule(rule: str, operation: str, performed: Any) -> bool:
    """Whether the property of the rule holds where the operation is performed so."""

    @settings(max_examples=25, database=None, derandomize=True, phases=[Phase.generate])
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        world = World.in_memory()
        request = data.draw(requests_breaking(rule, operations()[operation], world))
        with pytest.raises(RequestRejected) as refused:
            world.perform(performed, request)
        assert {v.code for v in refused.value.violations} == {RULES[rule].code}

    try:
        holds()
    except (Conflict, AssertionError, AttributeError, TypeError, KeyError, pytest.fail.Exception):
        return False
    return True


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_use_case_without_a_line_that_applies_a_rule_is_caught(line: Line) -> None:
    assert not _tells_the_rule(line.rule, line.operation, line.removed())


SHARED = sorted(
    {(name, rule) for name, operation in operations().items() for rule in rules_applied(operation)}
    - {(line.operation, line.rule) for line in LINES}
    | {("CancelDocument", rule.__name__) for rule in rules.accounts.NAMED_ACCOUNT}
    | {("UpdatePayer", rule.__name__) for rule in rules.accounts.NEEDED_PAYER}
)
"""What is applied for an operation in a function that several share."""


@pytest.mark.parametrize(("operation", "rule"), SHARED)
def test_a_rule_is_missed_that_shared_code_does_not_apply(operation: str, rule: str) -> None:
    (module,) = {module for module in vars(rules).values() if rule in getattr(module, "__dict__", ())}
    with patch.object(module, rule, lambda *_: None):
        assert not _tells_the_rule(rule, operation, operations()[operation])


def test_an_operation_that_says_nothing_of_a_rule_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = operations()["UpdatePayer"]
    world = World.in_memory()
    request = valid_requests(operation, world)
    monkeypatch.setattr(operation, "applies", operation.applies[1:])

    @settings(max_examples=1, database=None, derandomize=True, phases=[Phase.generate])
    @given(drawn=request)
    def performed(drawn: Any) -> None:
        with rules_recorded() as applied:
            world.perform(operation, drawn)
        assert applied - rules_applied(operation) == {"account_is_given"}

    performed()


def test_a_rule_that_nobody_can_break_yet_is_named_with_what_is_missing() -> None:
    with (
        patch.dict("ocs_core.testkit.strategies.breaking.registry._BREAKERS", clear=True),
        pytest.raises(LookupError, match=r'write a function .* under @breaks\("account_exists"\)'),
    ):
        requests_breaking("account_exists", operations()["RegisterPayment"], World.in_memory())


def test_a_use_case_without_a_valid_request_is_named_with_what_is_missing() -> None:
    class MyUseCase(UseCase[Any, Any]):
        """Somebody's own."""

    with pytest.raises(LookupError, match=r"write a function .* under @valid\(MyUseCase\)"):
        valid_requests(MyUseCase, World.in_memory())


def test_a_rule_that_an_operation_does_not_apply_cannot_be_broken_there() -> None:
    with pytest.raises(LookupError, match="does not apply"):
        requests_breaking("tax_has_a_rate", operations()["RegisterPayment"], World.in_memory())
