"""The throw-away system of the demonstration: a database in a temporary folder, its ledger, and a key."""

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.settings import Settings
from ocs_core.access import EVERYTHING, ApiKey, digest_of_key, new_key
from ocs_http.demo.ledger import Generator, Highlights

APPLICATION = "demo"


@attrs.frozen
class Site:
    """The system, a key for all of it, and what is worth trying it on."""

    platform: Platform
    key: str
    highlights: Highlights


@contextmanager
def site(entries: Collection[Any]) -> Iterator[Site]:
    """Make it, with these entries as its configuration; it is gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="ocs-demo-") as folder:
        made = platform(Settings(database_url=f"sqlite:///{Path(folder) / 'demo.sqlite3'}"))
        try:
            yield _furnish(made, entries)
        finally:
            made.services.close()


def _furnish(made: Platform, entries: Collection[Any]) -> Site:
    services, key = made.services, new_key()
    made.migrate()
    made.configure(entries)
    with made.together() as store:
        highlights = Generator(store, clock=services.clock, ids=services.ids).fill()
    services.keys.add(
        ApiKey(
            ref_id=services.ids(),
            application=APPLICATION,
            digest=digest_of_key(key),
            privileges=frozenset({EVERYTHING}),
            created_at=services.clock(),
        )
    )
    made.relay.drain()
    return Site(made, key, highlights)
