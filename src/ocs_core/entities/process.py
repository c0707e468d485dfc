"""Runs of a process (domain: section 4, calculate collection balance)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef

CALCULATE_COLLECTION_BALANCE = "calculate-collection-balance"


class RunState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    DONE_WITH_FAILURES = "DONE_WITH_FAILURES"


@attrs.frozen
class RunFailure:
    """One payer that a run could not calculate; the next run tries again."""

    account: AccountRef
    code: str
    message: str


@attrs.frozen(kw_only=True)
class ProcessRun:
    """One run: what was asked for, frozen at its start, and how far it is.

    `position` is the account behind which the next slice begins; it is written with the slice, so a run that was
    killed goes on where the last committed slice ended. `accounts` limits the run; empty means every payer.
    Its messages carry the `transaction_id` of the command that asked for it.
    `balances` is the sum of what was calculated, by currency; `other_currencies` what stayed out of it, being in another
    currency than its account, as receivables less liabilities and payments. Both in millionths.
    """

    code: ClassVar[str] = "processRun"

    ref_id: UUID
    process: str = CALCULATE_COLLECTION_BALANCE
    state: RunState = RunState.RUNNING
    as_of: dt.datetime
    dry_run: bool = False
    adopt: bool = False
    accounts: tuple[UUID, ...] = ()
    transaction_id: str = ""
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    slices_total: int = 0
    slices_done: int = 0
    payers_total: int = 0
    payers_done: int = 0
    payers_failed: int = 0
    collections_started: int = 0
    failures: tuple[RunFailure, ...] = ()
    balances: Mapping[str, int] = attrs.field(factory=dict)
    other_currencies: Mapping[str, int] = attrs.field(factory=dict)
    position: UUID | None = None
    version: int = 1

    def is_same_order(self, other: "ProcessRun") -> bool:
        """Whether both were asked for with the same time and options."""
        mine = (self.as_of, self.dry_run, self.adopt, frozenset(self.accounts))
        return mine == (other.as_of, other.dry_run, other.adopt, frozenset(other.accounts))
