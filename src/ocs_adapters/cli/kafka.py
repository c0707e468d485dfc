"""`ocs kafka`: the topics that messages go to."""

import datetime as dt
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from ocs_adapters.bootstrap.kafka import kafka_connection
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Refused, read_settings

Days = Annotated[int, Parameter(metavar="DAYS", validator=Number(gte=1, lte=10_000))]
Count = Annotated[int, Parameter(metavar="NUMBER", validator=Number(gte=1, lte=10_000))]


app = App(name="kafka", help="Apache Kafka, the streaming platform that OCS_KAFKA_SERVERS names: make its topics.")


@app.command
def init(
    *, partitions: Count = 12, slice_partitions: Count = 60, replication: Count = 1, retention_days: Days = 7
) -> None:
    """Create the topics that do not exist yet; those that do are left as they are, and how they differ is said: partitions,
    replication, retention, compression, and the largest message.

    They forget by time and are never compacted, since many entities share an account's key. Choose the number of
    partitions for good: another one would move keys to other partitions, and so change their order.

    Args:
        partitions: How many partitions each topic of messages has.
        slice_partitions: How many the topic has that ocs worker reads. Workers share them evenly, and each needs one at
            the least.
        replication: On how many brokers each is kept.
        retention_days: How many days messages are kept; what workers are sent is kept for one.
    """
    settings = read_settings()
    if settings.kafka_servers is None:
        raise Refused("OCS_KAFKA_SERVERS is not set; give HOST:PORT of Kafka's brokers.")
    from ocs_adapters.bootstrap import notifications
    from ocs_adapters.kafka.topics import Wanted, create_topics

    messages = (settings.business_transactions_topic, *notifications.topics(settings))
    for names, count, days in (
        (messages, partitions, retention_days),
        ((settings.process_slices_topic,), slice_partitions, 1),
    ):
        retention = dt.timedelta(days=days)
        wanted = Wanted(
            partitions=count,
            replication=replication,
            retention=retention,
            compression=settings.kafka_compression,
        )
        topics = create_topics(kafka_connection(settings), names, wanted)
        for name in names:
            print(f"{name}: {'made' if name in topics.made else 'there already'}")
        for difference in topics.differences:
            say.warn(difference)
