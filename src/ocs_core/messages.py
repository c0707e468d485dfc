"""What leaves the system: business transactions (an entity as it is now) and notifications (a condition met).

The payload of a message is a value; a `Publisher` behind the outbox turns it into bytes (domain: section 5).
"""

import datetime as dt
import functools
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Protocol, TypeVar, cast
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountRef, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentType
from ocs_core.entities.process import ProcessRun
from ocs_core.entities.settlement import Settlement, SettlementSide

SOURCE = "/ocs-rm"
TYPE_PREFIX = "io.ocs.rm."
TRANSACTION_HEADER = "X-Ocs-Io-transaction-id"
SCHEMA_VERSIONS: Mapping[str, int] = {}
"""The version of a payload's schema, by code; 1 where none is named. A payload that changes incompatibly gets the next."""


class Family(StrEnum):
    BUSINESS_TRANSACTION = "business-transactions"
    NOTIFICATION = "notifications"

    @property
    def topic(self) -> str:
        """Where its messages go, unless an operator says otherwise."""
        return f"ocs.rm.{self}"


class Payload(Protocol):
    """Anything that can travel in a message; `code` is its name on the wire."""

    @property
    def code(self) -> str: ...


@attrs.frozen(kw_only=True)
class PaymentDocuments:
    """A settlement, told from the payment's side: `ref_id` is the payment's."""

    code: ClassVar[str] = "paymentDocuments"
    account: AccountRef
    payment_ref_id: UUID
    document_ref_id: UUID
    monetary_transaction: Settlement

    @property
    def ref_id(self) -> UUID:
        return self.payment_ref_id

    @property
    def source_entity(self) -> SettlementSide:
        return self.monetary_transaction.source

    @property
    def target_entity(self) -> SettlementSide:
        return self.monetary_transaction.target


@attrs.frozen(kw_only=True)
class DocumentPayments:
    """The same settlement, told from the document's side: `ref_id` is the document's."""

    code: ClassVar[str] = "documentPayments"
    account: AccountRef
    document_ref_id: UUID
    payment_ref_id: UUID
    monetary_transaction: Settlement

    @property
    def ref_id(self) -> UUID:
        return self.document_ref_id

    @property
    def source_entity(self) -> SettlementSide:
        return self.monetary_transaction.source

    @property
    def target_entity(self) -> SettlementSide:
        return self.monetary_transaction.target


_Link = TypeVar("_Link", PaymentDocuments, DocumentPayments)


def link_of(cls: type[_Link], settlement: Settlement) -> _Link:
    """The link that a payment's settlement of a document makes, told from one side or the other."""
    return cls(
        account=settlement.account,
        payment_ref_id=settlement.source_ref_id,
        document_ref_id=settlement.target_ref_id,
        monetary_transaction=settlement,
    )


@attrs.frozen(kw_only=True)
class PaymentReceived:
    """An incoming payment belongs to an account: told once, when it is registered or when it is identified."""

    code: ClassVar[str] = "paymentReceived"
    effective_date: dt.datetime
    account: AccountRef
    payment_type: PaymentType
    payment_amount: int
    currency: str
    payment_date_received: dt.datetime | None
    payment_ref1: str | None
    payment_ref2: str | None
    payment_ref3: str | None
    channel_type: str | None


@attrs.frozen(kw_only=True)
class PaymentSent:
    """An outgoing payment was registered."""

    code: ClassVar[str] = "paymentSent"
    effective_date: dt.datetime
    account: AccountRef
    payment_type: PaymentType
    payment_amount: int
    currency: str
    payment_date_sent: dt.datetime | None
    payment_ref1: str | None
    payment_ref2: str | None
    payment_ref3: str | None
    channel_type: str | None


@attrs.frozen(kw_only=True)
class DocumentCreated:
    """A document was created."""

    code: ClassVar[str] = "documentCreated"
    effective_date: dt.datetime
    account: AccountRef
    document_no: str
    external_document_no: str | None
    document_source: str | None
    document_type: str
    currency: str
    total_amount: int
    total_amount_tax: int
    total_amount_net: int
    due_amount_type: DueAmountType
    document_due_date: dt.date
    payment_method: str | None
    billing_period_start: dt.date | None
    billing_period_end: dt.date | None
    payment_ref1: str | None
    payment_ref2: str | None
    payment_ref3: str | None


@attrs.frozen(kw_only=True)
class DocumentOpenBalanceChanged:
    """What is still open of a document changed."""

    code: ClassVar[str] = "documentOpenBalanceChanged"
    effective_date: dt.datetime
    account: AccountRef
    document_no: str
    external_document_no: str | None
    document_type: str
    currency: str
    total_amount: int
    total_amount_tax: int
    total_amount_net: int
    due_amount_type: DueAmountType
    document_due_date: dt.date
    due_amount: int


@attrs.frozen(kw_only=True)
class CollectionBalanceCalculated:
    """`collection_balance` in millionths, positive where the payer owes; `effective_date` is the run's T."""

    code: ClassVar[str] = "collectionBalanceCalculated"
    effective_date: dt.datetime
    account: AccountRef
    currency: str
    collection_balance: int
    oldest_document_due_date: dt.date | None


