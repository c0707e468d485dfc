"""Valid requests about what a payment settles."""

import datetime as dt

from hypothesis import strategies as st

from ocs_core.entities.configuration import start_of_day
from ocs_core.entities.document import DocumentName
from ocs_core.entities.payment import PaymentName
from ocs_core.ports import LiveSettlements
from ocs_core.testkit.strategies.requests.registry import Draw, valid
from ocs_core.testkit.strategies.requests.things import (
    REASON,
    account_or_none,
    amounts_in,
    assignments,
    common_fields,
    documents,
    names_of,
    namings,
    payers,
    payments,
)
from ocs_core.testkit.world import World
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment, CancelPaymentInAssignmentRequest


@valid(AssignPaymentInToDocument)
def _assign_payment_in_to_document(draw: Draw, world: World) -> AssignPaymentInToDocumentRequest:
    payer = draw(payers(world))
    document = draw(documents(world, payer))
    payment = draw(payments(world, payer if draw(st.booleans()) else None, document.currency))
    begun = max(
        payment.payment_date_received or world.desk.clock(),
        start_of_day(document.document_issued_date, world.configuration.zone_of(payer.account_type)),
    )
    since = st.timedeltas(dt.timedelta(), world.desk.clock() - begun).map(lambda later: begun + later)
    most = min(payment.remaining_amount, document.due_amount)
    return AssignPaymentInToDocumentRequest(
        **common_fields(draw, world),
        account=draw(st.none() | namings(payer)),
        payment_ref_id=payment.ref_id,
        document_ref_id=document.ref_id,
        amount=draw(amounts_in(world, document.currency, most)),
        currency=document.currency,
        effective_date=draw(st.none() | since),
        notification_requested=draw(st.booleans()),
    )


@valid(CancelPaymentInAssignment)
def _cancel_payment_in_assignment(draw: Draw, world: World) -> CancelPaymentInAssignmentRequest:
    payment, document = draw(assignments(world))
    between = LiveSettlements(PaymentName(ref_id=payment.ref_id), DocumentName(ref_id=document.ref_id))
    live = [settlement.ref_id for settlement in world.look_up(between)]
    return CancelPaymentInAssignmentRequest(
        **common_fields(draw, world),
        monetary_transaction_ref_id=draw(st.none() | st.sampled_from(live)),
        account=account_or_none(draw, world, document.account),
        **draw(names_of(payment)),
        **draw(names_of(document)),
        reason=REASON,
        notification_requested=draw(st.booleans()),
    )
