"""Deliveries as those who send them see them: claim what is due, note how it ended."""

import datetime as dt
import functools
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.consumers.notifications.tables import attempts, deliveries
from ocs_adapters.serial import codes
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import value_reader
from ocs_core.ports import Clock

CLAIM_SECONDS = 120
"""How long a claim holds: longer than any attempt takes. What a sender left when it died is then due again."""
TOLD_AT_MOST = 500
"""Characters that are kept of what a recipient says."""


class State(StrEnum):
    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@attrs.frozen(kw_only=True)
class Delivery:
    """One notification for one recipient, claimed for attempt `number`; so many `attempts_left` when this one has failed."""

    ref_id: UUID
    recipient: str
    code: str
    occurred_at: dt.datetime
    value: str
    number: int
    attempts_left: int

    @property
    def data(self) -> Any:
        """The notification's value, with plain codes."""
        return msgspec.json.decode(codes.contracted(self.value.encode()))


@attrs.frozen(kw_only=True)
class Outcome:
    """How an attempt ended: `status` is the recipient's number for it, if it gave one, `told` what is to be known besides."""

    delivered: bool = False
    is_refused: bool = False
    """The recipient is there, and does not want this message: that says nothing about others."""
    for_good: bool = False
    """It failed, and would at any other time."""
    status: int | None = None
    told: str | None = None
    retry_after: float | None = None
    """Seconds that the recipient asks for."""


_d = deliveries.c
_IS_DUE = sa.and_(sa.text("state = 'WAITING'"), _d.due_at <= bindparam("due_by"))
_ANY_DUE: Any = functools.cache(
    lambda driver: sa.select(sa.exists().where(driver.one_of(_d.recipient, "names"), _IS_DUE))
)
_DUE = (
    sa.select(_d.ref_id, _d.recipient, _d.code, _d.occurred_at, _d.value, _d.attempts, _d.attempts_allowed)
    .where(_d.recipient == bindparam("name"), _IS_DUE)
    .order_by(_d.due_at, _d.ref_id)
    .limit(bindparam("room", type_=sa.Integer()))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(deliveries)
    .where(_d.ref_id == bindparam("delivery"))
    .values(attempts=bindparam("number"), due_at=bindparam("expires_at"))
)
_BEGIN = sa.insert(attempts).values(
    delivery=bindparam("delivery"), number=bindparam("number"), begun_at=bindparam("now")
)
_END_ATTEMPT = (
    sa.update(attempts)
    .where(attempts.c.delivery == bindparam("delivery"), attempts.c.number == bindparam("number_made"))
    .values(ended_at=bindparam("now"), status=bindparam("status_told"), told=bindparam("words"))
)
_DELIVERED = (
    sa.update(deliveries)
    .where(_d.ref_id == bindparam("delivery"), _d.state != State.DELIVERED.value)
    .values(state=State.DELIVERED.value, delivered_at=bindparam("now"))
)
# Somebody else may have claimed it meanwhile: what becomes of it is then for them to say.
_NOT_DELIVERED = (
    sa.update(deliveries)
    .where(
        _d.ref_id == bindparam("delivery"),
        _d.attempts == bindparam("number_made"),
        _d.state != State.DELIVERED.value,
    )
    .values(state=bindparam("new_state"), due_at=bindparam("next_at"))
)


@attrs.frozen(eq=False)
class Deliveries:
    """The deliveries of one database. Several senders may work on it at once: each delivery is one's at a time."""

    database: Database
    clock: Clock

    def claim(self, rooms: Mapping[str, int], limit: int, due_by: dt.datetime) -> Sequence[Delivery]:
        """Claim at most `limit` deliveries that were due by then, and of each recipient as many as there is room for;
        those who are named first come first."""
        claimed: list[Delivery] = []
        if not self._any_due(rooms, due_by):
            return claimed
        with self.database.transaction() as transaction:
            for name, room in rooms.items():
                at_most = min(room, limit - len(claimed))
                if at_most > 0:
                    (rows,) = transaction.run([Call(_DUE, {"name": name, "due_by": due_by, "room": at_most})])
                    claimed += map(self._delivery, rows)
            now = self.clock()
            expires_at = now + dt.timedelta(seconds=CLAIM_SECONDS)
            claims = [{"delivery": c.ref_id, "number": c.number, "now": now, "expires_at": expires_at} for c in claimed]
            transaction.run([Call(_CLAIM, claims), Call(_BEGIN, claims)] if claims else [], commit=True)
        return claimed

    def ended(self, delivery: Delivery, outcome: Outcome, next_at: dt.datetime | None) -> State:
        """Note how an attempt ended; where there is to be another, it is due at `next_at`. Gives the delivery's state."""
        if outcome.delivered:
            state, change = State.DELIVERED, _DELIVERED
        else:
            state, change = State.WAITING if next_at else State.FAILED, _NOT_DELIVERED
        now = self.clock()
        noted = {
            "delivery": delivery.ref_id,
            "number_made": delivery.number,
            "now": now,
            "status_told": outcome.status,
            "words": _printable(outcome.told),
            "new_state": state.value,
            "next_at": next_at or now,
        }
        self.database.write(Call(_END_ATTEMPT, noted), Call(change, noted))
        return state

    def _any_due(self, names: Collection[str], due_by: dt.datetime) -> bool:
        """Asked again and again where nothing is to be done, it takes one query and nobody's lock."""
        driver = self.database.driver
        wanted = {"names": driver.bind_list(list(names)), "due_by": due_by}
        (((found,),),) = self.database.read(Call(_ANY_DUE(driver), wanted))
        return bool(found)

    def _delivery(self, row: Any) -> Delivery:
        ref_id, recipient, code, occurred_at, value, made, allowed = row
        driver = self.database.driver
        read_id, read_instant = value_reader(UUID, driver), value_reader(dt.datetime, driver)
        return Delivery(
            ref_id=read_id(ref_id),
            recipient=recipient,
            code=code,
            occurred_at=read_instant(occurred_at),
            value=value,
            number=made + 1,
            attempts_left=allowed - made - 1,
        )


def _printable(told: str | None) -> str | None:
    """Recipients may say anything, and a database takes not everything."""
    return told and "".join(c if c.isprintable() else " " for c in told[:TOLD_AT_MOST])
