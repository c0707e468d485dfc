"""What the words of a status column and of a type column mean."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from ocs_core.usecases.take_over_receivables.table import Cell, FileRefused, examples


class Meaning(StrEnum):
    """What a word says of a row. OUT: it is no receivable (a draft, a cancelled invoice) and is left out, which is told."""

    OPEN = "open"
    PART = "part"
    PAID = "paid"
    INVOICE = "invoice"
    CREDIT = "credit"
    OUT = "out"


STATUSES = (Meaning.OPEN, Meaning.PART, Meaning.PAID, Meaning.OUT)
TYPES = (Meaning.INVOICE, Meaning.CREDIT, Meaning.OUT)
_KNOWN: Mapping[str, Mapping[Meaning, str]] = {
    "status": {
        Meaning.OPEN: "open, unpaid, overdue, past due, due, not due, outstanding, sent, issued, posted, approved, authorised, "
        "authorized, not paid, unsettled, awaiting payment, finalized, finalised, invoiced",
        Meaning.PART: "part paid, partly paid, partially paid, partial, partially settled, partly settled",
        Meaning.PAID: "paid, settled, closed, cleared, paid in full, fully paid",
        Meaning.OUT: "cancelled, canceled, void, voided, deleted, draft, reversed, rejected",
    },
    "type": {
        Meaning.INVOICE: "invoice, inv, bill, in, invoices, sales invoice, standard, standard invoice, debit note, debit, dn, "
        "debit memo, accrec, receivable",
        Meaning.CREDIT: "credit note, credit, cn, cr, credit memo, creditnote, creditmemo, cm, credit invoice, accreccredit, "
        "credit notes",
    },
}

_EVERY = frozenset(word for known in _KNOWN.values() for words in known.values() for word in words.split(", "))


def meanings_of(field: str, cells: Sequence[Cell], told: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """What each word of a column means. Raises `FileRefused` with the words that nobody knows."""
    known = {word: meaning for meaning, words in _KNOWN[field].items() for word in words.split(", ")}
    known |= {_bare(word): meaning for word, meaning in told.items()}
    found = {cell.text: known.get(_bare(cell.text)) for cell in cells}
    if unknown := [cell for cell in cells if found[cell.text] is None]:
        first = list({cell.text: cell for cell in unknown}.values())
        allowed = "|".join(STATUSES if field == "status" else TYPES)
        raise FileRefused(
            f"What does the {field} mean in {examples(first)}? Say it with --{field} 'WORD={allowed}' "
            f"(out: no receivable, left out), or pass the column over with --ignore-column."
        )
    return {text: meaning for text, meaning in found.items() if meaning is not None}


def is_known(word: str) -> bool:
    """Whether a word says a state or a type."""
    return _bare(word) in _EVERY


def _bare(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())
