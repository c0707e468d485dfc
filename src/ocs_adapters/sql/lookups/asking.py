"""How a look-up is asked of a database: one function for each, found by the look-up's class."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from ocs_adapters.sql.drivers import Driver, Row
from ocs_adapters.sql.rows import Rows
from ocs_core.ports import Lookup


@attrs.frozen
class Asked:
    """A query, its parameters, and how the rows that it gives are read: the same query for all look-ups of one shape.

    `joins`: it gives one row at the most, whose first column is never null, and can be a part of the one row that is always
    there. Parts whose parameters have the same names are not of one row.
    """

    query: "sa.Select[Any] | sa.UpdateBase"
    parameters: Mapping[str, Any]
    read: Callable[[Sequence[Row]], Any]
    joins: bool = False


@attrs.frozen
class Known:
    """What is known without asking: where nothing is named, nothing is there."""

    answer: Any


@functools.singledispatch
def ask(lookup: Lookup[Any], driver: Driver) -> Asked | Known:
    """How it is asked. Raises `NotImplementedError` for a look-up that nobody has registered."""
    raise NotImplementedError(f"the store in SQL does not answer {type(lookup).__name__}: register a function for it")


@functools.cache
def one(rows: Rows[Any], driver: Driver) -> Callable[[Sequence[Row]], Any]:
    """The entity of the one row that there is, or None."""
    read = rows.reader(driver)
    return lambda found: read(found[0]) if found else None


@functools.cache
def many(rows: Rows[Any], driver: Driver) -> Callable[[Sequence[Row]], Any]:
    """The entities of all rows."""
    read = rows.reader(driver)
    return lambda found: tuple(map(read, found))


def value(found: Sequence[Row]) -> Any:
    """The one value of the one row."""
    return found[0][0]


def truth(found: Sequence[Row]) -> bool:
    """The one value of the one row, of which SQLite makes a number."""
    return bool(found[0][0])
