"""Searches and looks in SQL. Each filter alone has an index; a page goes on behind the last ref_id (keyset)."""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam, literal_column

from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import read_configuration
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.ledgers import ledger_of_account, lines_of_account
from ocs_adapters.sql.rows import rows_of
from ocs_adapters.sql.uses import is_used
from ocs_core.configuring import Use
from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration, first_instant
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.process import ProcessRun, RunFailure, RunSlice, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.form import Moment
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage
from ocs_core.queries import (
    AccountSearch,
    ChargeableEventSearch,
    DocumentSearch,
    Page,
    PaymentSearch,
    ProcessRunSearch,
    Search,
)

T = TypeVar("T", Account, Payment, Document, ChargeableEvent)

_PAYMENT, _DOCUMENT = tables.payments.c, tables.documents.c
_EVENT, _ACCOUNT = tables.chargeable_events.c, tables.accounts.c
_INCOMING = _PAYMENT.payment_type == literal_column("'IN'")
_NOT_INCOMING = _PAYMENT.payment_type != literal_column("'IN'")


def _account_of(external_id: Any) -> Any:
    named = tables.accounts.alias("named")
    return sa.select(named.c.ref_id).where(named.c.external_id == external_id).scalar_subquery()


def _equal(column: Any) -> Callable[[Any], Any]:
    return lambda value: column == value


def _any_reference(columns: Any) -> Callable[[Any], Any]:
    return lambda value: sa.or_(*(columns[f"payment_ref{n}"] == value for n in (1, 2, 3)))


def _is_null_unless(column: Any) -> Mapping[Any, Any]:
    return {True: column.is_not(None), False: column.is_(None)}


# A filter whose index is partial says the index's own condition, in the index's own words, so that the planner sees it.
_BY_VALUE: Mapping[type, Mapping[str, Mapping[Any, Any]]] = {
    Payment: {
        "payment_type": {
            kind: _INCOMING
            if kind is PaymentType.IN
            else sa.and_(_PAYMENT.payment_type == literal_column(f"'{kind.value}'"), _NOT_INCOMING)
            for kind in PaymentType
        },
        "identified": _is_null_unless(_PAYMENT.account_ref_id),
        "cancelled": {True: literal_column("payments.cancelled"), False: literal_column("NOT payments.cancelled")},
    },
    ChargeableEvent: {"invoiced": _is_null_unless(_EVENT.invoiced_document_ref_id)},
    Document: {},
    Account: {},
    ProcessRun: {},
}
_FILTERS: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    Account: {
        "account_ref_id": _equal(_ACCOUNT.ref_id),
        "account_external_id": _equal(_ACCOUNT.external_id),
        "external_id": _equal(_ACCOUNT.external_id),
        "account_type": _equal(_ACCOUNT.account_type),
        "customer": _equal(_ACCOUNT.customer),
        "state": _equal(_ACCOUNT.state),
    },
    Payment: {
        "account_ref_id": _equal(_PAYMENT.account_ref_id),
        "account_external_id": lambda value: _PAYMENT.account_ref_id == _account_of(value),
        "date_from": lambda value: _PAYMENT.payment_date_received >= value,
        "date_to": lambda value: _PAYMENT.payment_date_received < value,
        "amount_from": lambda value: _PAYMENT.payment_amount >= value,
        "amount_to": lambda value: _PAYMENT.payment_amount <= value,
        "payment_ref": _any_reference(_PAYMENT),
        "payment_no": _equal(_PAYMENT.payment_no),
        "external_payment_no": lambda value: sa.or_(
            sa.and_(_PAYMENT.external_payment_no == value, _INCOMING),
            sa.and_(_PAYMENT.external_payment_no == value, _NOT_INCOMING),
        ),
    },
    Document: {
        "account_ref_id": _equal(_DOCUMENT.account_ref_id),
        "account_external_id": lambda value: _DOCUMENT.account_ref_id == _account_of(value),
        "date_from": lambda value: _DOCUMENT.document_issued_date >= value,
        "date_to": lambda value: _DOCUMENT.document_issued_date < value,
        "amount_from": lambda value: _DOCUMENT.total_amount_net >= value,
        "amount_to": lambda value: _DOCUMENT.total_amount_net <= value,
        "payment_ref": _any_reference(_DOCUMENT),
        "document_no": _equal(_DOCUMENT.document_no),
        "external_document_no": _equal(_DOCUMENT.external_document_no),
        "document_type": _equal(_DOCUMENT.document_type),
        "state": _equal(tables.document_state),
    },
    ChargeableEvent: {
        "account_ref_id": _equal(_EVENT.account_ref_id),
        "account_external_id": lambda value: _EVENT.account_ref_id == _account_of(value),
        "date_from": lambda value: _EVENT.event_date >= value,
        "date_to": lambda value: _EVENT.event_date < value,
        "amount_from": lambda value: _EVENT.charge_with_tax >= value,
        "amount_to": lambda value: _EVENT.charge_with_tax <= value,
        "ref_id": _equal(_EVENT.ref_id),
        "event_type": _equal(_EVENT.event_type),
        "original_ref_id": _equal(_EVENT.original_ref_id),
    },
    ProcessRun: {},
}


