"""What a command looks up, asked for at once. The order of the locks is the same for all: account, payer, payment,
document, settlements, chargeable event, owner; numbers without gaps come last, to be held as briefly as can be.
"""

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.serial import decode_answer
from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import ConfigurationCache
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Driver
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.performed import Performed
from ocs_core.ports import PAYMENT_NUMBERS, Found, Wanted

_ACCOUNT, _PAYER, _PAYMENT = rows_of(Account), rows_of(Payer), rows_of(Payment)
_DOCUMENT, _EVENT, _SETTLEMENT = rows_of(Document), rows_of(ChargeableEvent), rows_of(Settlement)

_DRAW = (
    sa.update(tables.series)
    .where(tables.series.c.name == bindparam("series"))
    .values(last=tables.series.c.last + 1)
    .returning(tables.series.c.last)
)


@attrs.frozen
class _AccountAsked:
    """By which id an account is named, and what of it is read exclusively."""

    by: str
    account_exclusively: bool
    payer_exclusively: bool


def _account(asked: _AccountAsked) -> Any:
    table = _ACCOUNT.table
    sought = _ACCOUNT.select().where(table.c[asked.by] == bindparam("account"))
    return sought.with_for_update(read=not asked.account_exclusively, of=table)


def _payer(asked: _AccountAsked) -> Any:
    named = tables.accounts.alias("named")
    by_external_id = sa.select(named.c.ref_id).where(named.c.external_id == bindparam("account")).scalar_subquery()
    query = _PAYER.select().where(_PAYER.key == (bindparam("account") if asked.by == "ref_id" else by_external_id))
    return query.with_for_update(of=_PAYER.table) if asked.payer_exclusively else query


@functools.cache
def _parent(by: str) -> Any:
    table = _ACCOUNT.table
    return _ACCOUNT.select().where(table.c[by] == bindparam("id")).with_for_update(read=True, of=table)


@attrs.frozen
class _Sought:
    """An item as it is named: by which columns, and their values, bound under names of the item's own."""

    rows: Any
    names: tuple[str, ...]
    values: Mapping[str, Any]

    @classmethod
    def by(cls, rows: Any, named: Mapping[str, Any]) -> "_Sought | None":
        given = {name: value for name, value in named.items() if value is not None}
        values = {f"{rows.table.name}_{name}": value for name, value in given.items()}
        return cls(rows, tuple(given), values) if given else None


def _has_names(rows: Any, names: tuple[str, ...], table: Any) -> Any:
    """All names are the item's own; of the index of external payment numbers its own condition is said."""
    conditions = [table.c[name] == bindparam(f"{rows.table.name}_{name}") for name in names]
    if "external_payment_no" in names:
        conditions.append(table.c.payment_type == sa.literal_column("'IN'"))
    return sa.and_(*conditions)


@functools.cache
def _item(rows: Any, names: tuple[str, ...]) -> Any:
    return rows.select().where(_has_names(rows, names, rows.table)).with_for_update(of=rows.table)


def _column_of(rows: Any, names: tuple[str, ...], column: str) -> Any:
    sought = rows.table.alias(f"sought_{rows.table.name}")
    return sa.select(sought.c[column]).where(_has_names(rows, names, sought)).scalar_subquery()


@functools.cache
def _owner(rows: Any, names: tuple[str, ...]) -> Any:
    account = _column_of(rows, names, "account_ref_id")
    return _ACCOUNT.select().where(_ACCOUNT.key == account).with_for_update(read=True, of=_ACCOUNT.table)


@functools.cache
def _live_settlements(items: tuple[tuple[Any, tuple[str, ...]], ...]) -> Any:
    """Settlements that touch every one of the items."""
    table = _SETTLEMENT.table
    refs = [_column_of(rows, names, "ref_id") for rows, names in items]
    touching = [sa.or_(table.c.source_ref_id == ref, table.c.target_ref_id == ref) for ref in refs]
    sought = _SETTLEMENT.select().where(~table.c.cancelled, *touching).order_by(_SETTLEMENT.key)
    return sought.with_for_update(of=table)


