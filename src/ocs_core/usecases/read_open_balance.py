"""Read open balance (domain: section 7)."""

import datetime as dt
from functools import partial
from typing import Annotated, ClassVar
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountRef
from ocs_core.entities.configuration import day_given
from ocs_core.form import ExternalId, Form, Moment, Whole
from ocs_core.lines import LINES, LINES_AT_MOST
from ocs_core.open_balance import OpenFigures, OpenFiguresOfType, OpenLine, open_balance, open_lines
from ocs_core.ports import Clock
from ocs_core.queries import Queries
from ocs_core.rules import Judge
from ocs_core.usecases.balance_steps import APPLIES, asked_of


@attrs.frozen(kw_only=True)
class ReadOpenBalanceRequest(Form):
    """Which payer, now or as of a moment; `document_types_included` adds the same figures by document type,
    `detail_included` a line for every document and payment. An open balance is never stored: it is calculated, whether
    `calculation_forced` or not. There are at most `limit` lines, behind `cursor`, which is `next` of the page before. All pages
    are asked as of the instant of the first, which alone tells the figures."""

    ref_id: UUID | None = None
    external_id: ExternalId | None = None
    calculation_forced: bool = False
    document_types_included: bool = False
    detail_included: bool = False
    as_of: Moment | None = None
    limit: Annotated[int, Whole(1, LINES_AT_MOST)] | None = LINES
    """None: all lines at once, for who has the memory and no wire between."""
    cursor: UUID | None = None


@attrs.frozen(kw_only=True)
class OpenBalanceView:
    """All that is open of a payer, in millionths: in the account's currency, and apart from it in others. Nulls are parts
    that were not asked for; behind a cursor there are no figures, since the first page has told them."""

    currency: str
    open_balance: int | None
    receivable: int | None
    due: int | None
    future: int | None
    liable: int | None
    overpayment: int | None
    sent_back: int | None
    account: AccountRef
    as_of: dt.datetime
    as_of_day: dt.date | None
    """The day that was asked for: `as_of` is its end where the payer is, at latest now."""
    other_currencies: tuple[OpenFigures, ...] | None
    document_types: tuple[OpenFiguresOfType, ...] | None
    lines: tuple[OpenLine, ...] | None
    next: UUID | None = None
    """The cursor of the following page of lines; None at the end."""

    @property
    def figures(self) -> OpenFigures | None:
        """The figures in the account's currency; None behind a cursor."""
        if self.open_balance is None:
            return None
        return OpenFigures(**{name: getattr(self, name) for name in _FIGURES})


_FIGURES = tuple(field.name for field in attrs.fields(OpenFigures))


@attrs.frozen
class ReadOpenBalance:
    """Read open balance (domain: section 7): what a payer owes, due or not, and is owed. It stores nothing."""

    applies: ClassVar[tuple[Judge, ...]] = APPLIES

    queries: Queries
    clock: Clock = attrs.field(kw_only=True)

    def __call__(self, request: ReadOpenBalanceRequest) -> OpenBalanceView:
        """Raises `RequestRejected` with every violation, and where a figure does not fit 64 bits."""
        asked = asked_of(request, self.queries, self.clock)
        ledger, page = asked.read(request)
        calculated = asked.calculated(partial(open_balance, with_lines=False), ledger) if ledger else None
        figures = attrs.asdict(calculated.figures) if calculated else dict.fromkeys(_FIGURES)
        return OpenBalanceView(
            account=asked.account.ref,
            as_of=asked.as_of,
            as_of_day=day_given(request.as_of),
            other_currencies=calculated.other_currencies if calculated else None,
            document_types=calculated.by_type if calculated and request.document_types_included else None,
            lines=asked.calculated(open_lines, page.part) if page else None,
            next=page.next if page else None,
            **{**figures, "currency": asked.account.currency},
        )
