"""Reconciliation, put together."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from ocs_adapters.bootstrap import Platform
from ocs_adapters.bootstrap.kafka import kafka_connection
from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.reconcile.reconciliation import Read, Reconciliation
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.holdings import Republish
from ocs_core.ports import Delivered

PAGE = 5000


def reconciliation(opened: Platform, finance: Database) -> Reconciliation:
    """Compares the database with what is in finance's, and with the topics of entities."""
    topic = opened.settings.business_transactions_topic

    @contextmanager
    def read() -> Iterator[Read]:
        if opened.settings.kafka_servers is None:
            messages = _logged(opened.events, topic, opened.events.last())
            yield Read(messages=messages, reaches_back=not opened.events.forgotten([topic]))
            return
        from ocs_adapters.kafka.history import reach, read_all

        connection = kafka_connection(opened.settings)
        (reached,) = reach(connection, [topic])
        with closing(read_all(connection, [topic])) as messages:
            yield Read(messages=messages, reaches_back=reached.is_whole)

    return Reconciliation(database=opened.database, finance=finance, read=read)


def republishing(opened: Platform) -> Republish:
    """What publishes an entity again."""
    return Republish(opened.database, opened.stores.topics, utc_now, new_id)


def _logged(log: SqlEventLog, topic: str, last: int) -> Iterator[Delivered]:
    offset = 0
    while page := [(n, message) for n, message in log.delivered_after(offset, PAGE, [topic]) if n <= last]:
        offset = page[-1][0]
        yield from (message for _, message in page)
