"""Deliveries as operators see them: what became of each, and what is to be tried again."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.consumers.notifications.backoff import ATTEMPTS
from ocs_adapters.consumers.notifications.deliveries import State
from ocs_adapters.consumers.notifications.tables import attempts, deliveries
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import reader
from ocs_core.form import fields
from ocs_core.ports import Clock

_d, _a = deliveries.c, attempts.c


@attrs.frozen(kw_only=True)
class Attempt:
    """One attempt; without `ended_at` it is under way, or its sender died and nobody knows how it ended."""

    number: int
    begun_at: dt.datetime
    ended_at: dt.datetime | None
    status: int | None
    told: str | None


@attrs.frozen(kw_only=True)
class Record:
    """A delivery with everything that is known of it. `last` is its newest attempt, `due_at` when a waiting one is due."""

    ref_id: UUID
    ce_id: UUID
    recipient: str
    code: str
    occurred_at: dt.datetime
    kept_at: dt.datetime
    state: State
    attempts: int
    due_at: dt.datetime
    delivered_at: dt.datetime | None
    value: str
    last: Attempt | None


_RECORD = [_d[field.name] for field in fields(Record) if field.name != "last"]
_ATTEMPT = [_a[field.name] for field in fields(Attempt)]
_RECORDS = sa.select(*_RECORD, *_ATTEMPT).select_from(
    deliveries.outerjoin(attempts, sa.and_(_a.delivery == _d.ref_id, _a.number == _d.attempts))
)
_ONE = _RECORDS.where(_d.ref_id == bindparam("delivery"))
_ATTEMPTS = sa.select(*_ATTEMPT).where(_a.delivery == bindparam("delivery")).order_by(_a.number)
_WAITING = sa.select(sa.func.count()).where(_d.state == State.WAITING.value)
_UNDER_WAY = sa.exists().where(
    _a.delivery == _d.ref_id, _a.number == _d.attempts, _a.ended_at.is_(None), _d.due_at > bindparam("now")
)
_NOT_DELIVERED = _d.state != State.DELIVERED.value
# Whoever is sending it now must not find that somebody else does, too.
_RETRY = (
    sa.update(deliveries)
    .where(_NOT_DELIVERED, ~_UNDER_WAY)
    .values(state=State.WAITING.value, due_at=bindparam("now"), attempts_allowed=_d.attempts + ATTEMPTS)
)
_RETRY_ONE = _RETRY.where(_d.ref_id == bindparam("delivery"))
# Whoever claims one at this moment has it locked. A statement that waited for the lock would still look for attempts among
# those that were there when it began: only the next one sees the new attempt.
_WAIT_FOR_CLAIMS, _WAIT_FOR_CLAIM = (
    sa.select(sa.func.count()).select_from(
        sa.select(_d.ref_id).where(*conditions).order_by(_d.ref_id).with_for_update().subquery()
    )
    for conditions in ([_NOT_DELIVERED], [_d.ref_id == bindparam("delivery")])
)


@functools.cache
def _listed(by_state: bool, by_recipient: bool) -> Any:
    conditions = [_d.state == bindparam("state")] * by_state + [_d.recipient == bindparam("recipient")] * by_recipient
    newest_first = _RECORDS.where(*conditions).order_by(_d.kept_at.desc(), _d.ref_id.desc())
    return newest_first.limit(bindparam("limit", type_=sa.Integer()))


@attrs.frozen(eq=False)
class Audit:
    """The deliveries of one database."""

    database: Database
    clock: Clock

    def records(self, limit: int, state: State | None = None, recipient: str | None = None) -> Sequence[Record]:
        """The newest deliveries, newest first."""
        wanted = {"limit": limit, "state": state and state.value, "recipient": recipient}
        (rows,) = self.database.read(Call(_listed(state is not None, recipient is not None), wanted))
        return list(map(reader(Record, self.database.driver), rows))

    def record(self, ref_id: UUID) -> tuple[Record, Sequence[Attempt]] | None:
        """A delivery with its attempts, the first one first."""
        of = {"delivery": ref_id}
        rows, made = self.database.read(Call(_ONE, of), Call(_ATTEMPTS, of))
        driver = self.database.driver
        return (reader(Record, driver)(rows[0]), list(map(reader(Attempt, driver), made))) if rows else None

    def waiting(self) -> int:
        """How many deliveries wait."""
        (((count,),),) = self.database.read(Call(_WAITING))
        return int(count)

    def retry(self, ref_id: UUID | None = None) -> int:
        """Let a delivery, or all, be due now, with as many attempts before it as a new one has. Gives how many it was:
        what is delivered stays so, and what is under way is left to whoever sends it."""
        wait, retry = (_WAIT_FOR_CLAIM, _RETRY_ONE) if ref_id else (_WAIT_FOR_CLAIMS, _RETRY)
        parameters = {"delivery": ref_id, "now": self.clock()}
        _, changed = self.database.write(Call(wait, parameters), Call(retry, parameters))
        return int(changed)
