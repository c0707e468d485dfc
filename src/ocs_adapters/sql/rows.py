"""Entities as rows, and rows as entities. A row has the entity's fields in the entity's order.

A reference to an account is stored as its ref_id; the external id beside it comes from a join.
"""

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import frozen, thawed
from ocs_adapters.sql.drivers import Driver, Row
from ocs_core.entities.account import Account, AccountRef, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document
from ocs_core.entities.payment import MoneyOrder, Payment, PaymentHistory
from ocs_core.entities.process import CollectionChange, ProcessRun, RunFailure, RunSlice
from ocs_core.entities.settlement import Settlement
from ocs_core.form import type_hints
from ocs_core.ports import TakenRow, TakeOver

T = TypeVar("T")

TABLES: Mapping[type, sa.Table] = {
    Account: tables.accounts,
    Payer: tables.payers,
    Payment: tables.payments,
    PaymentHistory: tables.payment_history,
    Document: tables.documents,
    Settlement: tables.settlements,
    ChargeableEvent: tables.chargeable_events,
    ProcessRun: tables.process_runs,
    RunSlice: tables.run_slices,
    TakeOver: tables.take_overs,
    TakenRow: tables.take_over_rows,
}
_OF_THE_ACCOUNT: Mapping[type, Mapping[str, str]] = {Payer: {"account_type": "account"}}
"""Fields that are not stored, but read from the account that another field refers to: there they never change."""


@attrs.frozen
class _Field:
    """One field of an entity: its column, and how it is written; or by which reference it is read from an account."""

    name: str
    column: str
    kind: Any
    write: Callable[[Any], Any] | None
    read_by: str | None = None


@attrs.frozen(eq=False)
class Rows(Generic[T]):
    """How one class of entities is stored."""

    cls: type[T]
    table: sa.Table
    fields: tuple[_Field, ...]
    joins: Mapping[str, Any]

    @property
    def key(self) -> "sa.Column[Any]":
        return next(iter(self.table.primary_key))

    @property
    def columns(self) -> list[Any]:
        """What a query selects, for `read`: each field's column, and behind a reference its external id."""
        selected: list[Any] = []
        for field in self.fields:
            source = self.joins[field.read_by] if field.read_by else self.table
            selected.append(source.c[field.column].label(field.column) if field.read_by else source.c[field.column])
            if field.name in self.joins:
                selected.append(self.joins[field.name].c.external_id.label(f"{field.name}_external_id"))
        return selected

    @property
    def stored(self) -> list[_Field]:
        """The fields that have a column in the table."""
        return [field for field in self.fields if field.read_by is None]

    @property
    def source(self) -> Any:
        """The table with its references joined."""
        source: Any = self.table
        for name, alias in self.joins.items():
            source = source.outerjoin(alias, self.table.c[f"{name}_ref_id"] == alias.c.ref_id)
        return source

    def select(self) -> Any:
        return sa.select(*self.columns).select_from(self.source)

    def write(self, entity: T) -> dict[str, Any]:
        """The parameters of an insert."""
        row = {}
        for field in self.stored:
            value = getattr(entity, field.name)
            row[field.column] = value if field.write is None or value is None else field.write(value)
        return row

    def columns_to_update(self, entities: Sequence[T]) -> dict[str, list[Any]]:
        """What an update may write of these entities, column by column as it is stored."""
        return {field.column: _column(field, entities) for field in self.stored if field.column != self.key.name}

    def reader(self, driver: Driver) -> Callable[[Row], T]:
        """How a row of `columns` becomes an entity, with this driver."""
        return cast("Callable[[Row], T]", _reader(self, driver))

    def width(self) -> int:
        return len(self.fields) + len(self.joins)


def _column(field: _Field, entities: Sequence[Any]) -> list[Any]:
    values, write = map(attrgetter(field.name), entities), field.write
    return list(values) if write is None else [value if value is None else write(value) for value in values]


