"""The warehouse's folder: where files are written, where they stand, and who may work on them. POSIX systems only."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import UUID

import attrs

from ocs_adapters.consumers.warehouse.manifest import File
from ocs_core.errors import OcsError

_ASIDE = ".parquet.tmp"


@attrs.frozen
class Folder:
    """`messages/day=2026-11-25/ID.parquet`, and beside it `writing/day=2026-11-25/ID.parquet.tmp` before."""

    root: Path

    @property
    def glob(self) -> str:
        """What any reader of Parquet finds the messages by."""
        return str(self.root / "messages" / "*" / "*.parquet")

    def path(self, file: File) -> Path:
        """Where a file stands, or will."""
        return self.root / "messages" / _day(file) / f"{file.ref_id}.parquet"

    def writing(self, file: File) -> Path:
        """Where a file is written until the manifest lists it."""
        return self._writing / _day(file) / f"{file.ref_id}{_ASIDE}"

    def find(self, file: File) -> Path | None:
        """Where a file is: between a crash and the next start it may still stand aside. None: it is missing."""
        place = self.path(file)
        # Whoever puts it in its place may do so between two looks.
        return next((path for path in (place, self.writing(file), place) if path.exists()), None)

    def written(self) -> Mapping[UUID, Path]:
        """The files that did not come to their place yet. Whatever else somebody left among them is none of ours."""
        found = ((_id_of(path), path) for path in self._writing.glob(f"*/*{_ASIDE}"))
        return {ref_id: path for ref_id, path in found if ref_id}

    def make(self) -> None:
        """Make what is not there yet."""
        for path in (self.root, self.root / "messages", self._writing):
            _make(path)

    def begin(self, file: File) -> Path:
        """Where a new file is to be written."""
        path = self.writing(file)
        _make(path.parent)
        return path

    def hold(self, files: Sequence[File]) -> None:
        """What was written stays written, whatever happens to the machine."""
        for folder in {self.writing(file).parent for file in files}:
            _sync(folder)

    def land(self, file: File) -> None:
        """Put a file in its place."""
        aside, place = self.writing(file), self.path(file)
        _make(place.parent)
        aside.replace(place)
        _sync(place.parent)
        _tidy(aside.parent)

    def discard(self, written: Path) -> None:
        """Remove what was written and is not listed."""
        written.unlink()
        _tidy(written.parent)

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
        with ExitStack() as stack:
            with self._lock("turn.lock", fcntl.LOCK_EX, patience=None):
                stack.enter_context(self._lock("readers.lock", fcntl.LOCK_SH, patience=None))
            yield

    @contextmanager
    def unread(self, patience: float = 0.0) -> Iterator[bool]:
        """Whether nobody is `reading`, or ends to within so many seconds; who begins to waits until the end of the block."""
        # Readers who always overlap would let nobody in: whoever waits for them to end keeps new ones from beginning.
        with (
            self._lock("turn.lock", fcntl.LOCK_EX, patience) as first,
            self._lock("readers.lock", fcntl.LOCK_EX, patience if first else 0.0) as held,
        ):
            yield first and held

    @property
    def _writing(self) -> Path:
        return self.root / "writing"

    @contextmanager
    def _lock(self, name: str, how: int, patience: float | None = 0.0) -> Iterator[bool]:
        """Whether it is held, after so many seconds at the most; None: it is waited for. The system lets go of it when the
        process ends, however that comes."""
        descriptor = os.open(self.root / name, os.O_RDONLY | os.O_CREAT, 0o666)
        try:
            if patience is None:
                fcntl.flock(descriptor, how)
            yield patience is None or _locked(descriptor, how, patience)
        finally:
            os.close(descriptor)


def _locked(descriptor: int, how: int, patience: float) -> bool:
    ends = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                return False
            time.sleep(0.02)
        else:
            return True


def _id_of(path: Path) -> UUID | None:
    name = path.name.removesuffix(_ASIDE)
    try:
        ref_id = UUID(name)
    except ValueError:
        return None
    return ref_id if str(ref_id) == name else None


def _day(file: File) -> str:
    return f"day={file.day.isoformat()}"


def _make(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True)
        _sync(folder.parent)


def _tidy(folder: Path) -> None:
    """Others may still be written there."""
    with suppress(OSError):
        folder.rmdir()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
