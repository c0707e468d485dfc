"""The warehouse's folder: where files are written, where they stand, and who may work on them. POSIX systems only."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import attrs

from ocs_adapters.consumers.warehouse.manifest import File
from ocs_core.errors import OcsError


@attrs.frozen
class Folder:
    """`messages/day=2026-11-25/ID.parquet`, and beside it `writing/ID.parquet.tmp` for what is not listed yet."""

    root: Path

    @property
    def glob(self) -> str:
        """What any reader of Parquet finds the messages by."""
        return str(self.root / "messages" / "*" / "*.parquet")

    def path(self, file: File) -> Path:
        """Where a file stands, or will."""
        return self.root / "messages" / f"day={file.day.isoformat()}" / f"{file.ref_id}.parquet"

    def writing(self, ref_id: UUID) -> Path:
        """Where a file is written until the manifest lists it."""
        return self.root / "writing" / f"{ref_id}.parquet.tmp"

    def written(self) -> Sequence[UUID]:
        """The files that did not come to their place yet."""
        return sorted(UUID(path.name.partition(".")[0]) for path in self._writing.glob("*.parquet.tmp"))

    def make(self) -> None:
        """Make what is not there yet."""
        for path in (self.root, self.root / "messages", self._writing):
            path.mkdir(parents=True, exist_ok=True)
            _sync(path.parent)

    def hold(self) -> None:
        """What was written stays written, whatever happens to the machine."""
        _sync(self._writing)

    def land(self, file: File) -> None:
        """Put a file in its place; it is there already where an earlier attempt came so far."""
        place = self.path(file)
        if not place.parent.exists():
            place.parent.mkdir()
            _sync(place.parent.parent)
        self.writing(file.ref_id).replace(place)
        _sync(place.parent)

    def discard(self, ref_id: UUID) -> None:
        """Remove what was written and is not listed."""
        self.writing(ref_id).unlink(missing_ok=True)

    def remove(self, file: File) -> None:
        """Remove a file from its place, if it is there."""
        self.path(file).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only one process at a time writes. Raises `OcsError` where another one does."""
        self.make()
        with self._lock("writers.lock", fcntl.LOCK_EX) as held:
            if not held:
                raise OcsError(f"Another process works on the warehouse in {self.root}; only one can at a time.")
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """No file that is listed is removed meanwhile."""
        with self._lock("readers.lock", fcntl.LOCK_SH, wait=True):
            yield

    @contextmanager
    def unread(self) -> Iterator[bool]:
        """Whether nobody is `reading`; who begins to waits until the end of the block."""
        with self._lock("readers.lock", fcntl.LOCK_EX) as held:
            yield held

    @property
    def _writing(self) -> Path:
        return self.root / "writing"

    @contextmanager
    def _lock(self, name: str, how: int, *, wait: bool = False) -> Iterator[bool]:
        """The system lets go of it when the process ends, however that comes."""
        descriptor = os.open(self.root / name, os.O_RDONLY | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(descriptor, how if wait else how | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
