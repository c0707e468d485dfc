"""The lines of an explained balance, page by page: a payer may have a hundred thousand of them. What is told of a line depends on
its item, the item's settlements and T alone, so a page can be read without the rest of the ledger (`Queries.lines`)."""

from bisect import bisect_left
from uuid import UUID

import attrs

from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.ledger import Ledger

LINES_AT_MOST = 1000
LINES = 200
"""Of a page, where nothing is said."""


@attrs.frozen
class LinesPage:
    """A page of lines: `part` has the items that they are of; `next` is the cursor of the following page, None at the end."""

    part: Ledger
    next: UUID | None


def lines_page(ledger: Ledger, limit: int | None, cursor: UUID | None) -> LinesPage:
    """The first `limit` items (None: all) behind `cursor`, the `ref_id` of the last item of the page before.

    Documents come first, then payments, each by `ref_id`. An item has a line whatever the instant, so pages fit together. A
    document never leaves its payer: a cursor that is none of the documents' is that of a payment, wherever that is by now.
    """
    documents, payments = sorted(ledger.documents, key=_place), sorted(ledger.payments, key=_place)
    if cursor is not None:
        at = bisect_left(documents, cursor.int, key=_place)
        if at < len(documents) and documents[at].ref_id == cursor:
            documents = documents[at + 1 :]
        else:
            documents, payments = [], payments[bisect_left(payments, cursor.int + 1, key=_place) :]
    of_documents = documents[:limit]
    of_payments = payments[: None if limit is None else limit - len(of_documents)]
    told = [*(document.ref_id for document in of_documents), *(payment.ref_id for payment in of_payments)]
    has_more = len(told) < len(documents) + len(payments)
    return LinesPage(_part(ledger, of_documents, of_payments, frozenset(told)), told[-1] if has_more else None)


def _part(ledger: Ledger, documents: list[Document], payments: list[Payment], items: frozenset[UUID]) -> Ledger:
    touching = (s for s in ledger.settlements if s.source_ref_id in items or s.target_ref_id in items)
    return attrs.evolve(ledger, documents=tuple(documents), payments=tuple(payments), settlements=tuple(touching))


def _place(item: Document | Payment) -> int:
    return item.ref_id.int
