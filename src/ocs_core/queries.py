"""What people search for and look at (domain: section 6, reads). Nothing here changes anything."""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.collection import Line, balance_lines, balance_of
from ocs_core.configuring import Use
from ocs_core.entities.account import Account, AccountName, AccountRef, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration, as_instant, day_given
from ocs_core.entities.document import Document, DocumentState
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.process import ProcessRun, RunFailure
from ocs_core.errors import AmountOutOfRange, RequestRejected, Violation
from ocs_core.form import Amount, Code, ExternalId, Form, Label, Moment, Whole
from ocs_core.ledger import Ledger
from ocs_core.lines import LINES, LINES_AT_MOST, LinesPage, lines_page
from ocs_core.open_balance import OpenFigures, OpenFiguresOfType, OpenLine, open_balance, open_lines
from ocs_core.ports import Clock

B = TypeVar("B")
V = TypeVar("V", covariant=True)


@attrs.frozen(kw_only=True)
class Search(Form):
    """What every list can be narrowed by. The newest come first; `cursor` is the `ref_id` after which a page begins."""

    limit: Annotated[int, Whole(1, 200)] = 50
    cursor: UUID | None = None


@attrs.frozen(kw_only=True)
class AccountSearch(Search):
    """Accounts; `account_*` name one, `external_id` too."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    external_id: ExternalId | None = None
    account_type: Code | None = None
    customer: Label | None = None
    state: AccountState | None = None


@attrs.frozen(kw_only=True)
class PaymentSearch(Search):
    """Payments: dates are of receipt, `date_to` exclusive; amounts in millionths, both ends included; `payment_ref` is any
    of the three references."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    amount_from: Amount | None = None
    amount_to: Amount | None = None
    payment_ref: Label | None = None
    payment_no: Code | None = None
    external_payment_no: ExternalId | None = None
    payment_type: PaymentType | None = None
    identified: bool | None = None
    cancelled: bool | None = None


