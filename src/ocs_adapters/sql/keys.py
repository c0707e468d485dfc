"""Keys of applications in SQL."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.reading import reader
from ocs_core.access import ApiKey

_KEYS = tables.api_keys
_ALL = sa.select(_KEYS).order_by(_KEYS.c.ref_id)
_OF_APPLICATION = _ALL.where(_KEYS.c.application == bindparam("application"))
_INSERT = sa.insert(_KEYS).values({c.name: bindparam(c.name) for c in _KEYS.columns})
_REVOKE = (
    sa.update(_KEYS)
    .where(_KEYS.c.ref_id == bindparam("key"), _KEYS.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


@attrs.frozen
class SqlApiKeys:
    database: Database

    def of(self, application: str) -> Sequence[ApiKey]:
        return self._keys(Call(_OF_APPLICATION, {"application": application}))

    def all(self) -> Sequence[ApiKey]:
        return self._keys(Call(_ALL))

    def add(self, key: ApiKey) -> None:
        row = attrs.asdict(key) | {"privileges": msgspec.json.encode(sorted(key.privileges)).decode()}
        self.database.write(Call(_INSERT, row))

    def revoke(self, ref_id: UUID, at: dt.datetime) -> bool:
        (revoked,) = self.database.write(Call(_REVOKE, {"key": ref_id, "at": at}))
        return bool(revoked)

    def _keys(self, call: Call) -> list[ApiKey]:
        (rows,) = self.database.read(call)
        return list(map(reader(ApiKey, self.database.driver), rows))
