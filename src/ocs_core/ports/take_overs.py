"""What was taken over from which file, so that it can be gone on with, told again and taken back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import attrs

from ocs_core.frozen import frozen_mappings


class TakeOverState(StrEnum):
    """UNDOING and UNDONE: it is being taken back as a whole, or was."""

    WRITING = "WRITING"
    DONE = "DONE"
    UNDOING = "UNDOING"
    UNDONE = "UNDONE"


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class TakeOver:
    """One file that is taken over: `digest` is SHA-256 of its bytes, `terms` how it is read, as text that compares.

    Everything up to the line `through` is written; while it is taken back, everything behind it is taken back.
    """

    ref_id: UUID
    file_name: str
    digest: str
    terms: str
    state: TakeOverState
    through: int = 0
    created: Mapping[str, int] = attrs.field(factory=dict)
    """How many accounts, documents and payments it made."""
    began_at: dt.datetime
    ended_at: dt.datetime | None = None

    @property
    def is_under_way(self) -> bool:
        return self.state in {TakeOverState.WRITING, TakeOverState.UNDOING}


@attrs.frozen(kw_only=True)
class TakenRow:
    """What was made of one row. Ids of things that were there before stand beside `…_made` False."""

    take_over_ref_id: UUID
    line: int
    account_ref_id: UUID
    account_made: bool
    document_ref_id: UUID
    document_made: bool
    payment_ref_id: UUID | None = None
    payment_made: bool = False
    settlement_ref_id: UUID | None = None


class TakeOvers(Protocol):
    """Take-overs within one transaction: what is kept becomes visible with all else that is done in it, or not at all."""

    def begin(self, take_over: TakeOver) -> None:
        """Keep a new one. Raises `Conflict` where one of the same digest is under way."""

    def keep(self, take_over: TakeOver) -> None:
        """Keep a changed one."""

    def locked(self, ref_id: UUID) -> TakeOver | None:
        """One, read **exclusively** until the end of the transaction."""

    def of_file(self, digest: str) -> Sequence[TakeOver]:
        """All of these bytes, the newest first."""

    def all(self) -> Sequence[TakeOver]:
        """Every one, the newest first."""

    def add_rows(self, rows: Sequence[TakenRow]) -> None:
        """Keep what was made of rows."""

    def last_rows(self, ref_id: UUID, through: int, limit: int) -> Sequence[TakenRow]:
        """The last rows up to and with that line, the last first."""

    def is_used(self, account_ref_id: UUID, reason: str) -> bool:
        """Whether anything is on an account but documents, payments and settlements that were cancelled for that reason: an
        account below it and a chargeable event count, too. The account is read **exclusively** until the end of the
        transaction, so that nothing comes to it meanwhile."""
