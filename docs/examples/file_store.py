"""A small service's own store: everything in memory, and every commit appended to a file before it is kept.

An example of a store that is not ours, and that the kit proves right (`test_file_store.py`). A commit is one line, written
and synchronised with the disk; a line that a crash cut off never happened.
"""

import base64
import datetime as dt
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocs_core.entities.account import Payer
from ocs_core.entities.configuration import Configuration
from ocs_core.memory import MemoryStore
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Found, Lookup, NextNumber, PayerBalance, Series, UnitOfWork


class FileStore:
    """Opens the file, or begins it. One process at a time: nobody else may write to it."""

    def __init__(self, path: Path, configuration: Configuration) -> None:
        self.memory = MemoryStore(configuration)
        with path.open("ab+") as file:
            file.seek(0)
            whole = file.read().rpartition(b"\n")[0]
            file.truncate(len(whole) + 1 if whole else 0)
        for line in whole.splitlines():
            with self.memory.begin() as uow:
                for name, *arguments in pickle.loads(base64.b64decode(line)):
                    getattr(uow, name)(*arguments)
        self.path = path

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[UnitOfWork]:
        with self.memory.begin(snapshot=snapshot) as inner:
            uow: Any = FileUnitOfWork(inner)
            yield uow
            if uow.written:
                with self.path.open("ab") as file:
                    file.write(base64.b64encode(pickle.dumps(uow.written)) + b"\n")
                    file.flush()
                    os.fsync(file.fileno())


class FileUnitOfWork:
    """Does what the one in memory does, and writes down what changes something."""

    def __init__(self, inner: UnitOfWork) -> None:
        self.inner = inner
        self.written: list[tuple[Any, ...]] = []

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        if drawn := [lookup for lookup in lookups if isinstance(lookup, NextNumber)]:
            self.written.append(("find", *drawn))
        return self.inner.find(*lookups, key=key)

    def add(self, entity: E) -> E:
        self.written.append(("add", entity))
        return self.inner.add(entity)

    def save(self, entity: E) -> E:
        self.written.append(("save", entity))
        return self.inner.save(entity)

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        self.written.append(("keep_balances", found, as_of, calculated_at))
        return self.inner.keep_balances(found, as_of, calculated_at)

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        self.written.append(("draw", series, count))
        return self.inner.draw(series, count)

    def publish(self, message: Message) -> None:
        self.written.append(("publish", message))
        self.inner.publish(message)

    def remember(self, performed: Performed) -> None:
        self.written.append(("remember", performed))
        self.inner.remember(performed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
