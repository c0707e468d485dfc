"""What is on its way out: the outbox, the relays that empty it, and the event log with its readers."""

from typing import Any

import sqlalchemy as sa

from ocs_adapters.sql.tables.columns import Id, Instant, RowId, metadata, text


def _a_message(number: str) -> "list[sa.Column[Any]]":
    """A message as bytes, ready to travel, and where it stands."""
    return [
        sa.Column(number, RowId, primary_key=True, autoincrement=True),
        sa.Column("ref_id", Id, nullable=False),
        text("topic", nullable=False),
        sa.Column("key", Id, nullable=False),
        text("headers", nullable=False),
        text("value", nullable=False),
    ]


outbox = sa.Table(
    "outbox",
    metadata,
    *_a_message("position"),
    sa.Column("share", sa.SmallInteger(), nullable=False),
    text("held_because"),
    sa.Index("uq_outbox_ref_id", "ref_id", unique=True),
    sa.Index(
        "ix_outbox_held",
        "key",
        postgresql_where=sa.text("held_because IS NOT NULL"),
        sqlite_where=sa.text("held_because IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
    info={"once": "ref_id"},
)

relays = sa.Table(
    "relays",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("beat", sa.BigInteger(), nullable=False),
)

relay_shares = sa.Table(
    "relay_shares",
    metadata,
    sa.Column("share", sa.SmallInteger(), primary_key=True, autoincrement=False),
    text("relay"),
)

event_log = sa.Table(
    "event_log",
    metadata,
    *_a_message("offset"),
    sa.Column("logged_at", Instant, nullable=False),
    sa.Index("uq_event_log_ref_id", "ref_id", unique=True),
    sa.Index("ix_event_log_logged_at", "logged_at"),
    sqlite_autoincrement=True,
)

event_log_forgotten = sa.Table(
    "event_log_forgotten",
    metadata,
    sa.Column("topic", sa.Text(), primary_key=True),
    sa.Column("offset", sa.BigInteger(), nullable=False),
)

event_readers = sa.Table(
    "event_readers",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("offset", sa.BigInteger(), nullable=False),
)
