"""Chargeable events in memory."""

from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.memory.journal import Journal
from ocs_core.memory.lookups.answering import answer
from ocs_core.ports import AdjustmentsOf, ChargeableEventWithId, TakenEvents


@answer.register
def _event(lookup: ChargeableEventWithId, journal: Journal) -> ChargeableEvent | None:
    return journal.one(ChargeableEvent, lookup.ref_id)


@answer.register
def _adjustments(lookup: AdjustmentsOf, journal: Journal) -> tuple[ChargeableEvent, ...]:
    return tuple(journal.store.related[ChargeableEvent, lookup.ref_id].values())


@answer.register
def _taken(lookup: TakenEvents, journal: Journal) -> frozenset[str]:
    unique = journal.store.unique
    return frozenset(each for each in lookup.external_ids if ("uq_chargeable_events_external_id", each) in unique)