@functools.cache
def _reader(rows: Any, driver: Any) -> Callable[[Row], Any]:
    names: list[str] = []
    for field in rows.fields:
        names += [field.name, f"{field.name}_external_id"] if field.name in rows.joins else [field.name]
    decoded = [(field.name, decode) for field in rows.fields if (decode := _read(field.kind, driver)) is not None]
    references = [(name, f"{name}_external_id") for name in rows.joins]

    def read(row: Row) -> Any:
        values = dict(zip(names, row, strict=True))
        for name, decode in decoded:
            if (value := values[name]) is not None:
                values[name] = decode(value)
        for name, external_id in references:
            external = values.pop(external_id)
            if (ref_id := values[name]) is not None:
                values[name] = AccountRef(ref_id, external)
        return rows.cls(**values)

    return read


def _read(kind: Any, driver: Driver) -> Callable[[Any], Any] | None:
    if kind is Configuration:
        return thawed
    if kind is AccountRef:
        return driver.decoder(UUID)
    if kind is MoneyOrder:
        return lambda text: MoneyOrder(**msgspec.json.decode(text))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    if typing.get_origin(kind) is tuple:
        convert = _OF_ITEMS.get(typing.get_args(kind)[0], UUID)
        return lambda text: tuple(convert(v) for v in msgspec.json.decode(text))
    if typing.get_origin(kind) is not None:
        return msgspec.json.decode
    return driver.decoder(kind)


def _failure(value: Any) -> RunFailure:
    return RunFailure(_account(value), value["code"], value["message"])


def _collection(value: Any) -> CollectionChange:
    oldest = value["oldest_document_due_date"]
    return CollectionChange(
        _account(value),
        value["currency"],
        value["collection_balance"],
        oldest and dt.date.fromisoformat(oldest),
        value["starts"],
    )


def _account(value: Any) -> AccountRef:
    return AccountRef(UUID(value["refId"]), value["externalId"])


_OF_ITEMS: Mapping[type, Callable[[Any], Any]] = {RunFailure: _failure, CollectionChange: _collection}


def _write(kind: Any) -> Callable[[Any], Any] | None:
    if kind is Configuration:
        return frozen
    if kind is AccountRef:
        return lambda ref: ref.ref_id
    if kind is MoneyOrder:
        return lambda order: _json(attrs.asdict(order))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return lambda value: value.value
    if typing.get_origin(kind) is tuple and typing.get_args(kind)[0] in _OF_ITEMS:
        return lambda items: _json([_of_account(item) for item in items])
    if typing.get_origin(kind) is not None:
        return _json
    return None


def _of_account(item: RunFailure | CollectionChange) -> dict[str, Any]:
    told = attrs.asdict(item, recurse=False)
    account = told.pop("account")
    return {"refId": account.ref_id, "externalId": account.external_id, **told}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def without_none(hint: Any) -> Any:
    """The type that an optional one is of."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return next(a for a in typing.get_args(hint) if a is not types.NoneType)
    return hint


def rows_of(cls: type[T]) -> Rows[T]:
    """How entities of this class are stored."""
    key: Any = cls
    return cast("Rows[T]", _rows_of(key))


@functools.cache
def _rows_of(cls: Any) -> Rows[Any]:
    table, hints = TABLES[cls], type_hints(cls)
    fields, joins = [], {}
    for attribute in attrs.fields(cls):
        kind = without_none(hints[attribute.name])
        column = attribute.name
        if kind is AccountRef:
            column = f"{attribute.name}_ref_id"
            joins[attribute.name] = tables.accounts.alias(f"{attribute.name}_of_{table.name}")
        read_by = _OF_THE_ACCOUNT.get(cls, {}).get(attribute.name)
        fields.append(_Field(attribute.name, column, kind, _write(kind), read_by))
    return Rows(cls, table, tuple(fields), joins)
