"""Processes start by themselves: how far their schedules were seen to.

Revision ID: 0004
"""

import sqlalchemy as sa

from ocs_adapters.sql.migrations import steps

revision = "0004"
down_revision = "0003"
older_release_goes_on = True

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    steps.create_table(
        "schedules",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("fired_for", INSTANT),
        sa.Column("run", sa.Uuid().with_variant(sa.String(36), "sqlite")),
        sa.Column("refused_because", sa.Text()),
        sa.PrimaryKeyConstraint("process"),
    )
