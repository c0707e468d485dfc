"""Master data in SQL, cached until its version changes."""

import functools
from collections.abc import Iterable
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.serial import decode_entry, encode_entry
from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call
from ocs_core.entities.configuration import KINDS, Configuration

_ENTRIES = sa.select(tables.configuration.c.kind, tables.configuration.c.entry)
_VERSION = sa.select(tables.configuration_version.c.version)
_RAISE_VERSION = sa.update(tables.configuration_version).values(version=tables.configuration_version.c.version + 1)
_DELETE = sa.delete(tables.configuration).where(
    tables.configuration.c.kind == bindparam("kind"), tables.configuration.c.code == bindparam("code")
)
_INSERT = sa.insert(tables.configuration).values(
    kind=bindparam("kind"), code=bindparam("code"), entry=bindparam("entry")
)


@attrs.define(eq=False)
class ConfigurationCache:
    """The configuration as it was last read; a store asks only whether the version is still the same."""

    default_zone: str
    _latest: Configuration = attrs.field(factory=lambda: Configuration(version=-1), init=False)

    def get(self, transaction: Transaction, version: int) -> Configuration:
        if self._latest.version != version:
            (rows,) = transaction.run([Call(_ENTRIES)])
            self._latest = _configuration(rows, version, self.default_zone)
        return self._latest


def read_configuration(database: Database, default_zone: str) -> Configuration:
    """The configuration as it is now."""
    versions, rows = database.read(Call(_VERSION), Call(_ENTRIES))
    return _configuration(rows, versions[0][0], default_zone)


def _configuration(rows: Iterable[Any], version: int, default_zone: str) -> Configuration:
    entries: list[Any] = [decode_entry(KINDS[kind], msgspec.json.decode(entry)) for kind, entry in rows]
    return attrs.evolve(Configuration().with_entries(entries), version=version, default_zone=default_zone)


def frozen(configuration: Configuration) -> str:
    """A configuration as JSON, to be kept with what goes by it."""
    return msgspec.json.encode(
        {
            "version": configuration.version,
            "default_zone": configuration.default_zone,
            "entries": {
                kind: [msgspec.Raw(encode_entry(entry)) for entry in getattr(configuration, kind).values()]
                for kind in KINDS
            },
        }
    ).decode()


@functools.lru_cache(maxsize=8)
def thawed(text: str) -> Configuration:
    """The configuration that `frozen` wrote."""
    kept = msgspec.json.decode(text)
    entries: list[Any] = [
        decode_entry(KINDS[kind], entry) for kind, of_kind in kept["entries"].items() for entry in of_kind
    ]
    known = Configuration().with_entries(entries)
    return attrs.evolve(known, version=kept["version"], default_zone=kept["default_zone"])


def configuration_in(transaction: Transaction, default_zone: str) -> Configuration:
    """The configuration, which nobody else changes until the end of the transaction."""
    # The version is raised first: its row is held until the commit, so two writers do not mix.
    _, versions, rows = transaction.run([Call(_RAISE_VERSION), Call(_VERSION), Call(_ENTRIES)])
    return _configuration(rows, versions[0][0], default_zone)


def write_in(transaction: Transaction, entries: Iterable[Any]) -> None:
    """Add entries, or put them in the place of those with the same code, and commit: every cache learns of it."""
    kind_of = {cls: kind for kind, cls in KINDS.items()}
    rows = [{"kind": kind_of[type(e)], "code": str(e.code), "entry": encode_entry(e).decode()} for e in entries]
    transaction.run([Call(statement, rows) for statement in (_DELETE, _INSERT) if rows], commit=True)


def write_entries(database: Database, entries: Iterable[Any], default_zone: str = "UTC") -> None:
    """Write entries whatever is kept: all or none. `configuring.change_entries` asks first."""
    with database.transaction() as transaction:
        configuration_in(transaction, default_zone)
        write_in(transaction, entries)
