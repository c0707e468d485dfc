"""Bank details have the names that the product documents, and payers those of their direct debits; histories say what a
payment was settled with, documents what the product documents of them; files that are taken over are remembered,
what the event log forgot is known, what is below an account is found, outgoing payments count, and runs tell whom they
passed over.

Revision ID: 0006
"""

import functools

import sqlalchemy as sa
from alembic import op

from ocs_adapters.sql.migrations import steps

revision = "0006"
down_revision = "0005"
older_release_goes_on = False

AN_ID = sa.Uuid().with_variant(sa.String(36), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
BANK_DETAILS = ("bank_account_name", "bank_account_number", "bank_number_code", "iban", "bic")
DAY = sa.Date().with_variant(sa.String(10), "sqlite")
OF_DOCUMENTS = (
    "document_code",
    "document_name",
    "customer",
    "payment_method",
    "delivery_method",
    "billing_period_start",
    "billing_period_end",
    "custom_attributes",
)
OF_PAYERS = (
    "bank_account_number_direct_debit",
    "bank_number_code_direct_debit",
    "bank_account_number_direct_debit_provider",
    "bank_number_code_direct_debit_provider",
)

ASKED_OF_PAYMENTS = (
    "ref_id",
    "payment_type",
    "currency",
    "remaining_amount",
    "payment_date_received",
    "payment_date_sent",
    "cancelled",
    "cancelled_at",
)


def upgrade() -> None:
    names = {f"payer_{name}": name for name in BANK_DETAILS}
    names |= {f"provider_{name}": f"{name}_provider" for name in BANK_DETAILS}
    steps.rename_columns("payments", names)
    for name in OF_DOCUMENTS:
        steps.add_column("documents", sa.Column(name, DAY if name.startswith("billing") else sa.Text()))
    for name in OF_PAYERS:
        steps.add_column("payers", sa.Column(name, sa.Text()))
    steps.add_column("payments", sa.Column("money_order", sa.Text()))
    steps.add_column("payment_history", sa.Column("ref_payment_type", sa.Text()))
    for name in ("ref_payment_ref_id", "ref_document_ref_id"):
        steps.add_column("payment_history", sa.Column(name, AN_ID))
    steps.create_table(
        "event_log_forgotten",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic"),
    )
    steps.at_once(_take_overs, unless=lambda: steps.has_table("take_overs"))
    steps.at_once(_take_over_rows, unless=lambda: steps.has_table("take_over_rows"))
    steps.create_index("ix_accounts_parent_ref_id", "accounts", ["parent_ref_id"], where="parent_ref_id IS NOT NULL")
    _outgoing_payments_count()
    steps.add_column("process_runs", sa.Column("as_of_day", DAY))
    for table in ("process_runs", "run_slices"):
        steps.at_once(
            functools.partial(_what_a_run_tells, table),
            unless=functools.partial(steps.has_column, table, "collections"),
        )


def _take_overs() -> None:
    under_way = sa.text("state IN ('WRITING', 'UNDOING')")
    op.create_table(
        "take_overs",
        sa.Column("ref_id", AN_ID, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_take_overs_digest", "take_overs", ["digest"])
    op.create_index(
        "uq_take_overs_under_way",
        "take_overs",
        ["digest"],
        unique=True,
        postgresql_where=under_way,
        sqlite_where=under_way,
    )


def _take_over_rows() -> None:
    op.create_table(
        "take_over_rows",
        sa.Column("take_over_ref_id", AN_ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account_ref_id", AN_ID, nullable=False),
        sa.Column("account_made", sa.Boolean(), nullable=False),
        sa.Column("document_ref_id", AN_ID, nullable=False),
        sa.Column("document_made", sa.Boolean(), nullable=False),
        sa.Column("payment_ref_id", AN_ID),
        sa.Column("payment_made", sa.Boolean(), nullable=False),
        sa.Column("settlement_ref_id", AN_ID),
        sa.PrimaryKeyConstraint("take_over_ref_id", "line", name="pk_take_over_rows"),
    )


def _outgoing_payments_count() -> None:
    """A balance asks when an outgoing payment was sent: a collection run reads the index alone."""
    if not steps.on_sqlite():
        open_now = "remaining_amount <> 0"
        steps.replace_index(
            "ix_payments_open", "payments", ["account_ref_id"], include=ASKED_OF_PAYMENTS, where=open_now
        )


def _what_a_run_tells(table: str) -> None:
    """Whom it passed over, and whose collection would start or end."""
    for name in ("payers_passed_over", "collections_ended"):
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column(table, sa.Column("collections", sa.Text(), nullable=False, server_default="[]"))
