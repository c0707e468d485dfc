"""What the notification handler keeps, for ever: every delivery, and every attempt at it."""

import sqlalchemy as sa

from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.tables.columns import Id, Instant, text

tables = ConsumerTables("notifications", layout=1)

deliveries = tables.table(
    "deliveries",
    sa.Column("ref_id", Id, primary_key=True),
    sa.Column("ce_id", Id, nullable=False),
    text("recipient", nullable=False),
    text("code", nullable=False),
    sa.Column("occurred_at", Instant, nullable=False),
    text("value", nullable=False),
    sa.Column("kept_at", Instant, nullable=False),
    text("state", nullable=False),
    # The number of an attempt is also the claim of whoever makes it, and `due_at` is when that claim expires.
    sa.Column("attempts", sa.Integer(), nullable=False),
    sa.Column("attempts_allowed", sa.Integer(), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("delivered_at", Instant),
    sa.Index(
        "ix_notifications_deliveries_due",
        "recipient",
        "due_at",
        "ref_id",
        postgresql_where=sa.text("state = 'WAITING'"),
        sqlite_where=sa.text("state = 'WAITING'"),
    ),
    sa.Index("ix_notifications_deliveries_state", "state", "kept_at", "ref_id"),
    sa.Index("ix_notifications_deliveries_kept_at", "kept_at", "ref_id"),
    once="ref_id",
    lasting=True,
)

attempts = tables.table(
    "attempts",
    sa.Column("delivery", Id, nullable=False),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("status", sa.Integer()),
    text("told"),
    sa.PrimaryKeyConstraint("delivery", "number", name="pk_notifications_attempts"),
    lasting=True,
)
