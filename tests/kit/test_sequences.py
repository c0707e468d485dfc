"""A store may give any sequence where the ports say Sequence, and a stream where they say Iterable: no law asks for a list."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.ports import SlicePlan
from ocs_core.testkit.contracts import Subject, published_in
from ocs_core.testkit.examples import configuration
from ocs_core.testkit.prove import prove_store


@attrs.frozen
class _OtherShapes:
    """A port whose lists are tuples, and whose ledgers are gone through once."""

    port: Any

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            match method(*args, **kwargs):
                case list() as found if name == "ledgers":
                    return iter(found)
                case list() as found:
                    return tuple(found)
                case SlicePlan() as plan:
                    return attrs.evolve(plan, ends=tuple(plan.ends))
                case found:
                    return found

        return call


@attrs.frozen
class _Store:
    inner: MemoryStore

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[Any]:
        with self.inner.begin(snapshot=snapshot) as uow:
            yield _OtherShapes(uow)


@contextmanager
def make() -> Iterator[Subject]:
    store = MemoryStore(configuration())
    queries: Any = _OtherShapes(MemoryQueries(store))
    yield Subject(_Store(store), queries, lambda: tuple(published_in(store)))


TestOtherShapes = prove_store(make)
