"""What the notification handler keeps: every delivery, and every attempt at it."""

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.retention import Prunable, with_parts
from ocs_adapters.sql.tables.columns import Id, Instant, text

tables = ConsumerTables("notifications", layout=1)

_WAITS, _HAS_ENDED = sa.text("state = 'WAITING'"), sa.text("state <> 'WAITING'")

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
    # The number of an attempt is also the claim of whoever makes it, and `due_at` is when that claim expires. Of a delivery
    # that has ended, it is when that was, or up to one claim later.
    sa.Column("attempts", sa.Integer(), nullable=False),
    sa.Column("attempts_allowed", sa.Integer(), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("delivered_at", Instant),
    sa.Index(
        "ix_notifications_deliveries_due",
        "recipient",
        "due_at",
        "ref_id",
        postgresql_where=_WAITS,
        sqlite_where=_WAITS,
    ),
    sa.Index("ix_notifications_deliveries_ended", "due_at", postgresql_where=_HAS_ENDED, sqlite_where=_HAS_ENDED),
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

tables.prunables.append(
    Prunable(
        table=deliveries,
        what="deliveries that have ended, with their attempts",
        setting="deliveries_keep_days",
        since=deliveries.c.due_at,
        # Read again, none that was forgotten is taken for new, whatever the clocks say: what happened then is not delivered.
        conditions=(_HAS_ENDED, deliveries.c.occurred_at < bindparam("before")),
        tells=(deliveries.c.ref_id,),
        then=with_parts(attempts.c.delivery),
        batch=500,  # with a value, five indices and the attempts, each takes longer than a row of other tables
    )
)
