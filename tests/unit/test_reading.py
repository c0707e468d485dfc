"""Rows as values of any class, by what the class says of its fields."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest

from ocs_adapters.sql.drivers.sqlite import SqliteDriver
from ocs_adapters.sql.reading import reader, value_reader

ID = UUID("00010000-0000-7000-8000-000000000001")
AT = dt.datetime(2024, 5, 14, 7, 15, tzinfo=dt.UTC)


class Colour(StrEnum):
    RED = "RED"


@attrs.frozen
class Place:
    topic: str
    number: int


@attrs.frozen(kw_only=True)
class Thing:
    ref_id: UUID
    here: Place | None
    at: dt.datetime | None
    colour: Colour
    day: dt.date | None = None
    there: Place
    names: Mapping[str, int]
    ids: frozenset[UUID]
    words: tuple[str, ...]
    value: bytes


ROW = (str(ID), "t", 1, AT.isoformat(), "RED", "2024-05-14", "u", 2, '{"x":1}', f'["{ID}"]', '["a","b"]', "é")
THING = Thing(
    ref_id=ID,
    here=Place("t", 1),
    at=AT,
    colour=Colour.RED,
    day=AT.date(),
    there=Place("u", 2),
    names={"x": 1},
    ids=frozenset({ID}),
    words=("a", "b"),
    value="é".encode(),
)
DRIVER = SqliteDriver()


def test_a_row_has_a_column_for_each_field_and_those_of_a_class_within_in_its_place() -> None:
    assert reader(Thing, DRIVER)(ROW) == THING


def test_null_is_none_whatever_the_field_is() -> None:
    nothing = {1: None, 2: None, 3: None, 5: None}
    row = tuple(nothing.get(at, value) for at, value in enumerate(ROW))
    assert reader(Thing, DRIVER)(row) == attrs.evolve(THING, here=None, at=None, day=None)
    assert value_reader(UUID, DRIVER)(None) is None


@pytest.mark.parametrize("row", [ROW[:-1], (*ROW, 1)], ids=["too few", "too many"])
def test_a_row_of_another_number_of_columns_is_refused(row: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, IndexError)):
        reader(Thing, DRIVER)(row)


def test_one_column_is_read_as_the_class_says() -> None:
    assert value_reader(UUID, DRIVER)(str(ID)) == ID
    assert value_reader(int, DRIVER)(7) == 7


class Pair(NamedTuple):
    ref_id: UUID
    number: int | None


def test_a_named_tuple_is_read_like_a_class() -> None:
    assert reader(Pair, DRIVER)((str(ID), None)) == Pair(ID, None)
