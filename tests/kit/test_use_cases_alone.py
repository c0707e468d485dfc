"""A store for use-cases alone, which knows nothing of runs, keeps every law but those of runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from hypothesis import settings

from ocs_core.entities.process import ProcessRun, RunSlice
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Found, Lookup, Series, Store, UnitOfWork
from ocs_core.testkit.contracts import Subject, published_in
from ocs_core.testkit.contracts.store import runs_contract
from ocs_core.testkit.examples import configuration
from ocs_core.testkit.prove import prove_store


@attrs.frozen
class _NoRuns:
    """All that a `UnitOfWork` has, and not more: not even the entities of runs are kept."""

    inner: UnitOfWork

    def now(self) -> Any:
        return self.inner.now()

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        return self.inner.find(*lookups, key=key)

    def add(self, entity: E) -> E:
        assert not isinstance(entity, ProcessRun | RunSlice)
        return self.inner.add(entity)

    def save(self, entity: E) -> E:
        assert not isinstance(entity, ProcessRun | RunSlice)
        return self.inner.save(entity)

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        return self.inner.draw(series, count)

    def publish(self, message: Message) -> None:
        self.inner.publish(message)

    def remember(self, performed: Performed) -> None:
        self.inner.remember(performed)


@attrs.frozen
class _Store:
    inner: MemoryStore

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[UnitOfWork]:
        with self.inner.begin(snapshot=snapshot) as uow:
            yield _NoRuns(uow)


@contextmanager
def make() -> Iterator[Subject]:
    memory = MemoryStore(configuration())
    store: Store = _Store(memory)
    yield Subject(store, MemoryQueries(memory), lambda: published_in(memory))


TestUseCasesAlone = prove_store(make, machine=settings(max_examples=5), runs=False)


@pytest.mark.parametrize("law", [name for name in dir(runs_contract(make)) if name.startswith("test_")])
def test_no_law_of_runs_is_asked_of_it(law: str) -> None:
    assert not hasattr(TestUseCasesAlone.TestStore, law)  # type: ignore[attr-defined]