@functools.cache
def _settlements_after(items: tuple[tuple[Any, tuple[str, ...]], ...]) -> Any:
    """Settlements that touch one of the items, live or cancelled, and took effect or were cancelled after an instant."""
    table = _SETTLEMENT.table
    after: Any = bindparam("settlements_after")
    refs = [_column_of(rows, names, "ref_id") for rows, names in items]
    touching = [column == ref for ref in refs for column in (table.c.source_ref_id, table.c.target_ref_id)]
    changed = sa.or_(table.c.effective_at > after, table.c.cancelled_at > after)
    return _SETTLEMENT.select().where(sa.or_(*touching), changed)


_ONE_SETTLEMENT = _SETTLEMENT.select().where(_SETTLEMENT.key == bindparam("settlement"))
_ONE_SETTLEMENT = _ONE_SETTLEMENT.with_for_update(of=_SETTLEMENT.table)


@functools.cache
def _of_settlement(rows: Any, column: str, *, shared: bool = False) -> Any:
    """What a settlement refers to by that column, which never changes."""
    sought = _SETTLEMENT.table.alias("sought_settlement")
    ref = sa.select(sought.c[column]).where(sought.c.ref_id == bindparam("settlement")).scalar_subquery()
    return rows.select().where(rows.key == ref).with_for_update(read=shared, of=rows.table)


_ADJUSTMENTS = _EVENT.select().where(_EVENT.table.c.original_ref_id == bindparam("id")).order_by(_EVENT.key)


@functools.cache
def _accounts(driver: Any, by: str) -> Any:
    condition = driver.one_of(_ACCOUNT.table.c[by], "ids")
    locked = _ACCOUNT.select().where(condition).order_by(_ACCOUNT.key)
    return locked.with_for_update(read=True, of=_ACCOUNT.table)


@functools.cache
def _payers_of(driver: Any, by: str) -> Any:
    """The payers of accounts that are named."""
    table = tables.accounts.alias("named")
    accounts = sa.select(table.c.ref_id).where(driver.one_of(table.c[by], "ids"))
    return _PAYER.select().where(_PAYER.key.in_(accounts))


def _keyed(driver: Driver, by: str, rows: Sequence[Any]) -> dict[str, Any]:
    return {f"payers_by_{by}": {payer.ref_id: payer for payer in map(_PAYER.reader(driver), rows)}}


@functools.cache
def _taken_events(driver: Any) -> Any:
    column = _EVENT.table.c.external_id
    return sa.select(column).where(driver.one_of(column, "ids"))


def _exists(column: Any, name: str, *conditions: Any) -> Any:
    return sa.exists().where(column == bindparam(name), *conditions).label(name)


@functools.cache
def _facts(draws_a_payment_number: bool, asked: frozenset[str], account: "_AccountAsked | None") -> Any:
    """One row: the configuration's version, the remembered request, what is taken, a payment's number, and the account
    with its payer. Each part is a query of its own, joined to the one row that is always there."""
    version, requests = tables.configuration_version, tables.requests
    possible = {
        "external_account_id": _exists(tables.accounts.c.external_id, "external_account_id"),
        "external_payment_no": _exists(
            tables.payments.c.external_payment_no,
            "external_payment_no",
            tables.payments.c.payment_type == sa.literal_column("'IN'"),
        ),
        "external_document_no": _exists(tables.documents.c.external_document_no, "external_document_no"),
    }
    number = tables.payment_numbers.next_value() if draws_a_payment_number else sa.null()
    remembered = sa.and_(
        requests.c.application == bindparam("application"), requests.c.request_id == bindparam("request_id")
    )
    columns = [
        version.c.version,
        number.label("number"),
        requests.c.operation,
        requests.c.digest,
        requests.c.ref_ids,
        requests.c.performed_at,
        requests.c.answer,
        *(column if name in asked else sa.false().label(name) for name, column in possible.items()),
    ]
    source: Any = version.outerjoin(requests, remembered)
    if account is not None:
        for query, name in ((_account(account), "account"), (_payer(account), "payer")):
            part = query.subquery(name)
            columns.extend(part.columns)
            source = source.outerjoin(part, sa.true())
    return sa.select(*columns).select_from(source)


