"""What the reads of a payer's balances share: whose it is, as of when, and what it is made of."""

import datetime as dt
from collections.abc import Callable
from typing import Final, Protocol, TypeVar
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.entities.configuration import Configuration, as_instant
from ocs_core.errors import AmountOutOfRange, RequestRejected, Violation
from ocs_core.form import Moment
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage, lines_page
from ocs_core.ports import Clock
from ocs_core.queries import Queries

B = TypeVar("B")


class BalanceRequest(Protocol):
    """A request to read a balance: of whom, as of when, and which page of its lines."""

    @property
    def ref_id(self) -> UUID | None: ...
    @property
    def external_id(self) -> str | None: ...
    @property
    def as_of(self) -> Moment | None: ...
    @property
    def detail_included(self) -> bool: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def cursor(self) -> UUID | None: ...


@attrs.frozen(kw_only=True)
class Asked:
    """The payer that a balance is read of, and when."""

    account: Account
    payer: Payer
    queries: Queries
    configuration: Configuration
    as_of: dt.datetime
    now: dt.datetime

    def read(self, asked: BalanceRequest) -> tuple[Ledger | None, LinesPage | None]:
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


APPLIES: Final = (*rules.accounts.NEEDED_ACCOUNT, rules.accounts.payer_exists, rules.processes.as_of_has_come)
"""The rules that `asked_of` applies."""


def asked_of(request: BalanceRequest, queries: Queries, clock: Clock) -> Asked:
    """Raises `RequestRejected` where there is no such payer, or the moment has not come."""
    named = AccountName(ref_id=request.ref_id, external_id=request.external_id)
    account = queries.account(named) if named.is_given else None
    payer = queries.payer(account.ref_id) if account else None
    configuration, now = queries.configuration(), clock()
    zone = configuration.zone_of(account.account_type) if account else configuration.zone
    as_of = as_instant(request.as_of or now, zone, now)
    rules.check(
        *rules.accounts.account_is_found(named, account, needed=True),
        rules.accounts.payer_exists(account, payer),
        rules.processes.as_of_has_come(request.as_of or now, [zone], now),
    )
    assert account is not None
    assert payer is not None
    return Asked(account=account, payer=payer, queries=queries, configuration=configuration, as_of=as_of, now=now)
