"""The machine drives the store in memory beside another one: the reference agrees with itself, and a broken one does not."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.ports import SliceWanted
from ocs_core.testkit.contracts import Subject, published_in
from ocs_core.testkit.examples import configuration
from ocs_core.testkit.stateful import revenue_machine
from tests.contract.stores import memory

TestMachine = revenue_machine(memory).TestCase


class LosesUnidentifiedPayments(MemoryQueries):
    """An inner join with the accounts."""

    def payments(self, search: Any) -> Any:
        page = super().payments(search)
        return attrs.evolve(page, items=tuple(p for p in page.items if p.identified))


class ForgetsAMessage(MemoryStore):
    """What is told of new documents never waits."""

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[Any]:
        with super().begin(snapshot=snapshot) as uow:
            yield uow
        for ref_id in [r for r, m in self.outbox.items() if m.payload.code == "documentCreated"]:
            del self.outbox[ref_id]


class FetchesNoPayments(MemoryStore):
    """What a payer has paid and nobody assigned does not lessen the balance."""

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[Any]:
        with super().begin(snapshot=snapshot) as uow:
            fetch = uow.ledgers

            def ledgers(wanted: SliceWanted) -> Any:
                return [attrs.evolve(whole, payments=()) for whole in fetch(wanted)]

            broken: Any = _With(uow, ledgers)
            yield broken


@attrs.frozen
class _With:
    uow: Any
    ledgers: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.uow, name)


@pytest.mark.parametrize(
    ("store", "queries", "told"),
    [
        (MemoryStore, LosesUnidentifiedPayments, ""),
        (ForgetsAMessage, MemoryQueries, "where the reference has documentCreated"),
        (FetchesNoPayments, MemoryQueries, ""),
    ],
)
def test_a_store_that_is_not_as_the_reference_is_caught(store: Any, queries: Any, told: str) -> None:
    @contextmanager
    def make() -> Iterator[Subject]:
        made = store(configuration())
        yield Subject(made, queries(made), lambda: published_in(made))

    thoroughly = settings(
        max_examples=300,
        stateful_step_count=40,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, ExceptionGroup)) as caught:
        run_state_machine_as_test(revenue_machine(make), settings=thoroughly)
    assert told in "".join(traceback.format_exception(caught.value))
