"""Take-overs in memory."""

from collections.abc import Sequence
from uuid import UUID

import attrs

from ocs_core.errors import Conflict
from ocs_core.ports import TakenRow, TakeOver


@attrs.frozen
class MemoryTakeOvers:
    _kept: dict[UUID, TakeOver] = attrs.field(factory=dict)
    _rows: dict[tuple[UUID, int], TakenRow] = attrs.field(factory=dict)

    def begin(self, take_over: TakeOver) -> None:
        if any(other.is_under_way for other in self.of_file(take_over.digest)):
            raise Conflict("uq_take_overs_under_way")
        self._kept[take_over.ref_id] = take_over

    def keep(self, take_over: TakeOver) -> None:
        self._kept[take_over.ref_id] = take_over

    def locked(self, ref_id: UUID) -> TakeOver | None:
        return self._kept.get(ref_id)

    def of_file(self, digest: str) -> Sequence[TakeOver]:
        return [kept for kept in self.all() if kept.digest == digest]

    def all(self) -> Sequence[TakeOver]:
        return sorted(self._kept.values(), key=lambda kept: kept.ref_id, reverse=True)

    def add_rows(self, rows: Sequence[TakenRow]) -> None:
        self._rows.update({(row.take_over_ref_id, row.line): row for row in rows})

    def last_rows(self, ref_id: UUID, through: int, limit: int) -> Sequence[TakenRow]:
        behind = sorted((line for kept, line in self._rows if kept == ref_id and line <= through), reverse=True)
        return [self._rows[ref_id, line] for line in behind[:limit]]
