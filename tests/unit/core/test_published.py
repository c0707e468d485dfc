"""What each operation publishes and answers: codes, order, keys, headers (domain: section 5)."""

import datetime as dt
import re
from typing import Any

import attrs
import pytest

from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeableEventKind, ChargeType
from ocs_core.entities.configuration import NotificationSetting
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import OperationType, Payment, PaymentHistory, PaymentType
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.errors import RequestRejected
from ocs_core.form import UNSET
from ocs_core.messages import (
    BUSINESS_TRANSACTIONS,
    NOTIFICATIONS,
    DocumentCreated,
    DocumentOpenBalanceChanged,
    Family,
    PaymentReceived,
    PaymentSent,
    Response,
)
from ocs_core.testkit.examples import NOW, UNIT, named
from ocs_core.usecases.perform import Caller

from .scene import COMMANDS, DAY, Scene, everything_in


def told(scene: Scene) -> list[tuple[str, str]]:
    """Code and key of what was published, the key by name."""
    names = {a.ref_id: a.external_id or "?" for a in (scene.payer, scene.other, scene.technical, scene.deactivated)}
    return [(m.payload.code, names.get(m.key, str(m.key))) for m in scene.published()]


def steps(answer: Response) -> list[tuple[str, int, str]]:
    return [(step.name, step.seqno, step.object_type) for step in answer.steps]


def histories(scene: Scene, payment: Payment) -> list[str]:
    return [h.operation_code for h in scene.store.related[PaymentHistory, payment.ref_id].values()]


@pytest.mark.parametrize("operation", COMMANDS)
def test_a_use_case_says_what_its_answers_hold(operation: str, scene: Scene) -> None:
    answer = scene.perform(operation, scene.request(operation))
    assert {type(step.object) for step in answer.steps} == {*COMMANDS[operation].answers}


def test_an_identified_incoming_payment_is_received(scene: Scene) -> None:
    answer = scene.perform("RegisterPayment", scene.request("RegisterPayment", channel_type="bank"))

    messages = list(scene.store.outbox.values())[-4:]
    assert told(scene) == [
        ("payment", "A-1"),
        ("paymentHistory", "A-1"),
        ("paymentHistory", "A-1"),
        ("paymentReceived", "A-1"),
    ]
    assert steps(answer) == [
        ("RegisterPayment", 1, "PaymentEx"),
        ("RegisterPayment", 2, "PaymentHistoryEx"),
        ("RegisterPayment", 3, "PaymentHistoryEx"),
    ]
    payment, created, identified = (step.object for step in answer.steps)
    assert [m.payload for m in messages[:3]] == [payment, created, identified]
    assert payment == scene.now_is(payment)
    assert payment.remaining_amount == payment.payment_amount == 20 * UNIT
    assert (created.operation_type, created.operation_code) == (OperationType.CREATED, "PAYMENT_IN_CREATED")
    assert (identified.operation_type, identified.operation_code) == (OperationType.UPDATED, "PAYMENT_IN_IDENTIFIED")
    assert messages[3].subject == payment.ref_id
    assert messages[3].payload == PaymentReceived(
        effective_date=NOW,
        account=scene.payer.ref,
        payment_type=PaymentType.IN,
        payment_amount=20 * UNIT,
        currency="EUR",
        payment_date_received=NOW,
        payment_ref1=None,
        payment_ref2=None,
        payment_ref3=None,
        channel_type="bank",
    )


def test_an_unidentified_payment_is_keyed_by_itself_and_not_yet_received(scene: Scene) -> None:
    answer = scene.perform("RegisterPayment", scene.request("RegisterPayment", account=None))

    own_key = str(answer.steps[0].object.ref_id)
    assert told(scene) == [("payment", own_key), ("paymentHistory", own_key)]
    assert histories(scene, answer.steps[0].object) == ["PAYMENT_IN_CREATED"]
    assert not answer.steps[0].object.identified


def test_an_outgoing_payment_is_sent(scene: Scene) -> None:
    request = scene.request("RegisterPayment", payment_type=PaymentType.OUT, payment_date_sent=NOW - DAY)
    answer = scene.perform("RegisterPayment", request)

    notification = list(scene.store.outbox.values())[-1].payload
    assert told(scene) == [
        ("payment", "A-1"),
        ("paymentHistory", "A-1"),
        ("paymentHistory", "A-1"),
        ("paymentSent", "A-1"),
    ]
    assert histories(scene, answer.steps[0].object) == ["PAYMENT_OUT_CREATED", "PAYMENT_OUT_IDENTIFIED"]
    assert isinstance(notification, PaymentSent)
    assert notification.payment_date_sent == NOW - DAY


