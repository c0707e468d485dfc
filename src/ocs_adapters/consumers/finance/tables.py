"""What the finance system keeps: entities whole, and of documents and payments what its figures are made from."""

import sqlalchemy as sa

from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.tables.columns import Day, Id, Instant, amount, text, version

tables = ConsumerTables("finance", layout=1)


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

documents = tables.table(
    "documents",
    sa.Column("ref_id", Id, primary_key=True),
    version(),
    text("due_amount_type", nullable=False),
    text("currency", nullable=False),
    sa.Column("due_date", Day, nullable=False),
    amount("due_amount"),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    _partial(
        "ix_finance_documents_receivable",
        "currency",
        "due_date",
        "due_amount",
        where="due_amount_type = 'AR' AND due_amount <> 0 AND NOT cancelled",
    ),
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
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    sa.Index("ix_finance_payments_day", "day", "payment_type", "payment_method", "currency"),
    _partial(
        "ix_finance_payments_unidentified",
        "currency",
        "day",
        "amount",
        where="payment_type = 'IN' AND account_ref_id IS NULL AND NOT cancelled",
    ),
)
