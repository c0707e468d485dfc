"""What the store in memory keeps, and a journal that takes back what an abandoned unit of work wrote."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any
from uuid import UUID

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Series


@attrs.define
class MemoryTables:
    """Everything in dictionaries: entities by class and id, who has a unique value, and what is related to what."""

    configuration: Configuration = attrs.field(factory=Configuration)
    outbox: dict[UUID, Message] = attrs.field(factory=dict)
    held: dict[UUID, str] = attrs.field(factory=dict)
    entities: dict[type, dict[UUID, Any]] = attrs.field(factory=lambda: defaultdict(dict))
    unique: dict[Hashable, UUID] = attrs.field(factory=dict)
    related: dict[Hashable, dict[UUID, Any]] = attrs.field(factory=lambda: defaultdict(dict))
    performed: dict[RequestKey, Performed] = attrs.field(factory=dict)
    numbers: dict[str, int] = attrs.field(factory=dict)


@attrs.define
class Journal:
    """Writes at once, and remembers how to take it back."""

    store: MemoryTables
    _journal: list[tuple[dict[Any, Any], Hashable, Any]] = attrs.field(factory=list)

    def one(self, cls: type[E], ref_id: UUID | None) -> E | None:
        return self.store.entities[cls].get(ref_id) if ref_id else None

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        last = self.store.numbers.get(series.name, 0)
        self.put(self.store.numbers, series.name, last + count)
        return range(last + 1, last + count + 1)

    def put(self, table: dict[Any, Any], key: Hashable, value: Any) -> None:
        self._journal.append((table, key, table.get(key)))
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    def take_back(self) -> None:
        for table, key, before in reversed(self._journal):
            if before is None:
                table.pop(key, None)
            else:
                table[key] = before
