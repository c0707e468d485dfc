"""What a driver is given and what it gives: the interface that both databases' drivers have."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs
import sqlalchemy as sa

from ocs_adapters.sql.writing import Columns, Rows

Row = tuple[Any, ...]
NOTHING: Mapping[Any, Any] = {}
LOCK_SECONDS = 5
"""How long a statement waits for what others hold."""
CUT_OFF = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""How soon either end of a connection notices that the other one is cut off: where nothing is said, in seconds and times, and
where something was sent, in milliseconds; as PostgreSQL calls it."""


@attrs.frozen
class Call:
    """A statement with its parameters; with several sets of them, it is run once for each."""

    statement: Any
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = attrs.field(factory=dict)


@attrs.frozen
class Copy:
    """Rows for one table, column by column. PostgreSQL takes many by COPY, twice as fast as by INSERT."""

    table: sa.Table
    columns: Columns


@attrs.frozen(eq=False)
class Compiled:
    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def bind(self, parameters: Mapping[str, Any]) -> Row:
        constants = self.constants
        return tuple([parameters[n] if n in parameters else constants[n] for n in self.names])


class Driver(Protocol):
    """What differs between the databases."""

    name: str
    round_trips: int

    def __hash__(self) -> int: ...

    def begin(self, connection: Any, *, snapshot: bool, writing: bool, seconds: int | None = None) -> None:
        """Begin a transaction in which a statement may take so many seconds, where the database can end it; None: any time."""

    def join(self, connection: Any) -> None:
        """Begin a savepoint named `ocs` in somebody else's transaction, with waits that are bounded."""

    def leave(self, connection: Any) -> None:
        """Keep what was done since, and leave the transaction's settings as they were found."""

    def run(self, connection: Any, calls: Sequence[Call | Copy], *, commit: bool = False) -> list[Any]:
        """Run the calls in order, waiting for the answers once; then commit, if asked to. A query gives its rows, anything
        else the number of rows that it touched."""

    def stream(self, connection: Any, call: Call) -> Iterator[Row]:
        """The rows of a query, fetched while they are gone through: more of them than memory should hold. In a transaction of
        one snapshot, so that it does not matter when that is."""

    def insert(
        self, rows: Mapping[sa.Table, Rows], columns: Mapping[sa.Table, Columns] = NOTHING
    ) -> Sequence[Call | Copy]:
        """How these rows, and others that are given as columns, are inserted, in as few statements as is good."""

    def update(self, table: sa.Table, columns: Columns) -> Call:
        """How columns of many rows are updated: of those whose key is `key_read` and whose version still `version_read`, two
        columns beside those that are written."""

    def given(self, columns: "Mapping[str, sa.Column[Any]]") -> Any:
        """Rows that are bound later, for a statement to select from: what is like which column under which name."""

    def bind_given(self, columns: "Mapping[str, sa.Column[Any]]", rows: Columns) -> Mapping[str, Any]:
        """The parameters that `given` asks for."""

    def one_of(self, column: Any, name: str) -> Any:
        """The condition that a column is one of a list that is bound later."""

    def bind_list(self, values: Sequence[Any]) -> Any: ...

    def decoder(self, kind: type) -> Callable[[Any], Any] | None:
        """How a stored value of a Python type is read; None: as it is."""


@attrs.frozen(eq=False)
class Compiler:
    """Compiles each statement once."""

    dialect: sa.Dialect
    _compiled: dict[Any, Compiled] = attrs.field(factory=dict, init=False)

    def __call__(self, statement: Any) -> Compiled:
        compiled = self._compiled.get(statement)
        if compiled is None:
            compiled = self._compiled[statement] = compiled_for(statement, self.dialect)
        return compiled


def compiled_for(statement: Any, dialect: sa.Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)
    return Compiled(compiled.string, tuple(compiled.positiontup or ()), compiled.construct_params(None, _check=False))
