"""Taking a ledger of receivables over, through the use-cases: accounts, documents, payments and their assignments.

Everything is looked for before it is made: a longer file or a later day adds only what is new. The whole file is checked
first; then it is written some rows at a time, with a note of how far, so that an import that was cut off goes on.
"""

import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from uuid import UUID

import attrs

from ocs_adapters.files.making import Making
from ocs_adapters.files.stored import Stored, find_stored
from ocs_core.entities.account import Account
from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.entities.document import DocumentName
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.ports import Clock, DocumentNamed, Ids, Store, TakenRow, TakeOver, TakeOvers, TakeOverState
from ocs_core.queries import Queries
from ocs_core.usecases.take_over_receivables import (
    Contradiction,
    FileRefused,
    Invoice,
    Problem,
    Terms,
    lacking,
)

TOGETHER = 200
"""So many rows are kept together."""
Transactions = Callable[[], AbstractContextManager[tuple[Store, TakeOvers]]]
"""Each gives a store all of whose work is kept, or nothing of it, with the note of what was taken over."""


@attrs.define
class Checked:
    """What would become of the rows: accounts, documents and payments that are new, or were there as the file says."""

    new: Counter[str] = attrs.field(factory=Counter)
    unchanged: Counter[str] = attrs.field(factory=Counter)
    left_out: int = 0
    lacking: list[Invoice] = attrs.field(factory=list)
    """Those of which something is to be made."""
    conflicts: list[Problem] = attrs.field(factory=list)


@attrs.define
class Importer:
    """Checks invoices against what is stored, and writes them."""

    queries: Queries
    transactions: Transactions
    terms: Terms
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    configuration: Configuration = attrs.field(init=False)
    _accounts: dict[str, Account] = attrs.field(factory=dict, init=False)

    @configuration.default
    def _read_configuration(self) -> Configuration:
        return self.queries.configuration()

    def refuse_what_is_missing(self, *, credits: bool = False) -> None:
        """Raises `FileRefused` where the terms cannot be kept."""
        if self.terms.as_of > day_of(self.clock(), self.configuration.zone):
            raise FileRefused(f"The day {self.terms.as_of} has not come yet; give --as-of a day that has.")
        if missing := lacking(self.configuration, self.terms, credits=credits):
            raise FileRefused(
                f"Not configured: {'; '.join(missing)}. Run: ocs configure FILE.toml (ocs configure --example prints one)"
            )

    def check(self, invoices: Sequence[Invoice], on_row: Callable[[], None] = lambda: None) -> Checked:
        """What would become of every invoice. Nothing is written."""
        checked, made = Checked(), set[str]()
        for invoice in invoices:
            on_row()
            if invoice.issued > self.terms.as_of:
                checked.left_out += 1
                continue
            try:
                stored = self._stored(invoice)
            except Contradiction as conflict:
                checked.conflicts.append(Problem(invoice.line, str(conflict)))
                continue
            if not stored.is_complete:
                checked.lacking.append(invoice)
            if invoice.customer not in made:
                made.add(invoice.customer)
                (checked.unchanged if stored.account else checked.new)["accounts"] += 1
            (checked.unchanged if stored.document else checked.new)["documents"] += 1
            if stored.owed:
                (checked.new if stored.to_receive else checked.unchanged)["payments"] += 1
        return checked

    def begin(self, take_over: TakeOver) -> None:
        with self.transactions() as (_, note):
            note.begin(take_over)

    def write(
        self, take_over: TakeOver, invoices: Sequence[Invoice], on_rows: Callable[[int], None] = lambda rows: None
    ) -> TakeOver:
        """Write these invoices, in the order of their lines. Raises `FileRefused` where others changed what was checked."""
        while take_over.state is TakeOverState.WRITING:
            try:
                with self.transactions() as (store, note):
                    take_over, rows = self._write_some(take_over, invoices, store, note)
            except (Contradiction, RequestRejected, Conflict) as reason:
                raise FileRefused(
                    f"Somebody changed what was checked: {_reason(reason)}. Up to line {take_over.through} the file is taken "
                    "over. Mend this and give the same command again to go on, or take all of it back with: ocs import undo"
                ) from None
            on_rows(rows)
        return take_over

    def _write_some(
        self, take_over: TakeOver, invoices: Sequence[Invoice], store: Store, note: TakeOvers
    ) -> tuple[TakeOver, int]:
        current = note.locked(take_over.ref_id)
        if current is None or current.state is not TakeOverState.WRITING:
            state = current.state if current else "gone"
            raise FileRefused(f"Somebody else has changed this import meanwhile: it is {state}.")
        behind = bisect.bisect_right(invoices, current.through, key=lambda invoice: invoice.line)
        some = invoices[behind : behind + TOGETHER]
        created, taken = Counter(current.created), list[TakenRow]()
        _hold_documents(some, store)
        for invoice in some:
            if row := self._write_one(invoice, current.ref_id, store, created):
                taken.append(row)
        note.add_rows(taken)
        if len(some) == TOGETHER:
            current = attrs.evolve(current, through=some[-1].line, created=created)
        else:
            through = invoices[-1].line if invoices else current.through
            done = TakeOverState.DONE
            current = attrs.evolve(current, state=done, through=through, created=created, ended_at=self.clock())
        note.keep(current)
        return current, len(some)

    def _write_one(self, invoice: Invoice, ref_id: UUID, store: Store, created: Counter[str]) -> TakenRow | None:
        stored = self._stored(invoice)
        if stored.is_complete:
            return None
        making = Making(
            invoice=invoice,
            ref_id=ref_id,
            store=store,
            terms=self.terms,
            configuration=self.configuration,
            clock=self.clock,
            ids=self.ids,
        )
        account = stored.account or making.account()
        document = stored.document or making.document(account)
        payment, settlement = stored.source, None
        if stored.to_receive:
            payment = making.payment(account, stored.to_receive, stored.next_payment_number)
        if payment is not None and stored.to_assign:
            settlement = making.assignment(payment, document, stored.to_assign)
        self._accounts[invoice.customer] = account
        made = {"accounts": stored.account is None, "documents": stored.document is None}
        made["payments"] = bool(stored.to_receive)
        created.update({what: 1 for what, was_made in made.items() if was_made})
        return TakenRow(
            take_over_ref_id=ref_id,
            line=invoice.line,
            account_ref_id=account.ref_id,
            account_made=made["accounts"],
            document_ref_id=document.ref_id,
            document_made=made["documents"],
            payment_ref_id=payment.ref_id if payment and (settlement or made["payments"]) else None,
            payment_made=made["payments"],
            settlement_ref_id=settlement,
        )

    def _stored(self, invoice: Invoice) -> Stored:
        return find_stored(self.queries, invoice, self.terms, self.configuration, self._accounts.get(invoice.customer))


def _hold_documents(invoices: Sequence[Invoice], store: Store) -> None:
    """Nobody takes back, until the end of the transaction, what is read of them here."""
    with store.begin() as work:
        work.find(*(DocumentNamed(DocumentName(external_document_no=invoice.number)) for invoice in invoices))


def _reason(reason: Exception) -> str:
    if isinstance(reason, RequestRejected):
        return "; ".join(f"{v.message.removesuffix('.')} ({v.code})" for v in reason.violations)
    return str(reason)