@attrs.frozen(kw_only=True)
class CollectionStart:
    """Collection of a payer's debt is to start; the external collection system acts on it."""

    code: ClassVar[str] = "collectionStart"
    effective_date: dt.datetime
    account: AccountRef
    currency: str
    due_amount: int
    oldest_document_due_date: dt.date


BUSINESS_TRANSACTIONS: Mapping[str, type] = {
    cls.code: cls
    for cls in (Account, Payer, Payment, PaymentHistory, Document, ChargeableEvent, PaymentDocuments, DocumentPayments)
}
NOTIFICATIONS: Mapping[str, type] = {
    cls.code: cls
    for cls in (
        PaymentReceived,
        PaymentSent,
        DocumentCreated,
        DocumentOpenBalanceChanged,
        CollectionBalanceCalculated,
        CollectionStart,
    )
}
PAYLOADS: Mapping[str, type] = {**BUSINESS_TRANSACTIONS, **NOTIFICATIONS}


def payload_type(code: str) -> str:
    """The name of a payload's schema: `PaymentEx` for an entity, `PaymentReceivedNotification` for a notification."""
    return f"{code[0].upper()}{code[1:]}{'Notification' if code in NOTIFICATIONS else 'Ex'}"


def schema_version(code: str) -> int:
    """The version that a payload's schema has now."""
    return SCHEMA_VERSIONS.get(code, 1)


def schema_id(code: str) -> str:
    """How a message names the schema of its payload: `urn:ocs-rm:schema:PaymentEx:1`."""
    return f"urn:ocs-rm:schema:{payload_type(code)}:{schema_version(code)}"


def family_of(code: str) -> Family:
    """Whether a payload tells of an entity or of a condition."""
    return Family.NOTIFICATION if code in NOTIFICATIONS else Family.BUSINESS_TRANSACTION


def key_of(payload: Payload, of: Payment | None = None) -> UUID:
    """What a message is kept in order by: the account that its payload belongs to; an unidentified payment has its own id.

    What happened to a payment goes with that payment, `of` (domain: section 5)."""
    if isinstance(payload, PaymentHistory):
        assert of is not None
        return key_of(of)
    account: AccountRef | None = getattr(payload, "account", None)
    return account.ref_id if account else cast(Account | Payment, payload).ref_id


@attrs.frozen(kw_only=True)
class Message:
    """One message as the outbox keeps it. `ref_id` is its `ce_id`; per `key`, messages keep the order of their commits.

    `own_topic` is the one that its notification was configured with when it was published, if any.
    """

    ref_id: UUID
    key: UUID
    subject: UUID
    transaction_id: str
    occurred_at: dt.datetime
    payload: Payload
    own_topic: str | None = None

    @property
    def family(self) -> Family:
        return family_of(self.payload.code)

    @property
    def headers(self) -> dict[str, str]:
        """Headers exactly as they travel: ours, and CloudEvents 1.0 in binary mode."""
        return {
            TRANSACTION_HEADER: self.transaction_id,
            **headers_of(self.payload.code),
            "ce_id": str(self.ref_id),
            "ce_time": format_instant(self.occurred_at),
            "ce_subject": str(self.subject),
        }


@attrs.frozen(kw_only=True)
class TopicNames:
    """Where the messages of each family go, but for notifications that have a topic of their own."""

    business_transactions: str = Family.BUSINESS_TRANSACTION.topic
    notifications: str = Family.NOTIFICATION.topic

    def of(self, message: Message) -> str:
        """Where a message goes."""
        is_notification = message.family is Family.NOTIFICATION
        return message.own_topic or (self.notifications if is_notification else self.business_transactions)


@functools.cache
def headers_of(code: str) -> Mapping[str, str]:
    """The headers that all messages of a code have in common."""
    kind = "notification" if family_of(code) is Family.NOTIFICATION else "message"
    return {
        f"X-Ocs-Io-{kind}-code": code,
        f"X-Ocs-Io-{kind}-payload": payload_type(code),
        "ce_specversion": "1.0",
        "ce_source": SOURCE,
        "ce_type": TYPE_PREFIX + code,
        "ce_dataschema": schema_id(code),
        "content-type": "application/json",
    }


@functools.lru_cache(maxsize=4096)
def format_instant(instant: dt.datetime) -> str:
    """`2024-05-02T07:15:00.000000Z`: the one way instants are written."""
    return instant.astimezone(dt.UTC).isoformat(timespec="microseconds")[:-6] + "Z"


@attrs.frozen
class Step:
    """One entry of an operation's answer: a business transaction that was published, or the run that was started."""

    name: str
    seqno: int
    object: Payload | ProcessRun

    @property
    def object_type(self) -> str:
        return payload_type(self.object.code)


@attrs.frozen
class Response:
    """What an operation answers: its steps in the order they were published. `replayed`: performed earlier, nothing done now."""

    steps: tuple[Step, ...] = ()
    replayed: bool = False
