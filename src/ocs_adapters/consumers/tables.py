"""What every consumer has in its database: an inbox, dead letters, how far it has read, and the number of its layout."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from ocs_adapters.clock import new_id
from ocs_adapters.sql.database import Database, is_missing
from ocs_adapters.sql.migrations.alone import refuse_encoding
from ocs_adapters.sql.retention import Prunable
from ocs_adapters.sql.tables.columns import Id, Instant, text
from ocs_core.errors import OcsError

LOCK = 7242
"""Whoever makes or drops tables holds it."""


@attrs.frozen(eq=False)
class ConsumerTables:
    """The tables of one consumer; their names begin with its own, so that several may share a database.

    There are no migrations: the messages rebuild everything, so another `layout` is a reason to read them again.
    """

    name: str
    layout: int
    metadata: sa.MetaData = attrs.field(factory=sa.MetaData, init=False)
    inbox: sa.Table = attrs.field(init=False)
    dead_letters: sa.Table = attrs.field(init=False)
    positions: sa.Table = attrs.field(init=False)
    gaps: sa.Table = attrs.field(init=False)
    layouts: sa.Table = attrs.field(init=False)
    prunables: list[Prunable] = attrs.field(init=False)
    """Every table of this consumer that forgets."""

    @inbox.default
    def _make_inbox(self) -> sa.Table:
        return self.table(
            "inbox",
            sa.Column("ce_id", Id, primary_key=True),
            sa.Column("received_at", Instant, nullable=False),
            sa.Index(f"ix_{self.name}_inbox_received_at", "received_at"),
        )

    @dead_letters.default
    def _make_dead_letters(self) -> sa.Table:
        return self.table(
            "dead_letters",
            sa.Column("ref_id", Id, primary_key=True),
            sa.Column("set_aside_at", Instant, nullable=False),
            text("topic", nullable=False),
            sa.Column("key", Id, nullable=False),
            text("headers", nullable=False),
            sa.Column("value", sa.LargeBinary(), nullable=False),
            text("reason", nullable=False),
            sa.Index(f"ix_{self.name}_dead_letters_set_aside_at", "set_aside_at"),
            once="ref_id",
        )

    @positions.default
    def _make_positions(self) -> sa.Table:
        return self.table("positions", *_a_place(), sa.Column("next_offset", sa.BigInteger(), nullable=False))

    @gaps.default
    def _make_gaps(self) -> sa.Table:
        return self.table(
            "gaps",
            *_a_place(),
            sa.Column("expected", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("begins", sa.BigInteger(), nullable=False),
            sa.Column("met_at", Instant, nullable=False),
        )

    @layouts.default
    def _make_layouts(self) -> sa.Table:
        return self.table(
            "layout",
            sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
            text("reader", nullable=False),
        )

    @prunables.default
    def _make_prunables(self) -> list[Prunable]:
        return [
            Prunable(
                table=self.inbox,
                what="ids of messages dealt with",
                setting="inbox_keep_days",
                since=self.inbox.c.received_at,
            ),
            Prunable(
                table=self.dead_letters,
                what="messages set aside",
                setting="dead_letters_keep_days",
                since=self.dead_letters.c.set_aside_at,
            ),
        ]

    def table(self, name: str, *columns: Any, once: str | None = None, lasting: bool = False) -> sa.Table:
        """A further table of this consumer; `once` names a column of which the first row of each value is kept, `lasting`
        says that messages cannot rebuild it: it outlives `drop`."""
        info = {"lasting": lasting, **({"once": once} if once else {})}
        return sa.Table(f"{self.name}_{name}", self.metadata, *columns, info=info)

    def prepare(self, database: Database) -> str:
        """Make the tables where there are none; gives the name under which their reader reads.

        Every making has a name of its own, so new tables are told of everything, and those of another database take nothing
        from these. Raises `OcsError` where there are tables of another layout.
        """
        with _whole(database) as connection:
            self.metadata.create_all(connection)
            found = connection.execute(sa.select(self.layouts)).first()
            if found is None:
                name = f"ocs-{self.name}-{new_id().hex[-12:]}"
                connection.execute(self.layouts.insert().values(number=self.layout, reader=name))
                return name
        if found.number != self.layout:
            raise OcsError(
                f"The tables of {self.name} have layout {found.number}, this release needs {self.layout}; "
                f"build them anew from the messages: ocs consume {self.name} --from-beginning"
            )
        return str(found.reader)

    def drop(self, database: Database) -> None:
        """Remove the tables with everything in them, but for those that last."""
        rebuilt = [table for table in self.metadata.tables.values() if not table.info["lasting"]]
        with _whole(database) as connection:
            self.metadata.drop_all(connection, tables=rebuilt)

    def are_in(self, database: Database) -> bool:
        """Whether this consumer ever worked on that database."""
        if is_missing(database):
            return False
        with database.translated():
            return sa.inspect(database.engine).has_table(self.layouts.name)


def _a_place() -> "list[sa.Column[Any]]":
    return [
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
    ]


@contextmanager
def _whole(database: Database) -> Iterator[sa.Connection]:
    """A transaction for statements that change tables: SQLite begins none by itself."""
    with database.translated(), database.engine.begin() as connection:
        if connection.dialect.name != "sqlite":
            refuse_encoding(connection)
            # Two that make the same table at once would disturb each other, whether it is there or not.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            yield connection
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
