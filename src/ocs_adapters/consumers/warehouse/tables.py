"""The warehouse's manifest: which files hold its messages, and which are only still to be removed."""

import sqlalchemy as sa

from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.tables.columns import Day, Id

tables = ConsumerTables("warehouse", layout=1)

files = tables.table(
    "files",
    sa.Column("ref_id", Id, primary_key=True),
    sa.Column("day", Day, nullable=False),
    sa.Column("rows", sa.BigInteger(), nullable=False),
    sa.Column("bytes", sa.BigInteger(), nullable=False),
    sa.Index("ix_warehouse_files_day", "day", "rows"),
)

gone = tables.table(
    "gone",
    sa.Column("ref_id", Id, primary_key=True),
    sa.Column("day", Day, nullable=False),
    once="ref_id",
    lasting=True,
)
"""What is to be removed must be known for as long as it is there: no message tells of it."""
