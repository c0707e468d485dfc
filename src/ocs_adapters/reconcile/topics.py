"""What the topics tell: the newest version of every entity in them, sorted in a file that is thrown away."""

import datetime as dt
import itertools
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import attrs

from ocs_adapters.consumers.received import NotUnderstood, received
from ocs_adapters.serial.digest import digest
from ocs_adapters.sql.holdings import Holding
from ocs_core.messages import Family
from ocs_core.ports import Delivered

BATCH = 5000
_KEEP = (
    "INSERT INTO told VALUES (?, ?, ?, ?) ON CONFLICT (code, ref_id) DO UPDATE "
    "SET version = excluded.version, digest = excluded.digest WHERE excluded.version >= told.version"
)


@attrs.define
class Told:
    """What was read from the topics."""

    _file: sqlite3.Connection
    messages: int = 0
    not_understood: int = 0
    oldest: dt.datetime | None = None
    """The `ce_time` of the oldest message there is."""

    def holdings(self, code: str) -> Iterator[Holding]:
        """The newest version of every entity of a code, in the order of their ids."""
        rows = self._file.execute("SELECT ref_id, version, digest FROM told WHERE code = ? ORDER BY ref_id", [code])
        for ref_id, version, told in rows:
            yield Holding(code=code, ref_id=UUID(ref_id), version=version, digest=told)

    def take(self, messages: Iterable[Delivered]) -> None:
        """Read all of these messages."""
        rows = itertools.chain.from_iterable(map(self._row, messages))
        while batch := list(itertools.islice(rows, BATCH)):
            self._file.executemany(_KEEP, batch)

    def _row(self, message: Delivered) -> Iterator[tuple[str, str, int, bytes]]:
        self.messages += 1
        try:
            told = received(message)
            if told.family is Family.BUSINESS_TRANSACTION:
                self.oldest = min(self.oldest or told.time, told.time)
                yield told.code, str(told.subject), told.version, digest(told.value)
        except (NotUnderstood, RecursionError):
            self.not_understood += 1


@contextmanager
def told_by(messages: Iterable[Delivered]) -> Iterator[Told]:
    """Read messages to their end; what was read is there until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="ocs-reconcile-") as folder:
        file = sqlite3.connect(Path(folder) / "told.sqlite3", isolation_level=None)
        try:
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("PRAGMA synchronous = OFF")
            file.execute(
                "CREATE TABLE told (code TEXT, ref_id TEXT, version INTEGER, digest BLOB, PRIMARY KEY (code, ref_id)) "
                "WITHOUT ROWID"
            )
            told = Told(file)
            told.take(messages)
            yield told
        finally:
            file.close()
