"""Looking up settlements. Who changes those of a payment or document holds it, so it is asked for with them."""

import datetime as dt
from uuid import UUID

import attrs

from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.entities.settlement import Settlement
from ocs_core.ports.lookups.lookup import Lookup


@attrs.frozen
class SettlementWithId(Lookup[Settlement | None]):
    """A settlement, live or cancelled, read exclusively; None where none is named."""

    ref_id: UUID | None


@attrs.frozen
class SourceOf(Lookup[Payment | None]):
    """The payment that a settlement takes from, read exclusively."""

    settlement: SettlementWithId


@attrs.frozen
class TargetOf(Lookup[Document | None]):
    """The document that a settlement pays, read exclusively."""

    settlement: SettlementWithId


@attrs.frozen
class LiveSettlements(Lookup[tuple[Settlement, ...]]):
    """The live settlements of the payment or document that is named, or between the two where both are, by ref_id; read
    exclusively. None where nothing is named, or what is named is not there."""

    payment: PaymentName | None = None
    document: DocumentName | None = None


@attrs.frozen
class SettlementsAfter(Lookup[tuple[Settlement, ...]]):
    """All settlements of either that took effect or were cancelled after an instant, cancelled ones too, in any order; not
    locked."""

    instant: dt.datetime
    payment: PaymentName | None = None
    document: DocumentName | None = None
