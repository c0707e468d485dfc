"""Bank details of payments have the names that the product documents.

Revision ID: 0006
"""

from ocs_adapters.sql.migrations import steps

revision = "0006"
down_revision = "0005"
older_release_goes_on = False

BANK_DETAILS = ("bank_account_name", "bank_account_number", "bank_number_code", "iban", "bic")


def upgrade() -> None:
    names = {f"payer_{name}": name for name in BANK_DETAILS}
    names |= {f"provider_{name}": f"{name}_provider" for name in BANK_DETAILS}
    steps.rename_columns("payments", names)
