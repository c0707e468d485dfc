"""Master data that an operator configures (domain: section 3). One immutable value, read by every use-case."""

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import attrs

from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.form import AmountFromZero, Code, Cron, CurrencyCode, DueDateOffset, Form, Label, TaxRate, Whole, Zone
from ocs_core.frozen import frozen_mappings

SYSTEM = "system"
DEFAULT_DUE_DATE_OFFSET = 14
"""Days, where a document type says nothing."""


@attrs.frozen(kw_only=True)
class Currency(Form):
    """ISO 4217; `minor_digits` is how fine it can be paid: 2 for EUR."""

    code: CurrencyCode
    name: Label | None = None
    symbol: Label | None = None
    minor_digits: Annotated[int, Whole(0, 6)] = 2


@attrs.frozen(kw_only=True)
class AccountType(Form):
    """`payment_responsible` accounts are payers, others are technical. `zone` says where its "today" is."""

    code: Code
    name: Label | None = None
    description: Label | None = None
    payment_responsible: bool = True
    zone: Zone | None = None
    disabled: bool = False


@attrs.frozen(kw_only=True)
class PaymentMethod(Form):
    code: Code
    name: Label | None = None
    direct_debit: bool = False


@attrs.frozen(kw_only=True)
class PaymentTypeSetting(Form):
    """What a type of payment means; `code` is one of IN, OUT, PROMISE_TO_PAY. What is only promised never counts, whatever
    is said here."""

    code: PaymentType
    name: Label | None = None
    collection_relevant: bool = True


class DocumentCategory(StrEnum):
    GENERIC_INVOICE = "GENERIC_INVOICE"
    OCS_INVOICE = "OCS_INVOICE"
    DEPOSIT = "DEPOSIT"
    CORRECTIVE_TAX_DOCUMENT = "CORRECTIVE_TAX_DOCUMENT"
    PROFORMA_INVOICE = "PROFORMA_INVOICE"
    RECIPROCAL_COMMITMENT = "RECIPROCAL_COMMITMENT"
    PAYMENT_IN = "PAYMENT_IN"
    PAYMENT_OUT = "PAYMENT_OUT"


@attrs.frozen(kw_only=True)
class DocumentType(Form):
    """`due_amount_type` null: its documents say themselves who owes. `due_date_offset` in days."""

    code: Code
    name: Label | None = None
    category: DocumentCategory = DocumentCategory.GENERIC_INVOICE
    due_amount_type: DueAmountType | None = None
    collection_relevant: bool = True
    payment_moral_relevant: bool = True
    due_date_offset: DueDateOffset = DEFAULT_DUE_DATE_OFFSET


@attrs.frozen(kw_only=True)
class TaxRateFrom(Form):
    """A rate in basis points (2100 is 21 %), valid from a day on until the next one begins."""

    valid_from: dt.date
    rate: TaxRate


@attrs.frozen(kw_only=True)
class Tax(Form):
    code: Code
    name: Label | None = None
    rates: tuple[TaxRateFrom, ...] = ()

    def rate_on(self, day: dt.date) -> int | None:
        """The rate in basis points on that day, or None before the first one."""
        begun = [r for r in self.rates if r.valid_from <= day]
        return max(begun, key=lambda r: r.valid_from).rate if begun else None


CANCELLATION = "cancellation"
"""The kind of the reasons for which something may be cancelled."""


@attrs.frozen(kw_only=True)
class Reason(Form):
    """Why something was cancelled or corrected; `kind` says for what it may be given."""

    code: Code
    name: Label | None = None
    kind: Code


@attrs.frozen(kw_only=True)
class NotificationSetting(Form):
    """Whether a notification is sent, and to a topic of its own if one is given. Not configured: it is sent."""

    code: Code
    enabled: bool = True
    topic: Label | None = None


@attrs.frozen(kw_only=True)
class CollectionThreshold(Form):
    """Collection starts above this balance, in millionths of the currency (`code`)."""

    code: Code
    threshold: AmountFromZero = 0


class Notify(StrEnum):
    """Of which payers a run tells the balance."""

    EVERY = "every"
    CHANGED = "changed"


@attrs.frozen(kw_only=True)
class CollectionSetting(Form):
    """How collection starts: `grace_days` after the oldest due day; `repeat`: announced by every run, not just once.

    `notify`: the balance of every payer is told, or only that of those for whom something changed. `slice_size` is how many
    payers one transaction calculates at the most, `workers` how many processes do so side by side; None: one for each of the
    machine's processors. `dry_runs`: so many may go on at once.
    A run is started whenever `cron` is due in `zone` (the system's if none is given), unless it is not `enabled`.
    """

    code: Code = "calculate-collection-balance"
    grace_days: DueDateOffset = 0
    repeat: bool = False
    notify: Notify = Notify.EVERY
    slice_size: Annotated[int, Whole(1, 100_000)] = 5000
    workers: Annotated[int, Whole(1, 256)] | None = None
    dry_runs: Annotated[int, Whole(1, 1000)] = 10
    enabled: bool = True
    cron: Cron | None = None
    zone: Zone | None = None


_COLLECTION = CollectionSetting()


