"""The composition root: the only place that knows every adapter."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import sqlalchemy as sa

from ocs_adapters.bootstrap.memory import in_memory
from ocs_adapters.bootstrap.own_rules import own_rules
from ocs_adapters.bootstrap.publishing import publisher_of, relay_of
from ocs_adapters.bootstrap.readiness import Readiness
from ocs_adapters.bootstrap.runs import runner_of, scheduler_of
from ocs_adapters.bootstrap.services import Platform, Services
from ocs_adapters.bootstrap.stores import Stores
from ocs_adapters.clock import utc_now
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.schedule.scheduler import Scheduler
from ocs_adapters.settings import Settings
from ocs_adapters.settings.secrecy import usable
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.keys import SqlApiKeys
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.retention import PRUNABLES, retentions
from ocs_adapters.streaming.relay import Relay
from ocs_core.usecases.calculate_collection_balance import SliceDone

__all__ = ["Platform", "Services", "in_memory", "platform", "platform_on", "work_at_run"]


def platform(settings: Settings) -> Platform:
    """Everything on the database that the settings name."""
    return platform_on(connect(usable(settings.database_url), pool=settings.database_pool), settings)


def platform_on(database: Database, settings: Settings) -> Platform:
    """Everything on a database, until `services.close`: what was opened last is closed first, the database last."""
    with ExitStack() as opened:
        opened.callback(database.close)
        beside = _beside(database, settings)
        opened.callback(beside.close)
        answering = database.bounded(settings.database_statement_seconds)
        stores = Stores.of(settings)
        queries = stores.queries(answering)
        events, kept = SqlEventLog(database, utc_now), retentions(database, PRUNABLES, settings)

        runner = runner_of(opened, settings, database, stores, work_at_run)
        publisher = publisher_of(opened, settings, events, queries)
        relay = relay_of(opened, database, publisher, kept)
        scheduler = scheduler_of(opened, database, stores, queries, runner)
        readiness = Readiness(beside)
        services = Services(
            settings=settings,
            store=stores.store(answering),
            planning=stores.store(database),
            queries=queries,
            keys=SqlApiKeys(beside),
            runner=runner,
            own_rules=own_rules(settings.rules),
            problems=readiness.problems,
            problems_of_writing=readiness.problems_of_writing,
            backlog=SqlOutbox(beside).backlog,
            start=functools.partial(_start, settings, runner, relay, scheduler),
            close=opened.pop_all().close,
        )
    return Platform(
        database=database,
        beside=beside,
        stores=stores,
        events=events,
        outbox=SqlOutbox(database),
        retentions=kept,
        relay=relay,
        scheduler=scheduler,
        services=services,
    )


def _beside(database: Database, settings: Settings) -> Database:
    """The same database over connections of their own, where it has any."""
    is_in_memory = isinstance(database.engine.pool, sa.StaticPool)
    return database if is_in_memory else connect(settings.database_url)


def _start(settings: Settings, runner: CollectionRunner, relay: Relay, scheduler: Scheduler) -> None:
    runner.start()
    if settings.relay:
        relay.start()
    if settings.schedule:
        scheduler.start()


def work_at_run(settings: Settings, run_ref_id: UUID, is_to_stop: Callable[[], bool], slices_at_once: int) -> None:
    """One process's part in a run: so many slices at a time, until the run is over or this is to stop."""
    services = platform(settings).services

    def after_slice(_: SliceDone) -> None:
        if is_to_stop():
            services.runner.end_soon()

    try:
        with ThreadPoolExecutor(slices_at_once) as lanes:
            for done in [lanes.submit(services.runner.run, run_ref_id, after_slice) for _ in range(slices_at_once)]:
                done.result()
    finally:
        services.close()
