"""A copy of a database, as it is now."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ocs_adapters.settings import Settings
from ocs_adapters.settings.secrecy import usable
from ocs_adapters.sql.backup import back_up
from ocs_adapters.sql.database import connect


def backed_up(settings: Settings, of: str, target: Path, on_progress: Callable[[int, int], object]) -> None:
    """Copy the system's database, or a consumer's, to a file. Raises `OcsError`."""
    urls = {
        "system": settings.database_url,
        "finance": settings.finance_url,
        "notifications": settings.notifications_url,
    }
    with closing(connect(usable(urls[of]))) as database:
        back_up(database, target, on_progress)