@attrs.frozen(kw_only=True)
class DocumentSearch(Search):
    """Documents: dates are of issue, `date_to` exclusive; amounts are totals with tax, in millionths, both ends included."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    amount_from: Amount | None = None
    amount_to: Amount | None = None
    payment_ref: Label | None = None
    document_no: Code | None = None
    external_document_no: ExternalId | None = None
    document_type: Code | None = None
    state: DocumentState | None = None


@attrs.frozen(kw_only=True)
class ChargeableEventSearch(Search):
    """Chargeable events: dates are of the event, `date_to` exclusive; amounts are charges with tax, in millionths."""

    account_ref_id: UUID | None = None
    account_external_id: ExternalId | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    amount_from: Amount | None = None
    amount_to: Amount | None = None
    ref_id: UUID | None = None
    event_type: Label | None = None
    invoiced: bool | None = None
    original_ref_id: UUID | None = None


@attrs.frozen(kw_only=True)
class ProcessRunSearch(Search):
    """Runs of processes, all of them."""


@attrs.frozen
class Page(Generic[V]):
    """One page of a list, newest first; `next` is the cursor of the following page, None at the end."""

    items: tuple[V, ...]
    next: UUID | None = None

    @classmethod
    def of(cls, found: Sequence[V], limit: int) -> "Page[V]":
        """A page of at most `limit` items, where one more was asked for to know whether there are more."""
        items = tuple(found[:limit])
        return cls(items, items[-1].ref_id if len(found) > limit else None)  # type: ignore[attr-defined]


class Queries(Protocol):
    """The reading side of a store. Every method sees one snapshot."""

    def accounts(self, search: AccountSearch) -> Page[Account]: ...

    def payments(self, search: PaymentSearch) -> Page[Payment]: ...

    def documents(self, search: DocumentSearch) -> Page[Document]: ...

    def chargeable_events(self, search: ChargeableEventSearch) -> Page[ChargeableEvent]: ...

    def configuration(self) -> Configuration: ...

    def is_used(self, use: Use) -> bool:
        """Whether anything is kept that goes by this entry of the configuration."""

    def account(self, named: AccountName) -> Account | None: ...

    def payer(self, account_ref_id: UUID) -> Payer | None:
        """What is kept of a payer itself, without looking at what it has; None where there is no such payer."""

    def ledger(self, account_ref_id: UUID) -> Ledger | None:
        """A payer with **all** its documents, payments and settlements; None where there is no such payer."""

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        """What `lines_page` of the whole ledger gives: the `limit` items behind `cursor`, and all settlements that touch them. It
        costs what the page has, whatever the payer has; None where there is no such payer."""

    def runs(self, search: ProcessRunSearch) -> Page[ProcessRun]:
        """Runs as far as they are, dry ones and those that are over included."""

    def run(self, ref_id: UUID) -> ProcessRun | None: ...

    def running(self) -> Sequence[ProcessRun]:
        """The runs that were begun and are not done."""

    def failures(self, run_ref_id: UUID) -> Sequence[RunFailure]:
        """All payers that a run could not calculate, by account; none where there is no such run."""


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

    queries: Queries
    clock: Clock = attrs.field(kw_only=True)

    def __call__(self, request: ReadCollectionBalanceRequest) -> CollectionBalanceView:
        """Raises `RequestRejected` with every violation, and where the balance does not fit 64 bits."""
        asked = _asked(request, self.queries, self.clock)
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

    queries: Queries
    clock: Clock = attrs.field(kw_only=True)

    def __call__(self, request: ReadOpenBalanceRequest) -> OpenBalanceView:
        """Raises `RequestRejected` with every violation, and where a figure does not fit 64 bits."""
        asked = _asked(request, self.queries, self.clock)
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


@attrs.frozen
class ReadProcessRun:
    """Read a run of a process: how far it is, and which payers it could not calculate. It stores nothing."""

    queries: Queries

    def __call__(self, ref_id: UUID) -> ProcessRun:
        """Raises `RequestRejected` where there is no such run."""
        run = self.queries.run(ref_id)
        rules.check(rules.run_exists(run))
        assert run is not None
        return run


_BalanceRequest = ReadCollectionBalanceRequest | ReadOpenBalanceRequest


@attrs.frozen(kw_only=True)
class _Asked:
    """The payer that a balance is read of, and when."""

    account: Account
    payer: Payer
    queries: Queries
    configuration: Configuration
    as_of: dt.datetime
    now: dt.datetime

    def read(self, asked: _BalanceRequest) -> tuple[Ledger | None, LinesPage | None]:
        """What the figures are made of, and what the lines are. Behind a cursor there are no figures: they would cost a look at
        all that the payer has for every page."""
        if asked.detail_included and asked.cursor is not None:
            page = self.queries.lines(self.account.ref_id, asked.limit, asked.cursor)
            assert page is not None  # a payer stays one
            return None, page
        ledger = self.queries.ledger(self.account.ref_id)
        assert ledger is not None
        return ledger, lines_page(ledger, asked.limit, None) if asked.detail_included else None

    def calculated(self, balance: Callable[[Ledger, Configuration, dt.datetime], B], ledger: Ledger) -> B:
        """Raises `RequestRejected` where the balance does not fit 64 bits."""
        try:
            return balance(ledger, self.configuration, self.as_of)
        except AmountOutOfRange as error:
            raise RequestRejected(Violation("AMOUNT_OUT_OF_RANGE", "/account", str(error))) from error


def _asked(request: _BalanceRequest, queries: Queries, clock: Clock) -> _Asked:
    """Raises `RequestRejected` where there is no such payer, or the moment has not come."""
    named = AccountName(ref_id=request.ref_id, external_id=request.external_id)
    account = queries.account(named) if named.is_given else None
    payer = queries.payer(account.ref_id) if account else None
    configuration, now = queries.configuration(), clock()
    zone = configuration.zone_of(account.account_type) if account else configuration.zone
    as_of = as_instant(request.as_of or now, zone, now)
    rules.check(
        rules.account_is_given(named),
        rules.account_exists(named, account),
        rules.account_ids_agree(named, account),
        rules.payer_exists(account, payer),
        rules.as_of_has_come(request.as_of or now, [zone], now),
    )
    assert account is not None
    assert payer is not None
    return _Asked(account=account, payer=payer, queries=queries, configuration=configuration, as_of=as_of, now=now)


def _as_stored(asked: _Asked) -> CollectionBalanceView:
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
