"""The client library's clients, opened so that nothing is left behind where no broker answers."""

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient
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

RECONNECT_MILLISECONDS = 1000
"""Up to this the client doubles the time between attempts: a broker that comes back is to be found soon."""


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    """Ends with the reason why a broker refuses us, where the client would ask again until its time is over."""

    refusal: KafkaError | None = None

    async def _build_transport(self, *arguments: Any, **options: Any) -> Any:
        transport = await super()._build_transport(*arguments, **options)
        # Held weakly: who lets a client go without closing it lets go of its sockets, too.
        transport._sock_recv = partial(_received, weakref.proxy(transport))
        return transport

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        if self.refusal is not None and not self.bootstrapped:
            raise self.refusal
        connection = super().get_connection(*arguments, **options)
        connection.init_future.add_errback(self._remember)
        return connection

    def _remember(self, error: Exception) -> None:
        if isinstance(error, KafkaError) and not error.retriable:
            self.refusal = error


def _received(transport: Any) -> tuple[bytes, KafkaError | None]:
    """What came before the connection ended. The client throws it away: a broker's last word, that it refuses a password."""
    data, error = transport.__class__._sock_recv(transport)
    return data, None if data else error  # which the next reading meets again


def open_client(make: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """What `make` makes, the library's `KafkaProducer` for one. Raises `KafkaError`: where no broker lets us in, its reason."""
    begun: list[KafkaNetClient] = []

    def client(**told: Any) -> KafkaNetClient:
        net = NetworkSelector(**told)
        begun.append(KafkaNetClient(net, _Manager(net, **told), **told))
        return begun[-1]

    try:
        return make(kafka_client=client, **{"reconnect_backoff_max_ms": RECONNECT_MILLISECONDS, **options})
    except BaseException:
        # What cannot be made would leave its thread and its sockets to nobody.
        for left in begun:
            left.close()
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
    }
    return open_client(KafkaConsumer, {**defaults, **connection.options(), **options})


def open_admin(connection: KafkaConnection) -> Any:
    """A client that makes and describes topics. Raises `KafkaError` where no broker answers."""
    return open_client(KafkaAdminClient, {**connection.options(), "bootstrap_timeout_ms": int(CONNECT_SECONDS * 1000)})
