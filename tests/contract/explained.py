"""How a database goes about a statement: through an index, or by looking at everything."""

from collections.abc import Iterator
from typing import Any

import attrs

from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call


def plan_of(database: Database, call: Call) -> list[dict[str, Any]]:
    """The nodes of PostgreSQL's plan."""
    (((plan,),),) = database.read(Call(_Explained("EXPLAIN (FORMAT JSON) ", call.statement), call.parameters))
    return list(_nodes(plan[0]["Plan"]))


def steps_of(database: Database, call: Call) -> list[str]:
    """The steps of SQLite's plan."""
    (rows,) = database.read(Call(_Explained("EXPLAIN QUERY PLAN ", call.statement), call.parameters))
    return [row[3] for row in rows]


@attrs.frozen(eq=False)
class _Explained:
    """A statement that compiles to the explanation of another one."""

    how: str
    statement: Any

    def compile(self, dialect: Any) -> Any:
        compiled = self.statement.compile(dialect=dialect)
        compiled.string = self.how + compiled.string
        return compiled


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
