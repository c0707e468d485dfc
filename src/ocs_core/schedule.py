"""When a process is due, and what of it is still to be done: pure, and told the time (domain: section 4)."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from ocs_core.entities.configuration import Configuration, zone

MINUTE = dt.timedelta(minutes=1)
CronTimes = Callable[[str, dt.datetime], Iterator[dt.datetime]]
"""A port: the times after one of them that a cron expression names, ascending, on a clock on the wall that never changes; all
without a zone. It ends where there are none in 50 years."""


@attrs.frozen
class Schedule:
    """The times of a clock on the wall of that zone; without an expression, none."""

    cron: str | None
    zone: ZoneInfo
    times: CronTimes = attrs.field(eq=False, repr=False)

    @classmethod
    def of(cls, configuration: Configuration, times: CronTimes) -> Self:
        """The schedule of the collection run."""
        setting = configuration.collection
        where = zone(setting.zone) if setting.zone else configuration.zone
        return cls(setting.cron if setting.enabled else None, where, times)

    def __str__(self) -> str:
        """What it is told apart from another by; empty where nothing is ever due."""
        return f"{self.cron} {self.zone.key}" if self.cron else ""

    def after(self, instant: dt.datetime) -> dt.datetime | None:
        """The next instant, in UTC, at which it is due; None if there is none in 50 years.

        A time is due when the clock first shows it, or a later one: where clocks go back it does not come again, and
        where they go forward over it, it is due at the instant at which they do, once with all others of that gap.
        """
        if self.cron is None:
            return None
        for time in self.times(self.cron, instant.astimezone(self.zone).replace(tzinfo=None)):
            if (due := _first_shown(time, self.zone)) > instant:
                return due
        return None


def _first_shown(time: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    # The second reading of a time that the clock skips lies before the gap, that of any other not before the first one.
    first, second = (time.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    shown = min(first, second)
    while shown.astimezone(zone).replace(tzinfo=None) < time:
        shown += MINUTE
    return shown


@attrs.frozen(kw_only=True)
class Seen:
    """How far a schedule was seen to: what was due by `until` is done with, the last of it `fired_for` its instant.

    That started a `run`, or was `refused_because` of something.
    """

    schedule: str
    until: dt.datetime
    fired_for: dt.datetime | None = None
    run: UUID | None = None
    refused_because: str | None = None


def seen_at(now: dt.datetime, schedule: Schedule, seen: Seen | None) -> Seen:
    """What is seen of a schedule now, after what was seen before. Where `fired_for` is another, it is to fire for that.

    However much was missed, it fires once, for the first of it. Nothing is due before a schedule was first seen as it is.
    """
    if seen is None:
        return Seen(schedule=str(schedule), until=now)
    if seen.schedule != str(schedule):
        return attrs.evolve(seen, schedule=str(schedule), until=now)
    due = schedule.after(seen.until)
    return seen if due is None or due > now else attrs.evolve(seen, until=now, fired_for=due)