@functools.lru_cache(maxsize=4096)
def _search(cls: Any, filters: frozenset[str], chosen: frozenset[tuple[str, Any]]) -> Any:
    """The query of one combination of filters; the values are bound when it is run."""
    rows = rows_of(cls)
    conditions = [_FILTERS[cls][name](bindparam(name)) for name in sorted(filters - {"cursor"})]
    conditions += [_BY_VALUE[cls][name][value] for name, value in sorted(chosen, key=str)]
    if "cursor" in filters:
        conditions.append(rows.key < bindparam("cursor"))
    return rows.select().where(*conditions).order_by(rows.key.desc()).limit(bindparam("limit"))


def search_call(cls: type, search: Search, configuration: Configuration) -> Call:
    """The statement of a search, with its values."""
    key: Any = cls
    values, chosen = {}, set()
    for name, value in attrs.asdict(search, recurse=False).items():
        if value is None or name == "limit":
            continue
        if name in _BY_VALUE[key]:
            chosen.add((name, value))
        elif name in {"date_from", "date_to"} and cls is not Document:
            values[name] = _instant(value, configuration)
        else:
            values[name] = value
    statement = _search(key, frozenset(values), frozenset(chosen))
    return Call(statement, values | {"limit": search.limit + 1})


def _instant(value: Moment, configuration: Configuration) -> Any:
    return first_instant(value, configuration.zone)


_RUN = rows_of(ProcessRun)
_RUN_BY_ID = _RUN.select().where(_RUN.key == bindparam("run"))
_SLICE = rows_of(RunSlice)
_SLICES = _SLICE.select().order_by(_SLICE.table.c.number)
_SLICES_OF_ONE = _SLICES.where(_SLICE.table.c.run_ref_id == bindparam("run"))
_SLICES_OF_RUNNING = _SLICES.where(
    _SLICE.table.c.run_ref_id.in_(sa.select(_RUN.key).where(_RUN.table.c.state == RunState.RUNNING.value))
)


@functools.lru_cache
def _slices_of_page(page: Any) -> Any:
    """The slices of the runs on a page, but for those that ended by themselves: they have all their progress in their row."""
    runs = page.subquery()
    at_work = sa.or_(*(runs.c.state == state.value for state in (RunState.RUNNING, RunState.CANCELLED)))
    return _SLICES.where(_SLICE.table.c.run_ref_id.in_(sa.select(runs.c.ref_id).where(at_work)))


_RUNNING = _RUN.select().where(_RUN.table.c.state == RunState.RUNNING.value).order_by(_RUN.key)


@functools.cache
def _account_by(name: str) -> Any:
    return rows_of(Account).select().where(_ACCOUNT[name] == bindparam("id"))


_PAYER_BY_ID = rows_of(Payer).select().where(rows_of(Payer).key == bindparam("account"))


