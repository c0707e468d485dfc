"""Values that are taken, and numbers, in memory."""

from collections.abc import Mapping

from ocs_core.memory.journal import Journal
from ocs_core.memory.lookups.answering import answer
from ocs_core.ports import NextNumber, Taken

_CONSTRAINTS: Mapping[str, str] = {
    "external_account_id": "uq_accounts_external_id",
    "external_payment_no": "uq_payments_external_payment_no",
    "external_document_no": "uq_documents_external_document_no",
}


@answer.register
def _taken(lookup: Taken, journal: Journal) -> bool:
    return (_CONSTRAINTS[lookup.what], lookup.value) in journal.store.unique


@answer.register
def _next_number(lookup: NextNumber, journal: Journal) -> int:
    (number,) = journal.draw(lookup.series)
    return number
