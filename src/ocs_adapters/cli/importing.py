"""Taking one file over from the command line: gone on with where it was cut off, answered where it was done."""

import attrs
import msgspec

from ocs_adapters.bootstrap import Platform
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Refused
from ocs_adapters.cli.import_report import examples_of, made, tell
from ocs_adapters.files.takeover import Importer
from ocs_core.messages import format_instant
from ocs_core.ports import TakeOver, TakeOverState
from ocs_core.usecases.take_over_receivables import Invoice, Table, Terms, read_receivables


@attrs.frozen
class Import:
    """One command: a file, how it is to be read, and where it is to go."""

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
        done = earlier if earlier is not None and earlier.state is TakeOverState.DONE else None
        if done is not None and not self.terms.keep_good:
            return self._answer(done)
        earlier = None if done else earlier
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
        problems = bool(read.bad or checked.conflicts)
        if done is not None and not problems and not checked.lacking:
            return self._answer(done)
        tell(read, checked, examples_of(read.invoices, importer.configuration) if dry_run else None, json)
        if problems and not self.terms.keep_good:
            raise Refused(
                f"Nothing was {'written' if earlier is None else 'added'}: not every row can be taken over. Mend the file, "
                "or take the other rows over with --keep-good."
            )
        if dry_run:
            say.warn("A dry run: nothing was written.")
        elif done is not None and not checked.lacking:
            say.warn(f"Of the rows that could be taken over, all are there already, by import {done.ref_id}.")
        else:
            self._write(importer, earlier, checked.lacking)
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
        accounts, documents, payments = made(take_over)
        say.warn(
            f"This file was taken over already, on {when} (import {take_over.ref_id}): {accounts} accounts, {documents} "
            f"documents and {payments} payments were new. Nothing was changed now."
        )
        return 0
