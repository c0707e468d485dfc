"""The relay forgets what is old beside its work: in short steps, and never in the way of messages."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from structlog.testing import capture_logs

from ocs_adapters.serial import encode
from ocs_adapters.streaming import relay as relays
from ocs_adapters.streaming import tidying
from ocs_adapters.streaming.relay import Relay
from ocs_core.memory import MemoryEventLog, MemoryOutbox, MemoryStore
from ocs_core.testkit.examples import Desk, configuration


@contextmanager
def _working(tidy_up: Callable[[], bool]) -> Iterator[Callable[[str], bool]]:
    """A relay at work; gives a function that opens an account, and tells whether its messages came through."""
    store, log = MemoryStore(configuration()), MemoryEventLog()
    desk, reader = Desk(store), log.reader("test")
    relay = Relay(MemoryOutbox(store, encode), log, tidy_up=tidy_up)
    relay.start()

    def comes_through(external_id: str) -> bool:
        account, published = desk.account(external_id), []
        ends = time.monotonic() + 5
        while len(published) < 2 and time.monotonic() < ends:
            published += reader.next(10)
            time.sleep(0.01)
        return {message.key for message in published} == {account.ref_id}

    try:
        yield comes_through
    finally:
        relay.stop()


def test_messages_are_published_although_nothing_can_be_forgotten() -> None:
    tried = []

    def fails() -> bool:
        tried.append(1)
        raise RuntimeError("the disk is full")

    with capture_logs() as logged, _working(fails) as comes_through:
        assert comes_through("A-1")
        assert comes_through("A-2")
    assert len(tried) == 1, "what has just failed is tried again after a while, not between any two messages"
    assert [(entry["log_level"], entry["error"].partition(" at ")[0]) for entry in logged] == [
        ("error", "RuntimeError")
    ]


def test_much_is_forgotten_in_steps_with_time_for_messages_between_them(monkeypatch) -> None:
    monkeypatch.setattr(relays, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(tidying, "PAUSE_SECONDS", 0.05)
    steps: list[float] = []

    def step() -> bool:
        steps.append(time.monotonic())
        return len(steps) < 5

    with _working(step) as comes_through:
        for number in range(5):
            assert comes_through(f"A-{number}")
        ends = time.monotonic() + 5
        while len(steps) < 5 and time.monotonic() < ends:
            time.sleep(0.01)
        time.sleep(0.2)
    assert len(steps) == 5, "where all is tidy, nothing is asked for a while"
    assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(steps))
