"""Requests that break exactly one rule, whatever else varies: `requests_breaking("account_exists", RegisterPayment, world)`.

Each begins as a valid request of the use-case; a breaker changes it, or the world, so that the one rule is broken and no
other. Rules of one's own join with `@breaks("my_rule")`.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import attrs
from hypothesis import strategies as st

from ocs_core.catalogue import rules_applied
from ocs_core.entities.account import AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.entities.configuration import AccountType, start_of_day
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.money import MAX_AMOUNT, is_whole_minor_units, minor_unit
from ocs_core.ports import AccountId, DocumentId, Found, PaymentId, Wanted
from ocs_core.queries import ReadCollectionBalance
from ocs_core.testkit.strategies.requests import (
    MOST,
    assignments,
    currencies,
    documents,
    events,
    finish_runs,
    names_of,
    namings,
    payers,
    payments,
    valid_requests,
)
from ocs_core.testkit.strategies.values import codes, uuids
from ocs_core.testkit.world import EITHER, LATER_TAX, OTHER_REASON, World
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument
from ocs_core.usecases.cancel_payment import CancelPayment
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEvents
from ocs_core.usecases.register_payment import RegisterPayment
from ocs_core.usecases.start_collection_run import StartCollectionRun

Draw = st.DrawFn
DAY = dt.timedelta(days=1)
DAY_OF_TAX = dt.date(2024, 1, 1)
FOREIGN = "XTS"
"""ISO 4217's code for tests: no world configures it."""


class Breaker(Protocol):
    """Gives a request like the valid one that breaks one rule and no other; it may prepare the world."""

    def __call__(self, draw: Draw, world: World, operation: type, request: Any) -> Any: ...


_BREAKERS: dict[str, Breaker] = {}


def breaks(rule: str) -> Callable[[Breaker], Breaker]:
    """Say how a rule, by its function's name, is broken."""

    def register(breaker: Breaker) -> Breaker:
        _BREAKERS[rule] = breaker
        return breaker

    return register


def requests_breaking(rule: str, operation: type, world: World) -> st.SearchStrategy[Any]:
    """Requests of a use-case that break exactly this rule of the catalogue. Raises `LookupError` where nobody has said how,
    or where the use-case does not apply the rule."""
    if rule not in rules_applied(operation):
        raise LookupError(f"{operation.__name__} does not apply the rule {rule}")
    if rule not in _BREAKERS:
        raise LookupError(
            f"nobody has said how the rule {rule} is broken; "
            f'write a function of (draw, world, operation, request) under @breaks("{rule}")'
        )
    return _broken(rule, operation, world)


@st.composite
def _broken(draw: Draw, rule: str, operation: type, world: World) -> Any:
    return _BREAKERS[rule](draw, world, operation, draw(valid_requests(operation, world)))


def _naming(draw: Draw, operation: type, request: Any, account: AccountId | None) -> Any:
    """The same request, with this in the place of the account that it names, or of one of them."""
    if operation is FeedChargeableEvents:
        return _with_item(draw, request, account=account)
    if operation is StartCollectionRun:
        return attrs.evolve(request, accounts=(*(request.accounts or ()), account))
    if operation is ReadCollectionBalance:
        account = account or AccountId()
        return attrs.evolve(request, ref_id=account.ref_id, external_id=account.external_id)
    return attrs.evolve(request, account=account)


def _with_item(draw: Draw, request: Any, **changes: Any) -> Any:
    """The same feed, with something changed in one of its events."""
    at = draw(st.integers(0, len(request.events) - 1))
    items = [attrs.evolve(item, **changes) if n == at else item for n, item in enumerate(request.events)]
    return attrs.evolve(request, events=tuple(items))


def _nobody(draw: Draw, world: World) -> AccountId:
    return draw(st.sampled_from([AccountId(ref_id=draw(uuids)), AccountId(external_id=world.new("nobody"))]))


def _found(world: World, request: Any) -> Found:
    """What a request is about."""
    payment_ref, document_ref = getattr(request, "payment_ref_id", None), getattr(request, "document_ref_id", None)
    return world.found(
        Wanted(
            account=getattr(request, "account", None),
            payment=getattr(request, "payment", PaymentId(ref_id=payment_ref) if payment_ref else None),
            document=getattr(request, "document", DocumentId(ref_id=document_ref) if document_ref else None),
            chargeable_event=getattr(request, "chargeable_event_ref_id", None),
        )
    )


def _payment(world: World, request: Any) -> Payment:
    payment = _found(world, request).payment
    assert payment is not None
    return payment


