"""A change of the configuration, checked and written in one transaction, so that nothing comes between."""

import time
from collections.abc import Iterable

from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import configuration_in, write_in
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.uses import is_used
from ocs_core.configuring import refusals, uses_to_look_up
from ocs_core.entities.configuration import Configuration
from ocs_core.errors import Conflict, RequestRejected, StoreBusy

ATTEMPTS = 10
"""How often it is tried to be alone, for a second each time and with a pause after it: who waits for that holds up others."""
_ALONE = f"SET LOCAL lock_timeout = '1s'; LOCK TABLE {tables.configuration_version.name} IN ACCESS EXCLUSIVE MODE"


def change_entries(database: Database, entries: Iterable[object], default_zone: str) -> Configuration:
    """Add entries, or put them in the place of those with the same code; gives what was configured before.

    A change that what is kept may contradict waits for every command to end and holds up the next ones: each has looked at the
    version of the configuration it goes by, and none that went by the old one lands behind the check. Raises `RequestRejected`
    with every reason not to; then nothing is changed. Raises `StoreBusy` where others never let go.
    """
    entries, alone = list(entries), False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with database.transaction() as transaction:
                return _change(transaction, entries, default_zone, alone=alone)
        except _NotAlone:
            alone = True
        except (Conflict, StoreBusy):
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.2)
    raise StoreBusy("somebody else configures all the time")


class _NotAlone(Exception):
    """What is kept must be looked at, and others may add to it meanwhile."""


def _change(transaction: Transaction, entries: list[object], default_zone: str, *, alone: bool) -> Configuration:
    if alone:
        transaction.connection.execute(_ALONE)
    before = configuration_in(transaction, default_zone)
    uses = uses_to_look_up(before, entries)
    # SQLite has one writer at a time.
    if uses and not alone and transaction.driver.name == "postgresql":
        raise _NotAlone
    if refused := refusals(before, entries, {use for use in uses if is_used(transaction, use)}):
        raise RequestRejected(*refused)
    write_in(transaction, entries)
    return before
