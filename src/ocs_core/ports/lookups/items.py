"""Looking up payments and documents, which are read exclusively: who looks one up changes it, or what is settled by it."""

import attrs

from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.ports.lookups.lookup import Lookup


@attrs.frozen
class PaymentNamed(Lookup[Payment | None]):
    """The payment that has every name that is given, cancelled or not, read exclusively; None where none is given."""

    name: PaymentName | None


@attrs.frozen
class DocumentNamed(Lookup[Document | None]):
    """The document that has every name that is given, cancelled or not, read exclusively; None where none is given."""

    name: DocumentName | None
