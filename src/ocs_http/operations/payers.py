"""Payers."""

from ocs_core.usecases.create_account import CreateAccount
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag
from ocs_core.usecases.update_payer import UpdatePayer
from ocs_http.operations.operation import ACCOUNT, Operation

OPERATIONS = (
    Operation(
        "/v1/rm/payer/update-invoicing-flag",
        UpdateInvoicingFlag,
        "payer:update-invoicing-flag",
        {
            "requestId": "crm-2024-05-14-000009",
            "account": ACCOUNT,
            "invoicingExcluded": True,
            "invoicingExcludedTo": "2999-12-31T00:00:00Z",
        },
        after=(CreateAccount,),
    ),
    Operation(
        "/v1/rm/payer/update-due-date-offset",
        UpdateDueDateOffset,
        "payer:update-due-date-offset",
        {
            "requestId": "crm-2024-05-14-000010",
            "account": ACCOUNT,
            "dueDateOffset": 30,
            "documentType": "genericInvoice",
        },
        after=(CreateAccount,),
    ),
    Operation(
        "/v1/rm/payer/update-payer",
        UpdatePayer,
        "payer:update",
        {
            "requestId": "crm-2024-05-14-000016",
            "account": ACCOUNT,
            "paymentMethod": "bankTransfer",
            "invoicingExcluded": True,
            "invoicingExcludedTo": "2999-12-31T00:00:00Z",
            "dueDateOffset": None,
            "iban": "ES9121000418450200051332",
            "bankAccountNumberDirectDebit": "0200051332",
            "bankNumberCodeDirectDebit": "2100",
            "paymentRef1": None,
        },
        after=(CreateAccount,),
    ),
)
