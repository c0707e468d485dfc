"""Settlements in memory."""

from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.memory.journal import Journal
from ocs_core.memory.lookups.answering import answer
from ocs_core.ports import (
    DocumentNamed,
    LiveSettlements,
    PaymentNamed,
    SettlementsAfter,
    SettlementWithId,
    SourceOf,
    TargetOf,
)


@answer.register
def _settlement(lookup: SettlementWithId, journal: Journal) -> Settlement | None:
    return journal.one(Settlement, lookup.ref_id)


@answer.register
def _source(lookup: SourceOf, journal: Journal) -> Payment | None:
    settlement = _settlement(lookup.settlement, journal)
    return journal.one(Payment, settlement.source_ref_id) if settlement else None


@answer.register
def _target(lookup: TargetOf, journal: Journal) -> Document | None:
    settlement = _settlement(lookup.settlement, journal)
    return journal.one(Document, settlement.target_ref_id) if settlement else None


@answer.register
def _live(lookup: LiveSettlements, journal: Journal) -> tuple[Settlement, ...]:
    """Those that touch each item that was named; an item that is not there is touched by none."""
    items = {item.ref_id if item else None for item in _named(lookup, journal)}
    live = [s for item in items for s in journal.store.related[Settlement, item].values() if not s.cancelled]
    between = {s.ref_id: s for s in live if items <= {s.source_ref_id, s.target_ref_id}}
    return tuple(s for _, s in sorted(between.items()))


@answer.register
def _after(lookup: SettlementsAfter, journal: Journal) -> tuple[Settlement, ...]:
    items = [item.ref_id for item in _named(lookup, journal) if item]
    touching = {s.ref_id: s for item in items for s in journal.store.related[Settlement, item].values()}
    return tuple(
        s
        for s in touching.values()
        if s.effective_at > lookup.instant or (s.cancelled_at is not None and s.cancelled_at > lookup.instant)
    )


def _named(lookup: LiveSettlements | SettlementsAfter, journal: Journal) -> list[Payment | Document | None]:
    named: list[Payment | Document | None] = []
    if lookup.payment is not None:
        named.append(answer(PaymentNamed(lookup.payment), journal))
    if lookup.document is not None:
        named.append(answer(DocumentNamed(lookup.document), journal))
    return named