def test_a_promise_to_pay_is_neither_received_nor_sent(scene: Scene) -> None:
    answer = scene.perform("RegisterPayment", scene.request("RegisterPayment", payment_type=PaymentType.PROMISE_TO_PAY))

    assert [code for code, _ in told(scene)] == ["payment", "paymentHistory", "paymentHistory"]
    assert histories(scene, answer.steps[0].object) == ["PROMISE_TO_PAY_CREATED", "PROMISE_TO_PAY_IDENTIFIED"]


@pytest.mark.parametrize("payment_type", [PaymentType.IN, PaymentType.OUT])
def test_notification_requested_false_silences_the_notification_only(scene: Scene, payment_type: PaymentType) -> None:
    request = scene.request(
        "RegisterPayment", payment_type=payment_type, payment_date_sent=NOW, notification_requested=False
    )
    scene.perform("RegisterPayment", request)

    assert [code for code, _ in told(scene)] == ["payment", "paymentHistory", "paymentHistory"]


def test_a_notification_that_is_switched_off_is_not_sent(scene: Scene) -> None:
    scene.configure(notifications={"paymentReceived": NotificationSetting(code="paymentReceived", enabled=False)})
    scene.perform("RegisterPayment", scene.request("RegisterPayment"))

    assert [code for code, _ in told(scene)] == ["payment", "paymentHistory", "paymentHistory"]


def test_identifying_a_payment_moves_it_to_its_account_and_tells_that_it_was_received(scene: Scene) -> None:
    answer = scene.perform("IdentifyPaymentIn", scene.request("IdentifyPaymentIn"))

    assert told(scene) == [("payment", "A-1"), ("paymentHistory", "A-1"), ("paymentReceived", "A-1")]
    assert steps(answer) == [
        ("IdentifyPaymentIn", 1, "PaymentEx"),
        ("IdentifyPaymentIn", 2, "PaymentHistoryEx"),
    ]
    payment, history = (step.object for step in answer.steps)
    assert payment == scene.now_is(scene.unidentified)
    assert (payment.account, payment.version) == (scene.payer.ref, scene.unidentified.version + 1)
    assert history.operation_code == "PAYMENT_IN_IDENTIFIED"
    assert history.operation_parameters == {"accountRefId": str(scene.payer.ref_id)}


def test_identifying_a_payment_quietly_notifies_nobody(scene: Scene) -> None:
    scene.perform("IdentifyPaymentIn", scene.request("IdentifyPaymentIn", notification_requested=False))

    assert told(scene) == [("payment", "A-1"), ("paymentHistory", "A-1")]


ASSIGNED = [
    ("payment", "A-1"),
    ("document", "A-1"),
    ("paymentDocuments", "A-1"),
    ("documentPayments", "A-1"),
    ("paymentHistory", "A-1"),
    ("documentOpenBalanceChanged", "A-1"),
]


def test_assigning_an_identified_payment_publishes_both_sides_and_the_settlement(scene: Scene) -> None:
    answer = scene.perform("AssignPaymentInToDocument", scene.request("AssignPaymentInToDocument"))

    notification = list(scene.store.outbox.values())[-1].payload
    assert told(scene) == ASSIGNED
    assert [step.object_type for step in answer.steps] == [
        "PaymentEx",
        "DocumentEx",
        "PaymentDocumentsEx",
        "DocumentPaymentsEx",
        "PaymentHistoryEx",
    ]
    payment, document, by_payment, by_document, history = (step.object for step in answer.steps)
    settlement = scene.store.entities[Settlement][by_payment.monetary_transaction.ref_id]
    assert (payment.remaining_amount, document.due_amount) == (45 * UNIT, 95 * UNIT)
    assert (payment, document) == (scene.now_is(payment), scene.now_is(document))
    assert by_payment.monetary_transaction == by_document.monetary_transaction == settlement
    assert settlement == Settlement(
        ref_id=settlement.ref_id,
        account=scene.payer.ref,
        source=SettlementSide.PAYMENT_IN,
        source_ref_id=payment.ref_id,
        target=SettlementSide.DOCUMENT_AR,
        target_ref_id=document.ref_id,
        amount=5 * UNIT,
        currency="EUR",
        effective_at=NOW,
        created_at=NOW,
        created_by="embedded",
    )
    assert history.operation_code == "PAYMENT_IN_UPDATED"
    assert history.operation_parameters == {"documentRefId": str(document.ref_id), "amount": str(5 * UNIT)}
    assert isinstance(notification, DocumentOpenBalanceChanged)
    assert (notification.due_amount, notification.total_amount_net) == (95 * UNIT, 100 * UNIT)


