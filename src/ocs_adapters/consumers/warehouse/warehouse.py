"""The warehouse: messages into files, and small files into large ones, so that a crash at any moment costs and doubles none."""

import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import structlog

from ocs_adapters.clock import new_id
from ocs_adapters.consumers.warehouse import parquet
from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_adapters.consumers.warehouse.manifest import File, Manifest
from ocs_adapters.sql.database import Transaction
from ocs_adapters.telling import told
from ocs_core.errors import StoreUnavailable
from ocs_core.ports import Delivered

LARGE_ROWS = 100_000
LARGE_BYTES = 128_000_000
"""Files are merged up to about so many rows, or bytes in memory: so much of them is read at once."""
SMALL_ROWS = LARGE_ROWS // 2
"""Files with fewer rows are merged."""
MANY = 32
"""So many small files of a day are merged as they come."""
PATIENCE_SECONDS = 1.0
"""How long messages that come wait for readers to end, so that files can be merged."""

# A file never changes, and those that are too large to be merged are looked at whenever there are many of them.
_memory_of = functools.lru_cache(maxsize=10_000)(parquet.memory_of)

log: Any = structlog.get_logger()


@attrs.frozen(kw_only=True)
class Merged:
    """How many files were merged into others, and how many were left for later because somebody reads the warehouse."""

    files: int
    left: int


@attrs.frozen
class Warehouse:
    """What has the folder `alone` may change it.

    A file is written aside, listed in the manifest by the transaction that notes its messages as dealt with, and then put in
    its place. Whatever stands aside and is listed is put in its place later; what is not listed never happened.
    """

    folder: Folder
    manifest: Manifest

    def keep(self, transaction: Transaction, messages: Sequence[Delivered]) -> None:
        """Write messages, if the transaction is committed. Raises `NotUnderstood`, or `StoreUnavailable` where the folder
        cannot be written to: that is tried again, and no reason to set a message aside."""
        days = parquet.by_day(messages)
        try:
            self._settle()
            files = [self._write(day, table) for day, table in days.items()]
            self.folder.hold(files)
        except OSError as error:
            raise _cannot_be_used(error) from error
        self.manifest.add(transaction, files)

    def committed(self) -> None:
        """Put in its place what was committed, and merge where there are many small files. Raises `StoreUnavailable`."""
        try:
            self._settle()
            self.compact(MANY, PATIENCE_SECONDS)
        except OSError as error:
            raise _cannot_be_used(error) from error

    def recover(self) -> Sequence[Path]:
        """Finish what a crash left; gives the files that are listed and missing. Raises `OSError`."""
        self._settle()
        with self.folder.unread() as unread:
            if unread:
                self._remove_gone()
        missing = self.missing()
        for path in missing:
            log.error("a file of the warehouse is missing, and its messages with it", path=str(path))
        return missing

    def missing(self) -> Sequence[Path]:
        """The files that are listed and nowhere, by the paths that they should have. None is merged away meanwhile."""
        with self.folder.reading():
            return [self.folder.path(file) for file in self.manifest.all() if self.folder.find(file) is None]

    def torn(self) -> Sequence[Path]:
        """The files that are not as they were written: of another size, or with another number of rows, or unreadable at
        their end, where Parquet says what is in them. None is merged away meanwhile."""
        with self.folder.reading():
            found = ((file, self.folder.find(file)) for file in self.manifest.all())
            return [path for file, path in found if path is not None and not _is_whole(path, file)]

    def compact(self, at_least: int = 2, patience: float = 0.0) -> Merged:
        """Merge the small files of every day that has so many of them. Where somebody reads the warehouse for longer than so
        many seconds, it is left for later. Raises `OSError`."""
        merged = left = 0
        for day in self.manifest.days_of_small(SMALL_ROWS, at_least):
            for group in self._groups(day):
                with self.folder.unread(patience) as unread:
                    if not unread:
                        left, patience = left + len(group), 0.0  # nobody is waited for twice
                    elif self._merge(day, group):
                        merged += len(group)
        return Merged(files=merged, left=left)

    def _groups(self, day: dt.date) -> Iterator[Sequence[File]]:
        """Small files that become one, in their order."""
        group: list[File] = []
        rows = memory = 0
        for file in self.manifest.small(day, SMALL_ROWS):
            taken = self._memory_of(file)
            if taken is None:
                continue
            if rows + file.rows > LARGE_ROWS or memory + taken > LARGE_BYTES:
                if len(group) > 1:
                    yield group
                group, rows, memory = [], 0, 0
            group.append(file)
            rows, memory = rows + file.rows, memory + taken
        if len(group) > 1:
            yield group

    def _memory_of(self, file: File) -> int | None:
        """None where it cannot be read: new messages are not to wait for somebody who repairs old ones."""
        path = self.folder.path(file)
        try:
            return _memory_of(path) if path.exists() else None
        except parquet.UNREADABLE as error:
            log.error("a file of the warehouse cannot be read", path=str(path), error=told(error))
            return None

    def _merge(self, day: dt.date, group: Sequence[File]) -> bool:
        try:
            table = parquet.merged([self.folder.path(file) for file in group])
        except parquet.UNREADABLE as error:
            log.error("files of the warehouse cannot be read", day=str(day), error=told(error))
            return False
        file = self._write(day, table)
        self.folder.hold([file])
        self.manifest.replace(group, file)
        # In this order: who reads the folder without the manifest sees messages twice for an instant, and misses none.
        self._settle()
        self._remove_gone()
        return True

    def _write(self, day: dt.date, table: Any) -> File:
        file = File(ref_id=new_id(), day=day, rows=table.num_rows, bytes=0)
        return attrs.evolve(file, bytes=parquet.write(table, self.folder.begin(file)))

    def _settle(self) -> None:
        """Put in its place what is listed, and remove what is not."""
        written = self.folder.written()
        listed = {file.ref_id: file for file in self.manifest.known(written)} if written else {}
        for ref_id, path in written.items():
            if ref_id in listed:
                self.folder.land(listed[ref_id])
            else:
                self.folder.discard(path)

    def _remove_gone(self) -> None:
        for file in self.manifest.gone():
            self.folder.remove(file)
        self.manifest.forget_gone()


def _cannot_be_used(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"the warehouse's folder cannot be used: {error}")


def _is_whole(path: Path, file: File) -> bool:
    try:
        return path.stat().st_size == file.bytes and parquet.rows_in(path) == file.rows
    except parquet.UNREADABLE:
        return False
