"""The store, its searches and what they have to agree on."""

import attrs
import sqlalchemy as sa

from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.queries import SqlQueries
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.configuration import Configuration
from ocs_core.messages import TopicNames


@attrs.frozen
class Stores:
    """Stores of one system, over its database or within a transaction."""

    topics: TopicNames
    """Which messages go to which topic."""
    zone: str
    """The system's, where the configuration names none."""

    @classmethod
    def of(cls, settings: Settings) -> "Stores":
        topics = TopicNames(
            business_transactions=settings.business_transactions_topic, notifications=settings.notifications_topic
        )
        return cls(topics, settings.zone or Configuration().default_zone)

    def store(self, target: Database | sa.Connection) -> SqlStore:
        return SqlStore(target, self.topics, self.zone, has_clock=True)

    def queries(self, database: Database) -> SqlQueries:
        return SqlQueries(database, self.zone)
