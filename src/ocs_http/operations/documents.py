"""Documents."""

from ocs_core.usecases.cancel_document import CancelDocument
from ocs_core.usecases.create_account import CreateAccount
from ocs_core.usecases.create_any_document import CreateAnyDocument
from ocs_http.operations.operation import ACCOUNT, Operation

OPERATIONS = (
    Operation(
        "/v1/rm/documents/create-any-document",
        CreateAnyDocument,
        "document:create",
        {
            "requestId": "billing-2024-05-14-000003",
            "account": ACCOUNT,
            "documentType": "genericInvoice",
            "externalDocumentNo": "2024-0001",
            "documentIssuedDate": "2024-05-14",
            "currency": "EUR",
            "amount": 49_900_000,
            "taxIncluded": True,
            "paymentRef1": "20240001",
            "billingPeriodStart": "2024-04-01",
            "billingPeriodEnd": "2024-04-30",
            "customAttributes": {"contract": "C-77"},
        },
        after=(CreateAccount,),
    ),
    Operation(
        "/v1/rm/documents/cancel-document",
        CancelDocument,
        "document:cancel",
        {
            "requestId": "billing-2024-05-14-000015",
            "account": ACCOUNT,
            "externalDocumentNo": "2024-0001",
            "reason": "mistake",
        },
        after=(CreateAnyDocument,),
    ),
)
