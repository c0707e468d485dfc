"""`ocs schedule`: the collection run at its times, and what came of them."""

import datetime as dt
import threading

from cyclopts import App

from ocs_adapters.bootstrap import Platform
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Json, opened, until_terminated
from ocs_adapters.schedule.cron import cron_times
from ocs_core.messages import format_instant
from ocs_core.schedule import Schedule

app = App(name="schedule", help="The collection run at its times: start it when it is due, and show when that is.")


@app.command
def run() -> None:
    """Start the collection run whenever it is due and take it to its end, until interrupted or terminated.

    When it is due stands in the configuration: cron, zone and enabled of [[processes]]. Several may work at once, beside
    each other and beside ocs serve: one of them starts the run. What was missed while none worked is made up for by one
    run. At the end, the slice in hand is finished; the run goes on at the next start.
    With OCS_SCHEDULE=false, ocs serve leaves this work to others.
    """
    until_terminated()
    with opened() as platform:
        platform.services.runner.start()
        platform.scheduler.start()
        print("Starting the collection run whenever it is due.", flush=True)
        threading.Event().wait()


@app.command
def status(*, json: Json = False) -> None:
    """Show when the collection run is due next, and what came of the last time that it was."""
    with opened() as platform:
        say.record(_fields(platform), json=json)


def _fields(platform: Platform) -> list[tuple[str, str]]:
    configuration, now = platform.services.queries.configuration(), platform.services.clock()
    schedule, seen = Schedule.of(configuration, cron_times), platform.scheduler.schedule.seen()
    due = schedule.after(seen.until if seen and seen.schedule == str(schedule) else now)
    if schedule.cron:
        when = f"{schedule.cron} in {schedule.zone.key}"
    else:
        when = "switched off" if configuration.collection.cron else "none is configured"
    fields = [("schedule", when), ("next", _moment(due, schedule) if due else "never")]
    if due and due <= now:
        fields.append(("overdue", "neither ocs schedule run nor ocs serve is at it"))
    if seen and seen.fired_for:
        fields.append(("last", _moment(seen.fired_for, schedule)))
        fields.append(("run", f"refused: {seen.refused_because}" if seen.run is None else f"{seen.run}"))
    return fields


def _moment(instant: dt.datetime, schedule: Schedule) -> str:
    return f"{format_instant(instant)}, {instant.astimezone(schedule.zone):%Y-%m-%d %H:%M} in {schedule.zone.key}"
