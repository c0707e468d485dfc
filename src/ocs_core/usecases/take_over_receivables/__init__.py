"""Take over receivables: a ledger that a company has as a file (domain: sections 3, 5 and 7).

Everything that is decided is decided here, over rows of text: which column is which field, how amounts and days are written,
which rows contradict one another or what is stored, and what may be taken back. Who calls it reads bytes into a `Table`.
"""

from ocs_core.usecases.take_over_receivables.agreement import (
    Contradiction,
    account_agrees,
    document_agrees,
    payment_number,
    payments_agree,
)
from ocs_core.usecases.take_over_receivables.columns import SYNONYMS, recognised
from ocs_core.usecases.take_over_receivables.dates import DateFormat
from ocs_core.usecases.take_over_receivables.invoices import SUMS, Invoice
from ocs_core.usecases.take_over_receivables.reading import Receivables, read_receivables
from ocs_core.usecases.take_over_receivables.table import FileRefused, Problem, Row, Table
from ocs_core.usecases.take_over_receivables.terms import Terms, lacking
from ocs_core.usecases.take_over_receivables.words import STATUSES, TYPES, Meaning

__all__ = [
    "STATUSES",
    "SUMS",
    "SYNONYMS",
    "TYPES",
    "Contradiction",
    "DateFormat",
    "FileRefused",
    "Invoice",
    "Meaning",
    "Problem",
    "Receivables",
    "Row",
    "Table",
    "Terms",
    "account_agrees",
    "document_agrees",
    "lacking",
    "payment_number",
    "payments_agree",
    "read_receivables",
    "recognised",
]
