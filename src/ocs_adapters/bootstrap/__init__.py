"""The composition root: the only place that knows every adapter."""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa
import structlog

from ocs_adapters.bootstrap.own_rules import OwnRules, own_rules
from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.process.crew import Crew
from ocs_adapters.process.dispatcher import Dispatcher
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.schedule.scheduler import Scheduler
from ocs_adapters.schedule.state import SqlSchedule
from ocs_adapters.serial import encode
from ocs_adapters.settings import OVER_KAFKA, Settings
from ocs_adapters.settings.secrecy import usable
from ocs_adapters.sql.backup import back_up
from ocs_adapters.sql.bell import Bell
from ocs_adapters.sql.configuring import change_entries
from ocs_adapters.sql.database import Database, Transaction, connect, is_missing
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.keys import SqlApiKeys
from ocs_adapters.sql.migrations import NO_SCHEMA, as_sql, migrate, problem
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.probing import NO_ANSWER, why_not
from ocs_adapters.sql.queries import SqlQueries
from ocs_adapters.sql.retention import PRUNABLES, Retention, little_by_little, retentions
from ocs_adapters.sql.shares import SqlShares
from ocs_adapters.sql.store import SqlStore
from ocs_adapters.sql.take_overs import SqlTakeOvers
from ocs_adapters.streaming.expanding import Expanding
from ocs_adapters.streaming.relay import Relay
from ocs_adapters.telling import told
from ocs_core.access import ApiKeys
from ocs_core.configuring import refusals, uses_to_look_up
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE, RunState
from ocs_core.errors import OcsError, Violation
from ocs_core.memory import MemoryApiKeys, MemoryOutbox, MemoryQueries, MemoryStore
from ocs_core.messages import TopicNames
from ocs_core.ports import Backlog, Clock, Ids, Publisher, Store, TakeOvers
from ocs_core.queries import Queries
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceDone
from ocs_core.usecases.perform import UseCase
from ocs_core.usecases.start_collection_run import StartCollectionRun

U = TypeVar("U", bound=UseCase[Any, Any])

log: Any = structlog.get_logger()


@attrs.frozen(kw_only=True)
class Services:
    """Everything a server, a command or a test works with, put together."""

    settings: Settings
    store: Store
    queries: Queries
    keys: ApiKeys
    runner: CollectionRunner
    clock: Clock = utc_now
    ids: Ids = new_id
    own_rules: OwnRules = attrs.field(factory=dict)
    """By use-case, what is judged beside the core's rules."""
    planning: Store = attrs.field(default=attrs.Factory(lambda services: services.store, takes_self=True))
    """The store that runs are planned on: it looks at every payer, however long that takes."""
    problems: Callable[[], list[str]] = attrs.field(default=list)
    """Why the system cannot serve, as sentences without their full stop; none when it can."""
    problems_of_writing: Callable[[], list[str]] = attrs.field(default=list)
    """The same, found by writing something that is taken back: asked where commands have failed."""
    backlog: Callable[[], Backlog] = attrs.field(default=Backlog)
    """How much waits to be published."""
    start: Callable[[], None] = attrs.field(default=lambda: None)
    """Begin the work in the background: runs, the relay and the schedule."""
    close: Callable[[], None] = attrs.field(default=lambda: None)
    """End it, and let go of the database."""

    def use_case(self, kind: type[U]) -> U:
        """A use-case on this store, with the settings and rules that hold here."""
        return kind(
            self.planning if issubclass(kind, StartCollectionRun) else self.store,
            clock=self.clock,
            ids=self.ids,
            answers_kept=self.settings.answers_kept,
            own_rules=self.own_rules.get(kind, ()),
        )


