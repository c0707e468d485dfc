"""The schema. Money is BIGINT millionths; instants are stored in UTC; every constraint a race can end in has a name.

On SQLite ids, days and instants are fixed-width text that sorts as it should. There are no foreign keys: entities are never
deleted, and every reference is read under a lock in the transaction that writes it (ADR 3).
"""

import sqlalchemy as sa

metadata = sa.MetaData()

# A table with `info={"once": column}` keeps the first row of each value there, and silently lets the others go.
Id = sa.Uuid().with_variant(sa.String(36), "sqlite")
Instant = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
Day = sa.Date().with_variant(sa.String(10), "sqlite")
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts only INTEGER keys up by itself."""

payment_numbers = sa.Sequence("payment_numbers", metadata=metadata)
"""PostgreSQL only: payment numbers may have gaps, so nobody has to wait for one."""


def _text(name: str, **options: bool) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=options.get("nullable", True))


def _amount(name: str, **options: bool) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=options.get("nullable", False))


def _version() -> "sa.Column[int]":
    return sa.Column("version", sa.BigInteger(), nullable=False)


def _key(name: str = "ref_id") -> "sa.Column[object]":
    return sa.Column(name, Id, primary_key=True)


def _newest_first(name: str, *columns: str, where: str | None = None) -> sa.Index:
    """An index for one filter of a search: its column, then the order in which lists are given out."""
    condition = sa.text(where) if where else None
    return sa.Index(name, *columns, "ref_id", postgresql_where=condition, sqlite_where=condition)


accounts = sa.Table(
    "accounts",
    metadata,
    _key(),
    _text("external_id"),
    _text("account_type", nullable=False),
    _text("currency", nullable=False),
    _text("customer"),
    sa.Column("parent_ref_id", Id),
    sa.Column("payer_account_ref_id", Id),
    _text("segment"),
    _text("bill_cycle"),
    _text("custom_name"),
    _text("state", nullable=False),
    _version(),
    sa.Index("uq_accounts_external_id", "external_id", unique=True),
    _newest_first("ix_accounts_account_type", "account_type"),
    _newest_first("ix_accounts_customer", "customer"),
    _newest_first("ix_accounts_state", "state"),
)

payers = sa.Table(
    "payers",
    metadata,
    _key("account_ref_id"),
    _text("payment_method"),
    _text("delivery_method"),
    sa.Column("invoicing_excluded", sa.Boolean(), nullable=False),
    sa.Column("invoicing_excluded_to", Instant),
    sa.Column("due_date_offset", sa.Integer()),
    _text("due_date_offsets", nullable=False),
    _text("bank_account_name"),
    _text("bank_account_number"),
    _text("bank_number_code"),
    _text("iban"),
    _text("bic"),
    _text("payment_ref1"),
    _text("payment_ref2"),
    _text("payment_ref3"),
    _amount("collection_balance", nullable=True),
    sa.Column("oldest_due_date", Day),
    sa.Column("in_collection", sa.Boolean(), nullable=False),
    sa.Column("collection_balance_as_of", Instant),
    sa.Column("collection_balance_calculated_at", Instant),
    _version(),
    # Every collection run changes many payers a little: room on the page keeps these updates cheap.
    postgresql_with={"fillfactor": "45"},
)

payments = sa.Table(
    "payments",
    metadata,
    _key(),
    _text("payment_no", nullable=False),
    _text("external_payment_no"),
    _text("payment_type", nullable=False),
    _text("payment_method", nullable=False),
    _amount("payment_amount"),
    _amount("remaining_amount"),
    _text("currency", nullable=False),
    sa.Column("payment_date_received", Instant),
    sa.Column("payment_date_sent", Instant),
    _text("payment_ref1"),
    _text("payment_ref2"),
    _text("payment_ref3"),
    _text("payer_bank_account_name"),
    _text("payer_bank_account_number"),
    _text("payer_bank_number_code"),
    _text("payer_iban"),
    _text("payer_bic"),
    _text("provider_bank_account_name"),
    _text("provider_bank_account_number"),
    _text("provider_bank_number_code"),
    _text("provider_iban"),
    _text("provider_bic"),
    _text("channel_type"),
    _text("recipient_note"),
    _text("payer_note"),
    _text("description"),
    _text("bank_account_transaction_id"),
    sa.Column("account_ref_id", Id),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    _text("cancel_reason"),
    sa.Column("cancelled_at", Instant),
    _version(),
    sa.CheckConstraint("remaining_amount BETWEEN 0 AND payment_amount", name="ck_payments_remaining_amount"),
    sa.Index("uq_payments_payment_no", "payment_no", unique=True),
    sa.Index(
        "uq_payments_external_payment_no",
        "external_payment_no",
        unique=True,
        postgresql_where=sa.text("payment_type = 'IN'"),
        sqlite_where=sa.text("payment_type = 'IN'"),
    ),
    _newest_first(
        "ix_payments_external_payment_no",
        "external_payment_no",
        where="external_payment_no IS NOT NULL AND payment_type <> 'IN'",
    ),
    _newest_first("ix_payments_account_ref_id", "account_ref_id"),
    _newest_first("ix_payments_date_received", "payment_date_received"),
    _newest_first("ix_payments_amount", "payment_amount"),
    _newest_first("ix_payments_payment_ref1", "payment_ref1", where="payment_ref1 IS NOT NULL"),
    _newest_first("ix_payments_payment_ref2", "payment_ref2", where="payment_ref2 IS NOT NULL"),
    _newest_first("ix_payments_payment_ref3", "payment_ref3", where="payment_ref3 IS NOT NULL"),
    _newest_first("ix_payments_other_types", "payment_type", where="payment_type <> 'IN'"),
    _newest_first("ix_payments_unidentified", where="account_ref_id IS NULL"),
    _newest_first("ix_payments_cancelled", where="cancelled"),
    sa.Index(
        "ix_payments_open",
        "account_ref_id",
        postgresql_where=sa.text("remaining_amount <> 0"),
        sqlite_where=sa.text("remaining_amount <> 0"),
    ),
)

payment_history = sa.Table(
    "payment_history",
    metadata,
    _key(),
    _text("operation_type", nullable=False),
    _text("operation_code", nullable=False),
    sa.Column("created_date", Instant, nullable=False),
    _text("created_by", nullable=False),
    _text("operation_parameters", nullable=False),
    _text("payment_type", nullable=False),
    sa.Column("payment_ref_id", Id, nullable=False),
    sa.Column("effective_date", Instant, nullable=False),
    _version(),
    sa.Index("ix_payment_history_payment_ref_id", "payment_ref_id"),
)

_DOCUMENT_STATE = (
    "CASE WHEN cancelled THEN 'CANCELLED' WHEN due_amount = 0 THEN 'SETTLED' "
    "WHEN due_amount = total_amount_net THEN 'OPEN' ELSE 'PARTIALLY_PAID' END"
)

documents = sa.Table(
    "documents",
    metadata,
    _key(),
    _text("document_no", nullable=False),
    _text("external_document_no"),
    _text("document_type", nullable=False),
    _text("document_source"),
    sa.Column("account_ref_id", Id, nullable=False),
    _text("currency", nullable=False),
    sa.Column("document_issued_date", Day, nullable=False),
    sa.Column("document_tax_date", Day, nullable=False),
    sa.Column("document_due_date", Day, nullable=False),
    _amount("total_amount"),
    _amount("total_amount_tax"),
    _amount("total_amount_net"),
    _amount("rounding_compensation"),
    _amount("due_amount"),
    _text("due_amount_type", nullable=False),
    _text("payment_ref1"),
    _text("payment_ref2"),
    _text("payment_ref3"),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    _text("cancel_reason"),
    sa.Column("cancelled_at", Instant),
    _version(),
    sa.CheckConstraint("due_amount BETWEEN 0 AND total_amount_net", name="ck_documents_due_amount"),
    sa.Index("uq_documents_document_no", "document_no", unique=True),
    sa.Index("uq_documents_external_document_no", "external_document_no", unique=True),
    _newest_first("ix_documents_account_ref_id", "account_ref_id"),
    _newest_first("ix_documents_issued_date", "document_issued_date"),
    _newest_first("ix_documents_amount", "total_amount_net"),
    _newest_first("ix_documents_document_type", "document_type"),
    _newest_first("ix_documents_payment_ref1", "payment_ref1", where="payment_ref1 IS NOT NULL"),
    _newest_first("ix_documents_payment_ref2", "payment_ref2", where="payment_ref2 IS NOT NULL"),
    _newest_first("ix_documents_payment_ref3", "payment_ref3", where="payment_ref3 IS NOT NULL"),
    sa.Index("ix_documents_state", sa.text(f"({_DOCUMENT_STATE})"), "ref_id"),
    sa.Index(
        "ix_documents_open",
        "account_ref_id",
        postgresql_where=sa.text("due_amount <> 0"),
        sqlite_where=sa.text("due_amount <> 0"),
    ),
)
document_state: sa.ColumnElement[str] = sa.literal_column(f"({_DOCUMENT_STATE})")

settlements = sa.Table(
    "settlements",
    metadata,
    _key(),
    sa.Column("account_ref_id", Id, nullable=False),
    _text("source", nullable=False),
    sa.Column("source_ref_id", Id, nullable=False),
    _text("target", nullable=False),
    sa.Column("target_ref_id", Id, nullable=False),
    _amount("amount"),
    _text("currency", nullable=False),
    sa.Column("effective_at", Instant, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    _text("created_by", nullable=False),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    _text("cancel_reason"),
    sa.Column("cancelled_at", Instant),
    _version(),
    sa.CheckConstraint("amount > 0", name="ck_settlements_amount"),
    sa.Index("ix_settlements_account_effective_at", "account_ref_id", "effective_at"),
    sa.Index(
        "ix_settlements_account_cancelled_at",
        "account_ref_id",
        "cancelled_at",
        postgresql_where=sa.text("cancelled_at IS NOT NULL"),
        sqlite_where=sa.text("cancelled_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_settlements_cancelled_at",  # what moved payments had settled elsewhere, after a run's T
        "cancelled_at",
        postgresql_where=sa.text("cancelled_at IS NOT NULL"),
        sqlite_where=sa.text("cancelled_at IS NOT NULL"),
    ),
    sa.Index("ix_settlements_source_ref_id", "source_ref_id"),
    sa.Index("ix_settlements_target_ref_id", "target_ref_id"),
)

chargeable_events = sa.Table(
    "chargeable_events",
    metadata,
    _key(),
    _text("external_id"),
    sa.Column("account_ref_id", Id, nullable=False),
    _text("event_type", nullable=False),
    sa.Column("event_date", Instant, nullable=False),
    _amount("charge"),
    _amount("tax"),
    _amount("charge_with_tax"),
    _text("currency", nullable=False),
    sa.Column("tax_rate", sa.Integer(), nullable=False),
    sa.Column("invoiced_document_ref_id", Id),
    sa.Column("original_ref_id", Id),
    _text("kind", nullable=False),
    _version(),
    sa.CheckConstraint("charge + tax = charge_with_tax", name="ck_chargeable_events_amounts"),
    sa.Index("uq_chargeable_events_external_id", "external_id", unique=True),
    _newest_first("ix_chargeable_events_account_ref_id", "account_ref_id"),
    _newest_first("ix_chargeable_events_event_date", "event_date"),
    _newest_first("ix_chargeable_events_amount", "charge_with_tax"),
    _newest_first("ix_chargeable_events_event_type", "event_type"),
    _newest_first("ix_chargeable_events_original_ref_id", "original_ref_id", where="original_ref_id IS NOT NULL"),
    _newest_first("ix_chargeable_events_invoiced", where="invoiced_document_ref_id IS NOT NULL"),
)

process_runs = sa.Table(
    "process_runs",
    metadata,
    _key(),
    _text("process", nullable=False),
    _text("state", nullable=False),
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("dry_run", sa.Boolean(), nullable=False),
    sa.Column("adopt", sa.Boolean(), nullable=False),
    _text("accounts", nullable=False),
    _text("transaction_id", nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("slices_total", sa.Integer(), nullable=False),
    sa.Column("slices_done", sa.Integer(), nullable=False),
    sa.Column("payers_total", sa.Integer(), nullable=False),
    sa.Column("payers_done", sa.Integer(), nullable=False),
    sa.Column("payers_failed", sa.Integer(), nullable=False),
    sa.Column("collections_started", sa.Integer(), nullable=False),
    _text("failures", nullable=False),
    _text("balances", nullable=False),
    _text("other_currencies", nullable=False),
    sa.Column("position", Id),
    _version(),
    sa.Index(
        "uq_process_runs_running",
        "process",
        unique=True,
        postgresql_where=sa.text("state = 'RUNNING' AND NOT dry_run"),
        sqlite_where=sa.text("state = 'RUNNING' AND NOT dry_run"),
    ),
    sa.Index("ix_process_runs_as_of", "process", "as_of"),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("application", sa.Text(), nullable=False),
    sa.Column("request_id", sa.Text(), nullable=False),
    _text("operation", nullable=False),
    sa.Column("digest", sa.LargeBinary(), nullable=False),
    _text("ref_ids", nullable=False),
    sa.Column("performed_at", Instant, nullable=False),
    _text("answer"),
    sa.PrimaryKeyConstraint("application", "request_id", name="uq_requests"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("position", RowId, primary_key=True, autoincrement=True),
    sa.Column("ref_id", Id, nullable=False),
    _text("topic", nullable=False),
    sa.Column("key", Id, nullable=False),
    _text("headers", nullable=False),
    _text("value", nullable=False),
    sa.Column("share", sa.SmallInteger(), nullable=False),
    _text("held_because"),
    sa.Index("uq_outbox_ref_id", "ref_id", unique=True),
    sa.Index(
        "ix_outbox_held",
        "key",
        postgresql_where=sa.text("held_because IS NOT NULL"),
        sqlite_where=sa.text("held_because IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
    info={"once": "ref_id"},
)

relays = sa.Table(
    "relays",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("beat", sa.BigInteger(), nullable=False),
)

relay_shares = sa.Table(
    "relay_shares",
    metadata,
    sa.Column("share", sa.SmallInteger(), primary_key=True, autoincrement=False),
    _text("relay"),
)

event_log = sa.Table(
    "event_log",
    metadata,
    sa.Column("offset", RowId, primary_key=True, autoincrement=True),
    sa.Column("ref_id", Id, nullable=False),
    _text("topic", nullable=False),
    sa.Column("key", Id, nullable=False),
    _text("headers", nullable=False),
    _text("value", nullable=False),
    sa.Column("logged_at", Instant, nullable=False),
    sa.Index("uq_event_log_ref_id", "ref_id", unique=True),
    sa.Index("ix_event_log_logged_at", "logged_at"),
    sqlite_autoincrement=True,
)

event_readers = sa.Table(
    "event_readers",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("offset", sa.BigInteger(), nullable=False),
)

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
    _text("entry", nullable=False),
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
    _key(),
    _text("application", nullable=False),
    sa.Column("digest", sa.LargeBinary(), nullable=False),
    _text("privileges", nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.Index("ix_api_keys_application", "application"),
)
