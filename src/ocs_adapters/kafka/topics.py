"""Topics with the right retention: by time, never by compaction, since many entities share an account's key."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import InvalidReplicationFactorError, KafkaError

from ocs_adapters.kafka.client import open_admin
from ocs_adapters.kafka.codecs import GZIP
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_core.errors import OcsError, PlatformUnavailable

MILLISECOND = dt.timedelta(milliseconds=1)
LARGEST = 1_048_576
"""Bytes of the largest message that the client sends; one that is larger is held in the outbox."""
_COMPARED = ("cleanup.policy", "retention.ms", "compression.type", "max.message.bytes", "min.insync.replicas")


@attrs.frozen(kw_only=True)
class Topics:
    """What came of asking for topics: those that were made, and in what those that exist differ from what was wanted."""

    made: Sequence[str]
    differences: Sequence[str]
    """One sentence each."""


@attrs.frozen(kw_only=True)
class Wanted:
    """How topics are to be. `compression` is that of the messages that are sent to them."""

    partitions: int
    replication: int
    retention: dt.timedelta
    compression: str = GZIP


def create_topics(connection: KafkaConnection, names: Sequence[str], wanted: Wanted) -> Topics:
    """Create those that do not exist. Raises `PlatformUnavailable`, and `OcsError` where one that exists is compacted, or there
    are fewer brokers than copies.

    Topics that exist are left as they are: another number of partitions would move keys, and so change their order.
    """
    told = {"cleanup.policy": "delete", "retention.ms": str(wanted.retention // MILLISECOND)}
    try:
        admin = open_admin(connection)
        try:
            there = sorted({*names} & {*admin.list_topics()})
            differences = [d for found in _found(admin, there) for d in _differences(found, wanted)]
            missing = sorted({*names} - {*there})
            if missing:
                new = [NewTopic(name, wanted.partitions, wanted.replication, topic_configs=told) for name in missing]
                admin.create_topics(new, wait_for_metadata=True)
        finally:
            admin.close()
    except InvalidReplicationFactorError as error:
        raise OcsError(
            f"Kafka cannot keep {_count(wanted.replication, 'copy', 'copies')} of a topic, each on a broker of its own: "
            "give --replication so many as there are brokers at the most."
        ) from error
    except KafkaError as error:
        raise PlatformUnavailable(f"Kafka does not answer: {error}") from error
    return Topics(made=missing, differences=differences)


@attrs.frozen
class _Found:
    """A topic as it is."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


def _found(admin: Any, names: Sequence[str]) -> Iterator[_Found]:
    if not names:
        return
    shapes = {topic["name"]: topic["partitions"] for topic in admin.describe_topics(names)}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    told = admin.describe_configs(asked, config_filter="all")["topic"]  # what is the broker's default, too
    for name in names:
        copies = min(len(partition["replica_nodes"]) for partition in shapes[name])
        yield _Found(name, len(shapes[name]), copies, {option: told[name][option]["value"] for option in _COMPARED})


def _differences(found: _Found, wanted: Wanted) -> Iterator[str]:
    policy, kept, compression, largest, in_sync = (found.settings[option] for option in _COMPARED)
    topic = f"The topic {found.name}"
    if policy != "delete":
        raise OcsError(
            f"{topic} has cleanup.policy={policy}. Compaction keeps the last message of a key alone, and many entities share "
            "an account's: set cleanup.policy=delete, or name another topic."
        )
    if found.partitions != wanted.partitions:
        yield f"{topic} has {_count(found.partitions, 'partition')}, not {wanted.partitions}; it is left so."
    if found.replication != wanted.replication:
        yield f"{topic} is kept on {_count(found.replication, 'broker')}, not {wanted.replication}; it is left so."
    if (span := _span(kept)) != (asked := _span(str(wanted.retention // MILLISECOND))):
        yield f"{topic} keeps messages {span}, not {asked}; it is left so."
    if int(in_sync) > found.replication:
        yield (
            f"{topic} has min.insync.replicas={in_sync} and is kept on {_count(found.replication, 'broker')}: nothing can be "
            "published there. Set min.insync.replicas lower, or keep it on more."
        )
    if compression not in {"producer", wanted.compression, "uncompressed" if wanted.compression == "none" else ""}:
        yield (
            f"{topic} has compression.type={compression}: the broker compresses again what is sent with {wanted.compression}, "
            f"and who reads needs {compression}. Set compression.type=producer, or OCS_KAFKA_COMPRESSION={compression}."
        )
    if int(largest) < LARGEST:
        yield (
            f"{topic} takes messages of {largest} bytes at the most, and up to {LARGEST} are sent: larger ones would be held. "
            f"Set max.message.bytes={LARGEST}."
        )


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _span(milliseconds: str) -> str:
    days = int(milliseconds) * MILLISECOND / dt.timedelta(days=1)
    return "for ever" if days < 0 else f"for {days:g} {'day' if days == 1 else 'days'}"
