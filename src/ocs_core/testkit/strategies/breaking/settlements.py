"""How rules about what a payment settles are broken."""

import datetime as dt
from typing import Any
from uuid import UUID

import attrs
from hypothesis import strategies as st

from ocs_core.entities.configuration import start_of_day
from ocs_core.entities.document import DocumentName, DueAmountType
from ocs_core.entities.payment import PaymentName
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.ports import LiveSettlements
from ocs_core.testkit.strategies.breaking.changing import (
    by_items,
    document_of,
    owner_of,
    payment_of,
    renamed,
)
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.things import (
    assignments,
    documents,
    names_of,
    payers,
)
from ocs_core.testkit.strategies.values import uuids
from ocs_core.testkit.world import World
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment

_NAMES = (
    *("payment_ref_id", "payment_no", "external_payment_no"),
    *("document_ref_id", "document_no", "external_document_no"),
)


@breaks("payment_sits_on_the_documents_account")
def _payment_of_another(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(payment_of(world, request), account=draw(payers(world)).ref)
    return request


@breaks("payment_is_not_assigned")
def _assignedpayment_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    payment, _ = draw(assignments(world))
    return renamed(attrs.evolve(request, account=None), "payment", **draw(names_of(payment)))


@breaks("document_is_not_assigned")
def _assigneddocument_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    _, document = draw(assignments(world))
    return renamed(attrs.evolve(request, account=None), "document", **draw(names_of(document)))


@breaks("assignment_exists")
def _document_not_assigned(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Another document of the same payer, or one whose assignment is cancelled already."""
    request = by_items(request)
    owner = owner_of(world, request)
    assert owner is not None
    if draw(st.booleans()):
        world.desk.perform(CancelPaymentInAssignment, request)
        return attrs.evolve(request, request_id=world.desk.request_id())
    return renamed(request, "document", **draw(names_of(draw(documents(world, owner)))))


@breaks("assignment_has_the_id")
def _no_such_assignment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """The id of nothing, of an assignment that is another's, or of one that is cancelled already."""
    payment, document = draw(assignments(world))
    between = LiveSettlements(PaymentName(ref_id=payment.ref_id), DocumentName(ref_id=document.ref_id))
    theirs = world.look_up(between)[0]
    kind = draw(st.sampled_from(["nothing", "another", "cancelled"]))
    if kind == "cancelled":
        world.desk.cancel_assignment(payment, document)
        nameless = dict.fromkeys(_NAMES)
        return attrs.evolve(request, account=None, monetary_transaction_ref_id=theirs.ref_id, **nameless)
    return attrs.evolve(request, monetary_transaction_ref_id=theirs.ref_id if kind == "another" else draw(uuids))


@breaks("amount_remains")
def _more_than_remains(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Now, or at an instant of the past at which it was assigned to another document."""
    payment = payment_of(world, request)
    if draw(st.booleans()):
        return _in_use_then(world, request, payment.remaining_amount, payment=payment.ref_id)
    world.change(payment, remaining_amount=draw(st.integers(0, request.amount - 1)))
    return request


@breaks("amount_is_due")
def _more_than_is_due(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Now, or at an instant of the past at which another payment had settled it."""
    document = document_of(world, request)
    if draw(st.booleans()):
        return _in_use_then(world, request, document.due_amount, document=document.ref_id)
    world.change(document, due_amount=draw(st.integers(0, request.amount - 1)))
    return request


def _in_use_then(
    world: World, request: Any, amount: int, *, payment: UUID | None = None, document: UUID | None = None
) -> Any:
    """The same request as of an instant at which an item was settled to its last millionth, which was taken back since."""
    since, target = request.effective_date or world.desk.clock(), document_of(world, request)
    with world.store.begin() as uow:
        uow.add(
            Settlement(
                ref_id=world.desk.ids(),
                account=target.account,
                source=SettlementSide.PAYMENT_IN,
                source_ref_id=payment or world.desk.ids(),
                target=SettlementSide.DOCUMENT_AR,
                target_ref_id=document or world.desk.ids(),
                amount=amount,
                currency=target.currency,
                effective_at=since - dt.timedelta(hours=1),
                created_at=since,
                created_by="tests",
                cancelled=True,
                cancelled_at=since + dt.timedelta(hours=1),
            )
        )
    return attrs.evolve(request, effective_date=since)


@breaks("document_is_receivable")
def _liability(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(document_of(world, request), due_amount_type=DueAmountType.LIABILITY)
    return request


@breaks("settlement_has_begun")
def _settlement_to_come(draw: Draw, world: World, operation: type, request: Any) -> Any:
    later = draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=9999)))
    return attrs.evolve(request, effective_date=world.desk.clock() + later)


@breaks("both_sides_exist_by")
def _settlement_before_its_sides(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Before the payment was received, or before the document was issued, or both."""
    payment, document = payment_of(world, request), document_of(world, request)
    owner = world.account_of(document.account.ref_id)
    issued = start_of_day(document.document_issued_date, world.configuration.zone_of(owner.account_type))
    begun = draw(st.sampled_from([issued, payment.payment_date_received or issued]))
    earlier = draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=30)))
    return attrs.evolve(request, effective_date=begun - earlier)
