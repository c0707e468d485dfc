"""Runs are cut into slices that several workers share, and keep the configuration they were started with.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from ocs_adapters.sql.migrations import steps

revision = "0005"
down_revision = "0004"
older_release_goes_on = False

AN_ID = sa.Uuid().with_variant(sa.String(36), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
OF_A_DOCUMENT = (
    "ref_id",
    "document_type",
    "currency",
    "due_amount",
    "due_amount_type",
    "document_issued_date",
    "document_due_date",
    "cancelled",
    "cancelled_at",
)
OF_A_PAYMENT = (
    "ref_id",
    "payment_type",
    "currency",
    "remaining_amount",
    "payment_date_received",
    "cancelled",
    "cancelled_at",
)


def upgrade() -> None:
    steps.at_once(_run_slices, unless=lambda: steps.has_table("run_slices"))
    steps.at_once(_process_runs, unless=lambda: not steps.has_column("process_runs", "position"))
    if not steps.on_sqlite():
        for table, amount, columns in (
            ("documents", "due_amount", OF_A_DOCUMENT),
            ("payments", "remaining_amount", OF_A_PAYMENT),
        ):
            steps.replace_index(f"ix_{table}_open", table, ["account_ref_id"], include=columns, where=f"{amount} <> 0")


def _run_slices() -> None:
    op.create_table(
        "run_slices",
        sa.Column("ref_id", AN_ID, nullable=False),
        sa.Column("run_ref_id", AN_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", AN_ID),
        sa.Column("through", AN_ID),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("payers_done", sa.Integer(), nullable=False),
        sa.Column("payers_failed", sa.Integer(), nullable=False),
        sa.Column("collections_started", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Text(), nullable=False),
        sa.Column("balances", sa.Text(), nullable=False),
        sa.Column("other_currencies", sa.Text(), nullable=False),
        sa.Column("calculated_at", INSTANT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("uq_run_slices_number", "run_slices", ["run_ref_id", "number"], unique=True)


def _process_runs() -> None:
    # A run that is going on goes on as one slice, from where it is; its id may serve that, too.
    op.execute(
        "INSERT INTO run_slices SELECT ref_id, ref_id, 1, position, NULL, FALSE, payers_done, payers_failed,"
        " collections_started, failures, balances, other_currencies, NULL, 1 FROM process_runs WHERE state = 'RUNNING'"
    )
    op.add_column("process_runs", sa.Column("progressed_at", INSTANT))
    op.add_column("process_runs", sa.Column("configuration", sa.Text()))
    op.drop_column("process_runs", "position")