@attrs.define
class _Asked:
    """The calls of one lookup, and what is to be made of each answer."""

    driver: Driver
    calls: list[Call] = attrs.field(factory=list)
    takers: list[Callable[[Sequence[Any]], dict[str, Any]]] = attrs.field(factory=list)

    def one(self, name: str, rows: Any, statement: Any, parameters: Mapping[str, Any]) -> None:
        read = rows.reader(self.driver)
        self.ask(statement, parameters, lambda answer: {name: read(answer[0]) if answer else None})

    def many(self, name: str, rows: Any, statement: Any, parameters: Mapping[str, Any]) -> None:
        read = rows.reader(self.driver)
        self.ask(statement, parameters, lambda answer: {name: tuple(map(read, answer))})

    def ask(
        self, statement: Any, parameters: Mapping[str, Any], take: Callable[[Sequence[Any]], dict[str, Any]]
    ) -> None:
        self.calls.append(Call(statement, parameters))
        self.takers.append(take)


def find(transaction: Transaction, cache: ConfigurationCache, wanted: Wanted) -> Found:
    """Everything wanted, in one round trip (two where the configuration has changed since it was last read)."""
    driver = transaction.driver
    asked = _Asked(driver)
    _ask_for_facts(asked, wanted)
    if wanted.parent and wanted.parent.is_given:
        by, value = _named(wanted.parent)
        asked.one("parent", _ACCOUNT, _parent(by), {"id": value})
    _ask_for_items(asked, wanted)
    _ask_for_lists(asked, wanted)
    if wanted.draw and not _draws_from_sequence(driver, wanted):
        asked.ask(_DRAW, {"series": wanted.draw}, lambda rows: {"number": rows[0][0]})
    answers = transaction.run(asked.calls)
    found: dict[str, Any] = {}
    for take, answer in zip(asked.takers, answers, strict=True):
        found |= take(answer)
    accounts = found.pop("by_ref_id", {}) | found.pop("by_external_id", {})
    payers = found.pop("payers_by_ref_id", {}) | found.pop("payers_by_external_id", {})
    version = found.pop("version")
    return Found(
        configuration=cache.get(transaction, version),
        accounts={named: accounts[_named(named)[1]] for named in wanted.accounts if _named(named)[1] in accounts},
        payers_of_accounts=payers,
        **found,
    )


def _named(account: AccountName) -> tuple[str, Any]:
    return ("ref_id", account.ref_id) if account.ref_id else ("external_id", account.external_id)


def _draws_from_sequence(driver: Driver, wanted: Wanted) -> bool:
    return wanted.draw == PAYMENT_NUMBERS and driver.name == "postgresql"


def _ask_for_items(asked: _Asked, wanted: Wanted) -> None:
    payment = _Sought.by(_PAYMENT, attrs.asdict(wanted.payment) if wanted.payment else {})
    document = _Sought.by(_DOCUMENT, attrs.asdict(wanted.document) if wanted.document else {})
    event = _Sought.by(_EVENT, {"ref_id": wanted.chargeable_event})
    if wanted.settlement:
        of = {"settlement": wanted.settlement}
        asked.one("payment", _PAYMENT, _of_settlement(_PAYMENT, "source_ref_id"), of)
        asked.one("document", _DOCUMENT, _of_settlement(_DOCUMENT, "target_ref_id"), of)
        asked.one("settlement", _SETTLEMENT, _ONE_SETTLEMENT, of)
        asked.one("owner", _ACCOUNT, _of_settlement(_ACCOUNT, "account_ref_id", shared=True), of)
    if payment:
        asked.one("payment", _PAYMENT, _item(_PAYMENT, payment.names), payment.values)
    if document:
        asked.one("document", _DOCUMENT, _item(_DOCUMENT, document.names), document.values)
    touched = [item for item in (payment, document) if item]
    if wanted.settlements and touched:
        query = _live_settlements(tuple((item.rows, item.names) for item in touched))
        values = {name: value for item in touched for name, value in item.values.items()}
        asked.many("settlements", _SETTLEMENT, query, values)
    if wanted.settlements_after is not None and touched:
        # Behind the locks of the items: who changes their settlements holds those.
        query = _settlements_after(tuple((item.rows, item.names) for item in touched))
        values = {name: value for item in touched for name, value in item.values.items()}
        after = {"settlements_after": wanted.settlements_after}
        asked.many("settlements_after", _SETTLEMENT, query, values | after)
    if event:
        asked.one("chargeable_event", _EVENT, _item(_EVENT, event.names), event.values)
        asked.many("adjustments", _EVENT, _ADJUSTMENTS, {"id": wanted.chargeable_event})
    if owned := document or event or payment:
        asked.one("owner", _ACCOUNT, _owner(owned.rows, owned.names), owned.values)


