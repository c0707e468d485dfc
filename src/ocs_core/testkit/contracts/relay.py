"""The laws of a relay: from the outbox to the platform, in order per key, at least once, whatever crashes."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.memory import MemoryOutbox, MemoryStore
from ocs_core.messages import Payload
from ocs_core.ports import Delivered, HeldRow, Outbox, OutboxRow, Published, Publisher
from ocs_core.testkit.contracts.outbox import publish
from ocs_core.testkit.contracts.publisher import KEYS, by_key, delivered, once
from ocs_core.testkit.contracts.values import a_message
from ocs_core.testkit.fakes import Crash, CrashAt

Move = Callable[[], Any]
"""Moves some of what waits; called again, some more."""
MESSAGES = 12


@attrs.define
class _Platform:
    """A platform that keeps every message as often as it comes, but for those that are `away` or `refused`."""

    at_most: int = 1000
    away: set[str] = attrs.field(factory=set)
    refused: set[str] = attrs.field(factory=set)
    kept: list[Delivered] = attrs.field(factory=list)

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        blocked: set[UUID] = set()
        said, refused = [], []
        for row in rows[: self.at_most]:
            ce_id = row.headers["ce_id"]
            if ce_id in self.refused and row.key not in blocked:
                refused.append(HeldRow(row, "it is too large"))
            if ce_id in self.away | self.refused:
                blocked.add(row.key)
            if row.key not in blocked:
                self.kept.append(delivered(row))
                said.append(row)
        return Published(kept=said, refused=refused)

    def close(self) -> None:
        """There is nothing to let go of."""


def relay_contract(make: Callable[[Outbox, Publisher], Move]) -> type:
    """The laws of a relay: from the outbox to the platform, in order per key, at least once, whatever crashes.

    `make(outbox, publisher)` gives the function that moves some of what waits.
    """

    class RelayContract:
        def test_everything_arrives_in_order_and_as_it_was(self) -> None:
            """A relay carries; it neither sorts nor rewrites."""
            outbox, platform = _outbox(), _Platform()
            expected = [delivered(row) for row in outbox.waiting(100)]
            _keep_moving(make(outbox, platform))
            assert by_key(platform.kept) == by_key(expected)
            assert {m.headers["ce_id"]: m for m in platform.kept} == {m.headers["ce_id"]: m for m in expected}
            assert list(outbox.waiting(100)) == []

        def test_what_the_platform_did_not_keep_stays_and_comes_again(self) -> None:
            """A broker that is full or away acknowledges a part; to forget the rest is to lose it."""
            outbox, platform = _outbox(), _Platform(at_most=5)
            expected = [delivered(row) for row in outbox.waiting(100)]
            platform.away = {expected[3].headers["ce_id"]}
            _keep_moving(make(outbox, platform))
            left = {row.headers["ce_id"] for row in outbox.waiting(100)}
            kept = {m.headers["ce_id"] for m in platform.kept}
            assert left | kept == {m.headers["ce_id"] for m in expected}, "messages that are neither kept nor waiting"
            assert expected[3].headers["ce_id"] in left
            platform.away.clear()
            _keep_moving(make(outbox, platform))
            assert by_key(once(platform.kept)) == by_key(expected)

        @pytest.mark.parametrize("decision", ["release", "discard"])
        def test_what_the_platform_refuses_holds_its_key_alone_until_somebody_decides(self, decision: str) -> None:
            """One message that can never be published must neither stop everything nor be overtaken by its own key."""
            outbox, platform = _outbox(), _Platform()
            expected = [delivered(row) for row in outbox.waiting(100)]
            poison = expected[3]
            platform.refused = {poison.headers["ce_id"]}
            _keep_moving(make(outbox, platform))
            of_key = [m for m in expected if m.key == poison.key]
            behind = of_key[of_key.index(poison) :]
            assert by_key(platform.kept) == by_key([m for m in expected if m not in behind])
            assert [(h.row.headers["ce_id"], h.reason) for h in outbox.held()] == [
                (poison.headers["ce_id"], "it is too large")
            ]
            platform.refused.clear()
            getattr(outbox, decision)([outbox.held()[0].row.ref_id])
            _keep_moving(make(outbox, platform))
            lost = [poison] if decision == "discard" else []
            assert by_key(platform.kept) == by_key([m for m in expected if m not in lost])

        @pytest.mark.parametrize("answer_lost", [False, True], ids=["before the step", "after the step"])
        def test_nothing_is_lost_or_out_of_order_after_a_crash_between_any_two_steps(self, answer_lost: bool) -> None:
            """Published and not yet forgotten comes twice; forgotten and not yet published would never come."""
            for step in range(1, 100):
                outbox, platform, crash = _outbox(), _Platform(at_most=5), CrashAt(step, answer_lost)
                expected = by_key([delivered(row) for row in outbox.waiting(100)])
                with suppress(Crash):
                    _keep_moving(make(crash.over(outbox), crash.over(platform)))
                _keep_moving(make(outbox, platform))
                assert by_key(once(platform.kept)) == expected, f"after a crash at the last of {crash.steps}"
                if not crash.has_crashed:
                    break
            assert step > 3

        def test_where_nothing_waits_nothing_is_published(self) -> None:
            """A relay is asked five times a second."""
            platform = _Platform()
            _keep_moving(make(_outbox(messages=0), platform))
            assert platform.kept == []

    return RelayContract


def _outbox(messages: int = MESSAGES) -> MemoryOutbox:
    store = MemoryStore()
    for number in range(messages, 0, -1):
        publish(store, a_message(100 + number, KEYS[number % 3]))
    return MemoryOutbox(store, _encode)


def _encode(payload: Payload) -> bytes:
    return json.dumps(str(payload)).encode()


def _keep_moving(move: Move) -> None:
    for _ in range(3 * MESSAGES):
        move()
