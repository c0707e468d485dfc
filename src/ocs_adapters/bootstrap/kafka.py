"""Kafka, as the settings say; its client is imported where it is used, for it may not be installed."""

from typing import Any

import attrs

from ocs_adapters.settings import Settings
from ocs_core.errors import OcsError
from ocs_core.ports import Publisher

NOT_INSTALLED = "OCS_KAFKA_SERVERS needs Kafka's client; install ocs-rm[kafka]."


def kafka_connection(settings: Settings) -> Any:
    """How the settings say that Kafka is reached: a `KafkaConnection`."""
    from ocs_adapters.kafka.connection import KafkaConnection

    names = [field.name for field in attrs.fields(KafkaConnection)]
    return KafkaConnection(**{name: getattr(settings, f"kafka_{name}") for name in names})


def kafka_publisher(settings: Settings) -> Publisher:
    """What publishes to Kafka. Raises `OcsError` where its client is not installed."""
    try:
        from ocs_adapters.kafka import codecs
        from ocs_adapters.kafka.publisher import KafkaPublisher
    except ImportError:
        raise OcsError(NOT_INSTALLED) from None
    codecs.check(settings.kafka_compression)
    return KafkaPublisher(kafka_connection(settings), compression=settings.kafka_compression)


def kafka_queues() -> Any:
    """The module `ocs_adapters.kafka.queues`. Raises `OcsError` where Kafka's client is not installed."""
    try:
        from ocs_adapters.kafka import queues
    except ImportError:
        raise OcsError(NOT_INSTALLED) from None
    return queues
