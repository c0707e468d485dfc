"""Taking back what was taken over from a file, the last row first; some rows at a time, so that it may be cut off and go on."""

from collections import defaultdict
from collections.abc import Callable
from uuid import UUID

import attrs

from ocs_adapters.files.making import CALLER
from ocs_adapters.files.takeover import TOGETHER, Transactions
from ocs_core.ports import Clock, Ids, Store, TakenRow, TakeOver, TakeOvers, TakeOverState
from ocs_core.queries import Queries
from ocs_core.usecases.take_over_receivables import FileRefused, Problem
from ocs_core.usecases.take_over_receivables.taking_back import (
    REASON,
    TakeBackAccount,
    TakeBackAccountRequest,
    TakeBackRow,
    TakeBackRowRequest,
    Touched,
    touched,
)

LAST = 2**31 - 1
"""A line behind every other one."""


@attrs.define
class Undoing:
    """Takes one take-over back as a whole."""

    queries: Queries
    transactions: Transactions
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    accounts_kept: int = attrs.field(default=0, init=False)
    """Accounts that it made, and that others use by now: they stay."""

    def check(self, take_over: TakeOver) -> list[Problem]:
        """What keeps it from being taken back. Nothing is written."""
        by_account: dict[UUID, list[TakenRow]] = defaultdict(list)
        for row in self._rows(take_over):
            by_account[row.account_ref_id].append(row)
        problems = []
        for ref_id, rows in by_account.items():
            ledger = self.queries.ledger(ref_id)
            problems += touched(rows, ledger) if ledger else [Problem(row.line, "its payer is gone") for row in rows]
        return sorted(problems, key=lambda problem: problem.line)

    def take_back(self, take_over: TakeOver, on_rows: Callable[[int], None] = lambda rows: None) -> TakeOver:
        """Take all of it back. Raises `FileRefused` where something else came to rest on it."""
        is_over = take_over.state is TakeOverState.UNDONE
        while not is_over:
            try:
                with self.transactions() as (store, note):
                    rows = self._take_some_back(take_over.ref_id, store, note)
            except Touched as reason:
                raise FileRefused(
                    f"Somebody changed what was checked: {reason}. Mend this and give the same command again to go on."
                ) from None
            on_rows(rows)
            is_over = rows < TOGETHER
        for row in self._rows(attrs.evolve(take_over, through=LAST)):
            if row.account_made:
                self._take_account_back(row)
        with self.transactions() as (_, note):
            undone = attrs.evolve(take_over, state=TakeOverState.UNDONE, through=0, ended_at=self.clock())
            note.keep(undone)
        return undone

    def _take_some_back(self, ref_id: UUID, store: Store, note: TakeOvers) -> int:
        current = note.locked(ref_id)
        assert current is not None
        rows = note.last_rows(ref_id, current.through, TOGETHER)
        for row in rows:
            self._take_back(row, store)
        through = rows[-1].line - 1 if rows else 0
        note.keep(attrs.evolve(current, state=TakeOverState.UNDOING, through=through, ended_at=None))
        return len(rows)

    def _take_account_back(self, row: TakenRow) -> None:
        """Where others use the account by now, it stays."""
        request = TakeBackAccountRequest(
            request_id=f"{row.take_over_ref_id}/undo-account/{row.line}", account_ref_id=row.account_ref_id
        )
        try:
            with self.transactions() as (store, note):
                if note.is_used(row.account_ref_id, REASON):
                    raise Touched("it is used")
                TakeBackAccount(store, clock=self.clock, ids=self.ids)(request, caller=CALLER)
        except Touched:
            self.accounts_kept += 1

    def _take_back(self, row: TakenRow, store: Store) -> None:
        request = TakeBackRowRequest(
            request_id=f"{row.take_over_ref_id}/undo/{row.line}",
            document_ref_id=row.document_ref_id,
            document_made=row.document_made,
            account_ref_id=row.account_ref_id,
            payment_ref_id=row.payment_ref_id,
            payment_made=row.payment_made,
            settlement_ref_id=row.settlement_ref_id,
        )
        TakeBackRow(store, clock=self.clock, ids=self.ids)(request, caller=CALLER)

    def _rows(self, take_over: TakeOver) -> list[TakenRow]:
        found, through = list[TakenRow](), take_over.through
        with self.transactions() as (_, note):
            while some := note.last_rows(take_over.ref_id, through, TOGETHER):
                found += some
                through = some[-1].line - 1
        return found
