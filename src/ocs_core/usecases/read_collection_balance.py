"""Read collection balance (domain: section 4)."""

import datetime as dt
from typing import Annotated, ClassVar
from uuid import UUID

import attrs

from ocs_core.collection import Line, balance_lines, balance_of
from ocs_core.entities.account import AccountRef
from ocs_core.entities.configuration import day_given
from ocs_core.form import ExternalId, Form, Moment, Whole
from ocs_core.lines import LINES, LINES_AT_MOST
from ocs_core.ports import Clock
from ocs_core.queries import Queries
from ocs_core.rules import Judge
from ocs_core.usecases.balance_steps import APPLIES, Asked, asked_of


@attrs.frozen(kw_only=True)
class ReadCollectionBalanceRequest(Form):
    """Which payer, and whether as stored, or calculated now (`calculation_forced`) or as of a moment; `detail_included`
    adds lines, one for each document and payment, and calculates too: at most `limit` of them, behind `cursor`, which is `next`
    of the page before. All pages are asked as of the instant of the first, which alone tells the figures."""

    ref_id: UUID | None = None
    external_id: ExternalId | None = None
    calculation_forced: bool = False
    detail_included: bool = False
    as_of: Moment | None = None
    limit: Annotated[int, Whole(1, LINES_AT_MOST)] | None = LINES
    """None: all lines at once, for who has the memory and no wire between."""
    cursor: UUID | None = None


@attrs.frozen(kw_only=True)
class CollectionBalanceView:
    """A payer's collection balance, in millionths; nulls where it was never calculated, and on pages of lines behind a cursor."""

    account: AccountRef
    currency: str
    collection_balance: int | None
    oldest_document_due_date: dt.date | None
    in_collection: bool
    as_of: dt.datetime | None
    as_of_day: dt.date | None = None
    """The day that was asked for: `as_of` is its end where the payer is, at latest now."""
    calculated_at: dt.datetime | None
    lines: tuple[Line, ...] | None
    next: UUID | None = None
    """The cursor of the following page of lines; None at the end."""


@attrs.frozen
class ReadCollectionBalance:
    """Read collection balance (domain: section 4): as the last run stored it, or calculated afresh. It stores nothing."""

    applies: ClassVar[tuple[Judge, ...]] = APPLIES

    queries: Queries
    clock: Clock = attrs.field(kw_only=True)

    def __call__(self, request: ReadCollectionBalanceRequest) -> CollectionBalanceView:
        """Raises `RequestRejected` with every violation, and where the balance does not fit 64 bits."""
        asked = asked_of(request, self.queries, self.clock)
        if not (request.calculation_forced or request.detail_included or request.as_of):
            return _as_stored(asked)
        ledger, page = asked.read(request)
        calculated = asked.calculated(balance_of, ledger) if ledger else None
        return CollectionBalanceView(
            account=asked.account.ref,
            currency=asked.account.currency,
            collection_balance=calculated.balance if calculated else None,
            oldest_document_due_date=calculated.oldest_due_date if calculated else None,
            in_collection=(ledger or asked).payer.in_collection,
            as_of=asked.as_of,
            as_of_day=day_given(request.as_of),
            calculated_at=asked.now,
            lines=asked.calculated(balance_lines, page.part) if page else None,
            next=page.next if page else None,
        )


def _as_stored(asked: Asked) -> CollectionBalanceView:
    payer = asked.payer
    return CollectionBalanceView(
        account=payer.account,
        currency=asked.account.currency,
        collection_balance=payer.collection_balance,
        oldest_document_due_date=payer.oldest_due_date,
        in_collection=payer.in_collection,
        as_of=payer.collection_balance_as_of,
        calculated_at=payer.collection_balance_calculated_at,
        lines=None,
    )
