"""`ocs import receivables`: a ledger of receivables that a company has as a file."""

import datetime as dt
from collections import Counter
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Flag, Json, Refused
from ocs_adapters.files.columns import SYNONYMS
from ocs_adapters.files.dates import DateFormat
from ocs_adapters.files.receivables import Receivables, read_receivables
from ocs_adapters.files.takeover import TakeOver
from ocs_adapters.files.terms import TakenOver, Terms


def join(commands: Commands) -> None:
    app = App(name="import", help="Take over what is in files.")
    commands.app.command(app)

    @app.command
    def receivables(
        file: ExistingFile,
        /,
        *,
        currency: str,
        as_of: str,
        column: Annotated[list[str] | None, Parameter(negative=())] = None,
        date_format: str | None = None,
        decimal_comma: Flag = False,
        encoding: str = "utf-8",
        account_type: str = "payer",
        document_type: str = "genericInvoice",
        payment_method: str = "bankTransfer",
        silent: Flag = False,
        json: Json = False,
    ) -> int:
        """Take a ledger of receivables over: a file with a header and one row per invoice.

        Each customer becomes an account, each invoice a document, each settlement up to the as-of day a payment that is
        received and assigned on the settled day. The ids come from the ledger's own: the same file, a longer one or a later
        day adds only what is new. Where the file contradicts what is stored, that is reported and nothing is changed.

        Args:
            file: The file: comma, semicolon or tab between the columns.
            currency: What the amounts are in.
            as_of: The day up to which the ledger is taken over, such as 2024-12-31.
            column: field=NAME where a column is not guessed from its name, or wrongly: the fields are customer, number,
                issued, due, amount and settled. May be given several times; due= and settled= say that there is none.
            date_format: How the days are written, such as DD.MM.YYYY or %d.%m.%Y; only where more than one format, or none,
                fits every row.
            decimal_comma: Amounts are written 1.234,56.
            encoding: Of the file, such as cp1252.
            account_type: The type of new accounts; configured as payment responsible.
            document_type: The type of the documents.
            payment_method: The method of the payments.
            silent: Do not notify paymentReceived and documentOpenBalanceChanged. (Other notifications can be switched off in
                the configuration.)
        """
        terms = Terms(
            currency=currency,
            as_of=_day(as_of),
            account_type=account_type,
            document_type=document_type,
            payment_method=payment_method,
            silent=silent,
        )
        read = read_receivables(
            file,
            currency,
            columns=_columns(column or []),
            date_format=DateFormat.given(date_format) if date_format else None,
            decimal_comma=decimal_comma,
            encoding=encoding,
        )
        with commands.opened() as platform:
            services = platform.services
            take_over = TakeOver(services.queries, platform.together, terms, clock=services.clock, ids=services.ids)
            with say.progress() as bar:
                task = bar.add_task("invoices", total=len(read.invoices))
                taken = take_over(read.invoices, lambda rows: bar.advance(task, rows))
        _tell(read, taken, json)
        return 1 if read.bad or taken.refused or taken.conflicts else 0


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused(f"--as-of {text}: give a day such as 2024-12-31.") from None


def _columns(given: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in given:
        field, sign, name = pair.partition("=")
        if not sign:
            raise Refused(f"--column {pair}: write field=NAME; the fields are {', '.join(SYNONYMS)}.")
        if field in columns:
            raise Refused(f"--column {field} is given twice.")
        columns[field] = name
    return columns


def _tell(read: Receivables, taken: TakenOver, json: bool) -> None:
    for what, problems in (("", (*read.bad, *taken.refused)), ("conflict: ", taken.conflicts)):
        for problem in sorted(problems, key=lambda p: p.line):
            say.warn(f"line {problem.line}: {what}{problem.reason}")
    rows = [(kind, taken.new[kind], taken.unchanged[kind]) for kind in ("accounts", "documents", "payments")]
    used = ", ".join(f"{field} = {column or 'none'}" for field, column in read.columns.items())
    kept = say.Table(["what", "new ", "unchanged "], rows, f"Columns: {used}; days as {read.date_format}")
    left = Counter({"left out, issued later": taken.left_out})
    left["bad rows"] = len(read.bad) + len(taken.refused)
    left["conflicts"] = len(taken.conflicts)
    say.several(json=json, columns=read.columns, kept=kept, left=say.Record(list(left.items())))
