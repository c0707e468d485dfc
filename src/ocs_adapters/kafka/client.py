"""The client library's clients, opened so that nothing is left behind where no broker answers."""

from collections.abc import Callable, Mapping
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from ocs_adapters.kafka.connection import KafkaConnection

CONNECT_SECONDS = 3.0
"""How long a broker may take to answer for the first time."""
FETCH_BYTES = 8 * 1024 * 1024
"""How much the client asks for at once."""
FETCH_WAIT_SECONDS = 0.1
"""How long a broker that has nothing new keeps a fetch waiting, and with it the partitions that are not part of it."""


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    """Remembers why a broker refuses us, of which the client leaves nothing but that time is over."""

    refusal: KafkaError | None = None

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        connection = super().get_connection(*arguments, **options)
        connection.init_future.add_errback(self._remember)
        return connection

    def _remember(self, error: Exception) -> None:
        if isinstance(error, KafkaError) and not error.retriable:
            self.refusal = error


def open_client(make: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """What `make` makes, the library's `KafkaProducer` for one. Raises `KafkaError`: where no broker lets us in, its reason."""
    begun: list[KafkaNetClient] = []

    def client(**told: Any) -> KafkaNetClient:
        net = NetworkSelector(**told)
        begun.append(KafkaNetClient(net, _Manager(net, **told), **told))
        return begun[-1]

    try:
        return make(kafka_client=client, **options)
    except BaseException as error:
        # What cannot be made would leave its thread and its sockets to nobody.
        for left in begun:
            left.close()
        refusals = [left._manager.refusal for left in begun if left._manager.refusal]
        if refusals:
            raise refusals[0] from error
        raise


def open_consumer(connection: KafkaConnection, options: Mapping[str, Any]) -> Any:
    """A consumer that begins at the oldest and commits nothing by itself. Raises `KafkaError` where no broker answers."""
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
    return open_client(KafkaConsumer, {**defaults, **connection.options(), **options})
