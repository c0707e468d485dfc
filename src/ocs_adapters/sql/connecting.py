"""How a connection is made where that is not simply done: a file of our own, a server that has no room just now."""

import os
import random
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from ocs_adapters.sql.drivers import driver
from ocs_core.errors import StoreBusy

_FULL = re.compile("too many (clients|connections)|connection slots are reserved|no more connections allowed")
"""What PostgreSQL and pgbouncer say, before they could be asked to say it with a code."""
REST_SECONDS = (0.05, 0.2)


def wait_for_room(dialect: Any, _: Any, arguments: Any, parameters: Any) -> Any:
    """A connection to PostgreSQL; where it has no room, others leave soon. Raises `StoreBusy` where they do not."""
    ends = time.monotonic() + driver.LOCK_SECONDS
    while True:
        try:
            return dialect.connect(*arguments, **parameters)
        except psycopg.OperationalError as error:
            if not _FULL.search(str(error)):
                raise
            if time.monotonic() > ends:
                raise StoreBusy("all connections that PostgreSQL allows are in use") from error
        time.sleep(random.uniform(*REST_SECONDS))


def make_private(file: Path) -> None:
    """Make an SQLite database's file before SQLite does, for nobody but us to read; those that it puts beside it are alike."""
    with suppress(OSError):  # it is there, or SQLite says why it cannot be
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
