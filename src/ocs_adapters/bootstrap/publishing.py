"""How messages leave the system."""

from collections.abc import Sequence
from contextlib import ExitStack

from ocs_adapters.bootstrap.kafka import kafka_publisher
from ocs_adapters.clock import new_id, utc_now
from ocs_adapters.settings import Settings
from ocs_adapters.sql.bell import Bell
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.retention import Retention, little_by_little
from ocs_adapters.sql.shares import SqlShares
from ocs_adapters.streaming.expanding import Expanding
from ocs_adapters.streaming.relay import Relay
from ocs_core.ports import Publisher
from ocs_core.queries import Queries


def publisher_of(opened: ExitStack, settings: Settings, events: SqlEventLog, queries: Queries) -> Publisher:
    """What publishes: to Kafka, or to the event log where there is no Kafka."""
    platform = events if settings.kafka_servers is None else kafka_publisher(settings)
    opened.callback(platform.close)
    return Expanding(platform, queries.configuration) if settings.messages_expand_codes else platform


def relay_of(opened: ExitStack, database: Database, publisher: Publisher, retentions: Sequence[Retention]) -> Relay:
    """What moves messages from a database's outbox to the publisher, and forgets what is kept no longer."""
    bell = Bell(database)
    opened.callback(bell.close)
    sharing = SqlShares(database, str(new_id()))
    tidy_up = little_by_little(retentions, utc_now)
    relay = Relay(SqlOutbox(database), publisher, sharing=sharing, wait=bell.wait, tidy_up=tidy_up)
    opened.callback(relay.stop)
    return relay