@attrs.frozen(kw_only=True)
class SystemSetting(Form):
    """`zone`: the IANA zone of accounts whose type names none."""

    code: Code = SYSTEM
    zone: Zone


KINDS: Mapping[str, type] = {
    "currencies": Currency,
    "account_types": AccountType,
    "payment_methods": PaymentMethod,
    "payment_types": PaymentTypeSetting,
    "document_types": DocumentType,
    "taxes": Tax,
    "reasons": Reason,
    "notifications": NotificationSetting,
    "collection_thresholds": CollectionThreshold,
    "processes": CollectionSetting,
    "system": SystemSetting,
}
"""Every kind of master data: the name of its section, and what an entry is."""


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Configuration:
    """All master data by kind and code. `version` rises with each change, so that a cached one can be told apart.

    `default_zone` is the system's where no `SystemSetting` names one.
    """

    currencies: Mapping[str, Currency] = attrs.field(factory=dict)
    account_types: Mapping[str, AccountType] = attrs.field(factory=dict)
    payment_methods: Mapping[str, PaymentMethod] = attrs.field(factory=dict)
    payment_types: Mapping[str, PaymentTypeSetting] = attrs.field(factory=dict)
    document_types: Mapping[str, DocumentType] = attrs.field(factory=dict)
    taxes: Mapping[str, Tax] = attrs.field(factory=dict)
    reasons: Mapping[str, Reason] = attrs.field(factory=dict)
    notifications: Mapping[str, NotificationSetting] = attrs.field(factory=dict)
    collection_thresholds: Mapping[str, CollectionThreshold] = attrs.field(factory=dict)
    processes: Mapping[str, CollectionSetting] = attrs.field(factory=dict)
    system: Mapping[str, SystemSetting] = attrs.field(factory=dict)
    default_zone: str = "UTC"
    version: int = 0

    @classmethod
    def of(cls, *entries: object) -> Self:
        """A configuration of these entries: `Configuration.of(Currency(code="EUR"), PaymentMethod(code="cash"))`."""
        return cls().with_entries(entries)

    def with_entries(self, entries: Iterable[object]) -> Self:
        """The same with these entries added, or put in the place of those with the same code."""
        kind_of = {entry_class: kind for kind, entry_class in KINDS.items()}
        changed: dict[str, dict[str, object]] = {}
        for entry in entries:
            kind = kind_of[type(entry)]
            changed.setdefault(kind, dict(getattr(self, kind)))[entry.code] = entry  # type: ignore[attr-defined]
        return attrs.evolve(self, **changed)  # type: ignore[arg-type]

    @property
    def collection(self) -> CollectionSetting:
        return self.processes.get(_COLLECTION.code, _COLLECTION)

    def threshold(self, currency: str) -> int:
        """In millionths; 0 where none is configured."""
        setting = self.collection_thresholds.get(currency)
        return setting.threshold if setting else 0

    def zone_of(self, account_type: str) -> ZoneInfo:
        """Where "today" is for accounts of that type: the type's zone, else the system's."""
        configured = self.account_types.get(account_type)
        return zone(configured.zone) if configured and configured.zone else self.zone

    @property
    def zones(self) -> frozenset[ZoneInfo]:
        """Wherever a payer can be."""
        return frozenset({self.zone, *map(self.zone_of, self.account_types)})

    @property
    def zone(self) -> ZoneInfo:
        """The system's own zone."""
        system = self.system.get(SYSTEM)
        return zone(system.zone if system else self.default_zone)

    def sends(self, notification: str) -> bool:
        """Whether a notification of that code is sent; one that is not configured is."""
        setting = self.notifications.get(notification)
        return setting is None or setting.enabled

    def topic_of(self, notification: str) -> str | None:
        """The topic that a notification was given for itself, if any."""
        setting = self.notifications.get(notification)
        return setting.topic if setting else None


@functools.cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@functools.lru_cache(maxsize=1024)
def day_of(instant: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The calendar day it is at that instant, in that zone."""
    return instant.astimezone(zone).date()


def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The last microsecond of that day in that zone, in UTC; days of 23 and 25 hours included."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    # Midnight may come twice. Where clocks went back from one o'clock the day has ended with the first one; where they
    # went back from a minute past it came again after the day had gone on, and the day ends with the second one.
    ends = [midnight.replace(fold=fold).astimezone(dt.UTC) - dt.timedelta(microseconds=1) for fold in (0, 1)]
    return max(end for end in ends if day_of(end, zone) == day)


def start_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first instant of that day in that zone, in UTC."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def as_instant(moment: dt.datetime | dt.date, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    """An instant as it is; a day as its end in that zone, but not later than now where it has not ended."""
    if isinstance(moment, dt.datetime):
        return moment.astimezone(dt.UTC)
    return min(end_of_day(moment, zone), now)


def day_given(moment: dt.datetime | dt.date | None) -> dt.date | None:
    """The day, where it is one and no instant."""
    return None if isinstance(moment, dt.datetime) else moment


def first_instant(moment: dt.datetime | dt.date | None, zone: ZoneInfo) -> dt.datetime | None:
    """An instant as it is; a day as its beginning in that zone."""
    if moment is None or isinstance(moment, dt.datetime):
        return moment
    return start_of_day(moment, zone)
