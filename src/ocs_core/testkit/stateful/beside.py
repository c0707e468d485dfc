"""Two stores side by side: what one answers, publishes and shows, the other must."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import attrs
from hypothesis import event
from hypothesis.stateful import RuleBasedStateMachine

from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.entities.payment import Payment
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.messages import Response
from ocs_core.queries import (
    AccountSearch,
    ChargeableEventSearch,
    DocumentSearch,
    PaymentSearch,
    ProcessRunSearch,
    Queries,
)
from ocs_core.testkit.contracts.subject import Make, Subject, desk_on
from ocs_core.testkit.examples import Desk, configuration, named
from ocs_core.usecases.perform import Command, UseCase


class Beside(RuleBasedStateMachine):
    """A store under test beside the reference in memory; commands are performed on both."""

    make: Make
    runs: bool = True
    """Whether the store is one that runs can be performed on."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.subject: Subject = self._open.enter_context(type(self).make())
        self.reference = MemoryStore(configuration())
        self.desk, self.other = desk_on(self.reference), desk_on(self.subject.store)
        self.queries: Queries = MemoryQueries(self.reference)
        self.performed: list[tuple[type[UseCase[Any, Any]], Command]] = []
        self.accounts_of_payments: dict[UUID, Any] = {}
        self.gone: set[UUID] = set()

    def teardown(self) -> None:
        try:
            self.everything_is_read_the_same()
        finally:
            self._open.close()

    def perform(self, use_case: type[UseCase[Any, Any]], request: Command) -> Response | None:
        """Perform a command on both; they must answer alike. Gives the answer, None where it was refused."""
        expected, found = (outcome_of(desk, use_case, request) for desk in (self.desk, self.other))
        assert _alike(found) == _alike(expected), f"{use_case.__name__} was answered otherwise than by the reference"
        event(f"{use_case.__name__} {'performed' if isinstance(expected, Response) else 'refused'}")
        if not isinstance(expected, Response):
            return None
        self.performed.append((use_case, request))
        return expected

    def some(self, cls: type[Any], number: int) -> Any:
        """One of the entities there are, None if there is none."""
        found = list(self.reference.entities[cls].values())
        return found[number % len(found)] if found else None

    def account(self, number: int) -> AccountName | None:
        found = self.some(Account, number)
        return named(found) if found else None

    def common(self) -> dict[str, Any]:
        return {"request_id": self.desk.request_id()}

    def everything_is_read_the_same(self) -> None:
        """Whatever can be searched for, and every ledger, is as the reference has it."""
        looks: list[Callable[[Queries], Any]] = [
            lambda queries: queries.accounts(AccountSearch(limit=200)),
            lambda queries: queries.payments(PaymentSearch(limit=200)),
            lambda queries: queries.documents(DocumentSearch(limit=200)),
            lambda queries: queries.chargeable_events(ChargeableEventSearch(limit=200)),
        ]
        if self.runs:
            looks.append(lambda queries: queries.runs(ProcessRunSearch(limit=200)))
        for look in looks:
            assert _alike(look(self.subject.queries)) == _alike(look(self.queries))
        for ref_id in self.reference.entities[Payer]:
            expected, found = self.queries.ledger(ref_id), self.subject.queries.ledger(ref_id)
            assert _as_set(found) == _as_set(expected)


def outcome_of(desk: Desk, use_case: type[UseCase[Any, Any]], request: Command) -> Any:
    try:
        return desk.perform(use_case, request)
    except RequestRejected as refused:
        return refused


def _alike(outcome: Any) -> Any:
    """What must be the same: numbers of payments may have gaps where one store has none."""
    match outcome:
        case RequestRejected():
            return [(v.code, v.field) for v in outcome.violations]
        case Response():
            return [_alike(step.object) for step in outcome.steps]
        case Payment():
            return attrs.evolve(outcome, payment_no="")
    return [_alike(item) for item in outcome.items] if hasattr(outcome, "items") else outcome


def _as_set(ledger: Any) -> Any:
    parts = (*ledger.documents, *ledger.payments, *ledger.settlements)
    return ledger.account, ledger.payer, {part.ref_id: _alike(part) for part in parts}