@attrs.frozen
class Platform:
    """A database with all that works on it: what an operator's commands need beside the services."""

    settings: Settings
    database: Database
    beside: Database = attrs.field(init=False)
    """The same database over connections of their own, for what must not wait for anything: keys and readiness."""
    events: SqlEventLog = attrs.field(init=False)
    outbox: SqlOutbox = attrs.field(init=False)
    bell: Bell = attrs.field(init=False)
    publisher: Publisher = attrs.field(init=False)
    retentions: tuple[Retention, ...] = attrs.field(init=False)
    """How long each table that forgets is kept."""
    relay: Relay = attrs.field(init=False)
    services: Services = attrs.field(init=False)
    scheduler: Scheduler = attrs.field(init=False)

    @beside.default
    def _connect_beside(self) -> Database:
        in_memory = isinstance(self.database.engine.pool, sa.StaticPool)
        return self.database if in_memory else connect(self.settings.database_url)

    @events.default
    def _make_events(self) -> SqlEventLog:
        return SqlEventLog(self.database, utc_now)

    @outbox.default
    def _make_outbox(self) -> SqlOutbox:
        return SqlOutbox(self.database)

    @publisher.default
    def _make_publisher(self) -> Publisher:
        platform = self._streaming_platform()
        if self.settings.messages_expand_codes:
            return Expanding(platform, lambda: self.services.queries.configuration())
        return platform

    def _streaming_platform(self) -> Publisher:
        if self.settings.kafka_servers is None:
            return self.events
        try:
            from ocs_adapters.kafka import codecs
            from ocs_adapters.kafka.publisher import KafkaPublisher
        except ImportError:
            raise OcsError("OCS_KAFKA_SERVERS needs Kafka's client; install ocs-rm[kafka].") from None
        codecs.check(self.settings.kafka_compression)
        return KafkaPublisher(kafka_connection(self.settings), compression=self.settings.kafka_compression)

    @bell.default
    def _make_bell(self) -> Bell:
        return Bell(self.database)

    @retentions.default
    def _make_retentions(self) -> tuple[Retention, ...]:
        return retentions(self.database, PRUNABLES, self.settings)

    @relay.default
    def _make_relay(self) -> Relay:
        sharing = SqlShares(self.database, str(new_id()))
        tidy_up = little_by_little(self.retentions, utc_now)
        return Relay(self.outbox, self.publisher, sharing=sharing, wait=self.bell.wait, tidy_up=tidy_up)

    def migrate(self) -> list[str]:
        """Bring the schema to the newest revision, and give those that were performed. Raises `SchemaRefused`."""
        return migrate(self.database.engine)

    def migration_as_sql(self) -> str:
        """What `migrate` would do, as statements."""
        return as_sql(self.database.engine)

    def refusals(self, entries: Collection[Any]) -> tuple[Violation, ...]:
        """Why this master data would not be taken, without changing anything."""
        queries = self.services.queries
        before = queries.configuration()
        used = {use for use in uses_to_look_up(before, entries) if queries.is_used(use)}
        return refusals(before, entries, used)

    def configure(self, entries: Iterable[Any]) -> Configuration:
        """Add master data, or put it in the place of that with the same code; gives what was configured before. Raises
        `RequestRejected` with every reason not to; then nothing is changed."""
        return change_entries(self.database, entries, self._zone)

    @contextmanager
    def together(self) -> Iterator[Store]:
        """A store all of whose work is kept at the end of the block, or none of it: for much work at once."""
        with self.database.translated(), self.database.engine.begin() as connection:
            yield self._store_on(connection)

    @contextmanager
    def taking_over(self, *, writing: bool = True) -> Iterator[tuple[Store, TakeOvers]]:
        """The same, with the note of what was taken over from which file."""
        with self.database.translated(), self.database.engine.begin() as connection:
            transaction = Transaction(connection.connection.driver_connection, self.database.driver)
            self.database.driver.begin(transaction.connection, snapshot=False, writing=writing)
            yield self._store_on(connection), SqlTakeOvers(transaction)

    def problem(self) -> str | None:
        """Why the database cannot be worked on, as a sentence; None when it can. Raises `StoreUnavailable`."""
        return self._problem_of(self.database)

    def _problem_of(self, database: Database) -> str | None:
        if is_missing(database):
            return NO_SCHEMA
        with database.transaction(writing=False):
            pass
        return problem(database.engine)

    @services.default
    def _make_services(self) -> Services:
        settings = self.settings
        store = SqlStore(self.database, self.topics, self._zone, has_clock=True)
        queries = SqlQueries(self.database, self._zone)
        # SQLite has one writer at a time: a crew would stand in line.
        crew = None if self.database.driver.name == "sqlite" else Crew(functools.partial(work_at_run, settings))
        calculate = CalculateCollectionBalance(store, clock=utc_now)
        runner = CollectionRunner(calculate, queries, crew, _dispatcher(settings, store))
        answering = self.database.bounded(settings.database_statement_seconds)
        return Services(
            settings=settings,
            store=SqlStore(answering, self.topics, self._zone, has_clock=True),
            queries=SqlQueries(answering, self._zone),
            planning=store,
            keys=SqlApiKeys(self.beside),
            runner=runner,
            own_rules=own_rules(settings.rules),
            problems=self._problems,
            problems_of_writing=lambda: self._problems(thoroughly=True),
            backlog=SqlOutbox(self.beside).backlog,
            start=self._start,
            close=self._close,
        )

    @scheduler.default
    def _make_scheduler(self) -> Scheduler:
        schedule = SqlSchedule(self.database, CALCULATE_COLLECTION_BALANCE, self._store_on)
        services = self.services
        return Scheduler(
            schedule, services.queries, clock=services.clock, ids=services.ids, started=services.runner.wake
        )

    @property
    def topics(self) -> TopicNames:
        """Which messages go to which topic."""
        settings = self.settings
        return TopicNames(
            business_transactions=settings.business_transactions_topic, notifications=settings.notifications_topic
        )

    @property
    def _zone(self) -> str:
        return self.settings.zone or Configuration().default_zone

    def _store_on(self, connection: sa.Connection) -> SqlStore:
        return SqlStore(connection, self.topics, self._zone, has_clock=True)

    def _start(self) -> None:
        self.services.runner.start()
        if self.settings.relay:
            self.relay.start()
        if self.settings.schedule:
            self.scheduler.start()

    def _problems(self, *, thoroughly: bool = False) -> list[str]:
        try:
            found = self._problem_of(self.beside) or why_not(self.beside, thoroughly=thoroughly)
        except Exception as error:
            # Anybody may ask whether the system is ready: what the database said is for the log alone.
            log.error("the database does not answer", error=told(error))
            return [NO_ANSWER]
        return [found] if found else []

    def _close(self) -> None:
        self.scheduler.stop()
        self.relay.stop()
        self.bell.close()
        self.publisher.close()
        self.services.runner.stop()
        self.beside.close()
        self.database.close()


