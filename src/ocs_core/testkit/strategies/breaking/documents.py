"""How rules about documents are broken."""

import datetime as dt
from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.configuration import DocumentCategory
from ocs_core.entities.document import DueAmountType
from ocs_core.money import MAX_AMOUNT, minor_unit
from ocs_core.testkit.strategies.breaking.changing import (
    document_of,
    renamed,
)
from ocs_core.testkit.strategies.breaking.registry import Draw, breaks
from ocs_core.testkit.strategies.requests.things import (
    currencies,
    payers,
)
from ocs_core.testkit.strategies.values import codes, days, uuids
from ocs_core.testkit.world import EITHER, LATER_TAX, World

DAY_OF_TAX = dt.date(2024, 1, 1)


@breaks("document_type_is_configured")
def _document_type_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, document_type=draw(codes(*world.configuration.document_types)))


@breaks("due_amount_type_is_known")
def _nobody_owes(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, document_type=EITHER, document_category=None, due_amount_type=None)


@breaks("due_amount_type_is_allowed")
def _the_other_owes(draw: Draw, world: World, operation: type, request: Any) -> Any:
    stated = {c: t.due_amount_type for c, t in world.configuration.document_types.items() if t.due_amount_type}
    code = draw(st.sampled_from(sorted(stated)))
    other = DueAmountType.AR if stated[code] is DueAmountType.LIABILITY else DueAmountType.LIABILITY
    return attrs.evolve(request, document_type=code, document_category=None, due_amount_type=other)


@breaks("document_category_is_that_of")
def _another_category(draw: Draw, world: World, operation: type, request: Any) -> Any:
    own = world.configuration.document_types[request.document_type].category
    return attrs.evolve(
        request, document_category=draw(st.sampled_from(DocumentCategory).filter(lambda c: c is not own))
    )


@breaks("billing_period_ends_after_it_begins")
def _period_that_ends_first(draw: Draw, world: World, operation: type, request: Any) -> Any:
    end = draw(days)
    start = end + draw(st.timedeltas(dt.timedelta(days=1), dt.timedelta(days=1)))
    return attrs.evolve(request, billing_period_start=start, billing_period_end=end)


@breaks("tax_has_a_rate")
def _tax_without_a_rate(draw: Draw, world: World, operation: type, request: Any) -> Any:
    today = world.desk.clock().date()
    tax = draw(codes(*world.configuration.taxes) | st.just(LATER_TAX))
    return attrs.evolve(request, tax=tax, document_tax_date=today)


@breaks("external_document_no_is_new")
def _external_document_no_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    number = world.new("X")
    world.desk.document(account=draw(payers(world)), currency=draw(currencies(world)), external_document_no=number)
    return attrs.evolve(request, external_document_no=number)


@breaks("total_fits")
def _total_beyond_64_bits(draw: Draw, world: World, operation: type, request: Any) -> Any:
    unit = minor_unit(world.configuration.currencies[request.currency].minor_digits)
    least = MAX_AMOUNT - MAX_AMOUNT % unit + (unit + 1) // 2
    amount = draw(st.integers(min(least, MAX_AMOUNT), MAX_AMOUNT))
    if amount < least:  # only with a tax does it pass the end
        return attrs.evolve(request, amount=amount, tax_included=False, tax="vat21", document_tax_date=DAY_OF_TAX)
    return attrs.evolve(request, amount=amount, tax_included=False)


@breaks("document_exists")
def _document_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """By an id or a number of nothing, or by names of two documents."""
    wrong: list[dict[str, Any]] = [{"document_ref_id": draw(uuids)}]
    if hasattr(request, "document_no"):
        mine, other = document_of(world, request), world.desk.document(account=world.account())
        wrong += [{"document_no": world.new("D")}, {"document_ref_id": mine.ref_id, "document_no": other.document_no}]
    return renamed(request, "document", **draw(st.sampled_from(wrong)))


@breaks("document_is_not_cancelled")
def _cancelleddocument_of(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(document_of(world, request), cancelled=True, cancelled_at=world.desk.clock())
    return request
