"""Payments."""

from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument
from ocs_core.usecases.cancel_payment import CancelPayment
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment
from ocs_core.usecases.cancel_payment_in_identification import CancelPaymentInIdentification
from ocs_core.usecases.create_account import CreateAccount
from ocs_core.usecases.create_any_document import CreateAnyDocument
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn
from ocs_core.usecases.register_payment import RegisterPayment
from ocs_http.operations.operation import ACCOUNT, Operation

OPERATIONS = (
    Operation(
        "/v1/rm/payments/register-payment",
        RegisterPayment,
        "payment:register",
        {
            "requestId": "bank-2024-05-14-000004",
            "account": ACCOUNT,
            "externalPaymentNo": "BANK-0001",
            "paymentAmount": 49_900_000,
            "currency": "EUR",
            "paymentMethod": "bankTransfer",
            "paymentDateReceived": "2024-05-14T07:15:00Z",
            "paymentRef1": "20240001",
            "iban": "ES9121000418450200051332",
        },
        after=(CreateAccount,),
    ),
    Operation(
        "/v1/rm/payments/identify-payment-in",
        IdentifyPaymentIn,
        "payment:identify",
        {
            "requestId": "crm-2024-05-14-000005",
            "account": ACCOUNT,
            "paymentRefId": "018f7628-0fb0-7cc0-8000-000000000007",
        },
        after=(CancelPaymentInIdentification,),
    ),
    Operation(
        "/v1/rm/payments/assign-payment-in-to-document",
        AssignPaymentInToDocument,
        "payment:assign",
        {
            "requestId": "crm-2024-05-14-000006",
            "paymentRefId": "018f7628-0fb0-7cc0-8000-000000000007",
            "documentRefId": "018f7628-0fb0-7cc0-8000-000000000003",
            "amount": 49_900_000,
            "currency": "EUR",
        },
        after=(
            CreateAnyDocument,
            RegisterPayment,
        ),
    ),
    Operation(
        "/v1/rm/payments/cancel-payment-in-assignment",
        CancelPaymentInAssignment,
        "payment:cancel-assignment",
        {
            "requestId": "crm-2024-05-14-000012",
            "account": ACCOUNT,
            "monetaryTransactionRefId": "018f7628-0fb0-7cc0-8000-000000000009",
            "reason": "mistake",
        },
        after=(AssignPaymentInToDocument,),
    ),
    Operation(
        "/v1/rm/payments/cancel-payment-in-identification",
        CancelPaymentInIdentification,
        "payment:cancel-identification",
        {
            "requestId": "crm-2024-05-14-000013",
            "account": ACCOUNT,
            "externalPaymentNo": "BANK-0001",
            "reason": "mistake",
        },
        after=(RegisterPayment,),
    ),
    Operation(
        "/v1/rm/payments/cancel-payment",
        CancelPayment,
        "payment:cancel",
        {
            "requestId": "crm-2024-05-14-000014",
            "paymentNo": "P0000000001",
            "reason": "bankRefused",
        },
        after=(RegisterPayment,),
    ),
)
