"""Entities as rows, and rows as entities. A row has the entity's fields in the entity's order.

A reference to an account is stored as its ref_id; the external id beside it comes from a join.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import attrs
import msgspec
import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import frozen
from ocs_adapters.sql.drivers import Driver, Row
from ocs_adapters.sql.reading import reader
from ocs_core.entities.account import Account, AccountRef, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document
from ocs_core.entities.payment import MoneyOrder, Payment, PaymentHistory
from ocs_core.entities.process import CollectionChange, ProcessRun, RunFailure, RunSlice
from ocs_core.entities.settlement import Settlement
from ocs_core.form import Field, fields
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
        return reader(self.cls, driver)

    def width(self) -> int:
        return len(self.fields) + len(self.joins)


def _column(field: _Field, entities: Sequence[Any]) -> list[Any]:
    values, write = map(attrgetter(field.name), entities), field.write
    return list(values) if write is None else [value if value is None else write(value) for value in values]


def _write(field: Field) -> Callable[[Any], Any] | None:
    if field.base is Configuration:
        return frozen
    if field.base is AccountRef:
        return attrgetter("ref_id")
    if field.base is MoneyOrder:
        return lambda order: _json(attrs.asdict(order))
    if field.item and field.item.base in {RunFailure, CollectionChange}:
        return lambda items: _json([_of_account(item) for item in items])
    if field.item:
        return _json
    return attrgetter("value") if issubclass(field.base, StrEnum) else None


def _of_account(item: RunFailure | CollectionChange) -> dict[str, Any]:
    told = attrs.asdict(item, recurse=False)
    account = told.pop("account")
    return {"refId": account.ref_id, "externalId": account.external_id, **told}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def rows_of(cls: type[T]) -> Rows[T]:
    """How entities of this class are stored."""
    key: Any = cls
    return cast("Rows[T]", _rows_of(key))


@functools.cache
def _rows_of(cls: Any) -> Rows[Any]:
    table, stored, joins = TABLES[cls], [], {}
    for field in fields(cls):
        column = field.name
        if field.base is AccountRef:
            column = f"{field.name}_ref_id"
            joins[field.name] = tables.accounts.alias(f"{field.name}_of_{table.name}")
        read_by = _OF_THE_ACCOUNT.get(cls, {}).get(field.name)
        stored.append(_Field(field.name, column, _write(field), read_by))
    return Rows(cls, table, tuple(stored), joins)