def _ask_for_lists(asked: _Asked, wanted: Wanted) -> None:
    driver, read = asked.driver, _ACCOUNT.reader(asked.driver)
    names = [_named(account) for account in wanted.accounts if account.is_given]
    for by in ("ref_id", "external_id"):
        values = [value for named_by, value in names if named_by == by]
        if values:

            def take(rows: Sequence[Any], by: str = by) -> dict[str, Any]:
                return {f"by_{by}": {getattr(a, by): a for a in map(read, rows)}}

            asked.ask(_accounts(driver, by), {"ids": driver.bind_list(values)}, take)
            if wanted.payers_of_accounts:
                asked.ask(
                    _payers_of(driver, by), {"ids": driver.bind_list(values)}, functools.partial(_keyed, driver, by)
                )
    if wanted.external_event_ids:
        asked.ask(
            _taken_events(driver),
            {"ids": driver.bind_list(wanted.external_event_ids)},
            lambda rows: {"external_event_ids_taken": frozenset(row[0] for row in rows)},
        )


def _ask_for_facts(asked: _Asked, wanted: Wanted) -> None:
    sought = {
        name: getattr(wanted, name) for name in ("external_account_id", "external_payment_no", "external_document_no")
    }
    given = {name: value for name, value in sought.items() if value is not None}
    key, account = wanted.key, None
    parameters = given | {"application": key and key.application, "request_id": key and key.request_id}
    if wanted.account and wanted.account.is_given:
        by, parameters["account"] = _named(wanted.account)
        account = _AccountAsked(by, wanted.account_exclusively, wanted.payer_exclusively)
    read_account, read_payer = _ACCOUNT.reader(asked.driver), _PAYER.reader(asked.driver)
    to_instant = asked.driver.decoder(dt.datetime) or _same

    def take(rows: Sequence[Any]) -> dict[str, Any]:
        version, number, operation, digest, ref_ids, performed_at, answer = rows[0][:7]
        taken, account_row = rows[0][7:10], rows[0][10 : 10 + _ACCOUNT.width()]
        payer_row = rows[0][10 + _ACCOUNT.width() :]
        performed = None
        if key is not None and operation is not None:
            performed = Performed(
                key=key,
                operation=operation,
                digest=bytes(digest),
                ref_ids=tuple(UUID(ref_id) for ref_id in msgspec.json.decode(ref_ids)),
                performed_at=to_instant(performed_at),
                answer=decode_answer(answer) if answer is not None else None,
            )
        facts = {"version": version, "performed": performed}
        if account is not None and account_row[0] is not None:
            facts["account"] = read_account(account_row)
            facts["payer"] = read_payer(payer_row) if payer_row[0] is not None else None
        facts |= {f"{name}_taken": bool(flag) for name, flag in zip(sought, taken, strict=True)}
        return facts if number is None else facts | {"number": number}

    statement = _facts(_draws_from_sequence(asked.driver, wanted), frozenset(given), account)
    asked.ask(statement, parameters, take)


def _same(value: Any) -> Any:
    return value
