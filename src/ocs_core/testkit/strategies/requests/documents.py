"""Valid requests about documents."""

from hypothesis import strategies as st

from ocs_core.entities.document import DueAmountType
from ocs_core.money import minor_unit
from ocs_core.testkit.strategies.requests.registry import Draw, valid
from ocs_core.testkit.strategies.requests.things import (
    MOST,
    REASON,
    account_or_none,
    amounts_in,
    common_fields,
    currencies,
    documents,
    names_of,
    namings,
    payers,
)
from ocs_core.testkit.strategies.values import days, some_fields
from ocs_core.testkit.world import EITHER, World
from ocs_core.usecases.cancel_document import CancelDocument, CancelDocumentRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest

_CREATE_ANY_DOCUMENT_FIELDS = (
    "document_source",
    "document_due_date",
    "document_code",
    "document_name",
    "delivery_method",
    "custom_attributes",
    "payment_ref1",
    "payment_ref2",
    "payment_ref3",
)
"""What varies and must not matter."""


@valid(CreateAnyDocument)
def _create_any_document(draw: Draw, world: World) -> CreateAnyDocumentRequest:
    configuration, currency = world.configuration, draw(currencies(world))
    code = draw(st.sampled_from(sorted(configuration.document_types)))
    stated = configuration.document_types[code].due_amount_type
    owed = st.sampled_from(DueAmountType) if code == EITHER or stated is None else st.none() | st.just(stated)
    included = draw(st.booleans())
    begins, ends = draw(st.sampled_from([(None, None)]) | st.tuples(days, days).map(sorted).map(tuple))
    unit = minor_unit(configuration.currencies[currency].minor_digits)
    return CreateAnyDocumentRequest(
        **common_fields(draw, world),
        account=draw(namings(draw(payers(world)))),
        document_type=code,
        document_category=draw(st.none() | st.just(configuration.document_types[code].category)),
        external_document_no=draw(st.none() | st.just(world.new("X"))),
        document_issued_date=draw(st.none() | days),
        document_tax_date=draw(st.none() | days),
        currency=currency,
        amount=draw(amounts_in(world, currency) if included else st.integers(unit, MOST)),
        tax_included=included,
        tax=draw(st.none() | st.just("vat21")),
        due_amount_type=draw(owed),
        payment_method=draw(st.none() | st.sampled_from(sorted(configuration.payment_methods))),
        billing_period_start=begins,
        billing_period_end=ends,
        **draw(some_fields(CreateAnyDocumentRequest, *_CREATE_ANY_DOCUMENT_FIELDS)),
    )


@valid(CancelDocument)
def _cancel_document(draw: Draw, world: World) -> CancelDocumentRequest:
    kind = draw(st.sampled_from(["genericInvoice", "creditNote"]))
    document = draw(documents(world, draw(payers(world)), kind))
    return CancelDocumentRequest(
        **common_fields(draw, world),
        account=account_or_none(draw, world, document.account),
        **draw(names_of(document)),
        reason=REASON,
    )
