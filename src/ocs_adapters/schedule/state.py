"""How far schedules were seen to, in the database: which decides who fires."""

from collections.abc import Callable

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import reader
from ocs_core.form import fields
from ocs_core.ports import RunStore
from ocs_core.schedule import Seen

_TABLE = tables.schedules
_COLUMNS = [_TABLE.c[field.name] for field in fields(Seen)]
_THIS = _TABLE.c.process == bindparam("this")
_READ = sa.select(*_COLUMNS).where(_THIS)
_BEGIN = sa.text(
    "INSERT INTO schedules (process, schedule, until) VALUES (:this, :schedule, :until) ON CONFLICT (process) DO NOTHING"
)
_UNCHANGED = (
    sa.select(_TABLE.c.process)
    .where(_THIS, _TABLE.c.schedule == bindparam("schedule"), _TABLE.c.until == bindparam("until"))
    .with_for_update()
)
_WRITE = sa.update(_TABLE).where(_THIS).values({column.name: bindparam(column.name) for column in _COLUMNS})


@attrs.frozen
class SqlSchedule:
    """How far the schedule of one process was seen to. Its methods raise `StoreBusy` and `StoreUnavailable`."""

    database: Database
    process: str
    store: Callable[[sa.Connection], RunStore]
    """A store within a transaction."""

    def seen(self) -> Seen | None:
        """What is seen so far; None where nobody has looked yet."""
        (rows,) = self.database.read(Call(_READ, {"this": self.process}))
        return reader(Seen, self.database.driver)(rows[0]) if rows else None

    def begin(self, seen: Seen) -> None:
        """Remember what was seen first; who comes later changes nothing."""
        self.database.write(Call(_BEGIN, {"this": self.process, "schedule": seen.schedule, "until": seen.until}))

    def advance(self, seen: Seen, go_on: Callable[[RunStore], Seen]) -> Seen | None:
        """Go on from what was seen, in one transaction with all that is done in the store; gives what is seen then.

        Of several who come at once with the same, one goes on; the others wait for it, do nothing, and get None.
        """
        driver = self.database.driver
        with self.database.translated(), self.database.engine.begin() as connection:
            transaction = Transaction(connection.connection.driver_connection, driver)
            driver.begin(transaction.connection, snapshot=False, writing=True)
            unchanged = {"this": self.process, "schedule": seen.schedule, "until": seen.until}
            if transaction.run([Call(_UNCHANGED, unchanged)]) == [[]]:
                return None
            gone_on = go_on(self.store(connection))
            transaction.run([Call(_WRITE, {"this": self.process, **attrs.asdict(gone_on)})])
            return gone_on
