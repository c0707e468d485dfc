"""The kit's contracts and its machine, held against the service's own store; and what is the file's own business."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from file_store import FileStore

from ocs_core.memory import MemoryQueries
from ocs_core.testkit.contracts import Subject, published_in
from ocs_core.testkit.examples import Desk, configuration, named
from ocs_core.testkit.prove import prove_store


@contextmanager
def make() -> Iterator[Subject]:
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(Path(folder) / "store", configuration())
        yield Subject(store, MemoryQueries(store.memory), lambda: published_in(store.memory))


TestFileStore = prove_store(make)


def test_what_was_committed_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store", configuration())
    account = Desk(store).account("A-1")
    again = FileStore(tmp_path / "store", configuration())
    assert MemoryQueries(again.memory).account(named(account)) == account
    assert published_in(again.memory) == published_in(store.memory)


def test_a_commit_that_a_crash_cut_off_never_happened(tmp_path: Path) -> None:
    path = tmp_path / "store"
    desk = Desk(FileStore(path, configuration()))
    first = desk.account("A-1")
    kept = path.stat().st_size
    desk.account("A-2")
    with path.open("ab") as file:
        file.truncate(kept + 40)
    desk.store = FileStore(path, configuration())
    assert list(desk.store.memory.entities[type(first)].values()) == [first]
    third = desk.account("A-3")
    again = FileStore(path, configuration())
    assert list(again.memory.entities[type(first)].values()) == [first, third]
