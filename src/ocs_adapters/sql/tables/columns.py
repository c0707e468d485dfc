"""What tables are made of: kinds of columns, and how each database stores them."""

import sqlalchemy as sa

metadata = sa.MetaData()

# A table with `info={"once": column}` keeps the first row of each value there, and silently lets the others go.
Id = sa.Uuid().with_variant(sa.String(36), "sqlite")
Instant = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
Day = sa.Date().with_variant(sa.String(10), "sqlite")
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts only INTEGER keys up by itself."""


def text(name: str, **options: bool) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=options.get("nullable", True))


def amount(name: str, **options: bool) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=options.get("nullable", False))


def version() -> "sa.Column[int]":
    return sa.Column("version", sa.BigInteger(), nullable=False)


def key(name: str = "ref_id") -> "sa.Column[object]":
    return sa.Column(name, Id, primary_key=True)


def newest_first(name: str, *columns: str, where: str | None = None) -> sa.Index:
    """An index for one filter of a search: its column, then the order in which lists are given out."""
    condition = sa.text(where) if where else None
    return sa.Index(name, *columns, "ref_id", postgresql_where=condition, sqlite_where=condition)
