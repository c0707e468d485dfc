"""Bank details have the names that the product documents, and payers those of their direct debits.

Revision ID: 0006
"""

import sqlalchemy as sa

from ocs_adapters.sql.migrations import steps

revision = "0006"
down_revision = "0005"
older_release_goes_on = False

BANK_DETAILS = ("bank_account_name", "bank_account_number", "bank_number_code", "iban", "bic")
OF_PAYERS = (
    "bank_account_number_direct_debit",
    "bank_number_code_direct_debit",
    "bank_account_number_direct_debit_provider",
    "bank_number_code_direct_debit_provider",
)


def upgrade() -> None:
    names = {f"payer_{name}": name for name in BANK_DETAILS}
    names |= {f"provider_{name}": f"{name}_provider" for name in BANK_DETAILS}
    steps.rename_columns("payments", names)
    for name in OF_PAYERS:
        steps.add_column("payers", sa.Column(name, sa.Text()))
