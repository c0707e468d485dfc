"""The client library's consumer, opened so that nothing is left behind where no broker answers."""

from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer
from kafka.net.compat import KafkaNetClient

from ocs_adapters.kafka.connection import KafkaConnection

CONNECT_SECONDS = 3.0
"""How long a broker may take to answer for the first time."""
FETCH_BYTES = 8 * 1024 * 1024
"""How much the client asks for at once."""
FETCH_WAIT_SECONDS = 0.1
"""How long a broker that has nothing new keeps a fetch waiting, and with it the partitions that are not part of it."""


def open_consumer(connection: KafkaConnection, options: Mapping[str, Any]) -> Any:
    """A consumer that begins at the oldest and commits nothing by itself. Raises `KafkaError` where no broker answers."""
    clients: list[KafkaNetClient] = []

    def client(**told: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**told))
        return clients[-1]

    defaults = {
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "allow_auto_create_topics": False,
        "fetch_max_bytes": FETCH_BYTES,
        "fetch_max_wait_ms": int(FETCH_WAIT_SECONDS * 1000),
        "bootstrap_timeout_ms": int(CONNECT_SECONDS * 1000),
        # It doubles the time between attempts up to this: a broker that comes back is to be found soon.
        "reconnect_backoff_max_ms": 1000,
    }
    try:
        return KafkaConsumer(kafka_client=client, **{**defaults, **connection.options(), **options})
    except BaseException:
        # The consumer that cannot be made leaves its thread and its sockets to nobody.
        for begun in clients:
            begun.close()
        raise
