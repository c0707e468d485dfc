"""What a run found is kept: one statement changes all payers of a slice, and gives them back."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import value_reader
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Payer
from ocs_core.errors import Conflict
from ocs_core.ports import PayerBalance

_PAYER, _PAYERS = rows_of(Payer), tables.payers
_FOUND = ("collection_balance", "oldest_due_date", "in_collection")
_GIVEN = {name: _PAYERS.c[name] for name in ("account_ref_id", *_FOUND)}


@functools.cache
def _keep(driver: Any) -> Any:
    given = driver.given(_GIVEN)
    changed = {
        **{name: given.c[name] for name in _FOUND},
        "collection_balance_as_of": bindparam("as_of"),
        "collection_balance_calculated_at": bindparam("calculated_at"),
        "version": _PAYERS.c.version + 1,
    }
    is_found = _PAYERS.c.account_ref_id == given.c.account_ref_id
    stored = [_PAYERS.c[field.column] for field in _PAYER.stored]
    return sa.update(_PAYERS).where(is_found).values(changed).returning(*stored)


def keep_balances(
    transaction: Transaction, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
) -> Sequence[Payer]:
    """The payers as they are then, in the same order. Raises `Conflict` where one of them changed meanwhile."""
    if not found:
        return []
    driver = transaction.driver
    refs, types, *figures = zip(*found, strict=True)
    keys = [ref.ref_id for ref in refs]
    given = driver.bind_given(_GIVEN, dict(zip(_GIVEN, (keys, *figures), strict=True)))
    (rows,) = transaction.run([Call(_keep(driver), {**given, "as_of": as_of, "calculated_at": calculated_at})])
    if len(rows) != len(found):
        raise Conflict("a payer")
    read_key, read = value_reader(UUID, driver), _PAYER.reader(driver)
    kept = {read_key(row[0]): row for row in rows}
    # What an update gives back comes in no order, and without what a query joins from the account behind the first column.
    in_order = map(kept.__getitem__, keys)
    return [
        read((row[0], ref.external_id, kind, *row[1:])) for row, ref, kind in zip(in_order, refs, types, strict=True)
    ]
