"""Keys in memory."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import attrs

from ocs_core.access import ApiKey


@attrs.frozen
class MemoryApiKeys:
    _keys: dict[UUID, ApiKey] = attrs.field(factory=dict)

    def of(self, application: str) -> Sequence[ApiKey]:
        return [key for key in self.all() if key.application == application]

    def all(self) -> Sequence[ApiKey]:
        return list(self._keys.values())

    def add(self, key: ApiKey) -> None:
        self._keys[key.ref_id] = key

    def revoke(self, ref_id: UUID, at: dt.datetime) -> bool:
        key = self._keys.get(ref_id)
        if key is None or key.revoked_at is not None:
            return False
        self._keys[ref_id] = attrs.evolve(key, revoked_at=at)
        return True
