"""Everything that is looked up, in one round trip."""

import functools
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import ConfigurationCache
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call, Row
from ocs_adapters.sql.lookups.asking import Asked, Known, ask
from ocs_adapters.sql.lookups.remembering import ask_for_request
from ocs_core.performed import RequestKey
from ocs_core.ports import LOOKUPS, Found, Lookup

_ORDER = {kind: number for number, kind in enumerate(LOOKUPS)}


def find(
    transaction: Transaction, cache: ConfigurationCache, lookups: Sequence[Lookup[Any]], key: RequestKey | None
) -> Found:
    """Everything, in one round trip (two where the configuration has changed since it was last read).

    What can be is part of one row, which is always there; the rest goes with it, a query for each look-up.
    """
    driver, ordered = transaction.driver, _in_order(lookups)
    every = [ask_for_request(key, driver) if key else Known(None), *(ask(lookup, driver) for lookup in ordered)]
    parts, alone = _parted(every)
    first, *others = transaction.run([_one_row(parts), *(Call(each.query, each.parameters) for each in alone)])
    version, found = _read(parts, first[0])
    found += [each.read(rows) for each, rows in zip(alone, others, strict=True)]
    answers = dict(zip(map(id, parts + alone), found, strict=True))
    performed, *rest = [each.answer if isinstance(each, Known) else answers[id(each)] for each in every]
    return Found(cache.get(transaction, version), performed, dict(zip(ordered, rest, strict=True)))


def _in_order(lookups: Sequence[Lookup[Any]]) -> list[Lookup[Any]]:
    """In the order of their locks, which is the same for all."""
    if len(lookups) < 2:
        return list(lookups)
    return list(itemgetter(*_ranks(tuple(map(type, lookups))))(lookups))


@functools.cache
def _ranks(kinds: tuple[type, ...]) -> list[int]:
    return sorted(range(len(kinds)), key=lambda place: _ORDER.get(kinds[place], len(_ORDER)))


def _parted(every: Sequence[Asked | Known]) -> tuple[list[Asked], list[Asked]]:
    """What is part of the one row, and what goes alone: what cannot be, and what names its parameters as another part does."""
    parts: list[Asked] = []
    alone: list[Asked] = []
    bound: set[str] = set()
    for each in every:
        if isinstance(each, Asked):
            joins = each.joins and bound.isdisjoint(each.parameters)
            (parts if joins else alone).append(each)
            if joins:
                bound.update(each.parameters)
    return parts, alone


def _one_row(parts: Sequence[Asked]) -> Call:
    """The configuration's version, and beside it what is found by the parts."""
    parameters = {name: value for part in parts for name, value in part.parameters.items()}
    return Call(_joined(tuple(part.query for part in parts)), parameters)


def _read(parts: Sequence[Asked], row: Row) -> tuple[int, list[Any]]:
    """The version, and each part's answer. A part that found nothing is null from its first column on."""
    places = _places_of(tuple(part.query for part in parts))
    found = [
        part.read([row[begin:end]] if row[begin] is not None else [])
        for part, (begin, end) in zip(parts, places, strict=True)
    ]
    return row[0], found


@functools.cache
def _joined(queries: "tuple[sa.Select[Any], ...]") -> Any:
    """Each part is a query of its own, joined to the one row that is always there; a value alone is a column of it."""
    source: Any = tables.configuration_version
    columns: list[Any] = [tables.configuration_version.c.version]
    for number, query in enumerate(queries):
        if not query.get_final_froms():
            columns.extend(query.selected_columns)
            continue
        part = query.subquery(f"part_{number}")
        columns.extend(part.columns)
        source = source.outerjoin(part, sa.true())
    return sa.select(*columns).select_from(source)


@functools.cache
def _places_of(queries: "tuple[sa.Select[Any], ...]") -> list[tuple[int, int]]:
    """Where each part's columns begin and end, behind the version."""
    begin, places = 1, []
    for query in queries:
        end = begin + len(query.selected_columns)
        places.append((begin, end))
        begin = end
    return places
