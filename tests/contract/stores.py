"""The stores that the contracts are held against: in memory, on SQLite, on PostgreSQL."""

import functools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ocs_adapters.serial import encode
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.migrations import migrate
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.queries import SqlQueries
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.configuration import KINDS, Configuration
from ocs_core.memory import MemoryEventLog, MemoryOutbox, MemoryQueries, MemoryStore
from ocs_core.testkit.contracts import OutboxSubject, Published, PublisherSubject, StreamSubject, Subject, published_in
from ocs_core.testkit.examples import configuration
from ocs_core.testkit.fakes import NOW
from tests.contract.lending import Lender
from tests.contract.postgres import Cluster, cluster

MakeDatabase = Callable[[], AbstractContextManager[Database]]
MakeLog = Callable[[], AbstractContextManager[MemoryEventLog | SqlEventLog]]

TEMPLATE = "template_ocs"


def entries(configured: Configuration) -> list[object]:
    """Every entry of a configuration."""
    return [entry for kind in KINDS for entry in getattr(configured, kind).values()]


def subject_on(database: Database) -> Subject:
    """The contract's view of a database that is migrated and configured."""

    def published() -> list[Published]:
        rows = SqlOutbox(database).waiting(100_000)
        return [Published(row.ref_id, row.key, row.headers["ce_type"].removeprefix("io.ocs.rm.")) for row in rows]

    return Subject(SqlStore(database), SqlQueries(database), published)


@contextmanager
def memory() -> Iterator[Subject]:
    store = MemoryStore(configuration())
    yield Subject(store, MemoryQueries(store), lambda: published_in(store))


@functools.cache
def _sqlite_template() -> bytes:
    """A file that is migrated and configured, to be copied: every law wants a fresh one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.sqlite3"
        database = connect(f"sqlite:///{file}")
        migrate(database.engine)
        write_entries(database, entries(configuration()))
        database.close()
        return file.read_bytes()


@contextmanager
def sqlite_database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ocs.sqlite3"
        file.write_bytes(_sqlite_template())
        database = connect(f"sqlite:///{file}")
        try:
            yield database
        finally:
            database.close()


@contextmanager
def sqlite() -> Iterator[Subject]:
    with sqlite_database() as database:
        yield subject_on(database)


@functools.cache
def postgres_cluster() -> Cluster:
    """One server for the whole test session; it ends with the process."""
    import atexit

    running = cluster()
    started = running.__enter__()
    atexit.register(running.__exit__, None, None, None)
    database = connect(started.create(TEMPLATE))
    migrate(database.engine)
    write_entries(database, entries(configuration()))
    database.close()
    return started


@functools.cache
def _lender() -> Lender:
    return Lender(postgres_cluster(), TEMPLATE)


@contextmanager
def postgres_database() -> Iterator[Database]:
    with _lender().lent() as url:
        database = connect(url)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def postgres() -> Iterator[Subject]:
    with postgres_database() as database:
        yield subject_on(database)


@contextmanager
def memory_outbox() -> Iterator[OutboxSubject]:
    store = MemoryStore(configuration())
    yield OutboxSubject(store, lambda: MemoryOutbox(store, encode), store.configure)


def sql_outbox(make: MakeDatabase) -> Callable[[], AbstractContextManager[OutboxSubject]]:
    @contextmanager
    def made() -> Iterator[OutboxSubject]:
        with make() as database:
            configure = functools.partial(_configure, database)
            yield OutboxSubject(SqlStore(database), lambda: SqlOutbox(database), configure)

    return made


def _configure(database: Database, entry: object) -> None:
    write_entries(database, [entry])


@contextmanager
def memory_log() -> Iterator[MemoryEventLog]:
    yield MemoryEventLog()


def sql_log(make: MakeDatabase) -> MakeLog:
    @contextmanager
    def made() -> Iterator[SqlEventLog]:
        with make() as database:
            yield SqlEventLog(database, lambda: NOW)

    return made


def publisher(make: MakeLog) -> Callable[[], AbstractContextManager[PublisherSubject]]:
    """A log as those who publish to it see it."""

    @contextmanager
    def made() -> Iterator[PublisherSubject]:
        with make() as log:
            yield PublisherSubject(log, lambda: log.reader("contract").next(10_000))

    return made


def stream(make: MakeLog) -> Callable[[], AbstractContextManager[StreamSubject]]:
    """A log as those who read it see it."""

    @contextmanager
    def made() -> Iterator[StreamSubject]:
        with make() as log:
            yield StreamSubject(log, log.reader)

    return made


DATABASES = pytest.mark.parametrize("make", [sqlite_database, postgres_database], ids=["sqlite", "postgresql"])
"""For what is true of both databases and of nothing else."""
