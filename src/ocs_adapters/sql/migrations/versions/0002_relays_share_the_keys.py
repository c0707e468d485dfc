"""Relays share the keys among them, and a message that cannot be published is held.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SHARES = 64
SHARE_OF_KEY = {
    "postgresql": f"get_byte(uuid_send(key), 15) % {SHARES}",
    # The last two of the id's digits, as a number.
    "sqlite": f"""((instr('0123456789abcdef', substr("key", 35, 1)) - 1) * 16
        + instr('0123456789abcdef', substr("key", 36, 1)) - 1) % {SHARES}""",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    held = sa.text("held_because IS NOT NULL")
    op.add_column("outbox", sa.Column("share", sa.SmallInteger()))
    op.add_column("outbox", sa.Column("held_because", sa.Text()))
    op.execute(f"UPDATE outbox SET share = {SHARE_OF_KEY[dialect]}")  # noqa: S608
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as outbox:
        outbox.alter_column("share", existing_type=sa.SmallInteger(), nullable=False)
    op.create_index("ix_outbox_held", "outbox", ["key"], postgresql_where=held, sqlite_where=held)
    op.create_table(
        "relays",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    shares = op.create_table(
        "relay_shares",
        sa.Column("share", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("relay", sa.Text()),
        sa.PrimaryKeyConstraint("share"),
    )
    op.bulk_insert(shares, [{"share": share} for share in range(SHARES)])
