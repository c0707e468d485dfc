"""What the finance system keeps: entities whole, and of them what its figures are found by."""

import sqlalchemy as sa

from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.tables.columns import Day, Id, Instant, amount, text, version

tables = ConsumerTables("finance", layout=2)


def _partial(name: str, *columns: str, where: str) -> sa.Index:
    return sa.Index(name, *columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


entities = tables.table(
    "entities",
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("ref_id", Id, nullable=False),
    version(),
    sa.Column("changed_at", Instant, nullable=False),
    text("value", nullable=False),
    sa.PrimaryKeyConstraint("code", "ref_id", name="pk_finance_entities"),
)

IS_OPEN = "open_amount <> 0 AND NOT cancelled"

documents = tables.table(
    "documents",
    sa.Column("ref_id", Id, primary_key=True),
    version(),
    sa.Column("account_ref_id", Id, nullable=False),
    amount("open_amount"),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    sa.Column("cancelled_at", Instant),
    _partial("ix_finance_documents_open", "ref_id", where=IS_OPEN),
    _partial("ix_finance_documents_cancelled_at", "cancelled_at", where="cancelled"),
)

payments = tables.table(
    "payments",
    sa.Column("ref_id", Id, primary_key=True),
    version(),
    sa.Column("account_ref_id", Id),
    text("payment_type", nullable=False),
    text("payment_method", nullable=False),
    text("currency", nullable=False),
    sa.Column("day", Day),
    amount("amount"),
    amount("open_amount"),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    sa.Column("cancelled_at", Instant),
    sa.Index("ix_finance_payments_day", "day", "payment_type", "payment_method", "currency"),
    _partial("ix_finance_payments_open", "ref_id", where=IS_OPEN),
    _partial("ix_finance_payments_cancelled_at", "cancelled_at", where="cancelled"),
)

settlements = tables.table(
    "settlements",
    sa.Column("ref_id", Id, primary_key=True),
    version(),
    sa.Column("source_ref_id", Id, nullable=False),
    sa.Column("target_ref_id", Id, nullable=False),
    sa.Column("effective_at", Instant, nullable=False),
    sa.Column("cancelled_at", Instant),
    text("value", nullable=False),
    sa.Index("ix_finance_settlements_effective_at", "effective_at"),
    sa.Index("ix_finance_settlements_cancelled_at", "cancelled_at"),
)