def test_assigning_an_unidentified_payment_identifies_it_first(scene: Scene) -> None:
    request = scene.request("AssignPaymentInToDocument", payment_ref_id=scene.unidentified.ref_id)
    answer = scene.perform("AssignPaymentInToDocument", request)

    assert told(scene) == [("payment", "A-1"), ("paymentHistory", "A-1"), ("paymentReceived", "A-1"), *ASSIGNED]
    versions = [step.object.version for step in answer.steps if isinstance(step.object, Payment)]
    assert versions == [scene.unidentified.version + 1, scene.unidentified.version + 2]
    assert histories(scene, scene.unidentified) == [
        "PAYMENT_IN_CREATED",
        "PAYMENT_IN_IDENTIFIED",
        "PAYMENT_IN_UPDATED",
    ]


def test_assigning_quietly_notifies_nobody(scene: Scene) -> None:
    request = scene.request(
        "AssignPaymentInToDocument", payment_ref_id=scene.unidentified.ref_id, notification_requested=False
    )
    scene.perform("AssignPaymentInToDocument", request)

    assert [code for code, _ in told(scene) if code in NOTIFICATIONS] == []


def test_a_document_can_be_paid_to_the_last_cent(scene: Scene) -> None:
    scene.desk.assign(scene.identified, scene.document, 50 * UNIT)
    scene.desk.assign(scene.unidentified, scene.document, 50 * UNIT)

    assert scene.now_is(scene.document).state == "SETTLED"
    assert [scene.now_is(p).remaining_amount for p in (scene.identified, scene.unidentified)] == [0, 0]


CANCELLED = [(code, "A-1") for code in ("payment", "document")]
LINKS = [(code, "A-1") for code in ("paymentDocuments", "documentPayments")]
UPDATED = [(code, "A-1") for code in ("paymentHistory", "documentOpenBalanceChanged")]


def test_cancelling_an_assignment_opens_both_sides_again_and_keeps_the_settlement_as_cancelled(scene: Scene) -> None:
    scene.clock.advance(days=1)
    answer = scene.perform("CancelPaymentInAssignment", scene.request("CancelPaymentInAssignment"))

    notification = list(scene.store.outbox.values())[-1].payload
    assert told(scene) == [*CANCELLED, *LINKS, *UPDATED]
    assert [step.object_type for step in answer.steps] == [
        "PaymentEx",
        "DocumentEx",
        "PaymentDocumentsEx",
        "DocumentPaymentsEx",
        "PaymentHistoryEx",
    ]
    payment, document, by_payment, by_document, history = (step.object for step in answer.steps)
    assert (payment.remaining_amount, document.due_amount) == (50 * UNIT, 100 * UNIT)
    assert (payment, document) == (scene.now_is(scene.assigned), scene.now_is(scene.invoice))
    settlement = by_payment.monetary_transaction
    assert settlement == by_document.monetary_transaction == scene.now_is(settlement)
    assert (settlement.cancelled, settlement.cancel_reason, settlement.cancelled_at) == (True, "mistake", NOW + DAY)
    assert (settlement.amount, settlement.effective_at, settlement.version) == (5 * UNIT, NOW, 2)
    assert history.operation_code == "PAYMENT_IN_UPDATED"
    assert history.operation_parameters == {
        "documentRefId": str(document.ref_id),
        "amount": str(-5 * UNIT),
        "reason": "mistake",
    }
    assert isinstance(notification, DocumentOpenBalanceChanged)
    assert notification.due_amount == 100 * UNIT


def test_all_live_settlements_between_the_two_are_cancelled_and_no_others(scene: Scene) -> None:
    scene.desk.assign(scene.assigned, scene.invoice, 2 * UNIT)
    scene.desk.assign(scene.assigned, scene.document, 3 * UNIT)
    scene.desk.assign(scene.identified, scene.invoice, 4 * UNIT)
    scene.published()

    answer = scene.desk.cancel_assignment(scene.assigned, scene.invoice)

    history, notification = UPDATED
    assert told(scene) == [*CANCELLED, *LINKS, *LINKS, history, history, notification]
    assert [step.object.operation_parameters["amount"] for step in answer.steps[-2:]] == [
        str(-5 * UNIT),
        str(-2 * UNIT),
    ]
    assert {step.object.ref_document_ref_id for step in answer.steps[-2:]} == {scene.invoice.ref_id}
    assert scene.now_is(scene.assigned).remaining_amount == 47 * UNIT
    assert scene.now_is(scene.invoice).due_amount == 96 * UNIT
    live = [s.amount for s in scene.store.entities[Settlement].values() if not s.cancelled]
    assert live == [3 * UNIT, 4 * UNIT]


