"""The outbox in SQL: messages wait in the transaction that announced them, and leave when it is committed."""

import functools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.serial import encode
from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_core.entities.configuration import Configuration
from ocs_core.messages import Family, Message
from ocs_core.ports import OutboxRow

_WAITING = sa.select(tables.outbox).order_by(tables.outbox.c.position).limit(sa.bindparam("limit"))


@attrs.frozen(kw_only=True)
class Topics:
    """Which topic a message goes to, unless its notification is configured to have one of its own."""

    business_transactions: str = "ocs.rm.business-transactions"
    notifications: str = "ocs.rm.notifications"

    def of(self, message: Message, configuration: Configuration) -> str:
        if message.family is Family.BUSINESS_TRANSACTION:
            return self.business_transactions
        setting = configuration.notifications.get(message.payload.code)
        return (setting and setting.topic) or self.notifications


def outbox_row(message: Message, topic: str) -> dict[str, Any]:
    """A message as a row of the outbox."""
    return {
        "ref_id": message.ref_id,
        "topic": topic,
        "key": message.key,
        "headers": msgspec.json.encode(message.headers).decode(),
        "value": encode(message.payload).decode(),
    }


@attrs.frozen
class SqlOutbox:
    """The relay's side of the outbox."""

    database: Database

    def waiting(self, limit: int) -> Sequence[OutboxRow]:
        (rows,) = self.database.read(Call(_WAITING, {"limit": limit}))
        to_id = self.database.driver.decoder(UUID) or _same
        return [
            OutboxRow(
                position=position,
                ref_id=to_id(ref_id),
                topic=topic,
                key=to_id(key),
                headers=msgspec.json.decode(headers),
                value=value.encode(),
            )
            for position, ref_id, topic, key, headers, value in rows
        ]

    def done(self, rows: Sequence[OutboxRow]) -> None:
        driver = self.database.driver
        self.database.write(Call(_delete(driver), {"positions": driver.bind_list([r.position for r in rows])}))


@functools.cache
def _delete(driver: Any) -> Any:
    return sa.delete(tables.outbox).where(driver.one_of(tables.outbox.c.position, "positions"))


def _same(value: Any) -> Any:
    return value
