"""When a schedule is due: on clocks that change, after an absence, after another configuration."""

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocs_adapters.schedule.cron import cron_times
from ocs_core.entities.configuration import CollectionSetting, Configuration, SystemSetting
from ocs_core.schedule import Schedule, Seen, seen_at
from ocs_core.testkit.fakes import NOW
from ocs_core.testkit.strategies import days, instants, zones

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
MADRID = ZoneInfo("Europe/Madrid")
NIGHTLY = Schedule("30 2 * * *", MADRID, cron_times)
Times = frozenset[tuple[int, int]]


def _utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def _all_due(schedule: Schedule, after: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    found = []
    while (due := schedule.after(after)) is not None and due <= until:
        found.append(due)
        after = due
    return found


def _first_shown(minutes: set[int], hours: set[int], zone: ZoneInfo, after: dt.datetime, until: dt.datetime):
    """By watching the clock every minute: when one of these times was passed that was never passed before."""
    latest = (after - DAY).astimezone(zone).replace(tzinfo=None)
    instant = after - DAY
    while (instant := instant + MINUTE) <= until:
        shown = instant.astimezone(zone).replace(tzinfo=None)
        passed = [latest + MINUTE * n for n in range(1, (shown - latest) // MINUTE + 1)]
        if any(time.minute in minutes and time.hour in hours for time in passed) and instant > after:
            yield instant
        latest = max(latest, shown)


@functools.cache
def _changes(zone: ZoneInfo, year: int) -> list[dt.date]:
    """The days of a year on which clocks change."""
    every = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) + DAY * n for n in range(365)]
    return [day.date() for day in every if day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset()]


@st.composite
def nights(draw: st.DrawFn) -> tuple[ZoneInfo, dt.date]:
    """A zone and a day in it: mostly one on which its clocks change, where there are any in that year."""
    zone, day = draw(zones), draw(days.filter(lambda day: day.year < 2999))
    changes = _changes(zone, day.year)
    return zone, draw(st.sampled_from(changes)) if changes and draw(st.integers(0, 4)) else day


@given(
    nights(),
    st.sets(st.integers(0, 59) | st.sampled_from([0, 30]), min_size=1, max_size=5),
    st.sets(st.integers(0, 23) | st.integers(0, 3), min_size=1, max_size=5),
    st.integers(0, 1440 * 60),
)
@example((ZoneInfo("Pacific/Apia"), dt.date(2011, 12, 30)), {0, 30}, {0, 12}, 0)  # the whole day was skipped
@example((ZoneInfo("Europe/Madrid"), dt.date(2024, 3, 31)), set(range(60)), set(range(24)), 0)
@example((ZoneInfo("Europe/Madrid"), dt.date(2024, 10, 27)), set(range(60)), set(range(24)), 0)
def test_every_time_is_due_once_when_the_clock_first_shows_it_or_a_later_one(night, minutes, hours, second) -> None:
    zone, day = night
    begin = dt.datetime.combine(day, dt.time(), dt.UTC) - DAY + dt.timedelta(seconds=second)
    schedule = Schedule(f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *", zone, cron_times)
    watched = list(_first_shown(minutes, hours, zone, begin.replace(second=0), begin + 3 * DAY))
    assert _all_due(schedule, begin, begin + 3 * DAY) == [due for due in watched if due > begin]


@given(nights(), st.integers(0, 1439))
def test_a_time_of_the_day_is_due_once_a_day_whatever_the_clock_does(night, minute) -> None:
    zone, day = night
    begin, end = (dt.datetime.combine(day + n * DAY, dt.time(12), zone).astimezone(dt.UTC) for n in (-3, 3))
    assert len(_all_due(Schedule(f"{minute % 60} {minute // 60} * * *", zone, cron_times), begin, end)) == 6


@pytest.mark.parametrize(
    ("cron", "after", "due"),
    [
        ("30 2 * * *", "2024-03-30T12:00", ["2024-03-31T01:00", "2024-04-01T00:30"]),  # from 2 to 3 o'clock
        ("0,30 2,3 * * *", "2024-03-30T12:00", ["2024-03-31T01:00", "2024-03-31T01:30", "2024-04-01T00:00"]),
        ("30 2 * * *", "2024-10-26T12:00", ["2024-10-27T00:30", "2024-10-28T01:30"]),  # from 3 to 2 o'clock
        ("30 2 * * *", "2024-10-27T00:30:01", ["2024-10-28T01:30"]),  # between the two half past two
        ("45 2 * * *", "2024-10-27T01:10", ["2024-10-28T01:45"]),  # within the second of the two hours
    ],
)
def test_where_clocks_change_it_is_due_at_the_first_of_two_and_at_the_end_of_a_gap(cron, after, due) -> None:
    schedule, found = Schedule(cron, MADRID, cron_times), _utc(after)
    for expected in due:
        found = schedule.after(found)
        assert found == _utc(expected)


@given(instants.filter(lambda instant: instant.year < 2990), zones)
def test_what_is_due_next_is_later_and_in_utc(instant, zone) -> None:
    due = Schedule("*/7 */5 * * 1-5", zone, cron_times).after(instant)
    assert due is not None
    assert due > instant
    assert due.tzinfo is dt.UTC


def test_without_an_expression_or_when_switched_off_nothing_is_due() -> None:
    for setting in (CollectionSetting(), CollectionSetting(cron="30 2 * * *", enabled=False)):
        schedule = Schedule.of(Configuration.of(setting), cron_times)
        assert (schedule.after(NOW), str(schedule)) == (None, "")


def test_the_zone_is_the_systems_unless_the_process_has_its_own() -> None:
    system, own = SystemSetting(zone="Asia/Tokyo"), CollectionSetting(cron="30 2 * * *", zone="Europe/Madrid")
    assert Schedule.of(Configuration.of(system, own), cron_times) == NIGHTLY
    assert Schedule.of(Configuration.of(system, attrs.evolve(own, zone=None)), cron_times).zone.key == "Asia/Tokyo"


SEEN = Seen(schedule=str(NIGHTLY), until=NOW)


def test_what_was_due_before_a_schedule_was_first_seen_is_nobodys_concern() -> None:
    assert seen_at(NOW, NIGHTLY, None) == SEEN


def test_it_fires_at_its_time_and_not_before() -> None:
    due = NIGHTLY.after(NOW)
    assert seen_at(due - dt.timedelta(microseconds=1), NIGHTLY, SEEN) == SEEN
    fired = seen_at(due, NIGHTLY, SEEN)
    assert (fired.fired_for, fired.until) == (due, due)
    assert seen_at(due + dt.timedelta(hours=1), NIGHTLY, fired) == fired


@given(st.integers(1, 400), st.integers(0, 86_399))
def test_however_much_was_missed_it_fires_once_and_then_at_its_next_time(missed, later) -> None:
    back = NOW + missed * DAY + dt.timedelta(seconds=later)
    fired = seen_at(back, NIGHTLY, SEEN)
    assert (fired.fired_for, fired.until) == (NIGHTLY.after(NOW), back)
    assert seen_at(back, NIGHTLY, fired) == fired
    assert seen_at(NIGHTLY.after(back), NIGHTLY, fired).fired_for == NIGHTLY.after(back)


@pytest.mark.parametrize(
    "other",
    [
        Schedule("0 1 * * *", MADRID, cron_times),
        Schedule("30 2 * * *", ZoneInfo("Asia/Tokyo"), cron_times),
        Schedule(None, MADRID, cron_times),
    ],
    ids=["cron", "zone", "off"],
)
def test_another_schedule_does_not_fire_for_the_past_and_neither_does_the_first_one_again(other) -> None:
    later = NOW + 3 * DAY
    changed = seen_at(later, other, SEEN)
    assert (changed.fired_for, changed.until) == (None, later)
    again = seen_at(later + 3 * DAY, NIGHTLY, changed)
    assert (again.fired_for, again.until) == (None, later + 3 * DAY)


def test_a_clock_that_is_set_back_does_not_fire_twice() -> None:
    fired = seen_at(NIGHTLY.after(NOW), NIGHTLY, SEEN)
    assert seen_at(NOW, NIGHTLY, fired) == fired
    assert seen_at(NIGHTLY.after(NOW), NIGHTLY, fired) == fired
