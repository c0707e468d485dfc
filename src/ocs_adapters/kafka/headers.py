"""Headers, keys and values between our messages and Kafka's records: text in UTF-8, ids in canonical text."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import structlog

from ocs_adapters.telling import told
from ocs_core.errors import OcsError
from ocs_core.ports import Delivered

Headers = list[tuple[str, bytes]]

log: Any = structlog.get_logger()


class NotOurs(OcsError, ValueError):
    """A record that is none of our messages."""


def to_record(headers: Mapping[str, str]) -> Headers:
    """Headers as a record has them."""
    return [(name, value.encode()) for name, value in headers.items()]


def delivered(
    topic: str, key: bytes | None, headers: Iterable[tuple[str, bytes | None]], value: bytes | None
) -> Delivered:
    """A record as those who read it are given it. Raises `ValueError` for one that is none of our messages."""
    if value is None:
        raise NotOurs("it has no value")
    return Delivered(
        topic=topic,
        key=UUID(_text("key", key)),
        headers={name: _text(f"header {name}", text) for name, text in headers},
        value=value,
    )


def read(record: Any) -> Delivered | None:
    """The same of a record of the client; what is none of our messages goes to the log, and None comes back.

    A topic is open to others. One record of theirs must not keep all that follows it from those who read.
    """
    try:
        return delivered(record.topic, record.key, record.headers, record.value)
    except ValueError as error:
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        log.error("a record that is none of our messages is passed over", **where, reason=told(error))
        return None


def _text(what: str, text: bytes | None) -> str:
    if text is None:
        raise NotOurs(f"its {what} is missing")
    return text.decode()
