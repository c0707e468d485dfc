"""Collection runs: who starts them, and who calculates their slices."""

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from uuid import UUID

from ocs_adapters.bootstrap.kafka import kafka_connection, kafka_queues
from ocs_adapters.bootstrap.stores import Stores
from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.process.crew import Crew
from ocs_adapters.process.dispatcher import Dispatcher
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.schedule.scheduler import Scheduler
from ocs_adapters.schedule.state import SqlSchedule
from ocs_adapters.settings import OVER_KAFKA, Settings
from ocs_adapters.sql.database import Database
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, RunState
from ocs_core.ports import RunStore
from ocs_core.queries import Queries
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance

Work = Callable[[Settings, UUID, Callable[[], bool], int], None]
"""One process's part in a run."""


def runner_of(
    opened: ExitStack, settings: Settings, database: Database, stores: Stores, work: Work
) -> CollectionRunner:
    """What takes runs to their end."""
    store = stores.store(database)
    # SQLite has one writer at a time: a crew would stand in line.
    crew = None if database.driver.name == "sqlite" else Crew(functools.partial(work, settings))
    dispatcher = _dispatcher(opened, settings, store) if settings.collection_workers == OVER_KAFKA else None
    calculate = CalculateCollectionBalance(store, clock=utc_now)
    runner = CollectionRunner(calculate, stores.queries(database), crew, dispatcher)
    opened.callback(runner.stop)
    return runner


def scheduler_of(
    opened: ExitStack, database: Database, stores: Stores, queries: Queries, runner: CollectionRunner
) -> Scheduler:
    """What starts runs when they are due."""
    schedule = SqlSchedule(database, CALCULATE_COLLECTION_BALANCE, stores.store)
    scheduler = Scheduler(schedule, queries, clock=utc_now, ids=new_id, started=runner.wake)
    opened.callback(scheduler.stop)
    return scheduler


def _dispatcher(opened: ExitStack, settings: Settings, store: RunStore) -> Dispatcher:
    """Who sends slices to `ocs worker`."""
    queues, connection, topic = kafka_queues(), kafka_connection(settings), settings.process_slices_topic
    publisher = queues.publisher(connection)
    opened.callback(publisher.close)

    def left(run_ref_id: UUID) -> Sequence[int]:
        with store.begin() as uow:
            run = uow.run(run_ref_id)
            return uow.slices_left(run_ref_id) if run and run.state is RunState.RUNNING else ()

    return Dispatcher(left=left, publisher=publisher, queues=lambda: queues.count(connection, topic), topic=topic)