def _document(world: World, request: Any) -> Document:
    document = _found(world, request).document
    assert document is not None
    return document


def _renamed(request: Any, kind: str, **names: Any) -> Any:
    """The same request about another payment or document (`kind`), or about one by other names."""
    all_names = [n for n in (f"{kind}_ref_id", f"{kind}_no", f"external_{kind}_no") if hasattr(request, n)]
    return attrs.evolve(request, **dict.fromkeys(all_names) | names)


def _owned(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """The same request; a payment that is to be cancelled belongs to an account."""
    if operation is CancelPayment and not (payment := _payment(world, request)).identified:
        world.change(payment, account=draw(payers(world)).ref)
    return request


@breaks("account_is_given")
def _no_account(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if operation is RegisterPayment:
        kind = draw(st.sampled_from([PaymentType.OUT, PaymentType.PROMISE_TO_PAY]))
        request = attrs.evolve(request, payment_type=kind, payment_date_sent=world.desk.clock())
    nothing = AccountId() if operation is StartCollectionRun else draw(st.sampled_from([None, AccountId()]))
    return _naming(draw, operation, request, nothing)


@breaks("named_account_has_an_id")
def _account_without_an_id(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if operation is RegisterPayment:
        now = world.desk.clock()
        request = attrs.evolve(request, payment_type=PaymentType.IN, payment_date_received=now)
    return _naming(draw, operation, request, AccountId())


@breaks("account_exists")
def _account_of_nobody(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return _naming(draw, operation, request, _nobody(draw, world))


@breaks("account_ids_agree")
def _ids_of_two_accounts(draw: Draw, world: World, operation: type, request: Any) -> Any:
    found = _found(world, _owned(draw, world, operation, request))
    one = found.owner or found.account or draw(payers(world))
    other = draw(st.sampled_from([world.new("nobody"), world.account().external_id]))
    return _naming(draw, operation, request, AccountId(ref_id=one.ref_id, external_id=other))


@breaks("account_is_not_deactivated")
def _deactivated_account(draw: Draw, world: World, operation: type, request: Any) -> Any:
    owner = _found(world, _owned(draw, world, operation, request)).owner
    if owner is not None:
        world.deactivate(owner.ref_id)
        return request
    gone = world.account(AccountState.DEACTIVATED)
    return _naming(draw, operation, request, draw(namings(gone)))


@breaks("payer_exists")
def _technical_account(draw: Draw, world: World, operation: type, request: Any) -> Any:
    technical = world.technical(draw(st.none() | payers(world)))
    return _naming(draw, operation, request, draw(namings(technical)))


@breaks("somebody_pays_for_the_account")
def _account_that_nobody_pays_for(draw: Draw, world: World, operation: type, request: Any) -> Any:
    orphan = world.technical()
    if operation is FeedChargeableEvents:
        return _naming(draw, operation, request, draw(namings(orphan)))
    event = world.change(draw(events(world)), account=orphan.ref)
    changes = {"chargeable_event_ref_id": event.ref_id, "currency": event.currency, "charge_type": ChargeType.DEBIT}
    return attrs.evolve(request, account=None, **changes)


@breaks("account_owns")
def _account_of_another(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return _naming(draw, operation, request, draw(namings(draw(payers(world, tuple(AccountState))))))


@breaks("external_account_id_is_new")
def _external_account_id_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, external_id=draw(payers(world, tuple(AccountState))).external_id)


@breaks("account_type_is_configured")
def _account_type_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    disabled = world.new("old")
    world.configure(world.configuration.with_entries([AccountType(code=disabled, disabled=True)]))
    return attrs.evolve(request, account_type=draw(codes(*world.configuration.account_types) | st.just(disabled)))


@breaks("parent_exists")
def _parent_of_nobody(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, parent=_nobody(draw, world))


@breaks("named_parent_has_an_id")
def _parent_without_an_id(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, parent=AccountId())


@breaks("parent_ids_agree")
def _ids_of_two_parents(draw: Draw, world: World, operation: type, request: Any) -> Any:
    one, other = draw(payers(world)), draw(payers(world))
    return attrs.evolve(request, parent=AccountId(ref_id=one.ref_id, external_id=other.external_id))


@breaks("parent_is_not_deactivated")
def _deactivated_parent(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, parent=draw(namings(world.account(AccountState.DEACTIVATED))))


@breaks("account_may_begin_in")
def _beginning_at_the_end(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, state=draw(st.sampled_from([AccountState.SUSPENDED, AccountState.DEACTIVATED])))


@breaks("account_may_become")
def _forbidden_transition(draw: Draw, world: World, operation: type, request: Any) -> Any:
    pairs = [(a, b) for a in AccountState for b in AccountState if not a.may_become(b)]
    before, after = draw(st.sampled_from(pairs))
    return attrs.evolve(request, account=draw(namings(world.account(before))), state=after)


@breaks("exclusion_end_goes_with_exclusion")
def _end_without_exclusion(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, invoicing_excluded=False, invoicing_excluded_to=world.desk.clock() + DAY)


@breaks("exclusion_end_is_in_the_future")
def _exclusion_that_is_over(draw: Draw, world: World, operation: type, request: Any) -> Any:
    end = world.desk.clock() - draw(st.timedeltas(dt.timedelta(), dt.timedelta(days=9999)))
    return attrs.evolve(request, invoicing_excluded=True, invoicing_excluded_to=end)


@breaks("document_type_is_configured")
def _document_type_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, document_type=draw(codes(*world.configuration.document_types)))


@breaks("due_amount_type_is_known")
def _nobody_owes(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, document_type=EITHER, due_amount_type=None)


@breaks("due_amount_type_is_allowed")
def _the_other_owes(draw: Draw, world: World, operation: type, request: Any) -> Any:
    stated = {c: t.due_amount_type for c, t in world.configuration.document_types.items() if t.due_amount_type}
    code = draw(st.sampled_from(sorted(stated)))
    other = DueAmountType.AR if stated[code] is DueAmountType.LIABILITY else DueAmountType.LIABILITY
    return attrs.evolve(request, document_type=code, due_amount_type=other)


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


@breaks("amount_is_payable")
def _amount_too_fine(draw: Draw, world: World, operation: type, request: Any) -> Any:
    unit = minor_unit(world.configuration.currencies[request.currency].minor_digits)
    finer = request.amount - draw(st.integers(1, unit - 1))
    if operation is AssignPaymentInToDocument:
        return attrs.evolve(request, amount=finer)
    whole = request.amount - request.amount % unit
    return attrs.evolve(request, amount=whole + draw(st.integers(1, unit - 1)), tax_included=True)


@breaks("payment_amount_is_payable")
def _payment_too_fine(draw: Draw, world: World, operation: type, request: Any) -> Any:
    unit = minor_unit(world.configuration.currencies[request.currency].minor_digits)
    return attrs.evolve(request, payment_amount=request.payment_amount - draw(st.integers(1, unit - 1)))


@breaks("currency_is_configured")
def _currency_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    if operation is FeedChargeableEvents:
        return _with_item(draw, request, currency=draw(codes(*world.configuration.currencies)))
    if operation is AdjustChargeableEvent:
        event = world.change(draw(events(world)), currency=FOREIGN)
        return attrs.evolve(
            request,
            account=None,
            chargeable_event_ref_id=event.ref_id,
            charge_type=ChargeType.DEBIT,
            currency=FOREIGN,
        )
    if operation is AssignPaymentInToDocument:
        world.change(_payment(world, request), currency=FOREIGN)
        world.change(_document(world, request), currency=FOREIGN)
        return attrs.evolve(request, currency=FOREIGN)
    return attrs.evolve(request, currency=draw(codes(*world.configuration.currencies)))


@breaks("currency_is_that_of")
def _another_currency(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """That of the event; or of the payment alone, of the document alone, of both."""
    others = [code for code in world.configuration.currencies if code != request.currency]
    if operation is AdjustChargeableEvent:
        return attrs.evolve(request, currency=draw(st.sampled_from(others)), charge_adjustment=1)
    wrong, other = draw(st.sampled_from(["payment", "document", "both"])), draw(st.sampled_from(others))
    if wrong == "payment":
        world.change(_payment(world, request), currency=other)
        return request
    if wrong == "document":
        world.change(_document(world, request), currency=other)
        return request
    configured = world.configuration.currencies
    payable = [c for c in others if is_whole_minor_units(request.amount, configured[c].minor_digits)]
    return attrs.evolve(request, currency=draw(st.sampled_from(payable)))


@breaks("request_is_the_same")
def _request_id_of_another_request(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.desk.perform(operation, request)
    return attrs.evolve(request, user=world.new("somebody else"))


@breaks("answer_is_still_kept")
def _repeated_much_later(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.desk.perform(operation, request)
    world.desk.clock.advance(days=90, microseconds=draw(st.integers(1, 10**12)))
    return request


@breaks("payment_method_is_configured")
def _payment_method_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, payment_method=draw(codes(*world.configuration.payment_methods)))


@breaks("external_payment_no_is_new")
def _external_payment_no_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    number = world.new("E")
    taken = world.desk.payment(external_payment_no=number)
    if draw(st.booleans()):  # a cancelled payment keeps its number
        world.change(taken, cancelled=True, cancelled_at=world.desk.clock())
    now = world.desk.clock()
    return attrs.evolve(request, payment_type=PaymentType.IN, payment_date_received=now, external_payment_no=number)


@breaks("payment_exists")
def _payment_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """By an id or a number of nothing, or by names of two payments."""
    wrong: list[dict[str, Any]] = [{"payment_ref_id": draw(uuids)}]
    if hasattr(request, "payment_no"):
        mine, other = _payment(world, request), world.desk.payment()
        wrong += [{"payment_no": world.new("P")}, {"payment_ref_id": mine.ref_id, "payment_no": other.payment_no}]
    return _renamed(request, "payment", **draw(st.sampled_from(wrong)))


@breaks("document_exists")
def _document_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """By an id or a number of nothing, or by names of two documents."""
    wrong: list[dict[str, Any]] = [{"document_ref_id": draw(uuids)}]
    if hasattr(request, "document_no"):
        mine, other = _document(world, request), world.desk.document(account=world.account())
        wrong += [{"document_no": world.new("D")}, {"document_ref_id": mine.ref_id, "document_no": other.document_no}]
    return _renamed(request, "document", **draw(st.sampled_from(wrong)))


@breaks("payment_is_not_cancelled")
def _cancelled_payment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_payment(world, request), cancelled=True, cancelled_at=world.desk.clock())
    return request


@breaks("document_is_not_cancelled")
def _cancelled_document(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_document(world, request), cancelled=True, cancelled_at=world.desk.clock())
    return request


@breaks("payment_is_incoming")
def _outgoing_payment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    kind = draw(st.sampled_from([PaymentType.OUT, PaymentType.PROMISE_TO_PAY]))
    payment = world.change(_payment(world, request), payment_type=kind)
    return _renamed(request, "payment", payment_ref_id=payment.ref_id)


@breaks("payment_is_unidentified")
def _identified_payment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, payment_ref_id=draw(payments(world, draw(payers(world)))).ref_id)


@breaks("payment_is_identified")
def _unidentified_payment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_payment(world, request), account=None)
    return request


@breaks("payment_sits_on_the_documents_account")
def _payment_of_another(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_payment(world, request), account=draw(payers(world)).ref)
    return request


@breaks("account_owns_the_payment")
def _account_of_no_payment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return _naming(draw, operation, request, draw(namings(draw(payers(world)))))


@breaks("payment_is_not_assigned")
def _assigned_payment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    payment, _ = draw(assignments(world))
    return _renamed(attrs.evolve(request, account=None), "payment", **draw(names_of(payment)))


@breaks("document_is_not_assigned")
def _assigned_document(draw: Draw, world: World, operation: type, request: Any) -> Any:
    _, document = draw(assignments(world))
    return _renamed(attrs.evolve(request, account=None), "document", **draw(names_of(document)))


@breaks("assignment_exists")
def _document_not_assigned(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Another document of the same payer, or one whose assignment is cancelled already."""
    owner = _found(world, request).owner
    assert owner is not None
    if draw(st.booleans()):
        world.desk.perform(CancelPaymentInAssignment, request)
        return attrs.evolve(request, request_id=world.desk.request_id())
    return _renamed(request, "document", **draw(names_of(draw(documents(world, owner)))))


@breaks("reason_is_configured")
def _reason_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, reason=draw(codes(*world.configuration.reasons) | st.just(OTHER_REASON)))


@breaks("amount_remains")
def _more_than_remains(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_payment(world, request), remaining_amount=draw(st.integers(0, request.amount - 1)))
    return request


@breaks("amount_is_due")
def _more_than_is_due(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_document(world, request), due_amount=draw(st.integers(0, request.amount - 1)))
    return request


@breaks("document_is_receivable")
def _liability(draw: Draw, world: World, operation: type, request: Any) -> Any:
    world.change(_document(world, request), due_amount_type=DueAmountType.LIABILITY)
    return request


@breaks("settlement_has_begun")
def _settlement_to_come(draw: Draw, world: World, operation: type, request: Any) -> Any:
    later = draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=9999)))
    return attrs.evolve(request, effective_date=world.desk.clock() + later)


@breaks("both_sides_exist_by")
def _settlement_before_its_sides(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """Before the payment was received, or before the document was issued, or both."""
    payment, document = _payment(world, request), _document(world, request)
    owner = world.account_of(document.account.ref_id)
    issued = start_of_day(document.document_issued_date, world.configuration.zone_of(owner.account_type))
    begun = draw(st.sampled_from([issued, payment.payment_date_received or issued]))
    earlier = draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=30)))
    return attrs.evolve(request, effective_date=begun - earlier)


@breaks("chargeable_event_exists")
def _event_unknown(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return attrs.evolve(request, chargeable_event_ref_id=draw(uuids))


@breaks("chargeable_event_is_no_adjustment")
def _adjustment_of_an_adjustment(draw: Draw, world: World, operation: type, request: Any) -> Any:
    (step,) = world.desk.perform(AdjustChargeableEvent, request).steps
    assert isinstance(step.object, ChargeableEvent)
    return attrs.evolve(request, request_id=world.desk.request_id(), chargeable_event_ref_id=step.object.ref_id)


@breaks("credit_is_covered")
def _credit_beyond_the_charge(draw: Draw, world: World, operation: type, request: Any) -> Any:
    found = _found(world, request)
    assert found.chargeable_event is not None
    parts = (found.chargeable_event, *found.adjustments)
    left = sum(e.charge_with_tax if request.tax_included else e.charge for e in parts)
    amount = left + draw(st.integers(1, MOST))
    return attrs.evolve(request, charge_type=ChargeType.CREDIT, charge_adjustment=amount)


@breaks("adjustment_fits")
def _adjustment_beyond_64_bits(draw: Draw, world: World, operation: type, request: Any) -> Any:
    event = world.desk.event(account=draw(payers(world)), tax_rate=draw(st.integers(1000, 100_000)))
    return attrs.evolve(
        request,
        account=None,
        chargeable_event_ref_id=event.ref_id,
        currency=event.currency,
        charge_type=ChargeType.DEBIT,
        charge_adjustment=MAX_AMOUNT - draw(st.integers(0, MOST)),
        tax_included=False,
    )


@breaks("charge_and_tax_add_up")
def _parts_that_do_not_add_up(draw: Draw, world: World, operation: type, request: Any) -> Any:
    return _with_item(draw, request, charge_with_tax=2 * MOST + draw(st.integers(1, MOST)))


@breaks("external_event_id_is_new")
def _external_event_id_taken(draw: Draw, world: World, operation: type, request: Any) -> Any:
    external_id = world.new("EV")
    if draw(st.booleans()):
        world.desk.event(account=draw(payers(world)), external_id=external_id)
        return _with_item(draw, request, external_id=external_id)
    twice = attrs.evolve(request.events[0], external_id=external_id)
    return attrs.evolve(request, events=(*request.events, twice, twice))


@breaks("process_needs")
def _process_unconfigured(draw: Draw, world: World, operation: type, request: Any) -> Any:
    kinds = ("document_types", "payment_types", "currencies", "notifications")
    nothing: dict[str, Any] = {draw(st.sampled_from(kinds)): {}}
    world.configure(attrs.evolve(world.configuration, **nothing))
    return request


@breaks("as_of_has_come")
def _moment_to_come(draw: Draw, world: World, operation: type, request: Any) -> Any:
    later = world.desk.clock() + draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=9999)))
    day = (world.desk.clock() + DAY + (later - world.desk.clock())).date()
    return attrs.evolve(request, as_of=draw(st.sampled_from([later, day])))


@breaks("no_other_run_is_active")
def _another_run_going_on(draw: Draw, world: World, operation: type, request: Any) -> Any:
    finish_runs(world)
    world.desk.start_run(as_of=world.desk.clock.advance(seconds=1), adopt=not request.adopt)
    return attrs.evolve(request, as_of=world.desk.clock(), dry_run=False)


@breaks("run_is_the_latest")
def _run_that_looks_back(draw: Draw, world: World, operation: type, request: Any) -> Any:
    finish_runs(world)
    world.desk.collect(as_of=world.desk.clock.advance(seconds=1))
    earlier = world.desk.clock() - draw(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=999)))
    return attrs.evolve(request, as_of=earlier, dry_run=False)


@breaks("run_exists")
def _run_unknown(draw: Draw, world: World, operation: type, request: UUID) -> UUID:
    return draw(uuids)
