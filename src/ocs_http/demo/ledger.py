"""A ledger out of a generator with a fixed seed: the same customers and amounts every time, with days counted from today."""

import datetime as dt
import itertools
import random
from typing import TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.money import MILLIONTHS, split_tax
from ocs_core.ports import Clock, Ids, Store
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.feed_chargeable_events import (
    ChargeableEventFed,
    FeedChargeableEvents,
    FeedChargeableEventsRequest,
)
from ocs_core.usecases.perform import Caller, R, UseCase, W
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest

SEED = 20_240_514
CUSTOMERS = 40
MONTHS = 6
VAT = 2100
CALLER = Caller("demo-generator")
T = TypeVar("T", Account, ChargeableEvent, Document, Payment)


@attrs.frozen
class Highlights:
    """What the demonstration goes on to work with: a customer that owes, its open invoice, and a call it was charged."""

    account: str
    open_invoice: Document
    chargeable_event: UUID


@attrs.define
class Generator:
    """Makes the ledger through the use-cases."""

    store: Store
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    _random: random.Random = attrs.field(factory=lambda: random.Random(SEED), init=False)
    _requests: "itertools.count[int]" = attrs.field(factory=lambda: itertools.count(1), init=False)

    def fill(self) -> Highlights:
        """Forty customers with half a year of invoices; most have paid in time, some late, some in part, some not."""
        highlights = [self._customer(number) for number in range(1, CUSTOMERS + 1)]
        for number in range(1, 4):
            self._payment(None, f"BANK-{number:04d}", self._amount(20, 90), self._days_ago(number))
        return highlights[0]

    def _customer(self, number: int) -> Highlights:
        account = f"A-{1000 + number}"
        currency = "USD" if number % 8 == 0 else "EUR"
        self._perform(
            Account,
            CreateAccount,
            CreateAccountRequest(
                request_id=self._next(),
                external_id=account,
                account_type="payer",
                currency=currency,
                customer=f"C-{number:03d}",
                segment=self._random.choice(["residential", "business"]),
                bill_cycle="monthly",
            ),
        )
        # The first customer never pays its last due invoice; every fifth one pays badly.
        invoices = [
            self._month(account, currency, number, month, pays=number != 1 or month > 2)
            for month in range(MONTHS, 0, -1)
        ]
        events = self._calls(account, currency)
        return Highlights(account, invoices[-2], events)

    def _month(self, account: str, currency: str, number: int, month: int, *, pays: bool) -> Document:
        issued = self._days_ago(30 * month).date()
        invoice = self._perform(
            Document,
            CreateAnyDocument,
            CreateAnyDocumentRequest(
                request_id=self._next(),
                account=AccountName(external_id=account),
                document_type="genericInvoice",
                external_document_no=f"{issued:%Y%m}-{number:03d}-{month}",
                document_issued_date=issued,
                currency=currency,
                amount=self._amount(15, 180),
                tax_included=True,
                tax="vat",
                payment_ref1=f"{number:04d}{month:02d}",
            ),
        )
        bad = number % 5 == 0
        paid_after = self._random.randint(15, 60) if bad else self._random.randint(2, 18)
        if pays and paid_after < 30 * month and not (bad and month == 1):
            part = 2 if bad and self._random.random() < 0.3 else 1
            amount = invoice.total_amount_net // 10_000 // part * 10_000
            self._settle(account, invoice, amount, self._days_ago(30 * month - paid_after))
        return invoice

    def _settle(self, account: str, invoice: Document, amount: int, received: dt.datetime) -> None:
        payment = self._payment(account, f"PAID-{invoice.external_document_no}", amount, received, invoice.currency)
        self._perform(
            Document,
            AssignPaymentInToDocument,
            AssignPaymentInToDocumentRequest(
                request_id=self._next(),
                payment_ref_id=payment.ref_id,
                document_ref_id=invoice.ref_id,
                amount=amount,
                currency=invoice.currency,
                effective_date=received,
            ),
        )

    def _payment(
        self, account: str | None, number: str, amount: int, received: dt.datetime, currency: str = "EUR"
    ) -> Payment:
        return self._perform(
            Payment,
            RegisterPayment,
            RegisterPaymentRequest(
                request_id=self._next(),
                account=AccountName(external_id=account) if account else None,
                external_payment_no=number,
                payment_amount=amount,
                currency=currency,
                payment_method="bankTransfer",
                payment_date_received=received,
                channel_type="bank",
            ),
        )

    def _calls(self, account: str, currency: str) -> UUID:
        """A few charges that are not invoiced yet; gives the first one's refId."""
        events = []
        for number in range(1, self._random.randint(3, 6)):
            parts = split_tax(self._random.randint(100_000, 4_000_000), VAT, tax_included=False)
            events.append(
                ChargeableEventFed(
                    external_id=f"CALL-{account}-{number}",
                    account=AccountName(external_id=account),
                    event_type=self._random.choice(["call", "data", "message"]),
                    event_date=self._days_ago(number),
                    charge=parts.without_tax,
                    tax=parts.tax,
                    charge_with_tax=parts.with_tax,
                    currency=currency,
                    tax_rate=VAT,
                )
            )
        request = FeedChargeableEventsRequest(request_id=self._next(), events=tuple(events))
        return self._perform(ChargeableEvent, FeedChargeableEvents, request).ref_id

    def _perform(self, cls: type[T], use_case: type[UseCase[R, W]], request: R) -> T:
        answer = use_case(self.store, clock=self.clock, ids=self.ids)(request, caller=CALLER)
        return next(step.object for step in answer.steps if isinstance(step.object, cls))

    def _next(self) -> str:
        return f"demo-{next(self._requests):06d}"

    def _amount(self, least: int, most: int) -> int:
        return self._random.randint(least * 100, most * 100) * (MILLIONTHS // 100)

    def _days_ago(self, days: int) -> dt.datetime:
        return self.clock() - dt.timedelta(days=days)
