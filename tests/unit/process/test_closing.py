"""What the composition root opens, it closes: in the opposite order, whether or not everything could be opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocs_adapters.bootstrap import platform
from ocs_adapters.process.runner import CollectionRunner
from ocs_adapters.schedule.scheduler import Scheduler
from ocs_adapters.settings import Settings
from ocs_adapters.sql.bell import Bell
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.event_log import SqlEventLog
from ocs_adapters.streaming.relay import Relay
from ocs_core.errors import OcsError

ENDS = ((Scheduler, "stop"), (Relay, "stop"), (Bell, "close"), (SqlEventLog, "close"), (CollectionRunner, "stop"))
"""How each part ends; what stands on others comes before them."""


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that have ended, in order."""
    told: list[str] = []

    def telling(cls: type, end: Callable[[Any], None]) -> Callable[[Any], None]:
        def tell(part: Any) -> None:
            told.append(cls.__name__)
            end(part)

        return tell

    for cls, name in (*ENDS, (Database, "close")):
        monkeypatch.setattr(cls, name, telling(cls, getattr(cls, name)))
    return told


def test_what_stands_on_others_ends_before_them_and_the_databases_last(tmp_path: Path, ended: list[str]) -> None:
    opened = platform(Settings(database_url=f"sqlite:///{tmp_path / 'ocs.sqlite3'}"))
    assert ended == []
    opened.services.close()
    assert ended == [*(cls.__name__ for cls, _ in ENDS), "Database", "Database"]


def test_what_was_opened_is_closed_when_the_rest_cannot_be(tmp_path: Path, ended: list[str]) -> None:
    with pytest.raises(OcsError, match="OCS_RULES is nowhere:rules"):
        platform(Settings(database_url=f"sqlite:///{tmp_path / 'ocs.sqlite3'}", rules="nowhere:rules"))
    assert ended == [*(cls.__name__ for cls, _ in ENDS), "Database", "Database"]
