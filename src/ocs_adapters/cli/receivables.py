"""`ocs import receivables`: a ledger of receivables that a company has as a file; `ocs import undo` takes it back."""

import hashlib
from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, Refused, opened
from ocs_adapters.cli.import_options import columns, day, meanings, repeated_fields, signs
from ocs_adapters.cli.import_report import made
from ocs_adapters.cli.import_undo import undo_import
from ocs_adapters.cli.importing import Import
from ocs_adapters.files.table import content_of, read_table
from ocs_core.usecases.take_over_receivables import STATUSES, TYPES, Terms

Code = Annotated[str, Parameter(metavar="CODE")]
Pairs = Annotated[list[str] | None, Parameter(metavar="FIELD=NAME", negative=())]
Words = Annotated[list[str] | None, Parameter(metavar="WORD=MEANING", negative=())]
Names = Annotated[list[str] | None, Parameter(metavar="NAME", negative=())]


app = App(name="import", help="Take over what is in files, and take it back.")


@app.command
def receivables(
    file: ExistingFile,
    /,
    *,
    as_of: Annotated[str, Parameter(metavar="DAY")],
    currency: Code | None = None,
    currency_sign: Annotated[list[str] | None, Parameter(metavar="SIGN=CODE", negative=())] = None,
    dry_run: Flag = False,
    keep_good: Flag = False,
    column: Pairs = None,
    ignore_column: Names = None,
    date_format: Annotated[str | None, Parameter(metavar="FORMAT")] = None,
    decimal_separator: Annotated[Literal[".", ","] | None, Parameter(metavar="SIGN")] = None,
    decimal_places: Annotated[int | None, Parameter(metavar="DIGITS")] = None,
    status: Words = None,
    type: Words = None,  # the name of the option
    add_up: Flag = False,
    repeated: Annotated[list[str] | None, Parameter(metavar="FIELD", negative=())] = None,
    encoding: Annotated[str | None, Parameter(metavar="ENCODING")] = None,
    account_type: Code = "payer",
    document_type: Code = "genericInvoice",
    credit_type: Code = "creditNote",
    payment_method: Code = "bankTransfer",
    notify: Flag = False,
    json: Json = False,
) -> int:
    """Take a ledger of receivables over: a file with a header and one row per invoice or credit.

    Each customer becomes an account, each invoice a document, each credit a document that you owe, and what is paid by the
    as-of day a payment that is received and assigned on the settled day. The ids come from the ledger's own.

    The whole file is checked first: where one row cannot be taken over, nothing is. The same file again goes on with an
    import that was cut off, else tells what it was. A longer file or a later day adds only what is new.

    Args:
        file: The file: comma, semicolon, tab or | between the columns; UTF-8 or UTF-16.
        as_of: The day up to which the ledger is taken over, such as 2024-12-31.
        currency: What the amounts are in, such as EUR; not needed where a column says it, and must agree with it.
        currency_sign: $=USD says which currency a sign or a word of the currency column means, where several have it. May be
            given several times.
        dry_run: Show how the file is read and what would come of it; write nothing.
        keep_good: Take the good rows over where others cannot be; those are told.
        column: field=NAME where a column is not guessed from its name, or wrongly. The fields are customer, number,
            issued, due, amount (with tax), settled (the day), currency, status, type, paid and outstanding (amounts), net
            and tax. May be given several times; settled= says that there is no such column.
        ignore_column: A column that is not to be used though it may change what a row means. May be given several times.
        date_format: How the days are written, such as DD.MM.YYYY or %d.%m.%Y; only where more than one format fits.
        decimal_separator: How amounts are written, 1234.56 or 1234,56; only where both fit, as in 1.234.
        decimal_places: How many digits may stand behind it, where there are more than the currency has: 12.500 for 12.50.
        status: WORD=open, part, paid or out: what a word of the status column means that is not known (out: no receivable,
            left out). May be given several times.
        type: WORD=invoice, credit or out: the same for the column of types.
        add_up: Rows with the same number are lines of one invoice.
        repeated: With --add-up, a field (amount, net, tax, paid, outstanding) that is of the whole invoice and stands in
            each of its rows, or none; only where it is asked for. May be given several times.
        encoding: Of the file, such as cp1252.
        account_type: The type of new accounts; configured as payment responsible.
        document_type: The type of invoices.
        credit_type: The type of credits.
        payment_method: The method of the payments.
        notify: Notify documentCreated, paymentReceived and documentOpenBalanceChanged, as if all of it happened now.
            Without it nobody is notified of what happened long ago. Business transactions are published in any case.
    """
    if decimal_places is not None and not 0 <= decimal_places <= 6:
        raise Refused(f"--decimal-places {decimal_places}: give 0 to 6.")
    terms = Terms(
        as_of=day(as_of),
        currency=currency,
        signs=signs(currency_sign or []),
        encoding=encoding,
        columns=columns(column or []),
        ignored=tuple(ignore_column or ()),
        date_format=date_format,
        decimal_separator=decimal_separator,
        decimal_places=decimal_places,
        statuses=meanings("status", status or [], STATUSES),
        types=meanings("type", type or [], TYPES),
        add_up=add_up,
        repeated=repeated_fields(repeated, add_up=add_up),
        keep_good=keep_good,
        account_type=account_type,
        document_type=document_type,
        credit_type=credit_type,
        payment_method=payment_method,
        notify=notify,
    )
    content = content_of(file)
    table = read_table(content, str(file), encoding, [*terms.columns.values(), *terms.ignored])
    with opened() as platform:
        return Import(platform, terms, file.name, hashlib.sha256(content).hexdigest()).take(
            table, dry_run=dry_run, json=json
        )


@app.command
def undo(what: str, /, *, dry_run: Flag = False) -> int:
    """Take back all that was taken over from a file, as if it had never been: while nothing else rests on it.

    Its settlements, payments and documents are cancelled from their beginning, accounts that nobody else uses are
    deactivated, and the numbers are free for the right import. Of several imports of one file the last is taken back.

    Args:
        what: The file, or the id that ocs import list shows.
        dry_run: Show whether it can be taken back; change nothing.
    """
    with opened() as platform:
        return undo_import(platform, what, dry_run=dry_run)


@app.command(name="list")
def list_imports(*, json: Json = False) -> None:
    """Which files were taken over, the newest first."""
    with opened() as platform:
        with platform.taking_over(writing=False) as (_, note):
            found = note.all()
        say.table(
            ["import", "file", "state", "began", "accounts ", "documents ", "payments "],
            [(t.ref_id, t.file_name, t.state.value, t.began_at, *made(t)) for t in found],
            json=json,
        )
