"""Accounts."""

from ocs_core.usecases.create_account import CreateAccount
from ocs_core.usecases.update_account_state import UpdateAccountState
from ocs_http.operations.operation import ACCOUNT, Operation

OPERATIONS = (
    Operation(
        "/v1/casm/account/create-account",
        CreateAccount,
        "account:create",
        {
            "requestId": "crm-2024-05-14-000001",
            "user": "jana",
            "externalId": "A-1001",
            "accountType": "payer",
            "currency": "EUR",
            "customer": "C-77",
            "billCycle": "monthly",
        },
    ),
    Operation(
        "/v1/casm/account/update-account-state",
        UpdateAccountState,
        "account:update-state",
        {
            "requestId": "crm-2024-05-14-000002",
            "account": ACCOUNT,
            "state": "SUSPENDED",
        },
        after=(CreateAccount,),
    ),
)
