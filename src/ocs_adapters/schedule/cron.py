"""The times that a cron expression names, by cronsim."""

import datetime as dt
from collections.abc import Iterator

from cronsim import CronSim


def cron_times(expression: str, after: dt.datetime) -> Iterator[dt.datetime]:
    """Those after a time without a zone, which goes by a clock that never changes."""
    return CronSim(expression, after)
