"""What is said of a command here; the rest is said by its use-case."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ocs_core.usecases.perform import Command, UseCase

ACCOUNT: Final = {"externalId": "A-1001"}
"""Whom the examples are about."""


@attrs.frozen
class Operation:
    """One command. `example`: a body of it, as it would be with the example configuration; `after`: what is performed before in
    the example, where it finds the ids of what it is about; `starts_run`: a runner is to be woken; `is_long`: over many items at
    once; `longest_body`: in bytes, enough for every right request, however it is written."""

    path: str
    use_case: type[UseCase[Any, Any]]
    privilege: str
    example: Mapping[str, Any]
    after: tuple[type[UseCase[Any, Any]], ...] = ()
    starts_run: bool = False
    is_long: bool = False
    longest_body: int = 200_000

    @property
    def name(self) -> str:
        return self.use_case.operation

    @property
    def request(self) -> type[Command]:
        return self.use_case.request

    @property
    def steps(self) -> tuple[type, ...]:
        """The types of the entities that its answer may hold."""
        return self.use_case.answers
