"""Take-overs in memory."""

from collections.abc import Sequence
from uuid import UUID

import attrs

from ocs_core.entities.account import Account
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import Conflict
from ocs_core.memory.store import MemoryStore
from ocs_core.ports import TakenRow, TakeOver


@attrs.frozen
class MemoryTakeOvers:
    store: MemoryStore = attrs.field(factory=MemoryStore)
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

    def is_used(self, account_ref_id: UUID, reason: str) -> bool:
        with self.store.lock:
            kept = self.store.entities
            classes: tuple[type[Document] | type[Payment] | type[Settlement], ...] = (Document, Payment, Settlement)
            return (
                any(
                    item.account is not None and item.account.ref_id == account_ref_id and item.cancel_reason != reason
                    for cls in classes
                    for item in kept[cls].values()
                )
                or any(event.account.ref_id == account_ref_id for event in kept[ChargeableEvent].values())
                or any(a.parent is not None and a.parent.ref_id == account_ref_id for a in kept[Account].values())
            )
