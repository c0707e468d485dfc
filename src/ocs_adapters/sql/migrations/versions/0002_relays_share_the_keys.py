"""Relays share the keys among them, and a message that cannot be published is held.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from ocs_adapters.sql.migrations import steps

revision = "0002"
down_revision = "0001"
older_release_goes_on = False

SHARES = 64
SHARE_OF_KEY = {
    "postgresql": f"get_byte(uuid_send(key), 15) % {SHARES}",
    # The last two of the id's digits, as a number.
    "sqlite": f"""((instr('0123456789abcdef', substr("key", 35, 1)) - 1) * 16
        + instr('0123456789abcdef', substr("key", 36, 1)) - 1) % {SHARES}""",
}


def upgrade() -> None:
    steps.add_required_column(
        "outbox",
        sa.Column("share", sa.SmallInteger()),
        value=SHARE_OF_KEY[op.get_context().dialect.name],
        key="position",
        sqlite_table={"sqlite_autoincrement": True},
    )
    steps.add_column("outbox", sa.Column("held_because", sa.Text()))
    steps.create_index("ix_outbox_held", "outbox", ["key"], where="held_because IS NOT NULL")
    steps.create_table(
        "relays",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    steps.at_once(_relay_shares, unless=lambda: steps.has_table("relay_shares"))


def _relay_shares() -> None:
    shares = op.create_table(
        "relay_shares",
        sa.Column("share", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("relay", sa.Text()),
        sa.PrimaryKeyConstraint("share"),
    )
    op.bulk_insert(shares, [{"share": share} for share in range(SHARES)])
