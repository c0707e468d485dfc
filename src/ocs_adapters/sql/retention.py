"""What is forgotten with time, in batches so small that nobody waits for them.

A table that grows is registered in `PRUNABLES`; one of another database in a list of its own.
"""

import datetime as dt
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call, Driver, Row
from ocs_core.entities.process import RunState
from ocs_core.ports import Clock


@attrs.frozen(eq=False, kw_only=True)
class Prunable:
    """What a table forgets of the rows whose `since` lies before an instant and for which `conditions` hold.

    `what` is how people call it, `setting` the field of the settings that says for how many days it is kept. With `values`,
    rows stay and these columns are set; without, rows are deleted. What is to be done `then`, in the same transaction, is told
    these columns of them: `tells`. `batch` is how many, at the most, in one transaction.
    """

    table: sa.Table
    what: str
    setting: str
    since: "sa.Column[Any]"
    conditions: tuple[Any, ...] = ()
    values: dict[str, Any] = attrs.field(factory=dict)
    tells: "tuple[sa.Column[Any], ...]" = ()
    then: Callable[[Driver, Sequence[Row]], Sequence[Call]] = lambda driver, forgotten: ()
    batch: int = 2000
    count: Any = attrs.field(init=False)
    forget: Any = attrs.field(init=False)

    @count.default
    def _count_all(self) -> Any:
        return sa.select(sa.func.count()).select_from(self.table).where(*self._old())

    @forget.default
    def _forget_a_batch(self) -> Any:
        key = list(self.table.primary_key.columns)
        # The limit is written out: PostgreSQL would plan for any number of rows if it were bound later.
        found = sa.select(*key).where(*self._old()).order_by(self.since, *key).limit(sa.literal_column(str(self.batch)))
        # What others forget at this moment is passed over. As a common table expression it is looked for once, whatever the
        # plan; nested, since Python's sqlite3 counts no rows of a statement that begins with one.
        batch = found.with_for_update(of=self.table, skip_locked=True).cte("batch", nesting=True)
        change = sa.update(self.table).values(self.values) if self.values else sa.delete(self.table)
        forgotten = change.where(sa.tuple_(*key).in_(sa.select(*batch.columns)))
        return forgotten.returning(*self.tells) if self.tells else forgotten

    def _old(self) -> tuple[Any, ...]:
        return (self.since < bindparam("before"), *self.conditions)


def with_parts(part_of: "sa.Column[Any]") -> Callable[[Driver, Sequence[Row]], Sequence[Call]]:
    """Rows that are told by their key go together with those of another table that name one in their column `part_of`."""

    @functools.cache
    def parts(driver: Driver) -> Any:
        return sa.delete(part_of.table).where(driver.one_of(part_of, "gone"))

    return lambda driver, forgotten: [Call(parts(driver), {"gone": driver.bind_list([key for (key,) in forgotten])})]


_MARK = postgresql.insert(tables.event_log_forgotten).values(topic=bindparam("topic"), offset=bindparam("last"))
_MARK = _MARK.on_conflict_do_update(
    index_elements=["topic"],
    set_={"offset": _MARK.excluded.offset},
    where=_MARK.excluded.offset > tables.event_log_forgotten.c.offset,
)


def _mark_forgotten(_: Driver, forgotten: Sequence[Row]) -> Sequence[Call]:
    """A reader that has not come so far can be told so."""
    last: dict[str, int] = {}
    for topic, offset in forgotten:
        last[topic] = max(offset, last.get(topic, 0))
    return [Call(_MARK, [{"topic": topic, "last": last[topic]} for topic in sorted(last)])] if last else []


