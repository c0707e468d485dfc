"""The first schema.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from ocs_adapters.sql.migrations import steps

revision = "0001"
down_revision = None
older_release_goes_on = False

ID = sa.Uuid().with_variant(sa.String(36), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DAY = sa.Date().with_variant(sa.String(10), "sqlite")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT_STATE = (
    "(CASE WHEN cancelled THEN 'CANCELLED' WHEN due_amount = 0 THEN 'SETTLED' "
    "WHEN due_amount = total_amount_net THEN 'OPEN' ELSE 'PARTIALLY_PAID' END)"
)
SOME_TABLES = ("accounts", "configuration_version", "settlements")


def upgrade() -> None:
    steps.at_once(_first_schema, unless=lambda: all(map(steps.has_table, SOME_TABLES)))


def _first_schema() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("payment_numbers")))
    op.create_table(
        "accounts",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("account_type", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text()),
        sa.Column("parent_ref_id", ID),
        sa.Column("payer_account_ref_id", ID),
        sa.Column("segment", sa.Text()),
        sa.Column("bill_cycle", sa.Text()),
        sa.Column("custom_name", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_accounts_account_type", "accounts", ["account_type", "ref_id"], unique=False)
    op.create_index("ix_accounts_customer", "accounts", ["customer", "ref_id"], unique=False)
    op.create_index("ix_accounts_state", "accounts", ["state", "ref_id"], unique=False)
    op.create_index("uq_accounts_external_id", "accounts", ["external_id"], unique=True)
    op.create_table(
        "api_keys",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("privileges", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_api_keys_application", "api_keys", ["application"], unique=False)
    op.create_table(
        "chargeable_events",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("account_ref_id", ID, nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("event_date", INSTANT, nullable=False),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("charge_with_tax", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_rate", sa.Integer(), nullable=False),
        sa.Column("invoiced_document_ref_id", ID),
        sa.Column("original_ref_id", ID),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("charge + tax = charge_with_tax", name="ck_chargeable_events_amounts"),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index(
        "ix_chargeable_events_account_ref_id", "chargeable_events", ["account_ref_id", "ref_id"], unique=False
    )
    op.create_index("ix_chargeable_events_amount", "chargeable_events", ["charge_with_tax", "ref_id"], unique=False)
    op.create_index("ix_chargeable_events_event_date", "chargeable_events", ["event_date", "ref_id"], unique=False)
    op.create_index("ix_chargeable_events_event_type", "chargeable_events", ["event_type", "ref_id"], unique=False)
    op.create_index(
        "ix_chargeable_events_invoiced",
        "chargeable_events",
        ["ref_id"],
        unique=False,
        postgresql_where=sa.text("invoiced_document_ref_id IS NOT NULL"),
        sqlite_where=sa.text("invoiced_document_ref_id IS NOT NULL"),
    )
    op.create_index(
        "ix_chargeable_events_original_ref_id",
        "chargeable_events",
        ["original_ref_id", "ref_id"],
        unique=False,
        postgresql_where=sa.text("original_ref_id IS NOT NULL"),
        sqlite_where=sa.text("original_ref_id IS NOT NULL"),
    )
    op.create_index("uq_chargeable_events_external_id", "chargeable_events", ["external_id"], unique=True)
    op.create_table(
        "configuration",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", name="pk_configuration"),
    )
    op.create_table(
        "configuration_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "documents",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("document_no", sa.Text(), nullable=False),
        sa.Column("external_document_no", sa.Text()),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("document_source", sa.Text()),
        sa.Column("account_ref_id", ID, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("document_issued_date", DAY, nullable=False),
        sa.Column("document_tax_date", DAY, nullable=False),
        sa.Column("document_due_date", DAY, nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_amount_tax", sa.BigInteger(), nullable=False),
        sa.Column("total_amount_net", sa.BigInteger(), nullable=False),
        sa.Column("rounding_compensation", sa.BigInteger(), nullable=False),
        sa.Column("due_amount", sa.BigInteger(), nullable=False),
        sa.Column("due_amount_type", sa.Text(), nullable=False),
        sa.Column("payment_ref1", sa.Text()),
        sa.Column("payment_ref2", sa.Text()),
        sa.Column("payment_ref3", sa.Text()),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.Text()),
        sa.Column("cancelled_at", INSTANT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("due_amount BETWEEN 0 AND total_amount_net", name="ck_documents_due_amount"),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_documents_account_ref_id", "documents", ["account_ref_id", "ref_id"], unique=False)
    op.create_index("ix_documents_amount", "documents", ["total_amount_net", "ref_id"], unique=False)
    op.create_index("ix_documents_document_type", "documents", ["document_type", "ref_id"], unique=False)
    op.create_index("ix_documents_issued_date", "documents", ["document_issued_date", "ref_id"], unique=False)
    op.create_index(
        "ix_documents_open",
        "documents",
        ["account_ref_id"],
        unique=False,
        postgresql_where=sa.text("due_amount <> 0"),
        sqlite_where=sa.text("due_amount <> 0"),
    )
    op.create_index(
        "ix_documents_payment_ref1",
        "documents",
        ["payment_ref1", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_ref1 IS NOT NULL"),
        sqlite_where=sa.text("payment_ref1 IS NOT NULL"),
    )
    op.create_index(
        "ix_documents_payment_ref2",
        "documents",
        ["payment_ref2", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_ref2 IS NOT NULL"),
        sqlite_where=sa.text("payment_ref2 IS NOT NULL"),
    )
    op.create_index(
        "ix_documents_payment_ref3",
        "documents",
        ["payment_ref3", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_ref3 IS NOT NULL"),
        sqlite_where=sa.text("payment_ref3 IS NOT NULL"),
    )
    op.create_index(
        "ix_documents_state",
        "documents",
        [
            sa.literal_column(DOCUMENT_STATE),
            "ref_id",
        ],
        unique=False,
    )
    op.create_index("uq_documents_document_no", "documents", ["document_no"], unique=True)
    op.create_index("uq_documents_external_document_no", "documents", ["external_document_no"], unique=True)
    op.create_table(
        "event_log",
        sa.Column("offset", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("logged_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("offset"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_log_logged_at", "event_log", ["logged_at"], unique=False)
    op.create_index("uq_event_log_ref_id", "event_log", ["ref_id"], unique=True)
    op.create_table(
        "event_readers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "outbox",
        sa.Column("position", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_outbox_ref_id", "outbox", ["ref_id"], unique=True)
    op.create_table(
        "payers",
        sa.Column("account_ref_id", ID, nullable=False),
        sa.Column("payment_method", sa.Text()),
        sa.Column("delivery_method", sa.Text()),
        sa.Column("invoicing_excluded", sa.Boolean(), nullable=False),
        sa.Column("invoicing_excluded_to", INSTANT),
        sa.Column("due_date_offset", sa.Integer()),
        sa.Column("due_date_offsets", sa.Text(), nullable=False),
        sa.Column("bank_account_name", sa.Text()),
        sa.Column("bank_account_number", sa.Text()),
        sa.Column("bank_number_code", sa.Text()),
        sa.Column("iban", sa.Text()),
        sa.Column("bic", sa.Text()),
        sa.Column("payment_ref1", sa.Text()),
        sa.Column("payment_ref2", sa.Text()),
        sa.Column("payment_ref3", sa.Text()),
        sa.Column("collection_balance", sa.BigInteger()),
        sa.Column("oldest_due_date", DAY),
        sa.Column("in_collection", sa.Boolean(), nullable=False),
        sa.Column("collection_balance_as_of", INSTANT),
        sa.Column("collection_balance_calculated_at", INSTANT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_ref_id"),
        postgresql_with={"fillfactor": "45"},
    )
    op.create_table(
        "payment_history",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("operation_type", sa.Text(), nullable=False),
        sa.Column("operation_code", sa.Text(), nullable=False),
        sa.Column("created_date", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("operation_parameters", sa.Text(), nullable=False),
        sa.Column("payment_type", sa.Text(), nullable=False),
        sa.Column("payment_ref_id", ID, nullable=False),
        sa.Column("effective_date", INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_payment_history_payment_ref_id", "payment_history", ["payment_ref_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("payment_no", sa.Text(), nullable=False),
        sa.Column("external_payment_no", sa.Text()),
        sa.Column("payment_type", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("payment_amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_date_received", INSTANT),
        sa.Column("payment_date_sent", INSTANT),
        sa.Column("payment_ref1", sa.Text()),
        sa.Column("payment_ref2", sa.Text()),
        sa.Column("payment_ref3", sa.Text()),
        sa.Column("payer_bank_account_name", sa.Text()),
        sa.Column("payer_bank_account_number", sa.Text()),
        sa.Column("payer_bank_number_code", sa.Text()),
        sa.Column("payer_iban", sa.Text()),
        sa.Column("payer_bic", sa.Text()),
        sa.Column("provider_bank_account_name", sa.Text()),
        sa.Column("provider_bank_account_number", sa.Text()),
        sa.Column("provider_bank_number_code", sa.Text()),
        sa.Column("provider_iban", sa.Text()),
        sa.Column("provider_bic", sa.Text()),
        sa.Column("channel_type", sa.Text()),
        sa.Column("recipient_note", sa.Text()),
        sa.Column("payer_note", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("bank_account_transaction_id", sa.Text()),
        sa.Column("account_ref_id", ID),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.Text()),
        sa.Column("cancelled_at", INSTANT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("remaining_amount BETWEEN 0 AND payment_amount", name="ck_payments_remaining_amount"),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_payments_account_ref_id", "payments", ["account_ref_id", "ref_id"], unique=False)
    op.create_index("ix_payments_amount", "payments", ["payment_amount", "ref_id"], unique=False)
    op.create_index(
        "ix_payments_cancelled",
        "payments",
        ["ref_id"],
        unique=False,
        postgresql_where=sa.text("cancelled"),
        sqlite_where=sa.text("cancelled"),
    )
    op.create_index("ix_payments_date_received", "payments", ["payment_date_received", "ref_id"], unique=False)
    op.create_index(
        "ix_payments_external_payment_no",
        "payments",
        ["external_payment_no", "ref_id"],
        unique=False,
        postgresql_where=sa.text("external_payment_no IS NOT NULL AND payment_type <> 'IN'"),
        sqlite_where=sa.text("external_payment_no IS NOT NULL AND payment_type <> 'IN'"),
    )
    op.create_index(
        "ix_payments_open",
        "payments",
        ["account_ref_id"],
        unique=False,
        postgresql_where=sa.text("remaining_amount <> 0"),
        sqlite_where=sa.text("remaining_amount <> 0"),
    )
    op.create_index(
        "ix_payments_other_types",
        "payments",
        ["payment_type", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_type <> 'IN'"),
        sqlite_where=sa.text("payment_type <> 'IN'"),
    )
    op.create_index(
        "ix_payments_payment_ref1",
        "payments",
        ["payment_ref1", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_ref1 IS NOT NULL"),
        sqlite_where=sa.text("payment_ref1 IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_payment_ref2",
        "payments",
        ["payment_ref2", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_ref2 IS NOT NULL"),
        sqlite_where=sa.text("payment_ref2 IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_payment_ref3",
        "payments",
        ["payment_ref3", "ref_id"],
        unique=False,
        postgresql_where=sa.text("payment_ref3 IS NOT NULL"),
        sqlite_where=sa.text("payment_ref3 IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_unidentified",
        "payments",
        ["ref_id"],
        unique=False,
        postgresql_where=sa.text("account_ref_id IS NULL"),
        sqlite_where=sa.text("account_ref_id IS NULL"),
    )
    op.create_index(
        "uq_payments_external_payment_no",
        "payments",
        ["external_payment_no"],
        unique=True,
        postgresql_where=sa.text("payment_type = 'IN'"),
        sqlite_where=sa.text("payment_type = 'IN'"),
    )
    op.create_index("uq_payments_payment_no", "payments", ["payment_no"], unique=True)
    op.create_table(
        "process_runs",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("adopt", sa.Boolean(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("slices_total", sa.Integer(), nullable=False),
        sa.Column("slices_done", sa.Integer(), nullable=False),
        sa.Column("payers_total", sa.Integer(), nullable=False),
        sa.Column("payers_done", sa.Integer(), nullable=False),
        sa.Column("payers_failed", sa.Integer(), nullable=False),
        sa.Column("collections_started", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Text(), nullable=False),
        sa.Column("balances", sa.Text(), nullable=False),
        sa.Column("other_currencies", sa.Text(), nullable=False),
        sa.Column("position", ID),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index("ix_process_runs_as_of", "process_runs", ["process", "as_of"], unique=False)
    op.create_index(
        "uq_process_runs_running",
        "process_runs",
        ["process"],
        unique=True,
        postgresql_where=sa.text("state = 'RUNNING' AND NOT dry_run"),
        sqlite_where=sa.text("state = 'RUNNING' AND NOT dry_run"),
    )
    op.create_table(
        "requests",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("ref_ids", sa.Text(), nullable=False),
        sa.Column("performed_at", INSTANT, nullable=False),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("application", "request_id", name="uq_requests"),
    )
    op.create_table(
        "series",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "settlements",
        sa.Column("ref_id", ID, nullable=False),
        sa.Column("account_ref_id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref_id", ID, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("target_ref_id", ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.Text()),
        sa.Column("cancelled_at", INSTANT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_settlements_amount"),
        sa.PrimaryKeyConstraint("ref_id"),
    )
    op.create_index(
        "ix_settlements_account_cancelled_at",
        "settlements",
        ["account_ref_id", "cancelled_at"],
        unique=False,
        postgresql_where=sa.text("cancelled_at IS NOT NULL"),
        sqlite_where=sa.text("cancelled_at IS NOT NULL"),
    )
    op.create_index(
        "ix_settlements_account_effective_at", "settlements", ["account_ref_id", "effective_at"], unique=False
    )
    op.create_index(
        "ix_settlements_cancelled_at",
        "settlements",
        ["cancelled_at"],
        unique=False,
        postgresql_where=sa.text("cancelled_at IS NOT NULL"),
        sqlite_where=sa.text("cancelled_at IS NOT NULL"),
    )
    op.create_index("ix_settlements_source_ref_id", "settlements", ["source_ref_id"], unique=False)
    op.create_index("ix_settlements_target_ref_id", "settlements", ["target_ref_id"], unique=False)
    op.execute("INSERT INTO configuration_version (version) VALUES (1)")
    op.execute("INSERT INTO series (name, last) VALUES ('payment', 0), ('document', 0)")
