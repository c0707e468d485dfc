"""The world that searches are tried in, and the values that each filter is tried with."""

import datetime as dt
from typing import Any

from ocs_core.entities.account import AccountState
from ocs_core.entities.chargeable_event import ChargeableEventKind
from ocs_core.entities.document import DocumentState, DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.entities.process import RunState
from ocs_core.queries import AccountSearch, ChargeableEventSearch, DocumentSearch, PaymentSearch, Search
from ocs_core.testkit.contracts.values import (
    a_document,
    a_payer,
    a_payment,
    a_run,
    a_settlement,
    an_account,
    an_event,
    id_of,
)
from ocs_core.testkit.examples import UNIT
from ocs_core.testkit.fakes import NOW

DAY = dt.timedelta(days=1)
TODAY = NOW.date()

ANN, ANN_TOO = an_account(1, customer="Ann"), an_account(2, external_id="a-1", customer="ann")
TECHNICAL = an_account(
    3, account_type="technical", parent=ANN.ref, payer_account=ANN.ref, state=AccountState.SUSPENDED, customer="Ann"
)
GONE = an_account(4, external_id=None, state=AccountState.DEACTIVATED)
ACCOUNTS = (ANN, ANN_TOO, TECHNICAL, GONE)
OUT = {"payment_type": PaymentType.OUT, "payment_date_received": None, "payment_date_sent": NOW}
PROMISE = {"payment_type": PaymentType.PROMISE_TO_PAY, "payment_date_received": None}
PAYMENTS = (
    a_payment(10, ANN, 10 * UNIT, remaining_amount=0, payment_ref1="R-1", external_payment_no="E-1"),
    a_payment(11, ANN, 20 * UNIT, payment_ref2="R-1", external_payment_no="e-1", payment_date_received=NOW + DAY),
    a_payment(12, None, 30 * UNIT, payment_ref3="R-1", payment_date_received=NOW + 2 * DAY),
    a_payment(13, ANN_TOO, 20 * UNIT, external_payment_no="E-1", **OUT),
    a_payment(14, ANN, 40 * UNIT, payment_ref1="r-1", cancelled=True, cancelled_at=NOW),
    a_payment(15, ANN_TOO, 5 * UNIT, payment_ref1="R-2", **PROMISE),
    a_payment(16, None, 20 * UNIT, payment_ref1="R-1", payment_date_received=NOW - dt.timedelta(microseconds=1)),
)
DOCUMENTS = (
    a_document(20, ANN, 10 * UNIT, due_amount=0, payment_ref1="R-1", external_document_no="E-1"),
    a_document(21, ANN, 20 * UNIT, due_amount=UNIT, payment_ref2="R-1", document_issued_date=TODAY + DAY),
    a_document(22, ANN, 30 * UNIT, payment_ref3="R-1", external_document_no="e-1"),
    a_document(23, ANN_TOO, 20 * UNIT, document_type="creditNote", due_amount_type=DueAmountType.LIABILITY),
    a_document(24, ANN, 40 * UNIT, payment_ref1="r-1", cancelled=True, cancelled_at=NOW),
    a_document(25, ANN, 20 * UNIT, due_amount=0, cancelled=True, document_issued_date=TODAY - DAY),
)
EVENTS = (
    an_event(30, ANN),
    an_event(31, ANN, -4 * UNIT, original_ref_id=id_of(30), kind=ChargeableEventKind.CREDIT, event_date=NOW + DAY),
    an_event(32, TECHNICAL, 20 * UNIT, event_type="data", invoiced_document_ref_id=id_of(20)),
    an_event(33, ANN_TOO, 10 * UNIT, event_type="Call", event_date=NOW - dt.timedelta(microseconds=1)),
)
SETTLEMENTS = (a_settlement(40, PAYMENTS[0], DOCUMENTS[0], 10 * UNIT),)
RUNS = (a_run(50), a_run(51, state=RunState.DONE), a_run(52, dry_run=True))
EVERYTHING: tuple[Any, ...] = (
    *ACCOUNTS,
    *(a_payer(account) for account in (ANN, ANN_TOO, GONE)),
    *PAYMENTS,
    *DOCUMENTS,
    *EVENTS,
    *SETTLEMENTS,
)

LISTS: dict[type[Search], str] = {
    AccountSearch: "accounts",
    PaymentSearch: "payments",
    DocumentSearch: "documents",
    ChargeableEventSearch: "chargeable_events",
}
OF_ACCOUNT = {"account_ref_id": (ANN.ref_id, GONE.ref_id, id_of(99)), "account_external_id": ("A-1", "a-1", "nobody")}
INSTANTS = (NOW, NOW + DAY, TODAY, TODAY + DAY)
AMOUNTS = (20 * UNIT, 20 * UNIT + 1, 0, -4 * UNIT)
FILTERS: dict[type[Search], dict[str, tuple[Any, ...]]] = {
    AccountSearch: {
        **OF_ACCOUNT,
        "external_id": ("A-1", "a-1", "nobody"),
        "account_type": ("payer", "technical", "Payer"),
        "customer": ("Ann", "ann", "An"),
        "state": tuple(AccountState),
    },
    PaymentSearch: {
        **OF_ACCOUNT,
        "date_from": INSTANTS,
        "date_to": INSTANTS,
        "amount_from": AMOUNTS,
        "amount_to": AMOUNTS,
        "payment_ref": ("R-1", "r-1", "R-"),
        "payment_no": ("P-11", "p-11"),
        "external_payment_no": ("E-1", "e-1"),
        "payment_type": tuple(PaymentType),
        "identified": (True, False),
        "cancelled": (True, False),
    },
    DocumentSearch: {
        **OF_ACCOUNT,
        "date_from": (TODAY, TODAY + DAY),
        "date_to": (TODAY, TODAY + DAY),
        "amount_from": AMOUNTS,
        "amount_to": AMOUNTS,
        "payment_ref": ("R-1", "r-1", "R-"),
        "document_no": ("D-21", "d-21"),
        "external_document_no": ("E-1", "e-1"),
        "document_type": ("genericInvoice", "creditNote", "CreditNote"),
        "state": tuple(DocumentState),
    },
    ChargeableEventSearch: {
        **OF_ACCOUNT,
        "date_from": INSTANTS,
        "date_to": INSTANTS,
        "amount_from": AMOUNTS,
        "amount_to": AMOUNTS,
        "ref_id": (id_of(30), id_of(99)),
        "event_type": ("call", "Call"),
        "invoiced": (True, False),
        "original_ref_id": (id_of(30), id_of(32)),
    },
}
"""Values that each filter is tried with: some find, some find nothing, some lie on an edge."""
