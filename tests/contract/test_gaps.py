"""A consumer that was away for longer than the event log keeps its messages is told what it missed."""

import datetime as dt
import random

import attrs
import pytest

from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.gaps import Gaps, SqlPositions
from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.event_log import SqlEventLog, SqlStream
from ocs_adapters.sql.retention import PRUNABLES, Retention
from ocs_core.errors import StoreUnavailable
from ocs_core.ports import Gap, OutboxRow
from ocs_core.testkit.contracts.publisher import KEYS, a_row
from ocs_core.testkit.fakes import NOW, SettableClock
from tests.contract.stores import postgres_database, sqlite_database

EVENTS = next(prunable for prunable in PRUNABLES if prunable.setting == "events_keep_days")
DAY = dt.timedelta(days=1)
TABLES = ConsumerTables("notes", layout=1)


def _row(number: int, topic: str) -> OutboxRow:
    return attrs.evolve(a_row(number, KEYS[0]), topic=topic)


class Scene:
    """An event log of two topics, and what it forgets."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self._number = database, SettableClock(), 0
        self.log = SqlEventLog(database, self.clock)

    def publish(self, topic: str, count: int = 1) -> None:
        rows: list[OutboxRow] = []
        for _ in range(count):
            self._number += 1
            rows.append(_row(self._number, topic))
        self.log.publish(rows)

    def forget(self) -> None:
        """Everything that was published by now."""
        self.clock.now += 2 * DAY
        Retention(self.database, EVENTS, days=1).forget(self.clock() - DAY)

    def read(self, topic: str = "a", name: str = "finance") -> tuple[int, list[Gap]]:
        """How much a reader is given that begins and ends, and what it missed."""
        reader, given = self.log.reader(name, [topic]), 0
        while some := reader.next(3):
            given += len(some)
        reader.commit()
        return given, list(reader.gaps())


@pytest.fixture
def scene(request: pytest.FixtureRequest):
    with request.param() as database:
        yield Scene(database)


BOTH = pytest.mark.parametrize(
    "scene", [sqlite_database, postgres_database], ids=["sqlite", "postgresql"], indirect=True
)


@BOTH
def test_a_reader_that_was_away_for_too_long_is_told_once_what_it_missed(scene) -> None:
    scene.publish("a", 10)
    assert scene.read() == (10, [])
    scene.publish("a", 5)
    scene.forget()
    scene.publish("a", 2)
    given, (gap,) = scene.read()
    assert given == 2
    assert (gap.topic, gap.expected, gap.begins - gap.expected, gap.is_made_anew) == ("a", 11, 5, False)
    assert scene.read() == (0, [])


@BOTH
def test_a_reader_that_had_read_everything_missed_nothing(scene) -> None:
    scene.publish("a", 10)
    assert scene.read() == (10, [])
    scene.forget()
    assert scene.read() == (0, [])
    scene.publish("a", 10)
    assert scene.read() == (10, [])


@BOTH
def test_what_others_read_is_missed_by_them_alone(scene) -> None:
    """Its own topic went on before, and numbers that were drawn in vain are no messages."""
    scene.publish("a")
    assert scene.read() == (1, [])
    scene.publish("b", 5)
    scene.log.publish([_row(1, "a")] * 3)
    scene.forget()
    scene.publish("a")
    assert scene.read() == (1, [])


@BOTH
def test_a_new_reader_begins_at_the_oldest_and_missed_nothing(scene) -> None:
    scene.publish("a", 5)
    scene.forget()
    scene.publish("a", 2)
    assert scene.read() == (2, [])


@BOTH
def test_a_reader_that_had_found_nothing_yet_missed_what_came_and_went(scene) -> None:
    assert scene.read() == (0, [])
    scene.publish("a", 5)
    scene.forget()
    given, (gap,) = scene.read()
    assert (given, gap.begins - gap.expected) == (0, 5)


@BOTH
def test_what_is_forgotten_while_a_reader_works_is_told(scene) -> None:
    scene.publish("a", 3)
    reader = scene.log.reader("finance", ["a"])
    assert len(reader.next(1)) == 1
    scene.forget()
    assert list(reader.next(1)) == []
    assert [gap.begins - gap.expected for gap in reader.gaps()] == [2]


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_what_is_told_to_be_missed_is_exactly_what_is_not_given(scene, seed) -> None:
    """Whatever time it is where messages are published, and however many of one instant are forgotten at once."""
    chance, retention = random.Random(seed), Retention(scene.database, attrs.evolve(EVENTS, batch=3), days=1)
    for _ in range(30):
        scene.clock.now += dt.timedelta(minutes=chance.randint(0, 60))
        now, skew = scene.clock.now, chance.choice([0, 0, 45, -45])
        scene.clock.now += dt.timedelta(minutes=skew)
        scene.publish("a", chance.randint(1, 7))
        scene.clock.now = now
    everything = [offset for offset, _ in scene.log.delivered_after(0, 1000)]
    forgotten: list[int] = []
    for _ in range(len(everything) // 6):
        retention.forget_some(scene.clock())
        left = [offset for offset, _ in scene.log.delivered_after(0, 1000)]
        assert left == everything[-len(left) :], "the oldest are forgotten first"
        forgotten = everything[: -len(left)]
        position = chance.choice([0, *everything])
        reader = SqlStream(scene.log, "finance", position, ["a"])
        assert len(reader.next(1000)) == sum(offset > position for offset in left)
        missed = [offset for offset in forgotten if offset > position]
        assert list(reader.gaps()) == (
            [Gap(topic="a", partition=0, expected=position + 1, begins=missed[-1] + 1)] if missed else []
        )
    assert len(forgotten) > 10


@BOTH
def test_a_reader_that_rewinds_missed_nothing(scene) -> None:
    scene.publish("a", 3)
    assert scene.read() == (3, [])
    scene.forget()
    scene.publish("a", 2)
    scene.log.reader("finance", ["a"]).rewind()
    assert scene.read() == (2, [])


@BOTH
def test_a_gap_is_kept_before_the_reader_goes_on_and_until_it_was_seen_to(scene) -> None:
    TABLES.prepare(scene.database)
    gaps = Gaps(scene.database, TABLES, lambda: NOW)
    scene.publish("a", 3)
    scene.read()
    scene.publish("a", 3)
    scene.forget()
    failing = iter([True, False])

    def note(gap: Gap) -> None:
        if next(failing):
            raise StoreUnavailable("the database is away")
        gaps.note(gap)

    class Nobody:
        def process(self, messages) -> None:
            raise AssertionError

    consumer = Consumer(stream=scene.log.reader("finance", ["a"]), processor=Nobody(), on_gap=note)
    with pytest.raises(StoreUnavailable):
        consumer.step()
    assert (consumer.step(waits=False), consumer.gaps) == (0, 1)
    assert scene.read() == (0, []), "it was not committed that the gap was met"
    (noted,) = gaps.all()
    assert (noted.gap.begins - noted.gap.expected, noted.met_at) == (3, NOW)
    assert "up to 3 messages had expired" in str(noted)
    gaps.note(noted.gap)
    assert (gaps.forget(), gaps.forget()) == (1, 0), "the same gap is met twice, and is one"


@BOTH
def test_positions_are_kept_for_each_partition(scene) -> None:
    TABLES.prepare(scene.database)
    positions = SqlPositions(scene.database, TABLES)
    assert positions.known() == {}
    positions.note({("a", 0): 2**40, ("a", 1): 1})
    positions.note({("a", 1): 7, ("b", 0): 3})
    positions.note({})
    assert positions.known() == {("a", 0): 2**40, ("a", 1): 7, ("b", 0): 3}


@BOTH
def test_a_position_that_is_noted_late_puts_nobody_back(scene) -> None:
    """Who had the partition before commits, is held up, and notes it when the next one is further on."""
    TABLES.prepare(scene.database)
    positions = SqlPositions(scene.database, TABLES)
    positions.note({("a", 0): 9, ("a", 1): 1})
    positions.note({("a", 0): 5, ("a", 1): 2, ("b", 0): 1})
    assert positions.known() == {("a", 0): 9, ("a", 1): 2, ("b", 0): 1}
    positions.reset({("a", 0): 5})
    assert positions.known() == {("a", 0): 5, ("a", 1): 2, ("b", 0): 1}, "it is read from there again"


@BOTH
def test_a_reader_that_commits_late_puts_nobody_of_its_name_back(scene) -> None:
    scene.publish("a", 5)
    late, early = (scene.log.reader("finance", ["a"]) for _ in range(2))
    assert (len(late.next(2)), len(early.next(5))) == (2, 5)
    early.commit()
    late.commit()
    assert scene.read() == (0, [])
    late.rewind()
    assert scene.read() == (5, [])
