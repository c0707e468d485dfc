"""Which column of a ledger holds what: guessed from the names that companies commonly give, or told."""

import re
from collections.abc import Mapping, Sequence

from ocs_adapters.files.table import FileRefused

SYNONYMS: Mapping[str, str] = {
    "customer": "customer customerid customerno customernumber customernr customercode custid custno custnumber client "
    "clientid clientno clientnumber account accountid accountno accountnumber debtor debtorid debtorno payer payerid",
    "number": "number invoice invoiceno invoicenumber invoicenr invoiceid invoicenum document documentno documentnumber "
    "documentnr documentid docno docnumber docid billno billnumber",
    "issued": "issued issuedate issueddate issuedon dateissued dateofissue invoicedate dateofinvoice documentdate "
    "docdate billdate billingdate",
    "due": "due duedate duedatum dateofdue datedue dueon duein paymentdue paymentduedate maturity maturitydate",
    "amount": "amount invoiceamount amountinvoiced documentamount total totalamount invoicetotal grossamount "
    "amountgross totalgross gross amountwithtax",
    "settled": "settled settleddate settlementdate settledon datesettled paid paiddate paidon datepaid dateofpayment "
    "paymentdate cleareddate clearingdate cleared",
}
"""Per field the names it is known by, in small letters and without anything between the words."""
OPTIONAL = frozenset({"due", "settled"})
"""What a ledger may lack, if it is said: `--column settled=`."""


def choose(header: Sequence[str], told: Mapping[str, str]) -> dict[str, str | None]:
    """The column of each field; None where it was told that there is none.

    Raises `FileRefused` with everything that is in doubt.
    """
    doubts: list[str] = []
    chosen: dict[str, str | None] = {}
    for field in told.keys() - SYNONYMS.keys():
        doubts.append(f"There is no field {field!r}; the fields are {', '.join(SYNONYMS)}.")
    for field in SYNONYMS:
        try:
            chosen[field] = _told(field, told[field], header) if field in told else _guessed(field, header)
        except FileRefused as doubt:
            doubts.append(str(doubt))
    by_column: dict[str, list[str]] = {}
    for field, column in chosen.items():
        if column is not None:
            by_column.setdefault(column, []).append(field)
    doubts += [
        f"The column {column!r} stands for {' and '.join(fields)}; give each its own with --column."
        for column, fields in by_column.items()
        if len(fields) > 1
    ]
    if doubts:
        raise FileRefused("\n".join([*doubts, f"The file's columns are: {', '.join(header)}."]))
    return chosen


def _told(field: str, column: str, header: Sequence[str]) -> str | None:
    if not column and field in OPTIONAL:
        return None
    if header.count(column) != 1:
        times = "no column" if column not in header else "more than one column"
        raise FileRefused(f"--column {field}={column}: there is {times} of that name.")
    return column


def _guessed(field: str, header: Sequence[str]) -> str:
    names = SYNONYMS[field].split()
    found = [column for column in header if re.sub(r"[\W_]+", "", column).lower() in names]
    if len(found) == 1:
        return found[0]
    none = f", or --column {field}= if there is none" if field in OPTIONAL else ""
    if not found:
        raise FileRefused(f"No column looks like the field {field}; say which with --column {field}=NAME{none}.")
    raise FileRefused(
        f"{' and '.join(map(repr, found))} may be the field {field}; say which with --column {field}=NAME."
    )
