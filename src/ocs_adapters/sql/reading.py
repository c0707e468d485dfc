"""Rows as values of any class: each column by what the class says of its field. NULL is None, whatever the field is."""

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar, cast
from uuid import UUID

import attrs
import msgspec

from ocs_adapters.sql.configuration import thawed
from ocs_adapters.sql.drivers import Driver, Row
from ocs_core.entities.account import AccountRef
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.payment import MoneyOrder
from ocs_core.entities.process import CollectionChange, RunFailure
from ocs_core.form import Field, fields

T = TypeVar("T")
Decode = Callable[[Any], Any]
"""Takes what a column holds, other than NULL."""


def reader(cls: type[T], driver: Driver) -> Callable[[Row], T]:
    """How a row becomes a value of an attrs class or a named tuple. The row has a column for each field, in their order; in the
    place of a field of a class there are that class's columns, and it is None where the first of them is NULL."""
    key: Any = cls
    return cast("Callable[[Row], T]", _reader(key, driver))


def value_reader(cls: type[T], driver: Driver) -> Callable[[Any], T]:
    """How one column becomes a value of a class; NULL becomes None."""
    decode = driver.decoder(cls)
    return lambda value: value if value is None or decode is None else decode(value)


@functools.cache
def _reader(cls: Any, driver: Any) -> Callable[[Row], Any]:
    steps = [(at, step) for at, field in enumerate(_columns(cls)) if (step := _decoder(field, driver)) is not None]
    make = _maker(cls)

    def read(row: Row) -> Any:
        values = list(row)
        for at, step in steps:
            if (value := values[at]) is not None:
                values[at] = step(value)
        return make(values)

    return read if steps else make


def _columns(cls: Any) -> Iterator[Field]:
    for field in fields(cls):
        if _is_spread(field):
            yield from _columns(field.base)
        else:
            yield field


def _is_spread(field: Field) -> bool:
    """Whether a field has a column for each field of its class."""
    return attrs.has(field.base) and field.base not in _IN_ONE_COLUMN


def _maker(cls: Any) -> Callable[[Any], Any]:
    """How values, one of each column, become one of the class."""
    if issubclass(cls, tuple):
        return functools.partial(tuple.__new__, cls)  # what `_make` does, in half the time
    if not any(attribute.kw_only for attribute in attrs.fields(cls)) and not any(map(_is_spread, fields(cls))):
        return lambda values: cls(*values)
    names: list[str] = []
    spread: list[tuple[str, slice, Any]] = []
    for field in fields(cls):
        begins, names = len(names), [*names, field.name]
        if _is_spread(field):
            names += [f"{field.name}.{column.name}" for column in list(_columns(field.base))[1:]]
            spread.append((field.name, slice(begins, len(names)), _maker(field.base)))
    surplus = [name for name in names if "." in name]

    def make(values: Any) -> Any:
        given = dict(zip(names, values, strict=True))
        for name in surplus:
            del given[name]
        for name, columns, make_one in spread:
            if given[name] is not None:
                given[name] = make_one(values[columns])
        return cls(**given)

    return make


def _decoder(field: Field, driver: Driver) -> Decode | None:
    """How a column is read; None: as it is."""
    if field.base in _IN_ONE_COLUMN:
        return _IN_ONE_COLUMN[field.base]
    if field.base is Mapping:
        return msgspec.json.decode
    if field.item:
        many, one = field.base, _OF_ITEMS.get(field.item.base)
        return lambda text: many(msgspec.json.decode(text) if one is None else map(one, msgspec.json.decode(text)))
    if field.base is bytes:
        return _bytes
    return field.base if issubclass(field.base, StrEnum) else driver.decoder(field.base)


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


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


_OF_ITEMS: Mapping[type, Decode] = {RunFailure: _failure, CollectionChange: _collection, UUID: UUID}
_IN_ONE_COLUMN: Mapping[type, Decode] = {
    Configuration: thawed,
    MoneyOrder: lambda text: MoneyOrder(**msgspec.json.decode(text)),
}
