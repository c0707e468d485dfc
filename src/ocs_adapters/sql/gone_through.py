"""What storing runs have gone through, from SQL. Their slices tell: payers of whom nothing changed are not written."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Driver
from ocs_adapters.sql.reading import reader
from ocs_core.entities.process import GoneThrough, RunState
from ocs_core.ports import SliceWanted

ZONES_APART = dt.timedelta(hours=26)
"""So much later than in the system's zone a day ends elsewhere, at the most."""
_RUNS, _SLICES, _ACCOUNTS = tables.process_runs, tables.run_slices, tables.accounts
_BEFORE = _SLICES.alias("before")
_OF_RUNS = _RUNS.join(_SLICES, _SLICES.c.run_ref_id == _RUNS.c.ref_id).outerjoin(
    _BEFORE, sa.and_(_BEFORE.c.run_ref_id == _SLICES.c.run_ref_id, _BEFORE.c.number == _SLICES.c.number - 1)
)
_COLUMNS = (
    _RUNS.c.as_of,
    _RUNS.c.as_of_day,
    _RUNS.c.started_at,
    _RUNS.c.accounts,
    _BEFORE.c.through.label("after"),
    _SLICES.c.position.label("through"),
)


_NAMES = [column.name for column in _COLUMNS]


@functools.cache
def _query(driver: Any, limited_to_accounts: bool, after: bool, through: bool) -> Any:
    began, position, end = _BEFORE.c.through, _SLICES.c.position, _SLICES.c.through
    # What of a cancelled run is not done may be in somebody's hands: it is locked with the rest, which waits for them.
    went = [position.is_not(None), sa.or_(began.is_(None), position > began)]
    in_hand = [~_SLICES.c.done, _RUNS.c.state == RunState.CANCELLED.value]
    conditions: list[Any] = [
        _RUNS.c.process == bindparam("process"),
        _RUNS.c.as_of > bindparam("as_of_elsewhere"),  # for the index
        _RUNS.c.started_at > bindparam("as_of"),
        ~_RUNS.c.dry_run,
        _RUNS.c.state != RunState.RUNNING.value,
    ]
    if after:
        went.append(position > bindparam("after"))
        in_hand.append(sa.or_(end.is_(None), end > bindparam("after")))
    if through:
        conditions.append(sa.or_(began.is_(None), began < bindparam("through")))
    if limited_to_accounts:
        account = _ACCOUNTS.c.ref_id
        behind = sa.or_(began.is_(None), account > began)
        went.append(sa.exists().where(driver.one_of(account, "accounts"), account <= position, behind))
        in_hand.append(
            sa.exists().where(driver.one_of(account, "accounts"), sa.or_(end.is_(None), account <= end), behind)
        )
    found = sa.select(*_COLUMNS).select_from(_OF_RUNS).where(*conditions, sa.or_(sa.and_(*went), sa.and_(*in_hand)))
    return found.with_for_update(read=True, of=_SLICES)


def asking(driver: Driver, process: str, wanted: SliceWanted) -> Call:
    """How it is asked for."""
    limited, after, through = bool(wanted.accounts), wanted.after is not None, wanted.through is not None
    bound = {
        "process": process,
        "as_of": wanted.as_of,
        "as_of_elsewhere": wanted.as_of - ZONES_APART,
        "after": wanted.after,
        "through": wanted.through,
        "accounts": driver.bind_list(wanted.accounts),
    }
    return Call(_query(driver, limited, after, through), bound)


def gone_through(transaction: Transaction, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
    """What of these payers storing runs that began after `as_of`, and are over, have gone through."""
    driver = transaction.driver
    (rows,) = transaction.run([asking(driver, process, wanted)])
    read, after, through = reader(GoneThrough, driver), _NAMES.index("after"), _NAMES.index("through")
    return [read(row) for row in rows if row[through] is not None and (row[after] is None or row[through] > row[after])]
