"""What is put together: what everybody works with, and what an operator's commands need beside it."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs

from ocs_adapters.bootstrap.own_rules import OwnRules
from ocs_adapters.bootstrap.readiness import problem_of
from ocs_adapters.bootstrap.stores import Stores
from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.schedule.scheduler import Scheduler
from ocs_adapters.settings import Settings
from ocs_adapters.sql.configuring import change_entries
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.migrations import as_sql, migrate
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.retention import Retention
from ocs_adapters.sql.take_overs import SqlTakeOvers
from ocs_adapters.streaming.relay import Relay
from ocs_core.access import ApiKeys
from ocs_core.configuring import refusals, uses_to_look_up
from ocs_core.entities.configuration import Configuration
from ocs_core.errors import Violation
from ocs_core.ports import Backlog, Clock, Ids, RunStore, Store, TakeOvers
from ocs_core.queries import Queries
from ocs_core.usecases.perform import UseCase
from ocs_core.usecases.start_collection_run import StartCollectionRun

U = TypeVar("U", bound=UseCase[Any, Any])


@attrs.frozen(kw_only=True)
class Services:
    """Everything a server, a command or a test works with, put together."""

    settings: Settings
    store: RunStore
    queries: Queries
    keys: ApiKeys
    runner: CollectionRunner
    clock: Clock = utc_now
    ids: Ids = new_id
    own_rules: OwnRules = attrs.field(factory=dict)
    """By use-case, what is judged beside the core's rules."""
    planning: RunStore = attrs.field(default=attrs.Factory(lambda services: services.store, takes_self=True))
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


@attrs.frozen(kw_only=True)
class Platform:
    """A database with all that works on it: what an operator's commands need beside the services."""

    database: Database
    beside: Database
    """The same database over connections of their own, for what must not wait for anything: keys and readiness."""
    stores: Stores
    events: SqlEventLog
    outbox: SqlOutbox
    retentions: tuple[Retention, ...]
    """How long each table that forgets is kept."""
    relay: Relay
    scheduler: Scheduler
    services: Services

    @property
    def settings(self) -> Settings:
        return self.services.settings

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
        return change_entries(self.database, entries, self.stores.zone)

    @contextmanager
    def together(self) -> Iterator[RunStore]:
        """A store all of whose work is kept at the end of the block, or none of it: for much work at once."""
        with self.database.translated(), self.database.engine.begin() as connection:
            yield self.stores.store(connection)

    @contextmanager
    def taking_over(self, *, writing: bool = True) -> Iterator[tuple[Store, TakeOvers]]:
        """The same, with the note of what was taken over from which file."""
        with self.database.translated(), self.database.engine.begin() as connection:
            transaction = Transaction(connection.connection.driver_connection, self.database.driver)
            self.database.driver.begin(transaction.connection, snapshot=False, writing=writing)
            yield self.stores.store(connection), SqlTakeOvers(transaction)

    def problem(self) -> str | None:
        """Why the database cannot be worked on, as a sentence; None when it can. Raises `StoreUnavailable`."""
        return problem_of(self.database)
