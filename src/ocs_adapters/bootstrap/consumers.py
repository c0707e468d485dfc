"""Consumers, put together: what each reads, where it keeps what it makes of it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from zoneinfo import ZoneInfo

import attrs

from ocs_adapters.bootstrap import kafka_connection, platform
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.consumer import BATCH, Consumer
from ocs_adapters.consumers.finance.keeping import KeepFinance
from ocs_adapters.consumers.finance.tables import tables as finance_tables
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database, connect
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
    batch: int = BATCH
    window: float = 0.0


@contextmanager
def _finance(settings: Settings, inbox: Inbox) -> Iterator[Processor]:
    yield Processor(inbox=inbox, handle=KeepFinance(ZoneInfo(settings.zone or "UTC")))


KINDS: Mapping[str, Kind] = {
    "finance": Kind(
        tables=finance_tables,
        url=lambda settings: settings.finance_url,
        topics=lambda settings: [settings.business_transactions_topic],
        opened=_finance,
    ),
}
"""Every kind of consumer, by the name that it reads the streaming platform under."""


@contextmanager
def database_of(kind: Kind, settings: Settings) -> Iterator[Database]:
    """The database of a kind of consumer, whatever is in it; closed at the end."""
    database = connect(kind.url(settings))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def processor(kind: Kind, settings: Settings, database: Database) -> Iterator[Processor]:
    """How a kind of consumer deals with messages. Raises `OcsError` where its tables are another release's."""
    kind.tables.prepare(database)
    with kind.opened(settings, Inbox(database, kind.tables, utc_now)) as made:
        yield made


@contextmanager
def consumer(kind: Kind, settings: Settings, *, from_beginning: bool = False) -> Iterator[Consumer]:
    """A consumer, ready to work. `from_beginning`: what it had made of the messages is made anew."""
    with stream(settings, kind.tables.name, kind.topics(settings)) as read, database_of(kind, settings) as database:
        if from_beginning:
            # In this order: whatever is interrupted here, no message is taken for known that is not.
            read.rewind()
            kind.tables.drop(database)
        with processor(kind, settings, database) as made:
            yield Consumer(stream=read, processor=made, batch=kind.batch, window=kind.window)


@contextmanager
def stream(settings: Settings, name: str, topics: Collection[str]) -> Iterator[Stream]:
    """What is published to these topics, as the reader of that name sees it: from Kafka or from the event log."""
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
        raise OcsError("OCS_KAFKA_SERVERS needs Kafka's client; install ocs-rm[kafka].") from None
    read = KafkaStream(kafka_connection(settings), sorted(topics), f"ocs-{name}")
    try:
        yield read
    finally:
        read.close()