def test_cancelling_an_assignment_quietly_notifies_nobody(scene: Scene) -> None:
    scene.desk.cancel_assignment(scene.assigned, scene.invoice, notification_requested=False)

    assert [code for code, _ in told(scene) if code in NOTIFICATIONS] == []


def test_what_was_cancelled_may_be_assigned_and_cancelled_again(scene: Scene) -> None:
    scene.desk.cancel_assignment(scene.assigned, scene.invoice)
    scene.desk.assign(scene.assigned, scene.invoice, 50 * UNIT)
    assert scene.now_is(scene.assigned).remaining_amount == 0
    scene.desk.cancel_assignment(scene.assigned, scene.invoice)

    assert scene.now_is(scene.assigned).remaining_amount == 50 * UNIT
    assert histories(scene, scene.assigned)[2:] == ["PAYMENT_IN_UPDATED"] * 4


def test_cancelling_an_identification_takes_the_payment_from_its_account(scene: Scene) -> None:
    answer = scene.perform("CancelPaymentInIdentification", scene.request("CancelPaymentInIdentification"))

    own_key = str(scene.identified.ref_id)
    assert told(scene) == [("payment", own_key), ("paymentHistory", own_key)]
    assert [step.object_type for step in answer.steps] == ["PaymentEx", "PaymentHistoryEx"]
    payment, history = (step.object for step in answer.steps)
    assert payment == attrs.evolve(scene.identified, account=None, version=2) == scene.now_is(payment)
    assert history.operation_code == "PAYMENT_IN_UNIDENTIFIED"
    assert history.operation_parameters == {"accountRefId": str(scene.payer.ref_id), "reason": "mistake"}


def test_a_payment_may_go_all_the_way_back_and_to_another_account(scene: Scene) -> None:
    scene.desk.cancel_assignment(scene.assigned, scene.invoice)
    scene.desk.cancel_identification(scene.assigned)
    invoice = scene.desk.document(account=scene.other)
    scene.published()

    scene.desk.assign(scene.assigned, invoice, 50 * UNIT)

    assert [key for _, key in told(scene)] == ["A-2"] * 9
    assert scene.now_is(scene.assigned).account == scene.other.ref
    assert scene.now_is(invoice).due_amount == 50 * UNIT


def test_cancelling_a_payment_keeps_its_open_amount(scene: Scene) -> None:
    scene.clock.advance(days=1)
    answer = scene.perform("CancelPayment", scene.request("CancelPayment", account=named(scene.payer)))

    assert told(scene) == [("payment", "A-1"), ("paymentHistory", "A-1")]
    payment, history = (step.object for step in answer.steps)
    assert payment == scene.now_is(payment)
    assert payment == attrs.evolve(
        scene.identified, cancelled=True, cancel_reason="mistake", cancelled_at=NOW + DAY, version=2
    )
    assert history.operation_code == "PAYMENT_IN_CANCELLED"
    assert history.operation_parameters == {"reason": "mistake"}


@pytest.mark.parametrize("payment_type", PaymentType)
def test_payments_of_every_type_may_be_cancelled(scene: Scene, payment_type: PaymentType) -> None:
    payment = scene.desk.payment(account=scene.payer, payment_type=payment_type, payment_date_sent=NOW)

    scene.desk.cancel_payment(payment)

    assert histories(scene, payment)[-1] == f"{payment_type.history_prefix}_CANCELLED"


def test_an_unidentified_payment_is_cancelled_under_its_own_key(scene: Scene) -> None:
    scene.desk.cancel_payment(scene.unidentified)

    own_key = str(scene.unidentified.ref_id)
    assert told(scene) == [("payment", own_key), ("paymentHistory", own_key)]


