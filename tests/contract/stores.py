"""The stores that the contracts are held against: in memory, on SQLite, on PostgreSQL."""

import functools
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.migrations import migrate
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.queries import SqlQueries
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.configuration import KINDS, Configuration
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.testkit.contracts import Published, Subject, published_in
from ocs_core.testkit.examples import configuration
from tests.contract.postgres import Cluster, cluster

_names = itertools.count(1)


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


@contextmanager
def sqlite_database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        database = connect(f"sqlite:///{Path(folder) / 'ocs.sqlite3'}")
        migrate(database.engine)
        write_entries(database, entries(configuration()))
        yield database
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
    database = connect(started.create("template_ocs"))
    migrate(database.engine)
    write_entries(database, entries(configuration()))
    database.close()
    return started


@contextmanager
def postgres_database() -> Iterator[Database]:
    name = f"ocs_{next(_names)}"
    server = postgres_cluster()
    database = connect(server.create(name, "template_ocs"))
    yield database
    database.close()
    server.drop(name)


@contextmanager
def postgres() -> Iterator[Subject]:
    with postgres_database() as database:
        yield subject_on(database)


DATABASES = pytest.mark.parametrize("make", [sqlite_database, postgres_database], ids=["sqlite", "postgresql"])
"""For what is true of both databases and of nothing else."""
