"""Headers, keys and values between our messages and Kafka's records: text in UTF-8, ids in canonical text."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from ocs_core.ports import Delivered

Headers = list[tuple[str, bytes]]


def to_record(headers: Mapping[str, str]) -> Headers:
    """Headers as a record has them."""
    return [(name, value.encode()) for name, value in headers.items()]


def delivered(topic: str, key: bytes, headers: Iterable[tuple[str, bytes]], value: bytes) -> Delivered:
    """A record as those who read it are given it."""
    return Delivered(
        topic=topic,
        key=UUID(key.decode()),
        headers={name: text.decode() for name, text in headers},
        value=value,
    )