def test_a_payment_may_be_cancelled_when_all_its_assignments_are(scene: Scene) -> None:
    scene.desk.assign(scene.assigned, scene.document, 3 * UNIT)
    for document in (scene.invoice, scene.document):
        with pytest.raises(RequestRejected, match="HAS_ASSIGNMENTS"):
            scene.desk.cancel_payment(scene.assigned)
        scene.desk.cancel_assignment(scene.assigned, document)

    assert scene.desk.cancel_payment(scene.assigned).remaining_amount == 50 * UNIT


def test_cancelling_a_document_publishes_the_document_with_its_due_amount_kept(scene: Scene) -> None:
    scene.clock.advance(days=1)
    answer = scene.perform("CancelDocument", scene.request("CancelDocument"))

    assert told(scene) == [("document", "A-1")]
    assert steps(answer) == [("CancelDocument", 1, "DocumentEx")]
    (document,) = (step.object for step in answer.steps)
    assert document == scene.now_is(document)
    assert document == attrs.evolve(
        scene.document, cancelled=True, cancel_reason="mistake", cancelled_at=NOW + DAY, version=2
    )
    assert document.state == "CANCELLED"


def test_a_document_may_be_cancelled_when_all_its_assignments_are(scene: Scene) -> None:
    scene.desk.cancel_assignment(scene.assigned, scene.invoice)

    assert scene.desk.cancel_document(scene.invoice).due_amount == 100 * UNIT


def test_an_adjustment_publishes_the_new_event_only(scene: Scene) -> None:
    answer = scene.perform("AdjustChargeableEvent", scene.request("AdjustChargeableEvent"))

    assert told(scene) == [("chargeableEvent", "A-1")]
    assert steps(answer) == [("AdjustChargeableEvent", 1, "ChargeableEventEx")]
    adjustment = answer.steps[0].object
    assert (adjustment.charge, adjustment.tax, adjustment.charge_with_tax) == (-UNIT, -210_000, -1_210_000)
    assert (adjustment.kind, adjustment.original_ref_id) == (ChargeableEventKind.CREDIT, scene.event.ref_id)
    assert adjustment.invoiced_document_ref_id is None
    assert scene.now_is(scene.event) == scene.event


def test_a_debit_is_positive(scene: Scene) -> None:
    request = scene.request(
        "AdjustChargeableEvent", charge_type=ChargeType.DEBIT, charge_adjustment=1_210_000, tax_included=True
    )
    adjustment = scene.perform("AdjustChargeableEvent", request).steps[0].object

    assert (adjustment.charge, adjustment.tax, adjustment.charge_with_tax) == (UNIT, 210_000, 1_210_000)
    assert adjustment.kind is ChargeableEventKind.DEBIT


def test_an_event_of_a_technical_account_may_be_adjusted_in_the_name_of_its_payer(scene: Scene) -> None:
    event = scene.desk.event(account=scene.technical)
    scene.published()
    request = scene.request("AdjustChargeableEvent", chargeable_event_ref_id=event.ref_id, account=named(scene.payer))

    adjustment = scene.perform("AdjustChargeableEvent", request).steps[0].object

    assert adjustment.account == scene.technical.ref
    assert told(scene) == [("chargeableEvent", "T-1")]


def test_updating_the_invoicing_flag_publishes_the_payer(scene: Scene) -> None:
    request = scene.request("UpdateInvoicingFlag", invoicing_excluded_to=NOW + DAY)
    answer = scene.perform("UpdateInvoicingFlag", request)

    assert told(scene) == [("payer", "A-1")]
    assert steps(answer) == [("UpdatePayer", 1, "PayerEx")]
    payer = answer.steps[0].object
    assert payer == scene.now_is(payer)
    assert payer.is_invoicing_excluded_at(NOW)
    assert payer.is_invoicing_excluded_at(NOW + DAY - dt.timedelta(microseconds=1))
    assert not payer.is_invoicing_excluded_at(NOW + DAY)


def test_switching_the_exclusion_off_clears_its_end(scene: Scene) -> None:
    scene.perform("UpdateInvoicingFlag", scene.request("UpdateInvoicingFlag", invoicing_excluded_to=NOW + DAY))

    answer = scene.perform("UpdateInvoicingFlag", scene.request("UpdateInvoicingFlag", invoicing_excluded=False))

    assert answer.steps[0].object.invoicing_excluded_to is None
    assert not answer.steps[0].object.is_invoicing_excluded_at(NOW)


