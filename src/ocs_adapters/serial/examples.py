"""A message of every code, as the use-cases publish it on a made-up morning; the same ones every time."""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ocs_core.entities.account import AccountName
from ocs_core.entities.configuration import (
    AccountType,
    Configuration,
    Currency,
    DocumentType,
    NotificationSetting,
    PaymentMethod,
    PaymentTypeSetting,
)
from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.entities.process import RunState
from ocs_core.memory import MemoryIds, MemoryStore
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart, Message
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.feed_chargeable_events import (
    ChargeableEventFed,
    FeedChargeableEvents,
    FeedChargeableEventsRequest,
)
from ocs_core.usecases.perform import Command, UseCase
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest

NOW = dt.datetime(2024, 5, 14, 7, 15, tzinfo=dt.UTC)
ACCOUNT = AccountName(external_id="A-1001")
MASTER_DATA = Configuration.of(
    Currency(code="EUR"),
    AccountType(code="payer"),
    PaymentMethod(code="bankTransfer"),
    PaymentTypeSetting(code=PaymentType.IN, collection_relevant=True),
    PaymentTypeSetting(code=PaymentType.OUT),
    DocumentType(code="genericInvoice", due_amount_type=DueAmountType.AR),
    NotificationSetting(code=CollectionBalanceCalculated.code),
    NotificationSetting(code=CollectionStart.code),
)


COMMANDS: Sequence[tuple[type[UseCase[Any, Any]], Command]] = (
    (
        CreateAccount,
        CreateAccountRequest(request_id="example-1", external_id="A-1001", account_type="payer", currency="EUR"),
    ),
    (
        FeedChargeableEvents,
        FeedChargeableEventsRequest(
            request_id="example-2",
            events=(
                ChargeableEventFed(
                    external_id="EDR-1",
                    account=ACCOUNT,
                    event_type="call",
                    event_date=NOW - dt.timedelta(hours=13),
                    charge=1_000_000,
                    tax=210_000,
                    charge_with_tax=1_210_000,
                    currency="EUR",
                    tax_rate=2100,
                ),
            ),
        ),
    ),
    (
        CreateAnyDocument,
        CreateAnyDocumentRequest(
            request_id="example-3",
            account=ACCOUNT,
            document_type="genericInvoice",
            external_document_no="2024-0001",
            document_issued_date=dt.date(2024, 2, 1),
            currency="EUR",
            amount=49_900_000,
            tax_included=True,
            payment_ref1="20240001",
        ),
    ),
    (
        RegisterPayment,
        RegisterPaymentRequest(
            request_id="example-4",
            account=ACCOUNT,
            external_payment_no="BANK-0001",
            payment_amount=20_000_000,
            currency="EUR",
            payment_method="bankTransfer",
            payment_date_received=NOW,
            payment_ref1="20240001",
        ),
    ),
    (
        RegisterPayment,
        RegisterPaymentRequest(
            request_id="example-5",
            account=ACCOUNT,
            payment_type=PaymentType.OUT,
            payment_amount=1_000_000,
            currency="EUR",
            payment_method="bankTransfer",
            payment_date_sent=NOW,
        ),
    ),
)


@functools.cache
def messages() -> Mapping[str, Message]:
    """The first message of every code, by code."""
    store, ids = MemoryStore(MASTER_DATA), MemoryIds(_clock)

    def perform(use_case: type[UseCase[Any, Any]], request: Command) -> Any:
        return use_case(store, clock=_clock, ids=ids)(request).steps[0].object

    *_, document, payment, _ = [perform(*command) for command in COMMANDS]
    assignment = AssignPaymentInToDocumentRequest(
        request_id="example-6",
        payment_ref_id=payment.ref_id,
        document_ref_id=document.ref_id,
        amount=20_000_000,
        currency="EUR",
    )
    perform(AssignPaymentInToDocument, assignment)
    run = perform(StartCollectionRun, StartCollectionRunRequest(request_id="example-7"))
    calculate = CalculateCollectionBalance(store, clock=_clock)
    while calculate(run.ref_id).run.state is RunState.RUNNING:
        pass
    return {message.payload.code: message for message in reversed(store.outbox.values())}


def _clock() -> dt.datetime:
    return NOW
