"""Every rule of every operation is broken alone, and told alone; and several at once are told all, in order."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from ocs_core import catalogue, rules, usecases
from ocs_core.entities.account import AccountName, AccountState
from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.entities.configuration import AccountType, DocumentCategory, Reason
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import SettlementSide
from ocs_core.errors import RequestRejected, Violation
from ocs_core.money import MAX_AMOUNT
from ocs_core.testkit.examples import NOW, UNIT, named
from ocs_core.testkit.strategies.breaking.processes import ByAnotherClock
from ocs_core.usecases.register_payment import MoneyOrderGiven

from .scene import COMMANDS, DAY, NOBODY, NOTHING, Scene, everything_in


@attrs.frozen
class Case:
    """A request that breaks exactly one rule, told as `code` at `field`. `arrange` prepares the scene, and gives the request."""

    operation: str
    rule: str
    code: str
    field: str
    arrange: Callable[[Scene], Any]


def case(operation: str, rule: str, code: str, field: str, **changes: Any) -> Case:
    """A case of a valid request with changes; a change that is a function is asked for its value in the scene."""

    def arrange(scene: Scene) -> Any:
        values = {name: value(scene) if callable(value) else value for name, value in changes.items()}
        return scene.request(operation, **values)

    return Case(operation, rule, code, field, arrange)


def after(before: Callable[[Scene], Any], of: Case) -> Case:
    """The same case, with something done in the scene before."""

    def arrange(scene: Scene) -> Any:
        before(scene)
        return of.arrange(scene)

    return attrs.evolve(of, arrange=arrange)


def disagreeing(scene: Scene) -> AccountName:
    return AccountName(ref_id=scene.payer.ref_id, external_id="A-2")


def cases_of_the_account(
    operation: str, *, needed: bool, deactivation: bool = True, payer: bool = True
) -> Iterator[Case]:
    """What may be wrong with an account that a request names."""
    rule = "account_is_given" if needed else "named_account_has_an_id"
    yield case(operation, rule, "ACCOUNT_REQUIRED", "/account", account=AccountName())
    yield case(operation, "account_exists", "ACCOUNT_NOT_FOUND", "/account", account=NOBODY)
    yield case(operation, "account_ids_agree", "ACCOUNT_IDS_DISAGREE", "/account", account=disagreeing)
    if deactivation:
        yield case(
            operation,
            "account_is_not_deactivated",
            "ACCOUNT_DEACTIVATED",
            "/account",
            account=lambda s: named(s.deactivated),
        )
    if payer:
        yield case(operation, "payer_exists", "PAYER_NOT_FOUND", "/account", account=lambda s: named(s.technical))


def cases_of_a_named_payment(operation: str) -> Iterator[Case]:
    """What may be wrong with the names of a payment."""
    wrong: tuple[dict[str, Any], ...] = (
        {"payment_ref_id": NOTHING},
        {"payment_ref_id": None, "payment_no": "P-nothing"},
        {"payment_no": lambda s: s.unidentified.payment_no},
        {"external_payment_no": "E-nothing"},
        {"payment_ref_id": None, "external_payment_no": lambda s: s.outgoing(external_payment_no="S-1") and "S-1"},
    )
    for changes in wrong:
        yield case(operation, "payment_exists", "PAYMENT_NOT_FOUND", "/paymentRefId", **changes)


def cases_of_a_named_document(operation: str) -> Iterator[Case]:
    """What may be wrong with the names of a document."""
    wrong: tuple[dict[str, Any], ...] = (
        {"document_ref_id": NOTHING},
        {"document_ref_id": None, "document_no": "D-nothing"},
        {"document_no": lambda s: s.desk.document(account=s.payer).document_no},
        {"external_document_no": "X-nothing"},
    )
    for changes in wrong:
        yield case(operation, "document_exists", "DOCUMENT_NOT_FOUND", "/documentRefId", **changes)


def cases_of_a_reason(operation: str) -> Iterator[Case]:
    """What may be wrong with the reason of a cancellation."""
    told = ("reason_is_configured", "REASON_NOT_CONFIGURED", "/reason")
    yield case(operation, *told, reason="whim")
    yield after(
        lambda s: s.configure(reasons={"gift": Reason(code="gift", kind="correction")}),
        case(operation, *told, reason="gift"),
    )


def cases_of_repetition(operation: str) -> Iterator[Case]:
    """Every command is remembered: what may be wrong with its request id."""

    def of_something_else(scene: Scene) -> Any:
        request = scene.request(operation)
        scene.perform(operation, request)
        return attrs.evolve(request, user="somebody else")

    def much_later(scene: Scene) -> Any:
        request = scene.request(operation)
        scene.perform(operation, request)
        scene.clock.advance(days=90, seconds=1)
        return request

    yield Case(operation, "request_is_the_same", "REQUEST_ID_REUSED", "/requestId", of_something_else)
    yield Case(operation, "answer_is_still_kept", "REQUEST_ALREADY_PERFORMED", "/requestId", much_later)


def without(kind: str, code: str) -> Callable[[Scene], None]:
    return lambda scene: scene.unconfigure(kind, code)


def deactivate_the_payer(scene: Scene) -> None:
    scene.become(scene.payer, AccountState.DEACTIVATED)


REGISTER = "RegisterPayment"
ADJUST = "AdjustChargeableEvent"
FLAG = "UpdateInvoicingFlag"
OFFSET = "UpdateDueDateOffset"
UPDATE_PAYER = "UpdatePayer"
RUN = "CalculateCollectionBalance"
CREATE = "CreateAccount"
STATE = "UpdateAccountState"
DOCUMENT = "CreateAnyDocument"
IDENTIFY = "IdentifyPaymentIn"
ASSIGN = "AssignPaymentInToDocument"
CANCEL_ASSIGNMENT = "CancelPaymentInAssignment"
CANCEL_IDENTIFICATION = "CancelPaymentInIdentification"
CANCEL_PAYMENT = "CancelPayment"
CANCEL_DOCUMENT = "CancelDocument"
FEED = "FeedChargeableEvents"
CANCEL_RUN = "CancelProcessRun"
READS = ("ReadCollectionBalance", "ReadOpenBalance")

REGISTER_CASES = (
    *cases_of_the_account(REGISTER, needed=False),
    case(
        REGISTER,
        "account_is_given",
        "ACCOUNT_REQUIRED",
        "/account",
        account=None,
        payment_type=PaymentType.OUT,
        payment_date_sent=NOW,
    ),
    case(
        REGISTER,
        "account_is_given",
        "ACCOUNT_REQUIRED",
        "/account",
        account=None,
        payment_type=PaymentType.PROMISE_TO_PAY,
    ),
    after(
        lambda s: s.desk.payment(external_payment_no="E-1"),
        case(
            REGISTER,
            "external_payment_no_is_new",
            "EXTERNAL_PAYMENT_NO_EXISTS",
            "/externalPaymentNo",
            external_payment_no="E-1",
        ),
    ),
    after(
        lambda s: s.change(s.desk.payment(external_payment_no="E-1"), cancelled=True, cancelled_at=NOW),
        case(
            REGISTER,
            "external_payment_no_is_new",
            "EXTERNAL_PAYMENT_NO_EXISTS",
            "/externalPaymentNo",
            external_payment_no="E-1",
        ),
    ),
    case(REGISTER, "payment_amount_is_payable", "AMOUNT_TOO_FINE", "/paymentAmount", payment_amount=UNIT + 1),
    case(
        REGISTER,
        "payment_amount_is_payable",
        "AMOUNT_TOO_FINE",
        "/paymentAmount",
        payment_amount=UNIT // 2,
        currency="JPY",
    ),
    case(REGISTER, "currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency", currency="XXX"),
    case(REGISTER, "currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency", currency="eur"),
    case(
        REGISTER,
        "payment_method_is_configured",
        "PAYMENT_METHOD_NOT_CONFIGURED",
        "/paymentMethod",
        payment_method="shells",
    ),
    case(
        REGISTER,
        "money_order_is_sent",
        "VALUE_NOT_ALLOWED",
        "/moneyOrder",
        money_order=MoneyOrderGiven(name="Ana Ruiz"),
    ),
)

ADJUST_CASES = (
    *cases_of_the_account(ADJUST, needed=False, deactivation=False, payer=False),
    case(ADJUST, "account_owns", "ACCOUNT_NOT_OWNER", "/account", account=lambda s: named(s.other)),
    after(deactivate_the_payer, case(ADJUST, "account_is_not_deactivated", "ACCOUNT_DEACTIVATED", "/account")),
    case(
        ADJUST,
        "somebody_pays_for_the_account",
        "PAYER_NOT_FOUND",
        "/account",
        chargeable_event_ref_id=lambda s: s.orphan_event().ref_id,
    ),
    case(
        ADJUST,
        "chargeable_event_exists",
        "CHARGEABLE_EVENT_NOT_FOUND",
        "/chargeableEventRefId",
        chargeable_event_ref_id=NOTHING,
    ),
    case(
        ADJUST,
        "chargeable_event_is_no_adjustment",
        "CHARGEABLE_EVENT_IS_ADJUSTMENT",
        "/chargeableEventRefId",
        chargeable_event_ref_id=lambda s: s.perform(ADJUST, s.request(ADJUST)).steps[0].object.ref_id,
    ),
    case(
        ADJUST,
        "credit_is_covered",
        "ADJUSTMENT_EXCEEDS_CHARGE",
        "/chargeAdjustment",
        charge_adjustment=10 * UNIT + 1,
    ),
    case(
        ADJUST,
        "credit_is_covered",
        "ADJUSTMENT_EXCEEDS_CHARGE",
        "/chargeAdjustment",
        charge_adjustment=12_100_001,
        tax_included=True,
    ),
    after(
        lambda s: s.perform(ADJUST, s.request(ADJUST)),
        case(
            ADJUST,
            "credit_is_covered",
            "ADJUSTMENT_EXCEEDS_CHARGE",
            "/chargeAdjustment",
            charge_adjustment=9 * UNIT + 1,
        ),
    ),
    case(
        ADJUST,
        "adjustment_fits",
        "VALUE_OUT_OF_RANGE",
        "/chargeAdjustment",
        charge_type=ChargeType.DEBIT,
        charge_adjustment=MAX_AMOUNT,
    ),
    after(
        without("currencies", "EUR"),
        case(ADJUST, "currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency"),
    ),
    case(ADJUST, "currency_is_that_of", "CURRENCY_DIFFERS", "/currency", currency="USD"),
)

PAYER_CASES = (
    *cases_of_the_account(FLAG, needed=True),
    case(FLAG, "account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    case(
        FLAG,
        "exclusion_end_goes_with_exclusion",
        "INVOICING_EXCLUDED_TO_WITHOUT_EXCLUSION",
        "/invoicingExcludedTo",
        invoicing_excluded=False,
        invoicing_excluded_to=NOW + DAY,
    ),
    case(
        FLAG,
        "exclusion_end_is_in_the_future",
        "INVOICING_EXCLUDED_TO_NOT_IN_FUTURE",
        "/invoicingExcludedTo",
        invoicing_excluded_to=NOW,
    ),
    *cases_of_the_account(OFFSET, needed=True),
    case(OFFSET, "account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    case(
        OFFSET,
        "document_type_is_configured",
        "DOCUMENT_TYPE_NOT_CONFIGURED",
        "/documentType",
        document_type="poem",
    ),
    *cases_of_the_account(UPDATE_PAYER, needed=True),
    case(UPDATE_PAYER, "account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    case(
        UPDATE_PAYER,
        "payment_method_is_configured",
        "PAYMENT_METHOD_NOT_CONFIGURED",
        "/paymentMethod",
        payment_method="shells",
    ),
    case(
        UPDATE_PAYER,
        "exclusion_end_goes_with_exclusion",
        "INVOICING_EXCLUDED_TO_WITHOUT_EXCLUSION",
        "/invoicingExcludedTo",
        invoicing_excluded_to=NOW + DAY,
    ),
    case(
        UPDATE_PAYER,
        "exclusion_end_goes_with_exclusion",
        "INVOICING_EXCLUDED_TO_WITHOUT_EXCLUSION",
        "/invoicingExcludedTo",
        invoicing_excluded=False,
        invoicing_excluded_to=NOW + DAY,
    ),
    case(
        UPDATE_PAYER,
        "exclusion_end_is_in_the_future",
        "INVOICING_EXCLUDED_TO_NOT_IN_FUTURE",
        "/invoicingExcludedTo",
        invoicing_excluded=True,
        invoicing_excluded_to=NOW,
    ),
)

ACCOUNT_CASES = (
    case(CREATE, "external_account_id_is_new", "EXTERNAL_ID_EXISTS", "/externalId", external_id="A-1"),
    case(
        CREATE,
        "account_type_is_configured",
        "ACCOUNT_TYPE_NOT_CONFIGURED",
        "/accountType",
        account_type="imaginary",
    ),
    after(
        lambda s: s.configure(account_types={"old": AccountType(code="old", disabled=True)}),
        case(CREATE, "account_type_is_configured", "ACCOUNT_TYPE_NOT_CONFIGURED", "/accountType", account_type="old"),
    ),
    case(CREATE, "currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency", currency="XXX"),
    case(CREATE, "parent_exists", "ACCOUNT_NOT_FOUND", "/parent", parent=NOBODY),
    case(CREATE, "named_parent_has_an_id", "ACCOUNT_REQUIRED", "/parent", parent=AccountName()),
    case(CREATE, "parent_ids_agree", "ACCOUNT_IDS_DISAGREE", "/parent", parent=disagreeing),
    case(
        CREATE,
        "parent_is_not_deactivated",
        "ACCOUNT_DEACTIVATED",
        "/parent",
        parent=lambda s: named(s.deactivated),
    ),
    case(CREATE, "account_may_begin_in", "ACCOUNT_STATE_TRANSITION", "/state", state=AccountState.SUSPENDED),
    case(CREATE, "account_may_begin_in", "ACCOUNT_STATE_TRANSITION", "/state", state=AccountState.DEACTIVATED),
    *cases_of_the_account(STATE, needed=True, deactivation=False, payer=False),
    case(STATE, "account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    case(STATE, "account_may_become", "ACCOUNT_STATE_TRANSITION", "/state", state=AccountState.INACTIVE),
)

DOCUMENT_CASES = (
    *cases_of_the_account(DOCUMENT, needed=True),
    case(DOCUMENT, "account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    case(
        DOCUMENT,
        "document_type_is_configured",
        "DOCUMENT_TYPE_NOT_CONFIGURED",
        "/documentType",
        document_type="poem",
    ),
    after(
        lambda s: s.desk.document(account=s.other, external_document_no="X-1"),
        case(
            DOCUMENT,
            "external_document_no_is_new",
            "EXTERNAL_DOCUMENT_NO_EXISTS",
            "/externalDocumentNo",
            external_document_no="X-1",
        ),
    ),
    case(DOCUMENT, "currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency", currency="XXX"),
    case(DOCUMENT, "total_fits", "VALUE_OUT_OF_RANGE", "/amount", amount=MAX_AMOUNT, tax_included=False),
    case(
        DOCUMENT,
        "total_fits",
        "VALUE_OUT_OF_RANGE",
        "/amount",
        amount=MAX_AMOUNT // 10_000 * 10_000,
        tax_included=False,
        tax="vat21",
    ),
    case(DOCUMENT, "total_is_payable", "AMOUNT_TOO_FINE", "/amount", amount=UNIT + 1),
    case(DOCUMENT, "total_is_payable", "AMOUNT_TOO_FINE", "/amount", amount=1, tax_included=False),
    case(DOCUMENT, "tax_has_a_rate", "TAX_NOT_CONFIGURED", "/tax", tax="salt"),
    case(
        DOCUMENT,
        "tax_has_a_rate",
        "TAX_NOT_CONFIGURED",
        "/tax",
        tax="vat21",
        document_tax_date=dt.date(1999, 12, 31),
    ),
    case(DOCUMENT, "due_amount_type_is_known", "FIELD_REQUIRED", "/dueAmountType", document_type="deposit"),
    case(
        DOCUMENT,
        "due_amount_type_is_allowed",
        "VALUE_NOT_ALLOWED",
        "/dueAmountType",
        due_amount_type=DueAmountType.LIABILITY,
    ),
    case(
        DOCUMENT,
        "document_category_is_that_of",
        "VALUE_NOT_ALLOWED",
        "/documentCategory",
        document_category=DocumentCategory.DEPOSIT,
    ),
    case(
        DOCUMENT,
        "payment_method_is_configured",
        "PAYMENT_METHOD_NOT_CONFIGURED",
        "/paymentMethod",
        payment_method="shells",
    ),
    case(
        DOCUMENT,
        "billing_period_ends_after_it_begins",
        "VALUE_OUT_OF_RANGE",
        "/billingPeriodEnd",
        billing_period_start=NOW.date(),
        billing_period_end=(NOW - DAY).date(),
    ),
)

PAYMENT_CASES = (
    *cases_of_the_account(IDENTIFY, needed=True),
    case(IDENTIFY, "account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    case(IDENTIFY, "payment_exists", "PAYMENT_NOT_FOUND", "/paymentRefId", payment_ref_id=NOTHING),
    after(
        lambda s: s.change(s.unidentified, cancelled=True, cancelled_at=NOW),
        case(IDENTIFY, "payment_is_not_cancelled", "PAYMENT_CANCELLED", "/paymentRefId"),
    ),
    case(
        IDENTIFY,
        "payment_is_incoming",
        "PAYMENT_NOT_INCOMING",
        "/paymentRefId",
        payment_ref_id=lambda s: s.outgoing().ref_id,
    ),
    case(
        IDENTIFY,
        "payment_is_unidentified",
        "PAYMENT_ALREADY_IDENTIFIED",
        "/paymentRefId",
        payment_ref_id=lambda s: s.identified.ref_id,
    ),
)

ASSIGN_CASES = (
    *cases_of_the_account(ASSIGN, needed=False, deactivation=False, payer=False),
    after(deactivate_the_payer, case(ASSIGN, "account_is_not_deactivated", "ACCOUNT_DEACTIVATED", "/account")),
    case(ASSIGN, "account_owns", "ACCOUNT_NOT_OWNER", "/account", account=lambda s: named(s.other)),
    case(ASSIGN, "payment_exists", "PAYMENT_NOT_FOUND", "/paymentRefId", payment_ref_id=NOTHING),
    after(
        lambda s: s.change(s.identified, cancelled=True, cancelled_at=NOW),
        case(ASSIGN, "payment_is_not_cancelled", "PAYMENT_CANCELLED", "/paymentRefId"),
    ),
    case(
        ASSIGN,
        "payment_is_incoming",
        "PAYMENT_NOT_INCOMING",
        "/paymentRefId",
        payment_ref_id=lambda s: s.outgoing(account=s.payer.ref).ref_id,
    ),
    case(
        ASSIGN,
        "payment_sits_on_the_documents_account",
        "ACCOUNT_NOT_OWNER",
        "/paymentRefId",
        payment_ref_id=lambda s: s.desk.payment(account=s.other).ref_id,
    ),
    case(ASSIGN, "document_exists", "DOCUMENT_NOT_FOUND", "/documentRefId", document_ref_id=NOTHING),
    after(
        lambda s: s.change(s.document, cancelled=True, cancelled_at=NOW),
        case(ASSIGN, "document_is_not_cancelled", "DOCUMENT_CANCELLED", "/documentRefId"),
    ),
    case(
        ASSIGN,
        "document_is_receivable",
        "DOCUMENT_NOT_AR",
        "/documentRefId",
        document_ref_id=lambda s: s.desk.document(account=s.payer, document_type="creditNote").ref_id,
    ),
    case(ASSIGN, "amount_is_payable", "AMOUNT_TOO_FINE", "/amount", amount=UNIT + 1),
    case(ASSIGN, "amount_remains", "AMOUNT_EXCEEDS_REMAINING", "/amount", amount=50 * UNIT + 10_000),
    case(
        ASSIGN,
        "amount_is_due",
        "AMOUNT_EXCEEDS_DUE",
        "/amount",
        document_ref_id=lambda s: s.desk.document(account=s.payer, amount=UNIT).ref_id,
        amount=UNIT + 10_000,
    ),
    after(
        without("currencies", "EUR"),
        case(ASSIGN, "currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency"),
    ),
    case(
        ASSIGN,
        "currency_is_that_of",
        "CURRENCY_DIFFERS",
        "/currency",
        payment_ref_id=lambda s: s.dollars(Payment).ref_id,
    ),
    case(
        ASSIGN,
        "currency_is_that_of",
        "CURRENCY_DIFFERS",
        "/currency",
        document_ref_id=lambda s: s.dollars(Document).ref_id,
    ),
    case(
        ASSIGN,
        "settlement_has_begun",
        "VALUE_OUT_OF_RANGE",
        "/effectiveDate",
        effective_date=NOW + dt.timedelta(microseconds=1),
    ),
    case(
        ASSIGN,
        "both_sides_exist_by",
        "VALUE_OUT_OF_RANGE",
        "/effectiveDate",
        effective_date=NOW - dt.timedelta(microseconds=1),
    ),
    case(
        ASSIGN,
        "both_sides_exist_by",
        "VALUE_OUT_OF_RANGE",
        "/effectiveDate",
        document_ref_id=lambda s: s.desk.document(account=s.payer, document_issued_date=(NOW + DAY).date()).ref_id,
    ),
)


def cases_of_a_cancellation(operation: str) -> Iterator[Case]:
    """What may be wrong with the account and the reason of a cancellation of something that has an owner."""
    yield from cases_of_the_account(operation, needed=False, deactivation=False, payer=False)
    yield after(deactivate_the_payer, case(operation, "account_is_not_deactivated", "ACCOUNT_DEACTIVATED", "/account"))
    yield from cases_of_a_reason(operation)


CANCELLATION_CASES = (
    *cases_of_a_cancellation(CANCEL_ASSIGNMENT),
    case(CANCEL_ASSIGNMENT, "account_owns", "ACCOUNT_NOT_OWNER", "/account", account=lambda s: named(s.other)),
    *cases_of_a_named_payment(CANCEL_ASSIGNMENT),
    case(
        CANCEL_ASSIGNMENT,
        "payment_is_incoming",
        "PAYMENT_NOT_INCOMING",
        "/paymentRefId",
        payment_ref_id=lambda s: s.outgoing(account=s.payer.ref).ref_id,
    ),
    *cases_of_a_named_document(CANCEL_ASSIGNMENT),
    *(
        case(
            CANCEL_ASSIGNMENT,
            "assignment_has_the_id",
            "SETTLEMENT_NOT_FOUND",
            "/monetaryTransactionRefId",
            monetary_transaction_ref_id=named_by,
            **changes,
        )
        for named_by, changes in (
            (lambda s: s.desk.ids(), {}),
            (lambda s: s.settlement().ref_id, {"account": lambda s: named(s.other)}),
            (lambda s: s.settlement().ref_id, {"payment_ref_id": lambda s: s.identified.ref_id}),
            (lambda s: s.settlement().ref_id, {"document_ref_id": lambda s: s.document.ref_id}),
            (lambda s: s.settlement(cancelled=True, cancelled_at=NOW).ref_id, {}),
            (lambda s: s.settlement(source=SettlementSide.DOCUMENT_LIABILITY).ref_id, {}),
            (lambda s: s.settlement(target=SettlementSide.PAYMENT_OUT).ref_id, {}),
        )
    ),
    *(
        case(CANCEL_ASSIGNMENT, "assignment_exists", "ASSIGNMENT_NOT_FOUND", "/documentRefId", **changes)
        for changes in (
            {"payment_ref_id": lambda s: s.identified.ref_id},
            {"payment_ref_id": lambda s: s.unidentified.ref_id},
            {"document_ref_id": lambda s: s.document.ref_id},
        )
    ),
    after(
        lambda s: s.desk.cancel_assignment(s.assigned, s.invoice),
        case(CANCEL_ASSIGNMENT, "assignment_exists", "ASSIGNMENT_NOT_FOUND", "/documentRefId"),
    ),
    *cases_of_a_cancellation(CANCEL_IDENTIFICATION),
    case(CANCEL_IDENTIFICATION, "account_owns", "ACCOUNT_NOT_OWNER", "/account", account=lambda s: named(s.other)),
    *cases_of_a_named_payment(CANCEL_IDENTIFICATION),
    case(
        CANCEL_IDENTIFICATION,
        "payment_is_incoming",
        "PAYMENT_NOT_INCOMING",
        "/paymentRefId",
        payment_ref_id=lambda s: s.outgoing(account=s.payer.ref).ref_id,
    ),
    after(
        lambda s: s.change(s.identified, cancelled=True, cancelled_at=NOW),
        case(CANCEL_IDENTIFICATION, "payment_is_not_cancelled", "PAYMENT_CANCELLED", "/paymentRefId"),
    ),
    *(
        case(CANCEL_IDENTIFICATION, "payment_is_identified", "PAYMENT_NOT_IDENTIFIED", "/paymentRefId", **changes)
        for changes in (
            {"payment_ref_id": lambda s: s.unidentified.ref_id},
            {"payment_ref_id": lambda s: s.unidentified.ref_id, "account": lambda s: named(s.payer)},
        )
    ),
    case(
        CANCEL_IDENTIFICATION,
        "payment_is_not_assigned",
        "HAS_ASSIGNMENTS",
        "/paymentRefId",
        payment_ref_id=lambda s: s.assigned.ref_id,
    ),
    *cases_of_a_cancellation(CANCEL_PAYMENT),
    *(
        case(CANCEL_PAYMENT, "account_owns_the_payment", "ACCOUNT_NOT_OWNER", "/account", **changes)
        for changes in (
            {"account": lambda s: named(s.other)},
            {"account": lambda s: named(s.payer), "payment_ref_id": lambda s: s.unidentified.ref_id},
        )
    ),
    *cases_of_a_named_payment(CANCEL_PAYMENT),
    after(
        lambda s: s.desk.cancel_payment(s.identified),
        case(CANCEL_PAYMENT, "payment_is_not_cancelled", "PAYMENT_CANCELLED", "/paymentRefId"),
    ),
    case(
        CANCEL_PAYMENT,
        "payment_is_not_assigned",
        "HAS_ASSIGNMENTS",
        "/paymentRefId",
        payment_ref_id=lambda s: s.assigned.ref_id,
    ),
    *cases_of_a_cancellation(CANCEL_DOCUMENT),
    case(CANCEL_DOCUMENT, "account_owns", "ACCOUNT_NOT_OWNER", "/account", account=lambda s: named(s.other)),
    *cases_of_a_named_document(CANCEL_DOCUMENT),
    after(
        lambda s: s.desk.cancel_document(s.document),
        case(CANCEL_DOCUMENT, "document_is_not_cancelled", "DOCUMENT_CANCELLED", "/documentRefId"),
    ),
    case(
        CANCEL_DOCUMENT,
        "document_is_not_assigned",
        "HAS_ASSIGNMENTS",
        "/documentRefId",
        document_ref_id=lambda s: s.invoice.ref_id,
    ),
)


def feeding(rule: str, code: str, field: str, **changes: Any) -> Case:
    """The second of two events is wrong."""

    def arrange(scene: Scene) -> Any:
        values = {name: value(scene) if callable(value) else value for name, value in changes.items()}
        return scene.request(FEED, events=(scene.fed(), scene.fed(**values)))

    return Case(FEED, rule, code, f"/events/1{field}", arrange)


FEED_CASES = (
    after(
        lambda s: s.desk.event(account=s.payer, external_id="E-1"),
        feeding("external_event_id_is_new", "EXTERNAL_ID_EXISTS", "/externalId", external_id="E-1"),
    ),
    feeding("account_is_given", "ACCOUNT_REQUIRED", "/account", account=AccountName()),
    feeding("account_is_given", "ACCOUNT_REQUIRED", "/account", account=None),
    feeding("account_exists", "ACCOUNT_NOT_FOUND", "/account", account=NOBODY),
    feeding("account_ids_agree", "ACCOUNT_IDS_DISAGREE", "/account", account=disagreeing),
    feeding("account_is_not_deactivated", "ACCOUNT_DEACTIVATED", "/account", account=lambda s: named(s.deactivated)),
    feeding(
        "somebody_pays_for_the_account",
        "PAYER_NOT_FOUND",
        "/account",
        account=lambda s: named(s.desk.account("T-9", account_type="technical")),
    ),
    feeding("charge_and_tax_add_up", "AMOUNTS_DISAGREE", "/tax", charge=100, tax=21, charge_with_tax=120),
    feeding("currency_is_configured", "CURRENCY_NOT_CONFIGURED", "/currency", currency="XXX"),
)

RUN_CASES = (
    case(RUN, "as_of_has_come", "VALUE_OUT_OF_RANGE", "/asOf", as_of=NOW + dt.timedelta(microseconds=1)),
    case(RUN, "as_of_has_come", "VALUE_OUT_OF_RANGE", "/asOf", as_of=(NOW + DAY).date()),
    after(
        lambda s: s.desk.start_run(as_of=NOW - DAY),
        case(RUN, "no_other_run_is_active", "RUN_ACTIVE", ""),
    ),
    after(
        lambda s: s.desk.start_run(),
        case(RUN, "no_other_run_is_active", "RUN_ACTIVE", "", adopt=True),
    ),
    after(
        lambda s: s.desk.collect(),
        case(
            RUN,
            "run_is_the_latest",
            "RUN_NOT_LATEST",
            "/accounts/1",
            as_of=NOW - DAY,
            accounts=lambda s: (named(s.desk.account("fresh")), named(s.payer)),
        ),
    ),
    after(
        lambda s: setattr(s, "store", ByAnotherClock(s.store, NOW + dt.timedelta(minutes=1, microseconds=1))),
        case(RUN, "clocks_agree", "CLOCKS_DIFFER", ""),
    ),
    after(
        lambda s: [s.desk.start_run(dry_run=True) for _ in range(9)],
        case(RUN, "dry_runs_are_few", "RUN_ACTIVE", "", dry_run=True),
    ),
    *(
        after(lambda s, kind=kind: s.configure(**{kind: {}}), case(RUN, "process_needs", "PROCESS_NOT_CONFIGURED", ""))
        for kind in ("document_types", "payment_types", "currencies", "notifications")
    ),
    after(
        without("notifications", "collectionStart"),
        case(RUN, "process_needs", "PROCESS_NOT_CONFIGURED", ""),
    ),
    case(
        RUN,
        "account_is_given",
        "ACCOUNT_REQUIRED",
        "/accounts/1",
        accounts=lambda s: (named(s.payer), AccountName()),
    ),
    case(RUN, "account_exists", "ACCOUNT_NOT_FOUND", "/accounts/1", accounts=lambda s: (named(s.payer), NOBODY)),
    after(
        lambda s: s.desk.start_run(),
        case(RUN, "account_exists", "ACCOUNT_NOT_FOUND", "/accounts/0", accounts=(NOBODY,)),
    ),
    case(
        RUN,
        "account_ids_agree",
        "ACCOUNT_IDS_DISAGREE",
        "/accounts/0",
        accounts=lambda s: (disagreeing(s), named(s.payer)),
    ),
    case(
        RUN,
        "payer_exists",
        "PAYER_NOT_FOUND",
        "/accounts/1",
        accounts=lambda s: (named(s.payer), named(s.technical)),
    ),
    case(RUN, "run_exists", "RUN_NOT_FOUND", "/failedOf", failed_of=NOTHING),
    case(
        RUN,
        "accounts_or_failed_of",
        "VALUE_NOT_ALLOWED",
        "/failedOf",
        accounts=lambda s: (named(s.payer),),
        failed_of=lambda s: s.desk.collect_but_one().ref_id,
    ),
    case(RUN, "failed_run_is_over", "RUN_NOT_OVER", "/failedOf", failed_of=lambda s: s.run.ref_id),
    case(
        RUN,
        "failed_run_has_failures",
        "RUN_WITHOUT_FAILURES",
        "/failedOf",
        failed_of=lambda s: s.desk.collect().ref_id,
    ),
)

CANCEL_RUN_CASES = (
    case(CANCEL_RUN, "run_exists", "RUN_NOT_FOUND", "/refId", ref_id=NOTHING),
    case(CANCEL_RUN, "run_is_going_on", "RUN_NOT_RUNNING", "/refId", ref_id=lambda s: s.desk.collect().ref_id),
    after(
        lambda s: s.desk.cancel_run(s.run.ref_id),
        case(CANCEL_RUN, "run_is_going_on", "RUN_NOT_RUNNING", "/refId"),
    ),
)

READ_CASES = (
    *(
        case(read, rule, code, field, **changes)
        for read in READS
        for rule, code, field, changes in (
            ("account_is_given", "ACCOUNT_REQUIRED", "/account", {"ref_id": None}),
            ("account_exists", "ACCOUNT_NOT_FOUND", "/account", {"ref_id": NOTHING}),
            ("account_ids_agree", "ACCOUNT_IDS_DISAGREE", "/account", {"external_id": "A-2"}),
            ("payer_exists", "PAYER_NOT_FOUND", "/account", {"ref_id": lambda s: s.technical.ref_id}),
            ("as_of_has_come", "VALUE_OUT_OF_RANGE", "/asOf", {"as_of": NOW + DAY}),
        )
    ),
    case("ReadProcessRun", "run_exists", "RUN_NOT_FOUND", "/refId", ref_id=NOTHING),
)

CASES = (
    *REGISTER_CASES,
    *ADJUST_CASES,
    *PAYER_CASES,
    *ACCOUNT_CASES,
    *DOCUMENT_CASES,
    *PAYMENT_CASES,
    *ASSIGN_CASES,
    *CANCELLATION_CASES,
    *FEED_CASES,
    *RUN_CASES,
    *CANCEL_RUN_CASES,
    *READ_CASES,
    *(of for operation in COMMANDS for of in cases_of_repetition(operation)),
)


@pytest.mark.parametrize("broken", CASES, ids=lambda c: f"{c.operation}-{c.rule}")
def test_a_broken_rule_is_told_alone_and_the_refused_request_changes_nothing(broken: Case, scene: Scene) -> None:
    request = broken.arrange(scene)
    before = everything_in(scene.store)

    with pytest.raises(RequestRejected) as refusal:
        scene.perform(broken.operation, request)

    assert [(v.code, v.field) for v in refusal.value.violations] == [(broken.code, broken.field)]
    assert refusal.value.violations[0].message.endswith(".")
    assert everything_in(scene.store) == before


def test_every_rule_of_every_operation_has_a_case() -> None:
    applied = {(entry.name, operation) for entry in catalogue.catalogue() for operation in entry.use_cases}

    assert {(broken.rule, broken.operation) for broken in CASES} == applied


def test_every_case_tells_what_its_rule_promises() -> None:
    for broken in CASES:
        assert broken.code == rules.RULES[broken.rule].code
        assert broken.operation in {FEED, RUN} or broken.field == rules.RULES[broken.rule].field


@pytest.mark.parametrize("operation", [*COMMANDS, *READS])
def test_the_request_that_the_cases_start_from_is_accepted(operation: str, scene: Scene) -> None:
    assert scene.perform(operation, scene.request(operation)) is not None


def test_every_rule_is_applied_by_an_operation() -> None:
    assert [entry.name for entry in catalogue.catalogue() if not entry.use_cases] == []
    assert {entry.name for entry in catalogue.catalogue()} == set(rules.RULES)
    assert all(entry.sentence.endswith(".") for entry in catalogue.catalogue())


def test_every_use_case_module_is_in_the_catalogue() -> None:
    (folder,) = usecases.__path__
    with_a_use_case = {path.stem for path in Path(folder).glob("*.py") if "(UseCase[" in path.read_text("utf-8")}

    assert {cls.__module__.rpartition(".")[2] for cls in COMMANDS.values()} == with_a_use_case
    assert {name: catalogue.operations()[name] for name in COMMANDS} == COMMANDS
    assert set(catalogue.operations()) == {*COMMANDS, *READS, "ReadProcessRun"}


SEVERAL: dict[str, tuple[Callable[[Scene], Any], list[tuple[str, str]]]] = {
    REGISTER: (
        lambda s: (
            s.desk.payment(external_payment_no="E-1"),
            s.request(
                REGISTER,
                account=disagreeing(s),
                payment_method="shells",
                external_payment_no="E-1",
                payment_amount=1,
            ),
        )[1],
        [
            ("ACCOUNT_IDS_DISAGREE", "/account"),
            ("EXTERNAL_PAYMENT_NO_EXISTS", "/externalPaymentNo"),
            ("AMOUNT_TOO_FINE", "/paymentAmount"),
            ("PAYMENT_METHOD_NOT_CONFIGURED", "/paymentMethod"),
        ],
    ),
    ADJUST: (
        lambda s: (
            deactivate_the_payer(s),
            s.request(ADJUST, account=named(s.other), charge_adjustment=10**9, currency="XXX"),
        )[1],
        [
            ("CURRENCY_NOT_CONFIGURED", "/currency"),
            ("CURRENCY_DIFFERS", "/currency"),
            ("ACCOUNT_NOT_OWNER", "/account"),
            ("ACCOUNT_DEACTIVATED", "/account"),
        ],
    ),
    FLAG: (
        lambda s: s.request(FLAG, account=NOBODY, invoicing_excluded=False, invoicing_excluded_to=NOW - DAY),
        [
            ("ACCOUNT_NOT_FOUND", "/account"),
            ("INVOICING_EXCLUDED_TO_WITHOUT_EXCLUSION", "/invoicingExcludedTo"),
            ("INVOICING_EXCLUDED_TO_NOT_IN_FUTURE", "/invoicingExcludedTo"),
        ],
    ),
    OFFSET: (
        lambda s: (
            s.become(s.technical, AccountState.DEACTIVATED),
            s.request(OFFSET, account=named(s.technical), document_type="poem"),
        )[1],
        [
            ("ACCOUNT_DEACTIVATED", "/account"),
            ("PAYER_NOT_FOUND", "/account"),
            ("DOCUMENT_TYPE_NOT_CONFIGURED", "/documentType"),
        ],
    ),
    UPDATE_PAYER: (
        lambda s: (
            s.become(s.technical, AccountState.DEACTIVATED),
            s.request(
                UPDATE_PAYER,
                account=named(s.technical),
                payment_method="shells",
                invoicing_excluded=False,
                invoicing_excluded_to=NOW,
            ),
        )[1],
        [
            ("ACCOUNT_DEACTIVATED", "/account"),
            ("PAYER_NOT_FOUND", "/account"),
            ("PAYMENT_METHOD_NOT_CONFIGURED", "/paymentMethod"),
            ("INVOICING_EXCLUDED_TO_WITHOUT_EXCLUSION", "/invoicingExcludedTo"),
            ("INVOICING_EXCLUDED_TO_NOT_IN_FUTURE", "/invoicingExcludedTo"),
        ],
    ),
    CREATE: (
        lambda s: s.request(
            CREATE,
            external_id="A-1",
            account_type="imaginary",
            currency="XXX",
            parent=AccountName(ref_id=s.deactivated.ref_id, external_id="A-2"),
            state=AccountState.SUSPENDED,
        ),
        [
            ("EXTERNAL_ID_EXISTS", "/externalId"),
            ("ACCOUNT_TYPE_NOT_CONFIGURED", "/accountType"),
            ("CURRENCY_NOT_CONFIGURED", "/currency"),
            ("ACCOUNT_IDS_DISAGREE", "/parent"),
            ("ACCOUNT_DEACTIVATED", "/parent"),
            ("ACCOUNT_STATE_TRANSITION", "/state"),
        ],
    ),
    STATE: (
        lambda s: s.request(STATE, account=disagreeing(s), state=AccountState.INACTIVE),
        [("ACCOUNT_IDS_DISAGREE", "/account"), ("ACCOUNT_STATE_TRANSITION", "/state")],
    ),
    DOCUMENT: (
        lambda s: (
            s.desk.document(account=s.other, external_document_no="X-1"),
            s.request(
                DOCUMENT,
                account=named(s.technical),
                external_document_no="X-1",
                amount=1,
                tax="salt",
                due_amount_type=DueAmountType.LIABILITY,
            ),
        )[1],
        [
            ("PAYER_NOT_FOUND", "/account"),
            ("EXTERNAL_DOCUMENT_NO_EXISTS", "/externalDocumentNo"),
            ("AMOUNT_TOO_FINE", "/amount"),
            ("TAX_NOT_CONFIGURED", "/tax"),
            ("VALUE_NOT_ALLOWED", "/dueAmountType"),
        ],
    ),
    IDENTIFY: (
        lambda s: s.request(
            IDENTIFY,
            account=None,
            payment_ref_id=s.outgoing(account=s.payer.ref, cancelled=True, cancelled_at=NOW).ref_id,
        ),
        [
            ("ACCOUNT_REQUIRED", "/account"),
            ("PAYMENT_CANCELLED", "/paymentRefId"),
            ("PAYMENT_NOT_INCOMING", "/paymentRefId"),
            ("PAYMENT_ALREADY_IDENTIFIED", "/paymentRefId"),
        ],
    ),
    ASSIGN: (
        lambda s: s.request(
            ASSIGN,
            account=named(s.other),
            payment_ref_id=s.desk.payment(account=s.other).ref_id,
            document_ref_id=s.desk.document(account=s.payer, document_type="creditNote").ref_id,
            amount=10**9 + 1,
            effective_date=NOW + DAY,
        ),
        [
            ("ACCOUNT_NOT_OWNER", "/account"),
            ("ACCOUNT_NOT_OWNER", "/paymentRefId"),
            ("DOCUMENT_NOT_AR", "/documentRefId"),
            ("AMOUNT_TOO_FINE", "/amount"),
            ("AMOUNT_EXCEEDS_REMAINING", "/amount"),
            ("AMOUNT_EXCEEDS_DUE", "/amount"),
            ("VALUE_OUT_OF_RANGE", "/effectiveDate"),
        ],
    ),
    CANCEL_ASSIGNMENT: (
        lambda s: s.request(
            CANCEL_ASSIGNMENT,
            account=named(s.other),
            payment_ref_id=s.identified.ref_id,
            payment_no=s.identified.payment_no,
            reason="whim",
        ),
        [
            ("ACCOUNT_NOT_OWNER", "/account"),
            ("ASSIGNMENT_NOT_FOUND", "/documentRefId"),
            ("REASON_NOT_CONFIGURED", "/reason"),
        ],
    ),
    CANCEL_IDENTIFICATION: (
        lambda s: (
            s.change(s.assigned, cancelled=True, cancelled_at=NOW),
            s.request(CANCEL_IDENTIFICATION, account=named(s.other), payment_ref_id=s.assigned.ref_id, reason="whim"),
        )[1],
        [
            ("ACCOUNT_NOT_OWNER", "/account"),
            ("PAYMENT_CANCELLED", "/paymentRefId"),
            ("HAS_ASSIGNMENTS", "/paymentRefId"),
            ("REASON_NOT_CONFIGURED", "/reason"),
        ],
    ),
    CANCEL_PAYMENT: (
        lambda s: (
            deactivate_the_payer(s),
            s.request(CANCEL_PAYMENT, account=disagreeing(s), payment_ref_id=s.assigned.ref_id, reason="whim"),
        )[1],
        [
            ("ACCOUNT_IDS_DISAGREE", "/account"),
            ("ACCOUNT_DEACTIVATED", "/account"),
            ("HAS_ASSIGNMENTS", "/paymentRefId"),
            ("REASON_NOT_CONFIGURED", "/reason"),
        ],
    ),
    CANCEL_DOCUMENT: (
        lambda s: (
            deactivate_the_payer(s),
            s.request(CANCEL_DOCUMENT, account=named(s.other), document_ref_id=s.invoice.ref_id, reason="whim"),
        )[1],
        [
            ("ACCOUNT_DEACTIVATED", "/account"),
            ("ACCOUNT_NOT_OWNER", "/account"),
            ("HAS_ASSIGNMENTS", "/documentRefId"),
            ("REASON_NOT_CONFIGURED", "/reason"),
        ],
    ),
    FEED: (
        lambda s: s.request(
            FEED,
            events=(
                s.fed(external_id="E-1", charge_with_tax=1),
                s.fed(),
                s.fed(external_id="E-1", account=NOBODY, currency="XXX"),
            ),
        ),
        [
            ("EXTERNAL_ID_EXISTS", "/events/0/externalId"),
            ("AMOUNTS_DISAGREE", "/events/0/tax"),
            ("EXTERNAL_ID_EXISTS", "/events/2/externalId"),
            ("ACCOUNT_NOT_FOUND", "/events/2/account"),
            ("CURRENCY_NOT_CONFIGURED", "/events/2/currency"),
        ],
    ),
    RUN: (
        lambda s: (
            s.configure(document_types={}, currencies={}, payment_types={}, notifications={}),
            s.request(RUN, as_of=NOW + DAY, accounts=(NOBODY, AccountName())),
        )[1],
        [
            *[("PROCESS_NOT_CONFIGURED", "")] * 4,
            ("VALUE_OUT_OF_RANGE", "/asOf"),
            ("ACCOUNT_NOT_FOUND", "/accounts/0"),
            ("ACCOUNT_REQUIRED", "/accounts/1"),
        ],
    ),
    **{
        read: (
            lambda s, read=read: s.request(read, ref_id=s.technical.ref_id, external_id="A-2", as_of=NOW + DAY),
            [
                ("ACCOUNT_IDS_DISAGREE", "/account"),
                ("PAYER_NOT_FOUND", "/account"),
                ("VALUE_OUT_OF_RANGE", "/asOf"),
            ],
        )
        for read in READS
    },
}


EXCLUDING = {CANCEL_RUN}
"""Whoever breaks one of their rules cannot break another."""


@pytest.mark.parametrize("operation", sorted({*COMMANDS, *READS} - EXCLUDING))
def test_several_broken_rules_are_told_all_by_field_then_by_rule(operation: str, scene: Scene) -> None:
    arrange, expected = SEVERAL[operation]
    request = arrange(scene)
    before = everything_in(scene.store)

    with pytest.raises(RequestRejected) as refusal:
        scene.perform(operation, request)

    assert [(v.code, v.field) for v in refusal.value.violations] == expected
    assert everything_in(scene.store) == before


def test_a_refusal_reads_as_a_sentence_for_every_violation(scene: Scene) -> None:
    request = scene.request(REGISTER, currency="XXX", payment_method="shells")

    with pytest.raises(RequestRejected, match=r"Currency XXX is not configured\.; .* method shells is not configured"):
        scene.perform(REGISTER, request)


def test_an_incoming_number_may_be_that_of_an_outgoing_payment(scene: Scene) -> None:
    sent = {"payment_type": PaymentType.OUT, "payment_date_sent": NOW}
    scene.desk.payment(account=scene.payer, external_payment_no="E-1", **sent)
    scene.desk.payment(account=scene.payer, external_payment_no="E-1")

    again = scene.desk.payment(account=scene.payer, external_payment_no="E-1", **sent)

    assert again.external_payment_no == "E-1"
    assert again.payment_type is PaymentType.OUT


def test_several_names_must_all_be_of_the_same_thing_and_the_sentence_says_so(scene: Scene) -> None:
    paid, unpaid = scene.assigned, scene.document
    request = scene.request(CANCEL_ASSIGNMENT, external_payment_no="E-1", document_no=unpaid.document_no)

    with pytest.raises(RequestRejected) as refusal:
        scene.perform(CANCEL_ASSIGNMENT, request)

    assert [v.message for v in refusal.value.violations] == [
        f"No incoming payment has refId {paid.ref_id} and externalPaymentNo E-1: all names given must be of the same one.",
        f"No document has refId {scene.invoice.ref_id} and documentNo {unpaid.document_no}: "
        "all names given must be of the same one.",
    ]


def test_a_thing_may_be_named_by_all_of_its_names_or_by_any(scene: Scene) -> None:
    payment = scene.desk.payment(account=scene.payer, external_payment_no="E-1")
    document = scene.desk.document(account=scene.payer, external_document_no="X-1")
    for payment_names, document_names in (
        ({"payment_ref_id": payment.ref_id}, {"document_no": document.document_no}),
        ({"payment_no": payment.payment_no}, {"external_document_no": "X-1"}),
        ({"external_payment_no": "E-1"}, {"document_ref_id": document.ref_id, "external_document_no": "X-1"}),
        (
            {"payment_ref_id": payment.ref_id, "payment_no": payment.payment_no, "external_payment_no": "E-1"},
            {"document_ref_id": document.ref_id, "document_no": document.document_no},
        ),
    ):
        scene.desk.assign(payment, document, UNIT)
        unnamed = {"payment_ref_id": None, "document_ref_id": None}
        scene.perform(CANCEL_ASSIGNMENT, scene.request(CANCEL_ASSIGNMENT, **unnamed | payment_names | document_names))
        assert scene.now_is(document).due_amount == document.total_amount_net


def test_violations_are_told_in_the_order_of_the_fields_whatever_order_the_rules_were_asked_in() -> None:
    def broken(code: str, field: str) -> Violation:
        return Violation(code, field, "It is broken.")

    asked = (
        broken("1", "/second"),
        None,
        broken("2", "/unknown"),
        broken("3", "/first/7/inner"),
        broken("4", ""),
        broken("5", "/first/7/inner"),
        broken("6", "/second"),
    )
    with pytest.raises(RequestRejected) as refusal:
        rules.check(*asked, fields=("first", "second"))

    assert [v.code for v in refusal.value.violations] == ["4", "3", "5", "1", "6", "2"]
    rules.check(None, None, fields=("first",))


def test_a_rule_within_an_item_points_into_it_and_at_an_item_points_to_it() -> None:
    judged = (Violation("X", "/tax", "It is broken."), None)

    assert [v.field for v in rules.within("/events/17", judged)] == ["/events/17/tax"]
    assert [v.field for v in rules.at("/accounts/17", judged)] == ["/accounts/17"]
