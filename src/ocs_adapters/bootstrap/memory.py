"""The services over a store in memory: for examples and tests."""

from ocs_adapters.bootstrap.own_rules import own_rules
from ocs_adapters.bootstrap.services import Services
from ocs_adapters.clock import utc_now
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.serial import encode
from ocs_adapters.settings import Settings
from ocs_core.memory import MemoryApiKeys, MemoryOutbox, MemoryQueries, MemoryStore
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance


def in_memory(store: MemoryStore, settings: Settings | None = None) -> Services:
    """Services over a store in memory."""
    queries = MemoryQueries(store)
    runner = CollectionRunner(CalculateCollectionBalance(store, clock=utc_now), queries)
    settings = settings or Settings()
    return Services(
        settings=settings,
        store=store,
        queries=queries,
        keys=MemoryApiKeys(),
        runner=runner,
        own_rules=own_rules(settings.rules),
        backlog=MemoryOutbox(store, encode).backlog,
        start=runner.start,
        close=runner.stop,
    )
