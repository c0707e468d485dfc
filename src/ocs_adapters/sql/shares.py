"""The shares of the keys that one relay holds, agreed upon with the others through the database."""

import math
import time
from collections.abc import Callable, Collection, Mapping

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call
from ocs_core.ports import SHARES

BEAT_SECONDS = 2.0
"""How often a relay says that it lives."""
DEAD_AFTER_SECONDS = 5.0
"""A relay that said nothing for so long is dead: its shares are taken over by the next beat of another."""

_RELAYS, _SHARES = tables.relays, tables.relay_shares
_BEAT = sa.text(
    "INSERT INTO relays (name, beat) VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET beat = relays.beat + 1"
)
_ALL_SHARES = sa.select(_SHARES.c.share, _SHARES.c.relay).order_by(_SHARES.c.share).with_for_update()
_ALL_RELAYS = sa.select(_RELAYS.c.name, _RELAYS.c.beat)
_HAND_OVER = (
    sa.update(_SHARES).where(_SHARES.c.share == bindparam("number")).values(relay=bindparam("relay", type_=sa.Text()))
)
_LET_GO = sa.update(_SHARES).where(_SHARES.c.relay == bindparam("name")).values(relay=None)
_FORGET = sa.delete(_RELAYS).where(_RELAYS.c.name == bindparam("name"))


@attrs.frozen
class Change:
    """What a relay is to do: the shares it takes, and those it gives up."""

    take: frozenset[int] = frozenset()
    give_up: frozenset[int] = frozenset()


def fair_change(held_by: Mapping[int, str | None], living: Collection[str], me: str) -> Change:
    """How a relay comes to its equal part. `held_by` tells the relay of each share, `living` names those that work, me too.

    Only what nobody who lives holds is taken, and what is too much is given up: so a share changes hands in two steps,
    and its first relay has always finished with it.
    """
    part = math.ceil(SHARES / len(living))
    mine = sorted(share for share, relay in held_by.items() if relay == me)
    free = sorted(share for share, relay in held_by.items() if relay not in living)
    return Change(frozenset(free[: max(part - len(mine), 0)]), frozenset(mine[part:]))


@attrs.define
class SqlShares:
    """One relay's part in the work, by its beat in the database.

    No clock is compared with another's: a relay is dead when its beat has not changed for a while as this one saw it.
    A relay that was taken for dead learns it by its next beat; what it had in hand then comes a second time, behind what
    the other published, and is known by its `ce_id`.
    """

    database: Database
    name: str
    now: Callable[[], float] = time.monotonic
    _mine: frozenset[int] = frozenset()
    _beaten_at: float | None = None
    _seen: dict[str, tuple[int, float]] = attrs.field(factory=dict)

    def mine(self) -> Collection[int] | None:
        if self._beaten_at is None or self.now() - self._beaten_at >= BEAT_SECONDS:
            self._beat()
        return None if len(self._mine) == SHARES else self._mine

    def leave(self) -> None:
        """Give up every share, so that others take them over at once."""
        self._mine, self._beaten_at = frozenset(), None
        self.database.write(Call(_LET_GO, {"name": self.name}), Call(_FORGET, {"name": self.name}))

    def _beat(self) -> None:
        self._mine, at = frozenset(), self.now()
        with self.database.transaction() as transaction:
            # The shares are locked first: relays beat one after the other.
            (shares,) = transaction.run([Call(_ALL_SHARES)])
            _, relays = transaction.run([Call(_BEAT, {"name": self.name}), Call(_ALL_RELAYS)])
            held_by: dict[int, str | None] = dict(shares)
            mine = self._agree(transaction, held_by, self._living(dict(relays), at))
        self._mine, self._beaten_at = mine, at

    def _living(self, beats: Mapping[str, int], at: float) -> set[str]:
        for name, beat in beats.items():
            if self._seen.get(name, (None, at))[0] != beat:
                self._seen[name] = (beat, at)
        self._seen = {name: self._seen[name] for name in beats}
        return {name for name, (_, seen_at) in self._seen.items() if at - seen_at < DEAD_AFTER_SECONDS}

    def _agree(self, transaction: Transaction, held_by: Mapping[int, str | None], living: set[str]) -> frozenset[int]:
        change = fair_change(held_by, living, self.name)
        handed = [{"number": share, "relay": self.name} for share in sorted(change.take)]
        handed += [{"number": share, "relay": None} for share in sorted(change.give_up)]
        dead = [{"name": name} for name in sorted(self._seen.keys() - living)]
        calls = [Call(_HAND_OVER, handed)] if handed else []
        calls += [Call(_LET_GO, dead), Call(_FORGET, dead)] if dead else []
        transaction.run(calls, commit=True)
        mine = {share for share, relay in held_by.items() if relay == self.name}
        return frozenset(mine | change.take) - change.give_up
