"""The inbox: which messages a consumer has dealt with; and the dead letters, those that it cannot."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.consumers.received import NotUnderstood
from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call, Row
from ocs_adapters.sql.reading import reader, value_reader
from ocs_core.ports import Clock, Delivered


@attrs.frozen(kw_only=True)
class DeadLetter:
    """A message that could not be dealt with, and why. `ref_id` is its `ce_id`, or made from its content if it has none."""

    ref_id: UUID
    set_aside_at: dt.datetime
    message: Delivered
    reason: str


@attrs.frozen(eq=False)
class Inbox:
    """One consumer's inbox and dead letters, in its database."""

    database: Database
    tables: ConsumerTables
    clock: Clock
    _known: Any = attrs.field(init=False)
    _dead: Any = attrs.field(init=False)
    _one_dead: Any = attrs.field(init=False)
    _bury: Any = attrs.field(init=False)

    @_known.default
    def _make_known(self) -> Any:
        ce_id = self.tables.inbox.c.ce_id
        return sa.select(ce_id).where(self.database.driver.one_of(ce_id, "ids"))

    @_dead.default
    def _make_dead(self) -> Any:
        table = self.tables.dead_letters
        return sa.select(table).order_by(table.c.set_aside_at, table.c.ref_id)

    @_one_dead.default
    def _make_one_dead(self) -> Any:
        table = self.tables.dead_letters
        return sa.select(table).where(table.c.ref_id == sa.bindparam("letter"))

    @_bury.default
    def _make_bury(self) -> Any:
        table = self.tables.dead_letters
        return sa.delete(table).where(table.c.ref_id == sa.bindparam("letter"))

    def take(self, transaction: Transaction, messages: Sequence[Delivered]) -> Sequence[Delivered]:
        """Note the messages as dealt with, if the transaction is committed; gives those that were not known.

        Raises `NotUnderstood` where a message has no `ce_id`.
        """
        by_id: dict[UUID, Delivered] = {}
        for message in messages:
            by_id.setdefault(_ce_id(message), message)
        driver = self.database.driver
        (known,) = transaction.run([Call(self._known, {"ids": driver.bind_list(list(by_id))})])
        read_id = value_reader(UUID, driver)
        for (ce_id,) in known:
            del by_id[read_id(ce_id)]
        now = self.clock()
        if by_id:
            rows = [{"ce_id": ce_id, "received_at": now} for ce_id in by_id]
            transaction.run(driver.insert({self.tables.inbox: rows}))
        return list(by_id.values())

    def set_aside(self, message: Delivered, reason: str) -> UUID:
        """Keep a message that cannot be dealt with as a dead letter; gives its id there."""
        ref_id = _id_of(message)
        row = {
            "ref_id": ref_id,
            "set_aside_at": self.clock(),
            "topic": message.topic,
            "key": message.key,
            "headers": msgspec.json.encode(message.headers).decode(),
            "value": message.value,
            "reason": "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in reason),
        }
        self.database.write(*self.database.driver.insert({self.tables.dead_letters: [row]}))
        return ref_id

    def dead_letters(self) -> Sequence[DeadLetter]:
        """All dead letters, the oldest first."""
        (rows,) = self.database.read(Call(self._dead))
        return list(map(self._letter, rows))

    def dead_letter(self, ref_id: UUID) -> DeadLetter | None:
        (rows,) = self.database.read(Call(self._one_dead, {"letter": ref_id}))
        return self._letter(rows[0]) if rows else None

    def discard(self, ref_id: UUID, transaction: Transaction | None = None) -> bool:
        """Forget a dead letter; False when there is none of that id."""
        call = Call(self._bury, {"letter": ref_id})
        (gone,) = transaction.run([call]) if transaction else self.database.write(call)
        return bool(gone)

    @property
    def _letter(self) -> Callable[[Row], DeadLetter]:
        return reader(DeadLetter, self.database.driver)


def _ce_id(message: Delivered) -> UUID:
    try:
        return UUID(message.headers["ce_id"])
    except KeyError:
        raise NotUnderstood("It has no header 'ce_id'.") from None
    except ValueError:
        raise NotUnderstood(f"Its ce_id {message.headers['ce_id']!r} is no UUID.") from None


def _id_of(message: Delivered) -> UUID:
    try:
        return _ce_id(message)
    except NotUnderstood:
        content = msgspec.json.encode([message.topic, message.key, message.headers, message.value])
        return UUID(bytes=hashlib.sha256(content).digest()[:16])
