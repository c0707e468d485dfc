"""The table of commands: per operation a path, a use-case, a privilege, and what its answer consists of."""

from collections.abc import Mapping
from typing import Any

import attrs

from ocs_core.entities.account import Account, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentHistory
from ocs_core.entities.process import ProcessRun
from ocs_core.messages import DocumentPayments, PaymentDocuments
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.cancel_document import CancelDocument, CancelDocumentRequest
from ocs_core.usecases.cancel_payment import CancelPayment, CancelPaymentRequest
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment, CancelPaymentInAssignmentRequest
from ocs_core.usecases.cancel_payment_in_identification import (
    CancelPaymentInIdentification,
    CancelPaymentInIdentificationRequest,
)
from ocs_core.usecases.cancel_process_run import CancelProcessRun, CancelProcessRunRequest
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEvents, FeedChargeableEventsRequest
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.perform import Command, UseCase
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest
from ocs_core.usecases.update_payer import UpdatePayer, UpdatePayerRequest
from ocs_http import examples


@attrs.frozen
class Operation:
    """One command. `steps` are the types of entities its answer may hold; `starts_run`: a runner is to be woken; `is_long`:
    over many items at once; `longest_body`: in bytes, enough for every right request, however it is written."""

    path: str
    name: str
    use_case: type[UseCase[Any, Any]]
    request: type[Command]
    privilege: str
    steps: tuple[type, ...]
    example: Mapping[str, Any]
    starts_run: bool = False
    is_long: bool = False
    longest_body: int = 200_000

    @property
    def step(self) -> str:
        """The name that the steps of its answer have."""
        return self.use_case.__new__(self.use_case).step


OPERATIONS = (
    Operation(
        "/v1/rm/payments/register-payment",
        "RegisterPayment",
        RegisterPayment,
        RegisterPaymentRequest,
        "payment:register",
        (Payment, PaymentHistory),
        examples.REGISTER_PAYMENT,
    ),
    Operation(
        "/v1/rm/payments/identify-payment-in",
        "IdentifyPaymentIn",
        IdentifyPaymentIn,
        IdentifyPaymentInRequest,
        "payment:identify",
        (Payment, PaymentHistory),
        examples.IDENTIFY_PAYMENT_IN,
    ),
    Operation(
        "/v1/rm/payments/assign-payment-in-to-document",
        "AssignPaymentInToDocument",
        AssignPaymentInToDocument,
        AssignPaymentInToDocumentRequest,
        "payment:assign",
        (Payment, Document, PaymentDocuments, DocumentPayments, PaymentHistory),
        examples.ASSIGN_PAYMENT_IN_TO_DOCUMENT,
    ),
    Operation(
        "/v1/rm/payments/cancel-payment-in-assignment",
        "CancelPaymentInAssignment",
        CancelPaymentInAssignment,
        CancelPaymentInAssignmentRequest,
        "payment:cancel-assignment",
        (Payment, Document, PaymentDocuments, DocumentPayments, PaymentHistory),
        examples.CANCEL_PAYMENT_IN_ASSIGNMENT,
    ),
    Operation(
        "/v1/rm/payments/cancel-payment-in-identification",
        "CancelPaymentInIdentification",
        CancelPaymentInIdentification,
        CancelPaymentInIdentificationRequest,
        "payment:cancel-identification",
        (Payment, PaymentHistory),
        examples.CANCEL_PAYMENT_IN_IDENTIFICATION,
    ),
    Operation(
        "/v1/rm/payments/cancel-payment",
        "CancelPayment",
        CancelPayment,
        CancelPaymentRequest,
        "payment:cancel",
        (Payment, PaymentHistory),
        examples.CANCEL_PAYMENT,
    ),
    Operation(
        "/v1/rm/billing-invoicing/adjust-chargeable-event",
        "AdjustChargeableEvent",
        AdjustChargeableEvent,
        AdjustChargeableEventRequest,
        "chargeable-event:adjust",
        (ChargeableEvent,),
        examples.ADJUST_CHARGEABLE_EVENT,
    ),
    Operation(
        "/v1/rm/payer/update-invoicing-flag",
        "UpdateInvoicingFlag",
        UpdateInvoicingFlag,
        UpdateInvoicingFlagRequest,
        "payer:update-invoicing-flag",
        (Payer,),
        examples.UPDATE_INVOICING_FLAG,
    ),
    Operation(
        "/v1/rm/payer/update-due-date-offset",
        "UpdateDueDateOffset",
        UpdateDueDateOffset,
        UpdateDueDateOffsetRequest,
        "payer:update-due-date-offset",
        (Payer,),
        examples.UPDATE_DUE_DATE_OFFSET,
    ),
    Operation(
        "/v1/rm/payer/update-payer",
        "UpdatePayer",
        UpdatePayer,
        UpdatePayerRequest,
        "payer:update",
        (Payer,),
        examples.UPDATE_PAYER,
    ),
    Operation(
        "/v1/rm/documents/create-any-document",
        "CreateAnyDocument",
        CreateAnyDocument,
        CreateAnyDocumentRequest,
        "document:create",
        (Document,),
        examples.CREATE_ANY_DOCUMENT,
    ),
    Operation(
        "/v1/rm/documents/cancel-document",
        "CancelDocument",
        CancelDocument,
        CancelDocumentRequest,
        "document:cancel",
        (Document,),
        examples.CANCEL_DOCUMENT,
    ),
    Operation(
        "/v1/rm/processes/calculate-collection-balance",
        "CalculateCollectionBalance",
        StartCollectionRun,
        StartCollectionRunRequest,
        "collection:run",
        (ProcessRun,),
        examples.CALCULATE_COLLECTION_BALANCE,
        starts_run=True,
        longest_body=500_000,
    ),
    Operation(
        "/v1/rm/processes/cancel-process-run",
        "CancelProcessRun",
        CancelProcessRun,
        CancelProcessRunRequest,
        "collection:cancel",
        (ProcessRun,),
        examples.CANCEL_PROCESS_RUN,
    ),
    Operation(
        "/v1/casm/account/create-account",
        "CreateAccount",
        CreateAccount,
        CreateAccountRequest,
        "account:create",
        (Account, Payer),
        examples.CREATE_ACCOUNT,
    ),
    Operation(
        "/v1/casm/account/update-account-state",
        "UpdateAccountState",
        UpdateAccountState,
        UpdateAccountStateRequest,
        "account:update-state",
        (Account,),
        examples.UPDATE_ACCOUNT_STATE,
    ),
    Operation(
        "/v1/charging/chargeable-events",
        "FeedChargeableEvents",
        FeedChargeableEvents,
        FeedChargeableEventsRequest,
        "chargeable-event:create",
        (ChargeableEvent,),
        examples.FEED_CHARGEABLE_EVENTS,
        is_long=True,
        longest_body=2_000_000,
    ),
)
