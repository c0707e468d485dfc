"""Topics with the right retention: by time, never by compaction, since many entities share an account's key."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError

from ocs_adapters.kafka.client import open_admin
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_core.errors import OcsError, PlatformUnavailable

MILLISECOND = dt.timedelta(milliseconds=1)


@attrs.frozen(kw_only=True)
class Topics:
    """What came of asking for topics: those that were made, and in what those that exist differ from what was wanted."""

    made: Sequence[str]
    differences: Sequence[str]
    """One sentence each."""


def create_topics(
    connection: KafkaConnection, names: Sequence[str], *, partitions: int, replication: int, retention: dt.timedelta
) -> Topics:
    """Create those that do not exist. Raises `PlatformUnavailable`, and `OcsError` where one that exists is compacted.

    Topics that exist are left as they are: another number of partitions would move keys, and so change their order.
    """
    wanted = {"cleanup.policy": "delete", "retention.ms": str(retention // MILLISECOND)}
    try:
        admin = open_admin(connection)
        try:
            there = sorted({*names} & {*admin.list_topics()})
            differences = _differences(admin, there, partitions, wanted)
            missing = sorted({*names} - {*there})
            if missing:
                new = [NewTopic(name, partitions, replication, topic_configs=wanted) for name in missing]
                admin.create_topics(new, wait_for_metadata=True)
        finally:
            admin.close()
    except KafkaError as error:
        raise PlatformUnavailable(f"Kafka does not answer: {error}") from error
    return Topics(made=missing, differences=differences)


def _differences(admin: Any, names: Sequence[str], partitions: int, wanted: Mapping[str, str]) -> list[str]:
    if not names:
        return []
    counts = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(names)}
    told = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])["topic"]
    found: list[str] = []
    for name in names:
        policy, kept = (told[name][option]["value"] for option in wanted)
        if policy != wanted["cleanup.policy"]:
            raise OcsError(
                f"The topic {name} has cleanup.policy={policy}. Compaction keeps the last message of a key alone, and many "
                "entities share an account's: set cleanup.policy=delete, or name another topic."
            )
        if counts[name] != partitions:
            found.append(f"The topic {name} has {counts[name]} partitions, not {partitions}; it is left so.")
        if kept != wanted["retention.ms"]:
            found.append(
                f"The topic {name} keeps messages {_span(kept)}, not {_span(wanted['retention.ms'])}; it is left so."
            )
    return found


def _span(milliseconds: str) -> str:
    days = int(milliseconds) * MILLISECOND / dt.timedelta(days=1)
    return "for ever" if days < 0 else f"for {days:g} {'day' if days == 1 else 'days'}"