def test_excluding_again_without_an_end_excludes_for_ever(scene: Scene) -> None:
    scene.perform("UpdateInvoicingFlag", scene.request("UpdateInvoicingFlag", invoicing_excluded_to=NOW + DAY))

    answer = scene.perform("UpdateInvoicingFlag", scene.request("UpdateInvoicingFlag"))

    assert answer.steps[0].object.is_invoicing_excluded_at(NOW + 10_000 * DAY)


def test_updating_the_due_date_offset_publishes_the_payer(scene: Scene) -> None:
    answer = scene.perform("UpdateDueDateOffset", scene.request("UpdateDueDateOffset"))

    assert told(scene) == [("payer", "A-1")]
    assert answer.steps[0].object.due_date_offset == 30
    assert answer.steps[0].object.version == 2


def test_an_offset_per_document_type_stands_beside_the_general_one(scene: Scene) -> None:
    def update(**changes: Any) -> Payer:
        scene.perform("UpdateDueDateOffset", scene.request("UpdateDueDateOffset", **changes))
        return scene.store.entities[Payer][scene.payer.ref_id]

    update(due_date_offset=7, document_type="deposit")
    both = update(due_date_offset=30)
    general = update(due_date_offset=None, document_type="deposit")
    neither = update(due_date_offset=None)

    assert (both.due_date_offset, both.due_date_offsets) == (30, {"deposit": 7})
    assert (general.due_date_offset, general.due_date_offsets) == (30, {})
    assert (neither.due_date_offset, neither.due_date_offsets) == (None, {})


def test_updating_a_payer_changes_what_is_given_clears_what_is_null_and_leaves_the_rest(scene: Scene) -> None:
    scene.desk.update_payer(scene.payer, iban="ES1", bic="B", payment_ref1="1", delivery_method="mail")
    scene.published()

    answer = scene.perform("UpdatePayer", scene.request("UpdatePayer", iban="ES2", bic=None))

    assert told(scene) == [("payer", "A-1")]
    assert steps(answer) == [("UpdatePayer", 1, "PayerEx")]
    (payer,) = (step.object for step in answer.steps)
    assert payer == scene.now_is(payer)
    assert payer == Payer(
        account=scene.payer.ref,
        account_type="payer",
        payment_method="cash",
        delivery_method="mail",
        iban="ES2",
        payment_ref1="1",
        version=3,
    )


def test_updating_a_payer_takes_the_flag_with_its_end_the_offset_and_the_direct_debit(scene: Scene) -> None:
    def updated(**changes: Any) -> Payer:
        (step,) = scene.perform("UpdatePayer", scene.request("UpdatePayer", **changes)).steps
        return step.object

    until = updated(invoicing_excluded=True, invoicing_excluded_to=NOW + DAY, due_date_offset=30)
    longer = updated(invoicing_excluded_to=NOW + 2 * DAY)
    for_ever = updated(invoicing_excluded=True)
    over = updated(invoicing_excluded=False, due_date_offset=None, bank_account_number_direct_debit="0200051332")
    ours = updated(bank_number_code_direct_debit_provider="2100", bank_account_number_direct_debit_provider="77")

    assert (until.invoicing_excluded, until.invoicing_excluded_to, until.due_date_offset) == (True, NOW + DAY, 30)
    assert (longer.invoicing_excluded, longer.invoicing_excluded_to) == (True, NOW + 2 * DAY)
    assert (for_ever.invoicing_excluded, for_ever.invoicing_excluded_to) == (True, None)
    assert (over.invoicing_excluded, over.invoicing_excluded_to, over.due_date_offset) == (False, None, None)
    assert (ours.bank_account_number_direct_debit, ours.bank_account_number_direct_debit_provider) == (
        "0200051332",
        "77",
    )
    assert ours.bank_number_code_direct_debit_provider == "2100"


def test_a_payment_responsible_account_comes_with_its_payer(scene: Scene) -> None:
    answer = scene.perform("CreateAccount", scene.request("CreateAccount", external_id="B-1"))

    account, payer = (step.object for step in answer.steps)
    key = str(account.ref_id)
    assert told(scene) == [("account", key), ("payer", key)]
    assert steps(answer) == [("CreateAccount", 1, "AccountEx"), ("CreateAccount", 2, "PayerEx")]
    assert account.payer_account == account.ref == payer.account
    assert (payer.collection_balance, payer.in_collection) == (None, False)


