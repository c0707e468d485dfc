"""What the system itself remembers: performed commands, numbers, configuration, keys, schedules."""

import sqlalchemy as sa

from ocs_adapters.sql.tables.columns import Id, Instant, key, metadata, text

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("application", sa.Text(), nullable=False),
    sa.Column("request_id", sa.Text(), nullable=False),
    text("operation", nullable=False),
    sa.Column("digest", sa.LargeBinary(), nullable=False),
    text("ref_ids", nullable=False),
    sa.Column("performed_at", Instant, nullable=False),
    text("answer"),
    sa.PrimaryKeyConstraint("application", "request_id", name="uq_requests"),
    sa.Index(
        "ix_requests_answered",
        "performed_at",
        postgresql_where=sa.text("answer IS NOT NULL"),
        sqlite_where=sa.text("answer IS NOT NULL"),
    ),
)

payment_numbers = sa.Sequence("payment_numbers", metadata=metadata)
"""PostgreSQL only: payment numbers may have gaps, so nobody has to wait for one."""

series = sa.Table(
    "series",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("last", sa.BigInteger(), nullable=False),
)

configuration = sa.Table(
    "configuration",
    metadata,
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    text("entry", nullable=False),
    sa.PrimaryKeyConstraint("kind", "code", name="pk_configuration"),
)

configuration_version = sa.Table(
    "configuration_version",
    metadata,
    sa.Column("version", sa.BigInteger(), primary_key=True, autoincrement=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    key(),
    text("application", nullable=False),
    sa.Column("digest", sa.LargeBinary(), nullable=False),
    text("privileges", nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.Index("ix_api_keys_application", "application"),
)

schedules = sa.Table(
    "schedules",
    metadata,
    sa.Column("process", sa.Text(), primary_key=True),
    text("schedule", nullable=False),
    sa.Column("until", Instant, nullable=False),
    sa.Column("fired_for", Instant),
    sa.Column("run", Id),
    text("refused_because"),
)
