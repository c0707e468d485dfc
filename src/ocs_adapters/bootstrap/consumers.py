"""Consumers, put together: what each reads, where it keeps what it makes of it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from ocs_adapters.bootstrap import notifications, platform
from ocs_adapters.bootstrap.kafka import NOT_INSTALLED, kafka_connection
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.consumer import BATCH, Consumer
from ocs_adapters.consumers.finance.keeping import KeepFinance
from ocs_adapters.consumers.finance.tables import tables as finance_tables
from ocs_adapters.consumers.gaps import Gaps, SqlPositions
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.notifications.keeping import KeepDeliveries
from ocs_adapters.consumers.notifications.tables import tables as notifications_tables
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.consumers.warehouse.tables import tables as warehouse_tables
from ocs_adapters.settings import Settings
from ocs_adapters.settings.secrecy import masked, usable
from ocs_adapters.sql.database import Database, connect
from ocs_adapters.sql.retention import Retention, little_by_little, retentions
from ocs_adapters.telling import told
from ocs_core.errors import OcsError
from ocs_core.ports import Stream


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of consumer."""

    tables: ConsumerTables
    url: Callable[[Settings], str]
    """The database that it works on."""
    topics: Callable[[Settings], Collection[str]]
    opened: Callable[[Settings, Inbox], AbstractContextManager[Processor]]
    """How it deals with messages; what works beside it does so until the end of the block."""
    alone: Callable[[Settings], AbstractContextManager[None]] = lambda _: nullcontext()
    """What it must have to itself to work at all. Raises `OcsError` where it cannot."""
    forget: Callable[[Database], None] = lambda _: None
    """What is to be done before its tables are dropped; may be done several times."""
    batch: int = BATCH
    window: float = 0.0


@contextmanager
def _finance(settings: Settings, inbox: Inbox) -> Iterator[Processor]:
    yield Processor(inbox=inbox, handle=KeepFinance(ZoneInfo(settings.zone or "UTC")))


def warehouse() -> Any:
    """What puts the warehouse together. Raises `OcsError` where what it needs is not installed."""
    try:
        from ocs_adapters.bootstrap import warehouse as found
    except ImportError:
        raise OcsError("The warehouse needs pyarrow and DuckDB, and no Windows; install ocs-rm[warehouse].") from None
    return found


@contextmanager
def _notifications(settings: Settings, inbox: Inbox) -> Iterator[Processor]:
    keep = KeepDeliveries(notifications.recipients(settings), utc_now, settings.deliveries_keep_days)
    yield Processor(inbox=inbox, handle=keep)


KINDS: Mapping[str, Kind] = {
    "finance": Kind(
        tables=finance_tables,
        url=lambda settings: settings.finance_url,
        topics=lambda settings: [settings.business_transactions_topic],
        opened=_finance,
    ),
    "warehouse": Kind(
        tables=warehouse_tables,
        url=lambda settings: f"sqlite:///{settings.warehouse_folder}/manifest.sqlite3",
        topics=lambda settings: [settings.business_transactions_topic, *notifications.topics(settings)],
        opened=lambda settings, inbox: warehouse().opened(settings, inbox),
        alone=lambda settings: warehouse().folder(settings).alone(),
        forget=lambda database: warehouse().forget(database),
        batch=20_000,
        window=5.0,
    ),
    "notifications": Kind(
        tables=notifications_tables,
        url=lambda settings: settings.notifications_url,
        topics=notifications.topics,
        opened=_notifications,
    ),
}
"""Every kind of consumer, by its name."""


@contextmanager
def database_of(kind: Kind, settings: Settings) -> Iterator[Database]:
    """The database of a kind of consumer, whatever is in it; closed at the end. Raises `OcsError` where there can be none."""
    url = usable(kind.url(settings))
    try:
        database = connect(url, pool=settings.database_pool)
    except Exception as error:  # what a URL can do wrong is known to the driver alone
        raise OcsError(f"The database of {kind.tables.name}, {masked(url)}, cannot be used: {told(error)}.") from None
    try:
        yield database
    finally:
        database.close()


def inbox(kind: Kind, database: Database) -> Inbox:
    """What a kind of consumer has dealt with, and its dead letters. Raises `OcsError` where its tables are another release's."""
    kind.tables.prepare(database)
    return Inbox(database, kind.tables, utc_now)


@contextmanager
def processor(kind: Kind, settings: Settings, database: Database) -> Iterator[Processor]:
    """How a kind of consumer deals with messages; what it needs for itself must be held. Raises `OcsError` where its tables
    are another release's."""
    with kind.opened(settings, inbox(kind, database)) as made:
        yield made


@contextmanager
def consumer(kind: Kind, settings: Settings, *, from_beginning: bool = False) -> Iterator[Consumer[Processor]]:
    """A consumer, ready to work. `from_beginning`: what it had made of the messages is made anew. Raises `OcsError`."""
    with kind.alone(settings), database_of(kind, settings) as database:
        if from_beginning:
            if kind.tables.are_in(database):
                kind.forget(database)
            kind.tables.drop(database)
        with (
            processor(kind, settings, database) as made,
            stream(settings, kind, database) as read,
        ):
            yield Consumer(
                stream=read,
                processor=made,
                batch=kind.batch,
                window=kind.window,
                on_gap=gaps(kind, database).note,
                tidy_up=little_by_little(retentions(database, kind.tables.prunables, settings), utc_now),
            )


@contextmanager
def retentions_of(kind: Kind, settings: Settings) -> Iterator[tuple[Retention, ...]]:
    """How long each table of a kind of consumer that forgets is kept; none where it has read nothing yet. Whoever works on it
    need not stop. Raises `OcsError` where its tables are another release's."""
    with database_of(kind, settings) as database:
        if not kind.tables.are_in(database):
            yield ()
            return
        kind.tables.prepare(database)
        yield retentions(database, kind.tables.prunables, settings)


def unpublished(settings: Settings) -> int | None:
    """How many messages wait in the system's outbox; None where it cannot be reached from here."""
    try:
        opened = platform(settings)
    except Exception:  # what a URL can do wrong is known to the driver alone, and nobody asked for this database
        return None
    try:
        return None if opened.problem() else opened.outbox.backlog().rows
    except OcsError:
        return None
    finally:
        opened.services.close()


def gaps(kind: Kind, database: Database) -> Gaps:
    """What a kind of consumer was never given."""
    return Gaps(database, kind.tables, utc_now)


@contextmanager
def stream(settings: Settings, kind: Kind, database: Database) -> Iterator[Stream]:
    """What is published to its topics, as a kind of consumer with that database sees it: from Kafka or from the event log."""
    name, topics = kind.tables.prepare(database), kind.topics(settings)
    if settings.kafka_servers is None:
        opened = platform(settings)
        try:
            if problem := opened.problem():
                raise OcsError(f"{problem}.")
            yield opened.events.reader(name, topics)
        finally:
            opened.services.close()
        return
    try:
        from ocs_adapters.kafka.consumer import KafkaStream
    except ImportError:
        raise OcsError(NOT_INSTALLED) from None
    positions = SqlPositions(database, kind.tables)
    read = KafkaStream(kafka_connection(settings), sorted(topics), name, positions=positions)
    try:
        yield read
    finally:
        read.close()