def test_a_technical_account_has_no_payer_and_its_ancestor_pays(scene: Scene) -> None:
    request = scene.request("CreateAccount", account_type="technical", parent=named(scene.technical))
    answer = scene.perform("CreateAccount", request)

    (account,) = (step.object for step in answer.steps)
    assert told(scene) == [("account", str(account.ref_id))]
    assert isinstance(account, Account)
    assert (account.parent, account.payer_account) == (scene.technical.ref, scene.payer.ref)
    assert account.ref_id not in scene.store.entities[Payer]


def test_updating_the_state_publishes_the_account(scene: Scene) -> None:
    answer = scene.perform("UpdateAccountState", scene.request("UpdateAccountState"))

    assert told(scene) == [("account", "A-1")]
    assert steps(answer) == [("UpdateAccountState", 1, "AccountEx")]
    assert (answer.steps[0].object.state, answer.steps[0].object.version) == (AccountState.SUSPENDED, 2)


def test_a_document_is_published_and_its_creation_told(scene: Scene) -> None:
    request = scene.request(
        "CreateAnyDocument", amount=10 * UNIT, tax_included=False, tax="vat21", document_source="shop", payment_ref1="1"
    )
    answer = scene.perform("CreateAnyDocument", request)

    document = answer.steps[0].object
    notification = list(scene.store.outbox.values())[-1].payload
    assert told(scene) == [("document", "A-1"), ("documentCreated", "A-1")]
    assert steps(answer) == [("CreateAnyDocument", 1, "DocumentEx")]
    assert (document.total_amount, document.total_amount_tax, document.total_amount_net) == (
        10 * UNIT,
        2_100_000,
        12_100_000,
    )
    assert (document.due_amount, document.rounding_compensation, document.state) == (12_100_000, 0, "OPEN")
    assert notification == DocumentCreated(
        effective_date=NOW,
        account=scene.payer.ref,
        document_no=document.document_no,
        external_document_no=None,
        document_source="shop",
        document_type="genericInvoice",
        currency="EUR",
        total_amount=10 * UNIT,
        total_amount_tax=2_100_000,
        total_amount_net=12_100_000,
        due_amount_type=DueAmountType.AR,
        document_due_date=dt.date(2024, 5, 28),
        payment_method=None,
        billing_period_start=None,
        billing_period_end=None,
        payment_ref1="1",
        payment_ref2=None,
        payment_ref3=None,
    )


def test_what_rounding_takes_from_a_document_is_kept(scene: Scene) -> None:
    request = scene.request("CreateAnyDocument", amount=9_999_999, tax_included=False, tax="vat21")
    document = scene.perform("CreateAnyDocument", request).steps[0].object

    assert document.total_amount_net == 12_100_000
    assert document.rounding_compensation == 12_100_000 - (9_999_999 + 2_100_000)


def test_document_numbers_have_no_gap_whatever_is_refused_or_repeated(scene: Scene) -> None:
    def number(request: Any) -> str:
        return str(scene.perform("CreateAnyDocument", request).steps[0].object.document_no)

    request = scene.request("CreateAnyDocument")
    numbers = [scene.invoice.document_no, number(request), number(request)]
    with pytest.raises(RequestRejected, match="CURRENCY_NOT_CONFIGURED"):
        number(scene.request("CreateAnyDocument", currency="XXX"))
    numbers.append(number(scene.request("CreateAnyDocument")))

    assert numbers == ["D0000000002", "D0000000003", "D0000000003", "D0000000004"]


def test_the_feed_publishes_each_event_under_its_own_account(scene: Scene) -> None:
    request = scene.request("FeedChargeableEvents", events=(scene.fed(), scene.fed(account=named(scene.technical))))
    answer = scene.perform("FeedChargeableEvents", request)

    assert told(scene) == [("chargeableEvent", "A-1"), ("chargeableEvent", "T-1")]
    assert steps(answer) == [
        ("FeedChargeableEvents", 1, "ChargeableEventEx"),
        ("FeedChargeableEvents", 2, "ChargeableEventEx"),
    ]
    assert all(isinstance(step.object, ChargeableEvent) and not step.object.is_adjustment for step in answer.steps)


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("UpdateInvoicingFlag", {"invoicing_excluded": False}),
        ("UpdateDueDateOffset", {"due_date_offset": None}),
        ("UpdateDueDateOffset", {"due_date_offset": None, "document_type": "deposit"}),
        ("UpdateAccountState", {"state": AccountState.ACTIVE}),
        ("UpdatePayer", {"payment_method": UNSET}),
        ("UpdatePayer", {"payment_method": None, "iban": None}),
    ],
)
def test_where_nothing_changed_nothing_is_saved_or_published(
    scene: Scene, operation: str, changes: dict[str, Any]
) -> None:
    before = everything_in(scene.store)

    answer = scene.perform(operation, scene.request(operation, **changes))

    now = everything_in(scene.store)
    assert answer.steps == ()
    assert now | {"performed": None} == before | {"performed": None}
    assert len(now["performed"]) == len(before["performed"]) + 1