_RUNS, _LATER = tables.process_runs, tables.process_runs.alias("later")
_STANDS_IN = sa.exists().where(
    _LATER.c.process == _RUNS.c.process,
    _LATER.c.as_of >= _RUNS.c.as_of,  # for the index: it follows from what is asked below
    _LATER.c.started_at > _RUNS.c.started_at,
    _LATER.c.finished_at < bindparam("before"),
    _LATER.c.state != RunState.CANCELLED.value,
    ~_LATER.c.dry_run,
    _LATER.c.accounts == "[]",
    sa.or_(
        sa.and_(_LATER.c.as_of_day.is_(None), _LATER.c.as_of >= _RUNS.c.started_at),
        _LATER.c.as_of_day >= _RUNS.c.as_of_day,
    ),
)
"""Whether a later run has gone through all payers, and saw each as of a later instant than this one, wherever it is. Of others
the slices are needed yet: they tell whom a run that looks back passes over."""

PRUNABLES = (
    Prunable(
        table=tables.requests,
        what="answers of performed commands",
        setting="answers_keep_days",
        since=tables.requests.c.performed_at,
        conditions=(tables.requests.c.answer.is_not(None),),
        values={"answer": sa.null()},  # the request itself stays: it is what makes a repetition safe
        batch=500,  # to write a row anew, with its indices, takes longer than to delete one
    ),
    Prunable(
        table=tables.event_log,
        what="published messages",
        setting="events_keep_days",
        since=tables.event_log.c.logged_at,
        tells=(tables.event_log.c.topic, tables.event_log.c.offset),
        then=_mark_forgotten,
    ),
    Prunable(
        table=_RUNS,
        what="runs that have ended",
        setting="runs_keep_days",
        since=_RUNS.c.finished_at,
        conditions=(sa.or_(_RUNS.c.dry_run, _STANDS_IN),),
        tells=(_RUNS.c.ref_id,),
        then=with_parts(tables.run_slices.c.run_ref_id),
    ),
)
"""Every table of the system's database that forgets."""


@attrs.frozen
class Retention:
    """How long a database keeps what a table may forget: `days`, or for ever where that is None.

    Pruning may be cut off at any instant, and several may be at it at once: each batch is a transaction of its own.
    Its methods raise `StoreBusy` and `StoreUnavailable`.
    """

    database: Database
    prunable: Prunable
    days: int | None

    def cut_off(self, now: dt.datetime) -> dt.datetime | None:
        """The instant before which things are old; None where all are kept."""
        return None if self.days is None else now - dt.timedelta(days=self.days)

    def count(self, before: dt.datetime) -> int:
        """How much is older than an instant and would be forgotten."""
        (((count,),),) = self.database.read(Call(self.prunable.count, {"before": before}))
        return int(count)

    def forget_some(self, before: dt.datetime) -> int:
        """Forget one batch of what is older than an instant, the oldest first; gives how much that was."""
        forget = Call(self.prunable.forget, {"before": before})
        if not self.prunable.tells:
            (forgotten,) = self.database.write(forget)
            return int(forgotten)
        with self.database.transaction() as transaction:
            (gone,) = transaction.run([forget])
            transaction.run(self.prunable.then(self.database.driver, gone), commit=True)
        return len(gone)

    def forget(self, before: dt.datetime, on_batch: Callable[[int], None] = lambda forgotten: None) -> int:
        """Forget all that is older than an instant, telling of each batch; gives how much that was."""
        whole = 0
        while True:
            began = time.monotonic()
            forgotten = self.forget_some(before)
            whole += forgotten
            on_batch(forgotten)
            if forgotten < self.prunable.batch:
                return whole
            # SQLite has one writer at a time, and those of other processes look for their turn now and then only.
            time.sleep(time.monotonic() - began)


def retentions(database: Database, prunables: Iterable[Prunable], settings: Any) -> tuple[Retention, ...]:
    """How long a database keeps what these tables may forget, by settings that have a field for each."""
    return tuple(Retention(database, each, getattr(settings, each.setting)) for each in prunables)


def little_by_little(kept: Sequence[Retention], clock: Clock) -> Callable[[], bool]:
    """What forgets one batch of something that is old, and tells whether there was any."""

    def forget_some() -> bool:
        now = clock()
        return any(each.forget_some(before) for each in kept if (before := each.cut_off(now)) is not None)

    return forget_some
