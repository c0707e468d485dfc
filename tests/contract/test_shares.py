"""Several relays divide the keys: none twice, none left out, and a dead one's soon taken over."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.shares import SqlShares, fair_change
from ocs_adapters.streaming.relay import Relay
from ocs_core.ports import SHARES, share_of
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import NOW
from tests.contract.stores import DATABASES, subject_on

NAMES = st.sampled_from("abcde")


@given(
    st.lists(st.none() | NAMES, min_size=SHARES, max_size=SHARES).map(lambda held: dict(enumerate(held))),
    st.sets(NAMES, min_size=1),
    st.lists(NAMES, max_size=40),
)
def test_relays_come_to_equal_parts_whatever_they_began_with(held_by, living, turns) -> None:
    for me in [*(t for t in turns if t in living), *sorted(living), *sorted(living), *sorted(living)]:
        change = fair_change(held_by, living, me)
        assert all(held_by[share] not in living for share in change.take), "a share that another works on"
        assert all(held_by[share] == me for share in change.give_up)
        held_by = held_by | dict.fromkeys(change.take, me) | dict.fromkeys(change.give_up)
    parts = [sum(relay == name for relay in held_by.values()) for name in living]
    assert sum(parts) == SHARES
    assert max(parts) <= -(-SHARES // len(living))


@attrs.define
class _Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@DATABASES
def test_the_shares_of_a_dead_relay_are_taken_over_in_less_than_ten_seconds(make) -> None:
    with make() as database:
        time = _Time()
        dead, other = SqlShares(database, "dead", time), SqlShares(database, "other", time)
        assert dead.mine() is None
        for _ in range(3):
            time.now += 2.0
            dead.mine()
            other.mine()
        assert {len(dead.mine()), len(other.mine())} == {SHARES // 2}
        assert not {*dead.mine()} & {*other.mine()}
        died_at = time.now
        while other.mine() is not None:
            time.now += 0.5
            assert time.now - died_at < 10
        assert time.now - died_at >= 5, "a relay that only paused must not lose its shares at once"
        assert dead.mine() == frozenset(), "it was not dead: it must not go on with shares that are another's"
        time.now += 2.0
        other.mine()
        time.now += 2.0
        assert len(dead.mine()) == SHARES // 2


@DATABASES
def test_a_relay_that_leaves_gives_its_shares_back_at_once(make) -> None:
    with make() as database:
        first, second = SqlShares(database, "first"), SqlShares(database, "second")
        assert first.mine() is None
        assert second.mine() == frozenset()
        first.leave()
        second._beaten_at = None
        assert second.mine() is None


@DATABASES
def test_relays_move_their_own_shares_alone(make) -> None:
    with make() as database:
        log = SqlEventLog(database, lambda: NOW)
        desk = Desk(subject_on(database).store)
        accounts = [desk.account(f"A-{n}").ref_id for n in range(8)]
        relay = Relay(SqlOutbox(database), log)
        mine = {share_of(account) for account in accounts[:3]}
        relay.move(shares=mine)
        assert {event.key for event in log.after(0)} == {a for a in accounts if share_of(a) in mine}
        relay.drain()
        assert {event.key for event in log.after(0)} == {*accounts}
