"""Looking up chargeable events."""

from uuid import UUID

import attrs

from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.ports.lookups.lookup import Lookup


@attrs.frozen
class ChargeableEventWithId(Lookup[ChargeableEvent | None]):
    """A chargeable event, read exclusively: who adjusts it holds it."""

    ref_id: UUID | None


@attrs.frozen
class AdjustmentsOf(Lookup[tuple[ChargeableEvent, ...]]):
    """The adjustments of a chargeable event. Who adds one holds the event, so it is asked for with them."""

    ref_id: UUID | None


@attrs.frozen
class TakenEvents(Lookup[frozenset[str]]):
    """Which of these external ids chargeable events have."""

    external_ids: tuple[str, ...]
