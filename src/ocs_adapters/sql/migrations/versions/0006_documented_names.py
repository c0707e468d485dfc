"""Bank details of payments have the names that the product documents.

Revision ID: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0005"

BANK_DETAILS = ("bank_account_name", "bank_account_number", "bank_number_code", "iban", "bic")


def upgrade() -> None:
    for name in BANK_DETAILS:
        op.alter_column("payments", f"payer_{name}", new_column_name=name)
        op.alter_column("payments", f"provider_{name}", new_column_name=f"{name}_provider")
