"""Which column of a ledger holds what: guessed from the names that companies commonly give, or told."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from ocs_core.frozen import frozen_mappings
from ocs_core.usecases.take_over_receivables.table import FileRefused

SYNONYMS: Mapping[str, str] = {
    "customer": "customer customerid customerno customernumber customernr customercode custid custno custnumber client "
    "clientid clientno clientnumber account accountid accountno accountnumber debtor debtorid debtorno payer payerid",
    "number": "number invoice invoiceno invoicenumber invoicenr invoiceid invoicenum document documentno documentnumber "
    "documentnr documentid docno docnumber docid billno billnumber",
    "issued": "issued issuedate issueddate issuedon dateissued dateofissue invoicedate dateofinvoice documentdate "
    "docdate billdate billingdate",
    "due": "due duedate duedatum dateofdue datedue dueon duein paymentdue paymentduedate maturity maturitydate",
    "amount": "amount invoiceamount amountinvoiced documentamount total totalamount amounttotal invoicetotal grandtotal "
    "grossamount amountgross totalgross grosstotal gross amountwithtax totalwithtax amountincltax totalincltax "
    "amountinclvat totalinclvat",
    "settled": "settled settleddate settlementdate settledon datesettled paid paiddate paidon datepaid dateofpayment "
    "paymentdate cleareddate clearingdate cleared",
    "currency": "currency currencycode currencyiso isocurrency ccy curr cur invoicecurrency documentcurrency currencyid",
    "status": "status state invoicestatus paymentstatus documentstatus invoicestate documentstate",
    "type": "type documenttype doctype invoicetype transactiontype trxtype kind documentkind",
    "paid": "amountpaid paidamount paidtodate totalpaid amountreceived receivedamount paymentsreceived payments "
    "paymentamount settledamount amountsettled",
    "outstanding": "outstanding outstandingamount amountoutstanding balance balancedue outstandingbalance openamount "
    "amountopen openbalance open amountdue dueamount remaining remainingamount amountremaining unpaid unpaidamount",
    "net": "net netamount amountnet nettotal totalnet subtotal amountwithouttax amountexcltax totalexcltax amountexclvat "
    "totalexclvat amountbeforetax totalwithouttax",
    "tax": "tax taxamount amounttax taxtotal totaltax vat vatamount gst gstamount salestax mwst",
}
"""Per field the names it is known by, in small letters and without anything between the words."""
ASKED = frozenset({"due", "settled"})
"""What a ledger may lack, if it is said: `--column settled=`."""
IF_THERE = frozenset({"currency", "status", "type", "paid", "outstanding", "net", "tax"})
"""What is used where there is such a column."""
_TELLS_WHAT_IS_PAID = frozenset({"status", "paid", "outstanding"})


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Columns:
    """The column of each field, None where there is none; and those that nobody uses."""

    of: Mapping[str, str | None]
    unused: tuple[str, ...]


def bare(name: str) -> str:
    """A column's name in small letters, without anything between the words."""
    return re.sub(r"[^\w%]+|_", "", name).lower()


def recognised(names: Iterable[str], told: Collection[str] = ()) -> int:
    """How many of these names are of fields, by which a header is found."""
    known = {synonym for synonyms in SYNONYMS.values() for synonym in synonyms.split()}
    return len({name for name in names if name in told or bare(name) in known})


def choose(header: Sequence[str], told: Mapping[str, str], ignored: Collection[str] = ()) -> Columns:
    """The column of each field. Raises `FileRefused` with everything that is in doubt."""
    doubts = [
        f"There is no field {field!r}; the fields are {', '.join(SYNONYMS)}." for field in told.keys() - SYNONYMS.keys()
    ]
    doubts += [f"--ignore-column {name}: there is no column of that name." for name in ignored if name not in header]
    free = [name for name in header if name not in ignored and name not in told.values()]
    chosen: dict[str, str | None] = {}
    for field in SYNONYMS:
        try:
            chosen[field] = _told(field, told[field], header) if field in told else _guessed(field, free, header)
        except FileRefused as doubt:
            doubts.append(str(doubt))
    doubts += _missing(chosen, told)
    doubts += _shared(chosen)
    unused = tuple(name for name in header if name not in chosen.values() and name and name not in ignored)
    if doubts:
        raise FileRefused("\n".join([*doubts, f"The file's columns are: {', '.join(header)}."]))
    return Columns(of=chosen, unused=unused)


def _told(field: str, column: str, header: Sequence[str]) -> str | None:
    if not column and field in ASKED | IF_THERE:
        return None
    if header.count(column) != 1:
        times = "no column" if column not in header else "more than one column"
        raise FileRefused(f"--column {field}={column}: there is {times} of that name.")
    return column


def _guessed(field: str, free: Sequence[str], header: Sequence[str]) -> str | None:
    names = SYNONYMS[field].split()
    found = [column for column in free if bare(column) in names]
    if len(found) > 1 or (found and header.count(found[0]) > 1):
        raise FileRefused(
            f"{' and '.join(map(repr, found))} may be the field {field}; say which with --column {field}=NAME."
        )
    return found[0] if found else None


def _missing(chosen: Mapping[str, str | None], told: Collection[str]) -> list[str]:
    """What must be asked for, of the fields that are not in doubt already."""
    there = {field for field, column in chosen.items() if column}
    asked = [f for f in SYNONYMS if f not in IF_THERE and f in chosen and f not in there and f not in told]
    if {"net", "tax"} <= there:
        asked = [f for f in asked if f != "amount"]
    if there & _TELLS_WHAT_IS_PAID:
        asked = [f for f in asked if f != "settled"]
    return [_ask(field) for field in asked]


def _ask(field: str) -> str:
    none = f", or --column {field}= if there is none" if field in ASKED else ""
    return f"No column looks like the field {field}; say which with --column {field}=NAME{none}."


def _shared(chosen: Mapping[str, str | None]) -> list[str]:
    by_column: dict[str, list[str]] = {}
    for field, column in chosen.items():
        if column is not None:
            by_column.setdefault(column, []).append(field)
    return [
        f"The column {column!r} stands for {' and '.join(fields)}; give each its own with --column."
        for column, fields in by_column.items()
        if len(fields) > 1
    ]
