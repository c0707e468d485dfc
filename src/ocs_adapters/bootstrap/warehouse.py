"""The warehouse, put together; importing this needs what ocs-rm[warehouse] brings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_adapters.consumers.warehouse.manifest import Manifest
from ocs_adapters.consumers.warehouse.questions import Questions
from ocs_adapters.consumers.warehouse.warehouse import Warehouse
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database


def folder(settings: Settings) -> Folder:
    return Folder(Path(settings.warehouse_folder))


def warehouse(settings: Settings, database: Database) -> Warehouse:
    """What changes the warehouse; the folder's `alone` must be held."""
    return Warehouse(folder(settings), Manifest(database))


def questions(settings: Settings, database: Database) -> Questions:
    """What answers questions, whoever works on the warehouse meanwhile."""
    return Questions(folder(settings), Manifest(database))


@contextmanager
def opened(settings: Settings, inbox: Inbox) -> Iterator[Processor]:
    """How the consumer deals with messages; what a crash left is finished first."""
    made = warehouse(settings, inbox.database)
    made.recover()
    yield Processor(inbox=inbox, handle=made.keep, committed=made.committed)


def forget(database: Database) -> None:
    Manifest(database).say_all_gone()
