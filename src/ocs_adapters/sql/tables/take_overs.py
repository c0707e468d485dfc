"""Which files were taken over, and what was made of their rows."""

import sqlalchemy as sa

from ocs_adapters.sql.tables.columns import Id, Instant, key, metadata, text

_UNDER_WAY = sa.text("state IN ('WRITING', 'UNDOING')")

take_overs = sa.Table(
    "take_overs",
    metadata,
    key(),
    text("file_name", nullable=False),
    text("digest", nullable=False),
    text("terms", nullable=False),
    text("state", nullable=False),
    sa.Column("through", sa.Integer(), nullable=False),
    text("created", nullable=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Index("ix_take_overs_digest", "digest"),
    sa.Index("uq_take_overs_under_way", "digest", unique=True, postgresql_where=_UNDER_WAY, sqlite_where=_UNDER_WAY),
)

take_over_rows = sa.Table(
    "take_over_rows",
    metadata,
    sa.Column("take_over_ref_id", Id, nullable=False),
    sa.Column("line", sa.Integer(), nullable=False),
    sa.Column("account_ref_id", Id, nullable=False),
    sa.Column("account_made", sa.Boolean(), nullable=False),
    sa.Column("document_ref_id", Id, nullable=False),
    sa.Column("document_made", sa.Boolean(), nullable=False),
    sa.Column("payment_ref_id", Id),
    sa.Column("payment_made", sa.Boolean(), nullable=False),
    sa.Column("settlement_ref_id", Id),
    sa.PrimaryKeyConstraint("take_over_ref_id", "line", name="pk_take_over_rows"),
)
