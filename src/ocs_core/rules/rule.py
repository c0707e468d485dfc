"""What a rule is: one line of meaning, with its code, its field and the sentence that holds when it is kept."""

import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec

import attrs

from ocs_core.errors import RequestRejected, Violation

P = ParamSpec("P")
Judge = Callable[..., Violation | None]
"""A rule's function."""
Judged = tuple[Violation | None, ...]
"""What several rules found."""


@attrs.frozen
class Rule:
    """A rule of the catalogue. `field` is a JSON Pointer into the request; `sentence` is true when the rule is kept."""

    name: str
    code: str
    field: str
    sentence: str


RULES: dict[str, Rule] = {}
"""Every rule by its function's name."""


def rule(code: str, field: str) -> Callable[[Callable[P, str | None]], Callable[P, Violation | None]]:
    """Make a rule of a function that gives the complaint, or None where the rule is kept or its subject is missing.

    The function's docstring is the rule's sentence.
    """

    def make(complain: Callable[P, str | None]) -> Callable[P, Violation | None]:
        name = complain.__name__
        RULES[name] = Rule(name, code, field, (complain.__doc__ or "").strip())

        @functools.wraps(complain)
        def judge(*args: P.args, **kwargs: P.kwargs) -> Violation | None:
            complaint = complain(*args, **kwargs)
            return None if complaint is None else Violation(code, field, complaint)

        return judge

    return make


def check(*judged: Violation | None, fields: tuple[str, ...] = ()) -> None:
    """Raises `RequestRejected` with every violation, in the order of the operation's `fields`, then of the rules.

    What is told of the request as a whole (an empty field) comes first.
    """
    violations = [v for v in judged if v is not None]
    if violations:
        order = {"": -1} | {field: index for index, field in enumerate(fields)}
        violations.sort(key=lambda v: order.get(v.field[1:].partition("/")[0], len(order)))
        raise RequestRejected(*violations)


def within(pointer: str, judged: Iterable[Violation | None]) -> list[Violation]:
    """The same violations, told of an item of the request: `/tax` becomes `/events/17/tax`."""
    return [attrs.evolve(v, field=pointer + v.field) for v in judged if v is not None]


def at(pointer: str, judged: Iterable[Violation | None]) -> list[Violation]:
    """The same violations, told of an item that is itself what they judge: `/account` becomes `/accounts/17`."""
    return [attrs.evolve(v, field=pointer) for v in judged if v is not None]