_SETTLEMENT = rows_of(Settlement)
_LIVE_OF_DOCUMENT = (
    _SETTLEMENT.select()
    .where(
        ~_SETTLEMENT.table.c.cancelled,
        sa.or_(*(_SETTLEMENT.table.c[side] == bindparam("document") for side in ("source_ref_id", "target_ref_id"))),
    )
    .order_by(_SETTLEMENT.key)
)


@attrs.frozen
class SqlQueries:
    """The reading side of a store in SQL."""

    database: Database
    default_zone: str = "UTC"

    def accounts(self, search: AccountSearch) -> Page[Account]:
        return self._page(Account, search)

    def payments(self, search: PaymentSearch) -> Page[Payment]:
        return self._page(Payment, search)

    def documents(self, search: DocumentSearch) -> Page[Document]:
        return self._page(Document, search)

    def chargeable_events(self, search: ChargeableEventSearch) -> Page[ChargeableEvent]:
        return self._page(ChargeableEvent, search)

    def configuration(self) -> Configuration:
        return read_configuration(self.database, self.default_zone)

    def is_used(self, use: Use) -> bool:
        with self.database.transaction(writing=False) as transaction:
            return is_used(transaction, use)

    def account(self, named: AccountName) -> Account | None:
        by, value = ("ref_id", named.ref_id) if named.ref_id else ("external_id", named.external_id)
        found = self._entities(Account, Call(_account_by(by), {"id": value}))
        return found[0] if found else None

    def payer(self, account_ref_id: UUID) -> Payer | None:
        found = self._entities(Payer, Call(_PAYER_BY_ID, {"account": account_ref_id}))
        return found[0] if found else None

    def ledger(self, account_ref_id: UUID) -> Ledger | None:
        with self.database.transaction(snapshot=True, writing=False) as transaction:
            return ledger_of_account(transaction, account_ref_id)

    def settlements(self, document_ref_id: UUID) -> Sequence[Settlement]:
        return self._entities(Settlement, Call(_LIVE_OF_DOCUMENT, {"document": document_ref_id}))

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        with self.database.transaction(snapshot=True, writing=False) as transaction:
            return lines_of_account(transaction, account_ref_id, limit, cursor)

    def runs(self, search: ProcessRunSearch) -> Page[ProcessRun]:
        page = search_call(ProcessRun, search, Configuration())
        return Page.of(self._runs(page, Call(_slices_of_page(page.statement), page.parameters)), search.limit)

    def run(self, ref_id: UUID) -> ProcessRun | None:
        found = self._runs(Call(_RUN_BY_ID, {"run": ref_id}), Call(_SLICES_OF_ONE, {"run": ref_id}))
        return found[0] if found else None

    def running(self) -> Sequence[ProcessRun]:
        return self._runs(Call(_RUNNING), Call(_SLICES_OF_RUNNING))

    def failures(self, run_ref_id: UUID) -> Sequence[RunFailure]:
        runs, slices = self.database.read(
            Call(_RUN_BY_ID, {"run": run_ref_id}), Call(_SLICES_OF_ONE, {"run": run_ref_id})
        )
        driver = self.database.driver
        parts = map(_SLICE.reader(driver), slices)
        return next((run.failed_in(parts) for run in map(_RUN.reader(driver), runs)), ())

    def _runs(self, *calls: Call) -> list[ProcessRun]:
        """Runs with the progress of their slices, as of one instant."""
        runs, slices = self.database.read(*calls)
        driver = self.database.driver
        of: defaultdict[UUID, list[RunSlice]] = defaultdict(list)
        for part in map(_SLICE.reader(driver), slices):
            of[part.run_ref_id].append(part)
        return [run.progressed(of[run.ref_id]) for run in map(_RUN.reader(driver), runs)]

    def _page(self, cls: type[T], search: Search) -> Page[T]:
        needs_zone = (
            any(getattr(search, name, None) is not None for name in ("date_from", "date_to")) and cls is not Document
        )
        configuration = self.configuration() if needs_zone else Configuration()
        return Page.of(self._entities(cls, search_call(cls, search, configuration)), search.limit)

    def _entities(self, cls: type[Any], call: Call) -> list[Any]:
        read = rows_of(cls).reader(self.database.driver)
        (rows,) = self.database.read(call)
        return [read(row) for row in rows]
