"""A warehouse that may be made to crash at any of its steps, and what its readers see."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import attrs
import pyarrow.parquet as pq

from ocs_adapters.clock import new_id
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_adapters.consumers.warehouse.manifest import Manifest
from ocs_adapters.consumers.warehouse.questions import Questions
from ocs_adapters.consumers.warehouse.tables import tables
from ocs_adapters.consumers.warehouse.warehouse import Warehouse
from ocs_adapters.sql.database import Database, connect
from ocs_core.memory import MemoryEventLog
from ocs_core.messages import format_instant
from ocs_core.ports import OutboxRow, Stream
from ocs_core.testkit.fakes import NOW

DAY = dt.timedelta(days=1)


class Crash(BaseException):
    """The process is gone: nobody handles that."""


@attrs.define
class Fuse:
    """Blows after so many steps; None: never."""

    steps: int | None = None

    def tick(self) -> None:
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise Crash


def _breaking(cls: type, *names: str) -> type:
    """The class with a chance to crash before and after each of these methods."""

    def broken(name: str):
        def method(self, *args):
            self.fuse.tick()
            result = getattr(cls, name)(self, *args)
            self.fuse.tick()
            return result

        return method

    fields = {"fuse": attrs.field(kw_only=True)}
    return attrs.make_class(
        f"Breaking{cls.__name__}", fields, bases=(cls,), class_body={name: broken(name) for name in names}, frozen=True
    )


BreakingFolder = _breaking(Folder, "begin", "hold", "land", "discard", "remove")
BreakingManifest = _breaking(Manifest, "add", "replace", "gone", "forget_gone")


@attrs.frozen
class BreakingStream:
    stream: Stream
    fuse: Fuse

    def next(self, limit):
        return self.stream.next(limit)

    def commit(self) -> None:
        self.fuse.tick()
        self.stream.commit()
        self.fuse.tick()

    def gaps(self):
        return self.stream.gaps()


def row(
    ce_id: UUID, *, day: int = 0, value: bytes = b'{"version":1}', key: UUID | None = None, **headers: str
) -> OutboxRow:
    """A message as it is published, on a day counted from today."""
    told = {
        "ce_id": str(ce_id),
        "ce_time": format_instant(NOW + day * DAY),
        "ce_type": "io.ocs.rm.payment",
        "ce_subject": str(ce_id),
        "ce_dataschema": "urn:ocs-rm:schema:PaymentEx:1",
        "X-Ocs-Io-transaction-id": "t-1",
        "X-Ocs-Io-message-code": "payment",
    }
    left = {name: told for name, told in (told | headers).items() if told}
    return OutboxRow(position=0, ref_id=new_id(), topic="t", key=key or ce_id, headers=left, value=value)


def _ce_ids(paths: Iterable[Path]) -> list[str]:
    """Without DuckDB, which takes longer to begin than everything else that is done here."""
    return sorted(ce_id for path in paths for ce_id in pq.read_table(path, columns=["ce_id"])["ce_id"].to_pylist())


@attrs.define
class Scene:
    """A log of messages and the warehouse that reads it; `restart` as after a crash."""

    root: Path
    log: MemoryEventLog = attrs.field(factory=MemoryEventLog)
    fuse: Fuse = attrs.field(factory=Fuse)
    published: list[UUID] = attrs.field(factory=list)
    batch: int = 1000
    database: Database = attrs.field(init=False)
    warehouse: Warehouse = attrs.field(init=False)
    consumer: Consumer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        Folder(self.root).make()
        self.database = connect(f"sqlite:///{self.root}/manifest.sqlite3")
        tables.prepare(self.database)
        self.restart()

    @property
    def manifest(self) -> Manifest:
        return Manifest(self.database)

    @property
    def folder(self) -> Folder:
        return Folder(self.root)

    def restart(self) -> None:
        self.warehouse = Warehouse(
            BreakingFolder(self.root, fuse=self.fuse), BreakingManifest(self.database, fuse=self.fuse)
        )
        self.warehouse.recover()
        self.consumer = Consumer(
            stream=BreakingStream(self.log.reader("warehouse"), self.fuse),
            processor=Processor(
                inbox=Inbox(self.database, tables, lambda: NOW),
                handle=self.warehouse.keep,
                committed=self.warehouse.committed,
            ),
            batch=self.batch,
        )

    def publish(self, *rows: OutboxRow) -> None:
        self.log.publish(rows)
        self.published += [UUID(row.headers["ce_id"]) for row in rows]

    def publish_some(self, days: Iterable[int]) -> None:
        self.publish(*(row(new_id(), day=day) for day in days))

    def asked(self, question: str) -> list[tuple]:
        with Questions(self.folder, self.manifest).answered(question) as answer:
            return list(answer.rows)

    def kept(self) -> list[str]:
        """What the warehouse's answers are made of."""
        with self.folder.reading():
            return _ce_ids(Questions(self.folder, self.manifest).paths())

    def kept_later(self) -> list[str]:
        """What it is to answer in the end."""
        return sorted({str(ce_id) for ce_id in self.published})

    def globbed(self) -> list[str]:
        """What others see who know nothing but the folder."""
        return _ce_ids(self.root.glob("messages/*/*.parquet"))

    def close(self) -> None:
        self.database.close()
