"""`ocs import receivables`: a ledger of receivables that a company has as a file; `ocs import undo` takes it back."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import attrs
import msgspec
from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from ocs_adapters.bootstrap import Platform
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Flag, Json, Refused
from ocs_adapters.files.table import content_of, read_table
from ocs_adapters.files.takeover import Checked, Importer
from ocs_adapters.files.undoing import Undoing
from ocs_core.entities.configuration import Configuration
from ocs_core.messages import format_instant
from ocs_core.ports import TakeOver, TakeOverState
from ocs_core.usecases.take_over_receivables import (
    STATUSES,
    SUMS,
    SYNONYMS,
    TYPES,
    Invoice,
    Meaning,
    Problem,
    Receivables,
    Table,
    Terms,
    read_receivables,
)

SHOWN = 200
"""So many problems are printed."""
EXAMPLES = 10
"""So many rows does a dry run show."""
NONE = "none"
Code = Annotated[str, Parameter(metavar="CODE")]
Pairs = Annotated[list[str] | None, Parameter(metavar="FIELD=NAME", negative=())]
Words = Annotated[list[str] | None, Parameter(metavar="WORD=MEANING", negative=())]
Names = Annotated[list[str] | None, Parameter(metavar="NAME", negative=())]


def join(commands: Commands) -> None:
    app = App(name="import", help="Take over what is in files, and take it back.")
    commands.app.command(app)

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
            as_of=_day(as_of),
            currency=currency,
            signs=_signs(currency_sign or []),
            encoding=encoding,
            columns=_columns(column or []),
            ignored=tuple(ignore_column or ()),
            date_format=date_format,
            decimal_separator=decimal_separator,
            decimal_places=decimal_places,
            statuses=_meanings("status", status or [], STATUSES),
            types=_meanings("type", type or [], TYPES),
            add_up=add_up,
            repeated=_repeated(repeated, add_up=add_up),
            keep_good=keep_good,
            account_type=account_type,
            document_type=document_type,
            credit_type=credit_type,
            payment_method=payment_method,
            notify=notify,
        )
        content = content_of(file)
        table = read_table(content, str(file), encoding, [*terms.columns.values(), *terms.ignored])
        with commands.opened() as platform:
            return _Import(platform, terms, file.name, hashlib.sha256(content).hexdigest()).take(
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
        with commands.opened() as platform:
            return _undo(platform, what, dry_run=dry_run)

    @app.command(name="list")
    def list_imports(*, json: Json = False) -> None:
        """Which files were taken over, the newest first."""
        with commands.opened() as platform:
            with platform.taking_over(writing=False) as (_, note):
                found = note.all()
            say.table(
                ["import", "file", "state", "began", "accounts ", "documents ", "payments "],
                [(t.ref_id, t.file_name, t.state.value, t.began_at, *_made(t)) for t in found],
                json=json,
            )


@attrs.frozen
class _Import:
    platform: Platform
    terms: Terms
    name: str
    digest: str

    def take(self, table: Table, *, dry_run: bool, json: bool) -> int:
        importer = Importer(
            self.platform.services.queries,
            self.platform.taking_over,
            self.terms,
            clock=self.platform.services.clock,
            ids=self.platform.services.ids,
        )
        importer.refuse_what_is_missing()
        earlier = self._earlier()
        if earlier is not None and earlier.state is TakeOverState.DONE:
            return self._answer(earlier)
        read = read_receivables(table, self.terms, importer.configuration)
        importer.refuse_what_is_missing(credits=any(invoice.credit for invoice in read.invoices))
        if earlier is not None:
            say.warn(
                f"This goes on with import {earlier.ref_id}, which was cut off: up to line {earlier.through} it is written."
            )
        rest = [invoice for invoice in read.invoices if earlier is None or invoice.line > earlier.through]
        with say.progress() as bar:
            task = bar.add_task("checked", total=len(rest))
            checked = importer.check(rest, lambda: bar.advance(task, 1))
        _tell(read, checked, _examples(read.invoices, importer.configuration) if dry_run else None, json)
        problems = bool(read.bad or checked.conflicts)
        if problems and not self.terms.keep_good:
            raise Refused(
                f"Nothing was {'written' if earlier is None else 'added'}: not every row can be taken over. Mend the file, "
                "or take the other rows over with --keep-good."
            )
        if not dry_run:
            self._write(importer, earlier, checked.lacking)
        else:
            say.warn("A dry run: nothing was written.")
        return 1 if problems else 0

    def _write(self, importer: Importer, earlier: TakeOver | None, invoices: list[Invoice]) -> None:
        take_over = earlier or TakeOver(
            ref_id=importer.ids(),
            file_name=self.name,
            digest=self.digest,
            terms=self._terms(),
            state=TakeOverState.WRITING,
            began_at=importer.clock(),
        )
        if earlier is None:
            importer.begin(take_over)
        with say.progress() as bar:
            task = bar.add_task("invoices", total=len(invoices))
            importer.write(take_over, invoices, lambda rows: bar.advance(task, rows))

    def _terms(self) -> str:
        return msgspec.json.encode(attrs.asdict(self.terms), order="sorted").decode()

    def _earlier(self) -> TakeOver | None:
        """This import, where it was begun before. Raises `Refused` where the file is in other hands."""
        with self.platform.taking_over(writing=False) as (_, note):
            known = note.of_file(self.digest)
        for take_over in known:
            if take_over.state is TakeOverState.UNDOING:
                raise Refused(f"This file is being taken back; end that first with: ocs import undo {take_over.ref_id}")
            if take_over.state is TakeOverState.WRITING and take_over.terms != self._terms():
                raise Refused(
                    "The import of this file was cut off, and was begun with other options; give those again to go on, or "
                    f"take it back with: ocs import undo {take_over.ref_id}"
                )
        same = [t for t in known if t.state is not TakeOverState.UNDONE and t.terms == self._terms()]
        return next(iter(same), None)

    def _answer(self, take_over: TakeOver) -> int:
        when = format_instant(take_over.ended_at or take_over.began_at)
        accounts, documents, payments = _made(take_over)
        say.warn(
            f"This file was taken over already, on {when} (import {take_over.ref_id}): {accounts} accounts, {documents} "
            f"documents and {payments} payments were new. Nothing was changed now."
        )
        return 0


def _made(take_over: TakeOver) -> tuple[int, ...]:
    return tuple(take_over.created.get(kind, 0) for kind in ("accounts", "documents", "payments"))


def _undo(platform: Platform, what: str, *, dry_run: bool) -> int:
    services = platform.services
    take_over = _found(platform, what)
    undoing = Undoing(services.queries, platform.taking_over, clock=services.clock, ids=services.ids)
    problems = undoing.check(take_over)
    if problems:
        _warn("", problems)
        raise Refused(f"Import {take_over.ref_id} was not taken back: something else rests on it.")
    accounts, documents, payments = _made(take_over)
    what_is_it = f"import {take_over.ref_id} of {take_over.file_name}: {documents} documents, {payments} payments"
    if dry_run:
        say.warn(f"It can be taken back: {what_is_it}. A dry run: nothing was changed.")
        return 0
    with say.progress() as bar:
        task = bar.add_task("rows", total=None)
        undoing.take_back(take_over, lambda rows: bar.advance(task, rows))
    kept = f" {undoing.accounts_kept} accounts stay, since others use them." if undoing.accounts_kept else ""
    say.warn(f"Taken back: {what_is_it}, {accounts - undoing.accounts_kept} accounts.{kept}")
    return 0


def _found(platform: Platform, what: str) -> TakeOver:
    with platform.taking_over(writing=False) as (_, note):
        if Path(what).is_file():
            known = note.of_file(hashlib.sha256(Path(what).read_bytes()).hexdigest())
        else:
            known = [take_over for take_over in note.all() if str(take_over.ref_id) == what.lower()]
    if not known:
        raise Refused(f"Nothing was taken over from {what}; ocs import list shows what was.")
    live = [take_over for take_over in known if take_over.state is not TakeOverState.UNDONE]
    if not live:
        raise Refused(f"Import {known[0].ref_id} was taken back already.")
    return live[0]


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused(f"--as-of {text}: give a day such as 2024-12-31.") from None


def _columns(given: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in given:
        field, sign, name = pair.partition("=")
        if not sign:
            raise Refused(f"--column {pair}: write field=NAME; the fields are {', '.join(SYNONYMS)}.")
        if field in columns:
            raise Refused(f"--column {field} is given twice.")
        columns[field] = " ".join(name.split())
    return columns


def _signs(given: Sequence[str]) -> dict[str, str]:
    signs: dict[str, str] = {}
    for pair in given:
        sign, equals, code = pair.rpartition("=")
        if not equals or not sign or not code:
            raise Refused(f"--currency-sign {pair}: write SIGN=CODE, such as '$=USD'.")
        signs[sign.strip().rstrip(".").casefold()] = code
    return signs


def _repeated(given: Sequence[str] | None, *, add_up: bool) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not add_up:
        raise Refused("--repeated says what --add-up does not add up; give both.")
    if wrong := [field for field in given if field not in {*SUMS, NONE}]:
        raise Refused(f"--repeated {wrong[0]}: the fields are {', '.join(SUMS)}; or {NONE}.")
    return tuple(sorted({field for field in given if field != NONE}))


def _meanings(option: str, given: Sequence[str], allowed: Sequence[Meaning]) -> dict[str, Meaning]:
    meanings: dict[str, Meaning] = {}
    for pair in given:
        word, sign, meaning = pair.rpartition("=")
        if not sign or not word or meaning not in set(allowed):
            raise Refused(f"--{option} {pair}: write WORD=MEANING; the meanings are {', '.join(allowed)}.")
        meanings[word] = Meaning(meaning)
    return meanings


def _warn(what: str, problems: Sequence[Problem]) -> None:
    for problem in problems[:SHOWN]:
        say.warn(f"line {problem.line}: {what}{problem.reason}")
    if len(problems) > SHOWN:
        say.warn(f"… and {len(problems) - SHOWN} more.")


def _tell(read: Receivables, checked: Checked, examples: say.Table | None, json: bool) -> None:
    _warn("", read.bad)
    _warn("conflict: ", checked.conflicts)
    for line in _readings(read):
        say.warn(line)
    used = ", ".join(f"{field} = {column or 'none'}" for field, column in read.columns.of.items() if column)
    rows = [(kind, checked.new[kind], checked.unchanged[kind]) for kind in ("accounts", "documents", "payments")]
    kept = say.Table(["what", "new ", "unchanged "], rows, f"Columns: {used}; days as {read.date_format}")
    left = {"left out, issued later": checked.left_out}
    left |= {f"left out, {word}": times for word, times in sorted(read.out.items())}
    left |= {"bad rows": len(read.bad), "conflicts": len(checked.conflicts)}
    parts = {"kept": kept, "left": say.Record(list(left.items()))} | ({"rows": examples} if examples else {})
    say.several(json=json, columns=read.columns.of, **parts)


def _examples(invoices: Sequence[Invoice], configuration: Configuration) -> say.Table:
    """The first rows as they were read."""
    rows = [
        (
            invoice.line,
            invoice.customer,
            invoice.number,
            "credit" if invoice.credit else "invoice",
            invoice.issued,
            invoice.due,
            say.money(invoice.amount, invoice.currency, configuration),
            say.money(invoice.paid, invoice.currency, configuration) if invoice.paid else None,
            invoice.settled,
        )
        for invoice in invoices[:EXAMPLES]
    ]
    columns = ["line ", "customer", "number", "kind", "issued", "due", "amount ", "paid ", "settled"]
    return say.Table(columns, rows, "The first rows, as they are read:")


def _readings(read: Receivables) -> list[str]:
    """How the file was understood, where somebody may want to know."""
    told = [f"Amounts are read with the decimal separator {read.amounts.decimal}."]
    if read.above:
        told.append(f"Passed over, above the header: lines {', '.join(map(str, read.above))}.")
    if read.columns.unused:
        told.append(f"Not used: {', '.join(read.columns.unused)}.")
    if undated := sum(bool(i.paid and not i.settled) for i in read.invoices):
        told.append(f"{undated} payments have no day: they count as received on the day of --as-of.")
    if credits := sum(i.credit for i in read.invoices):
        told.append(f"{credits} rows are credits.")
    return told
