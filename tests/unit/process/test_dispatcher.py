"""Who sends for the slices of a run: to each queue a little, and again where nothing comes of it."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

import attrs
import pytest
from structlog.testing import capture_logs

from ocs_adapters.process import dispatcher as dispatchers
from ocs_adapters.process.dispatcher import AHEAD, Dispatcher, SliceCommand
from ocs_core.errors import PlatformUnavailable
from ocs_core.ports import Delivered, OutboxRow, Published

RUN = UUID(int=1)
QUEUES = 6


@attrs.define
class Hall:
    """Slices that wait, and what was sent for them, look by look; `between` happens after each."""

    left: list[int]
    between: Callable[["Hall"], None]
    sent: list[list[tuple[int, int]]] = attrs.field(factory=list)
    """By look, slices with their queues."""
    refuses: set[int] = attrs.field(factory=set)
    stop: threading.Event = attrs.field(factory=threading.Event)
    closed: int = 0

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        named = [(_command(row), row.key.int, row) for row in rows]
        kept = [(number, queue, row) for number, queue, row in named if number not in self.refuses]
        self.sent.append([(number, queue) for number, queue, _ in kept])
        return Published(kept=[row for _, _, row in kept])

    def close(self) -> None:
        self.closed += 1

    def work(self) -> None:
        dispatcher = Dispatcher(left=lambda run: [*self.left], publisher=self, queues=lambda: QUEUES, topic="slices")
        dispatcher.work(RUN, self.stop, lambda: self.between(self))
        assert self.closed == 1

    def do(self, *slices: int) -> None:
        self.left = [number for number in self.left if number not in slices]


def _command(row: OutboxRow) -> int:
    assert row.topic == "slices"
    command = SliceCommand.of(Delivered(topic=row.topic, key=row.key, headers=row.headers, value=row.value))
    assert command.run_ref_id == RUN
    return command.number


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatchers, "POLL_SECONDS", 0.001)


def test_slices_go_to_the_queues_in_turn_and_no_more_than_some_wait_in_each() -> None:
    hall = Hall([*range(1, 100)], lambda hall: hall.stop.set())
    hall.work()
    assert hall.sent == [[(number, (number - 1) % QUEUES) for number in range(1, AHEAD * QUEUES + 1)]]


def test_who_has_done_its_slices_gets_more_and_who_has_not_does_not() -> None:
    def between(hall: Hall) -> None:
        hall.do(*(number for look in hall.sent for number, queue in look if queue == 2))
        if not hall.left or len(hall.sent) == 5:
            hall.stop.set()

    hall = Hall([*range(1, 100)], between)
    hall.work()
    assert Counter(queue for look in hall.sent[1:] for _, queue in look) == {2: 4 * AHEAD}


def test_it_ends_with_the_last_slice_and_sends_for_each_once() -> None:
    hall = Hall([*range(1, 100)], lambda hall: hall.do(*hall.left[:7]))
    hall.work()
    assert sorted(number for look in hall.sent for number, _ in look) == [*range(1, 100)]


def test_a_slice_that_could_not_be_sent_for_is_at_the_next_look() -> None:
    def between(hall: Hall) -> None:
        hall.do(*(number for number, _ in hall.sent[-1]))
        hall.refuses.clear()

    hall = Hall([1, 2, 3], between, refuses={2})
    hall.work()
    assert [[number for number, _ in look] for look in hall.sent] == [[1, 3], [2]]


def test_what_nothing_comes_of_is_sent_again_to_others_with_growing_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(10_000))
    monkeypatch.setattr(dispatchers.time, "monotonic", lambda: float(next(now)))
    looks = []

    def between(hall: Hall) -> None:
        looks.append(len(hall.sent))
        if len(hall.sent) == 4:
            hall.do(*hall.left)

    hall = Hall([1, 2, 3], between)
    with capture_logs() as logged:
        hall.work()
    assert hall.sent == [[(n, (n - 1 + turn) % QUEUES) for n in (1, 2, 3)] for turn in range(4)]
    again = [looks.index(times) for times in (1, 2, 3, 4)]
    first, second, third = (after - before for before, after in itertools.pairwise(again))
    assert first < second < third
    assert [(line["log_level"], line["slices"]) for line in logged] == [("warning", 3)] * 3


def test_it_lets_go_of_the_platform_where_that_does_not_answer() -> None:
    class Gone(Hall):
        def publish(self, rows: Sequence[OutboxRow]) -> Published:
            raise PlatformUnavailable("gone")

    hall = Gone([1], lambda hall: None)
    with pytest.raises(PlatformUnavailable):
        hall.work()
    assert hall.closed == 1


def test_what_is_no_command_is_told_apart() -> None:
    for value in (b"", b"{}", b'{"runRefId":"x","slice":1}', b'{"runRefId":null,"slice":1}'):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever the sentence, it is passed over
            SliceCommand.of(Delivered(topic="slices", key=UUID(int=0), headers={}, value=value))