OF_RUNS = {"CalculateCollectionBalance", "CancelProcessRun"}
"""Commands about runs announce nothing themselves; the slices of a run do."""


@pytest.mark.parametrize("operation", sorted(OF_RUNS))
def test_a_command_about_runs_answers_the_run_and_publishes_nothing(scene: Scene, operation: str) -> None:
    (step,) = scene.perform(operation, scene.request(operation)).steps

    assert step.object == scene.now_is(step.object)
    assert scene.published() == []


@pytest.mark.parametrize("operation", sorted({*COMMANDS} - OF_RUNS))
def test_every_message_carries_the_headers_of_its_family(scene: Scene, operation: str) -> None:
    request = scene.request(operation, transaction_id="tx-1")
    scene.perform(operation, request)

    messages = scene.published()
    assert messages
    assert len({m.ref_id for m in messages}) == len(messages)
    for message in messages:
        code = message.payload.code
        payload = code[0].upper() + code[1:]
        if message.family is Family.NOTIFICATION:
            own = {
                "X-Ocs-Io-notification-code": code,
                "X-Ocs-Io-notification-payload": f"{payload}Notification",
            }
        else:
            own = {"X-Ocs-Io-message-code": code, "X-Ocs-Io-message-payload": f"{payload}Ex"}
        assert message.headers == own | {
            "X-Ocs-Io-transaction-id": "tx-1",
            "ce_specversion": "1.0",
            "ce_id": str(message.ref_id),
            "ce_source": "/ocs-rm",
            "ce_type": f"io.ocs.rm.{code}",
            "ce_time": "2024-05-14T10:00:00.000000Z",
            "ce_subject": str(message.subject),
            "ce_dataschema": message.headers["ce_dataschema"],
            "content-type": "application/json",
        }
        assert re.fullmatch(rf".*:{own.popitem()[1]}:1", message.headers["ce_dataschema"])
        told_of = getattr(message.payload, "monetary_transaction", message.payload)
        subject = getattr(told_of, "ref_id", message.subject)
        assert message.subject == subject


def test_the_transaction_id_is_the_request_id_unless_given(scene: Scene) -> None:
    request = scene.request("UpdateInvoicingFlag")
    scene.perform("UpdateInvoicingFlag", request)

    assert [m.transaction_id for m in scene.published()] == [request.request_id]


def test_the_business_transactions_and_notifications_are_those_of_the_domain() -> None:
    assert set(BUSINESS_TRANSACTIONS) == {
        "account",
        "payer",
        "payment",
        "paymentHistory",
        "document",
        "chargeableEvent",
        "paymentDocuments",
        "documentPayments",
    }
    assert set(NOTIFICATIONS) == {
        "paymentReceived",
        "paymentSent",
        "documentCreated",
        "documentOpenBalanceChanged",
        "collectionBalanceCalculated",
        "collectionStart",
    }


@pytest.mark.parametrize(
    ("caller", "user", "expected"),
    [
        (Caller(), None, "embedded"),
        (Caller("crm"), None, "crm"),
        (Caller("crm"), "anna", "anna"),
        (Caller("crm", user="token-subject"), "anna", "token-subject"),
    ],
)
def test_the_history_names_who_asked(scene: Scene, caller: Caller, user: str | None, expected: str) -> None:
    command = COMMANDS["RegisterPayment"](scene.store, clock=scene.clock, ids=scene.desk.ids)
    answer = command(scene.request("RegisterPayment", user=user), caller=caller)

    assert {s.object.created_by for s in answer.steps if isinstance(s.object, PaymentHistory)} == {expected}


@pytest.mark.parametrize(
    ("due", "cancelled", "state"),
    [(100, False, "OPEN"), (99, False, "PARTIALLY_PAID"), (0, False, "SETTLED"), (100, True, "CANCELLED")],
)
def test_a_documents_state_is_derived(scene: Scene, due: int, cancelled: bool, state: str) -> None:
    document = scene.desk.document(account=scene.payer, amount=100 * UNIT)
    changed: Document = scene.change(document, due_amount=due * UNIT, cancelled=cancelled)

    assert changed.state == state
