"""Looking up whether a value that may be there once only is taken."""

from typing import Literal

import attrs

from ocs_core.ports.lookups.lookup import Lookup

Unique = Literal["external_account_id", "external_payment_no", "external_document_no"]
"""A value that one account, one incoming payment, one document may have."""


@attrs.frozen
class Taken(Lookup[bool]):
    """Whether something has this value, cancelled or not; None is never taken. The store has the last word, at the commit."""

    what: Unique
    value: str | None