def kafka_connection(settings: Settings) -> Any:
    """How the settings say that Kafka is reached: a `KafkaConnection`."""
    from ocs_adapters.kafka.connection import KafkaConnection

    names = [field.name for field in attrs.fields(KafkaConnection)]
    return KafkaConnection(**{name: getattr(settings, f"kafka_{name}") for name in names})


def kafka_queues() -> Any:
    """The module `ocs_adapters.kafka.queues`. Raises `OcsError` where Kafka's client is not installed."""
    try:
        from ocs_adapters.kafka import queues
    except ImportError:
        raise OcsError("OCS_KAFKA_SERVERS needs Kafka's client; install ocs-rm[kafka].") from None
    return queues


def _dispatcher(settings: Settings, store: Store) -> Dispatcher | None:
    """Who sends slices to `ocs worker`, where the settings say so."""
    if settings.collection_workers != OVER_KAFKA:
        return None
    connection, topic = kafka_connection(settings), settings.process_slices_topic

    def left(run_ref_id: UUID) -> Sequence[int]:
        with store.begin() as uow:
            run = uow.run(run_ref_id)
            return uow.slices_left(run_ref_id) if run and run.state is RunState.RUNNING else ()

    return Dispatcher(
        left=left,
        publisher=kafka_queues().publisher(connection),
        queues=lambda: kafka_queues().count(connection, topic),
        topic=topic,
    )


def platform(settings: Settings) -> Platform:
    """Everything on the database that the settings name."""
    return Platform(settings, connect(usable(settings.database_url), pool=settings.database_pool))


def backed_up(settings: Settings, of: str, target: Path, on_progress: Callable[[int, int], object]) -> None:
    """Copy the system's database, or a consumer's, to a file. Raises `OcsError`."""
    urls = {
        "system": settings.database_url,
        "finance": settings.finance_url,
        "notifications": settings.notifications_url,
    }
    with closing(connect(usable(urls[of]))) as database:
        back_up(database, target, on_progress)


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
