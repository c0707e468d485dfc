"""Topics with the right retention: by time, never by compaction, since many entities share an account's key."""

import datetime as dt
from collections.abc import Sequence

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from ocs_adapters.kafka.connection import KafkaConnection
from ocs_core.errors import PlatformUnavailable


def create_topics(
    connection: KafkaConnection, names: Sequence[str], *, partitions: int, replication: int, retention: dt.timedelta
) -> Sequence[str]:
    """Create those that do not exist; gives their names. Raises `PlatformUnavailable`.

    Topics that exist are left as they are: another number of partitions would move keys, and so change their order.
    """
    configuration = {"cleanup.policy": "delete", "retention.ms": str(retention // dt.timedelta(milliseconds=1))}
    try:
        admin = KafkaAdminClient(**connection.options())
        try:
            missing = sorted({*names} - {*admin.list_topics()})
            wanted = [NewTopic(name, partitions, replication, topic_configs=configuration) for name in missing]
            if wanted:
                admin.create_topics(wanted, wait_for_metadata=True)
        finally:
            admin.close()
    except KafkaError as error:
        raise PlatformUnavailable(f"Kafka does not answer: {error}") from error
    return missing
