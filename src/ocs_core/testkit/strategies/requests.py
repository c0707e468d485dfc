"""Valid requests of every use-case, in a world that holds what they refer to: `valid_requests(RegisterPayment, world)`.

A strategy draws everything that a rule looks at so that the rule is kept, and a few of the fields that must not matter at
random. What a request needs and the world lacks, it makes. Further use-cases join with `@valid(TheUseCase)`.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Protocol

import attrs
from hypothesis import strategies as st

from ocs_core.entities.account import Account, AccountRef, AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.entities.configuration import start_of_day
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.process import ProcessRun
from ocs_core.form import UNSET
from ocs_core.money import BASIS_POINTS, minor_unit
from ocs_core.ports import AccountId, DocumentId, PaymentId, Wanted
from ocs_core.queries import ReadCollectionBalance, ReadCollectionBalanceRequest, ReadProcessRun
from ocs_core.testkit.examples import named
from ocs_core.testkit.strategies.values import days, field_values, instants, payable_amounts, some_fields, tax_rates
from ocs_core.testkit.world import EITHER, World
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument, AssignPaymentInToDocumentRequest
from ocs_core.usecases.cancel_document import CancelDocument, CancelDocumentRequest
from ocs_core.usecases.cancel_payment import CancelPayment, CancelPaymentRequest
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment, CancelPaymentInAssignmentRequest
from ocs_core.usecases.cancel_payment_in_identification import (
    CancelPaymentInIdentification,
    CancelPaymentInIdentificationRequest,
)
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.feed_chargeable_events import (
    ChargeableEventFed,
    FeedChargeableEvents,
    FeedChargeableEventsRequest,
)
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.perform import Command
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest
from ocs_core.usecases.update_payer import UpdatePayer, UpdatePayerRequest

Draw = st.DrawFn
MOST = 10**13
"""Ten million, in millionths: no two sums of a world come near the end of 64 bits."""
REASON = "mistake"
USABLE = (AccountState.ACTIVE, AccountState.INACTIVE, AccountState.SUSPENDED)
_OTHER_FIELDS = {
    RegisterPaymentRequest: (
        "payment_ref1",
        "payment_ref2",
        "payment_ref3",
        "payer_bank_account_name",
        "payer_iban",
        "provider_bic",
        "channel_type",
        "recipient_note",
        "description",
        "bank_account_transaction_id",
        "notification_requested",
    ),
    CreateAccountRequest: ("customer", "segment", "bill_cycle", "custom_name"),
    UpdatePayerRequest: ("delivery_method", "bank_account_name", "iban", "bic", "payment_ref1", "payment_ref3"),
    CreateAnyDocumentRequest: ("document_source", "document_due_date", "payment_ref1", "payment_ref2", "payment_ref3"),
}


class Valid(Protocol):
    """Draws a request that keeps every rule."""

    def __call__(self, draw: Draw, world: World) -> Any: ...


_VALID: dict[type, Valid] = {}


def valid(operation: type) -> Callable[[Valid], Valid]:
    """Say how valid requests of an operation are drawn."""

    def register(drawn: Valid) -> Valid:
        _VALID[operation] = drawn
        return drawn

    return register


def valid_requests(operation: type, world: World) -> st.SearchStrategy[Any]:
    """Requests that a use-case, or a read of the catalogue, accepts in this world. Raises `LookupError` for an unknown one."""
    if operation not in _VALID:
        raise LookupError(
            f"nobody has said how valid requests of {operation.__name__} are drawn; "
            f"write a function of (draw, world) under @valid({operation.__name__})"
        )
    return st.composite(_VALID[operation])(world)


def namings(account: Account) -> st.SearchStrategy[AccountId]:
    """The account by either id, or by both."""
    by_ref_id = AccountId(ref_id=account.ref_id)
    if account.external_id is None:
        return st.just(by_ref_id)
    return st.sampled_from([by_ref_id, AccountId(external_id=account.external_id), named(account)])


@st.composite
def payers(draw: Draw, world: World, states: tuple[AccountState, ...] = USABLE) -> Account:
    """A payer in one of these states."""
    return world.account(draw(st.sampled_from(states)), currency=draw(currencies(world)))


def currencies(world: World) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(world.configuration.currencies))


def amounts_in(world: World, currency: str, most: int = MOST) -> st.SearchStrategy[int]:
    """What can be paid in a currency, in millionths."""
    return payable_amounts(world.configuration.currencies[currency].minor_digits, most)


@st.composite
def events(draw: Draw, world: World, account: Account | None = None) -> ChargeableEvent:
    """A chargeable event of a payer or of a technical account below one, perhaps adjusted already."""
    payer = account or draw(payers(world))
    owner = payer if account or draw(st.booleans()) else world.technical(payer)
    charge, tax = draw(st.integers(1, MOST)), draw(st.integers(0, MOST))
    event = world.desk.event(
        account=owner, charge=charge, tax=tax, currency=draw(currencies(world)), tax_rate=draw(tax_rates)
    )
    if draw(st.booleans()):
        request = _adjustment(draw, world, event, charge, most=max(charge // 2, 1))
        if request.charge_type is ChargeType.DEBIT or charge > 1:
            world.desk.perform(AdjustChargeableEvent, request)
    return event


@st.composite
def payments(draw: Draw, world: World, account: Account | None, currency: str | None = None) -> Payment:
    """A payment of that account, or an unidentified one."""
    currency = currency or draw(currencies(world))
    return world.desk.payment(
        account=account,
        external_payment_no=draw(st.none() | st.just(world.new("E"))),
        amount=draw(amounts_in(world, currency)),
        currency=currency,
        payment_date_received=world.desk.clock() - dt.timedelta(minutes=draw(st.integers(0, 100_000))),
    )


@st.composite
def documents(draw: Draw, world: World, account: Account, document_type: str = "genericInvoice") -> Document:
    """A document of that payer, in any currency, issued by now."""
    currency = draw(currencies(world))
    today = world.desk.clock().date()
    return world.desk.document(
        account=account,
        amount=draw(amounts_in(world, currency)),
        currency=currency,
        document_type=document_type,
        external_document_no=draw(st.none() | st.just(world.new("X"))),
        document_issued_date=today - dt.timedelta(days=draw(st.integers(0, 100))),
    )


@st.composite
def assignments(draw: Draw, world: World) -> tuple[Payment, Document]:
    """An incoming payment that settles a document in part or wholly, in one step or in two, as both are then."""
    payer = draw(payers(world))
    document = draw(documents(world, payer))
    payment = draw(payments(world, draw(st.sampled_from([payer, None])), document.currency))
    for _ in range(draw(st.integers(1, 2))):
        found = world.found(
            Wanted(payment=PaymentId(ref_id=payment.ref_id), document=DocumentId(ref_id=document.ref_id))
        )
        assert found.payment is not None
        assert found.document is not None
        most = min(found.payment.remaining_amount, found.document.due_amount)
        if most:
            world.desk.assign(payment, document, draw(amounts_in(world, document.currency, most)))
    found = world.found(Wanted(payment=PaymentId(ref_id=payment.ref_id), document=DocumentId(ref_id=document.ref_id)))
    assert found.payment is not None
    assert found.document is not None
    return found.payment, found.document


@st.composite
def names_of(draw: Draw, item: Payment | Document) -> dict[str, Any]:
    """The fields that name a payment or a document: its id, a number of its, or several of them."""
    kind = "payment" if isinstance(item, Payment) else "document"
    has_number = isinstance(item, Document) or item.payment_type is PaymentType.IN
    names = {f"{kind}_ref_id": item.ref_id, f"{kind}_no": getattr(item, f"{kind}_no")}
    if has_number and (number := getattr(item, f"external_{kind}_no")) is not None:
        names[f"external_{kind}_no"] = number
    chosen = draw(st.lists(st.sampled_from(sorted(names)), min_size=1, unique=True))
    return {name: names[name] for name in chosen}


def _account_or_none(draw: Draw, world: World, owner: AccountRef | None) -> AccountId | None:
    return draw(st.none() | namings(world.account_of(owner.ref_id))) if owner else None


def _common(draw: Draw, world: World) -> dict[str, Any]:
    return {"request_id": world.desk.request_id(), **draw(some_fields(Command, "user", "transaction_id"))}


@valid(RegisterPayment)
def _register_payment(draw: Draw, world: World) -> RegisterPaymentRequest:
    kind, currency = draw(st.sampled_from(PaymentType)), draw(currencies(world))
    identified = kind is not PaymentType.IN or draw(st.booleans())
    return RegisterPaymentRequest(
        **_common(draw, world),
        account=draw(namings(draw(payers(world)))) if identified else None,
        payment_type=kind,
        external_payment_no=draw(st.none() | st.just(world.new("E"))),
        payment_amount=draw(amounts_in(world, currency)),
        currency=currency,
        payment_method=draw(st.sampled_from(sorted(world.configuration.payment_methods))),
        payment_date_received=draw(instants if kind is PaymentType.IN else st.none() | instants),
        payment_date_sent=draw(instants if kind is PaymentType.OUT else st.none() | instants),
        **draw(some_fields(RegisterPaymentRequest, *_OTHER_FIELDS[RegisterPaymentRequest])),
    )


@valid(AdjustChargeableEvent)
def _adjust_chargeable_event(draw: Draw, world: World) -> AdjustChargeableEventRequest:
    event = draw(events(world))
    left = sum(e.charge for e in (event, *_adjustments_of(world, event)))
    request = _adjustment(draw, world, event, left, most=left)
    if draw(st.booleans()):
        owner = world.account_of(event.account.ref_id)
        assert owner.payer_account is not None
        either = st.sampled_from([owner, world.account_of(owner.payer_account.ref_id)])
        request = attrs.evolve(request, account=draw(namings(draw(either))))
    return request


def _adjustments_of(world: World, event: ChargeableEvent) -> list[ChargeableEvent]:
    return list(world.found(Wanted(chargeable_event=event.ref_id)).adjustments)


def _adjustment(
    draw: Draw, world: World, event: ChargeableEvent, left: int, *, most: int
) -> AdjustChargeableEventRequest:
    """A credit of what is left without tax, which is covered with tax, too; or a debit of any size."""
    credit = left > 0 and draw(st.booleans())
    return AdjustChargeableEventRequest(
        **_common(draw, world),
        chargeable_event_ref_id=event.ref_id,
        charge_type=ChargeType.CREDIT if credit else ChargeType.DEBIT,
        charge_adjustment=draw(st.integers(1, most if credit else MOST)),
        currency=event.currency,
        tax_included=draw(st.booleans()),
    )


@valid(UpdateInvoicingFlag)
def _update_invoicing_flag(draw: Draw, world: World) -> UpdateInvoicingFlagRequest:
    excluded = draw(st.booleans())
    later = instants.filter(lambda instant: instant > world.desk.clock())
    return UpdateInvoicingFlagRequest(
        **_common(draw, world),
        account=draw(namings(draw(payers(world)))),
        invoicing_excluded=excluded,
        invoicing_excluded_to=draw(st.none() | later) if excluded else None,
    )


@valid(UpdateDueDateOffset)
def _update_due_date_offset(draw: Draw, world: World) -> UpdateDueDateOffsetRequest:
    return UpdateDueDateOffsetRequest(
        **_common(draw, world),
        account=draw(namings(draw(payers(world)))),
        due_date_offset=draw(st.none() | st.integers(0, 3650)),
        document_type=draw(st.none() | st.sampled_from(sorted(world.configuration.document_types))),
    )


@valid(StartCollectionRun)
def _start_collection_run(draw: Draw, world: World) -> StartCollectionRunRequest:
    """A dry run of any moment that has come, or a storing one of now, when none is going on."""
    dry_run = draw(st.booleans())
    finish_runs(world)
    now = world.desk.clock.advance(seconds=1)
    past = st.timedeltas(dt.timedelta(), dt.timedelta(days=3650)).map(lambda ago: now - ago)
    some = [draw(namings(draw(payers(world)))) for _ in range(draw(st.integers(0, 2)))]
    return StartCollectionRunRequest(
        **_common(draw, world),
        as_of=draw(st.none() | past | past.map(dt.datetime.date)) if dry_run else None,
        dry_run=dry_run,
        adopt=draw(st.booleans()),
        accounts=tuple(some) or None,
    )


def finish_runs(world: World) -> None:
    """Take every run that is going on to its end."""
    for run in world.queries.running():
        world.desk.finish(run.ref_id)


@valid(CreateAccount)
def _create_account(draw: Draw, world: World) -> CreateAccountRequest:
    parent = draw(st.booleans())
    return CreateAccountRequest(
        **_common(draw, world),
        external_id=draw(st.none() | st.just(world.new("A"))),
        account_type=draw(st.sampled_from(["payer", "technical"])),
        currency=draw(currencies(world)),
        parent=draw(namings(draw(payers(world)))) if parent else None,
        state=draw(st.sampled_from([AccountState.INACTIVE, AccountState.ACTIVE])),
        **draw(some_fields(CreateAccountRequest, *_OTHER_FIELDS[CreateAccountRequest])),
    )


@valid(UpdateAccountState)
def _update_account_state(draw: Draw, world: World) -> UpdateAccountStateRequest:
    before = draw(st.sampled_from(AccountState))
    after = draw(st.sampled_from([state for state in AccountState if before.may_become(state)]))
    account = draw(namings(draw(payers(world, (before,)))))
    return UpdateAccountStateRequest(**_common(draw, world), account=account, state=after)


@valid(CreateAnyDocument)
def _create_any_document(draw: Draw, world: World) -> CreateAnyDocumentRequest:
    configuration, currency = world.configuration, draw(currencies(world))
    code = draw(st.sampled_from(sorted(configuration.document_types)))
    stated = configuration.document_types[code].due_amount_type
    owed = st.sampled_from(DueAmountType) if code == EITHER or stated is None else st.none() | st.just(stated)
    included = draw(st.booleans())
    unit = minor_unit(configuration.currencies[currency].minor_digits)
    return CreateAnyDocumentRequest(
        **_common(draw, world),
        account=draw(namings(draw(payers(world)))),
        document_type=code,
        external_document_no=draw(st.none() | st.just(world.new("X"))),
        document_issued_date=draw(st.none() | days),
        document_tax_date=draw(st.none() | days),
        currency=currency,
        amount=draw(amounts_in(world, currency) if included else st.integers(unit, MOST)),
        tax_included=included,
        tax=draw(st.none() | st.just("vat21")),
        due_amount_type=draw(owed),
        **draw(some_fields(CreateAnyDocumentRequest, *_OTHER_FIELDS[CreateAnyDocumentRequest])),
    )


@valid(IdentifyPaymentIn)
def _identify_payment_in(draw: Draw, world: World) -> IdentifyPaymentInRequest:
    return IdentifyPaymentInRequest(
        **_common(draw, world),
        account=draw(namings(draw(payers(world)))),
        payment_ref_id=draw(payments(world, None)).ref_id,
        notification_requested=draw(st.booleans()),
    )


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
        **_common(draw, world),
        account=draw(st.none() | namings(payer)),
        payment_ref_id=payment.ref_id,
        document_ref_id=document.ref_id,
        amount=draw(amounts_in(world, document.currency, most)),
        currency=document.currency,
        effective_date=draw(st.none() | since),
        notification_requested=draw(st.booleans()),
    )


@valid(FeedChargeableEvents)
def _feed_chargeable_events(draw: Draw, world: World) -> FeedChargeableEventsRequest:
    items = [_fed(draw, world) for _ in range(draw(st.integers(1, 3)))]
    return FeedChargeableEventsRequest(**_common(draw, world), events=tuple(items))


def _fed(draw: Draw, world: World) -> ChargeableEventFed:
    payer = draw(payers(world))
    owner = payer if draw(st.booleans()) else world.technical(payer)
    charge, tax = draw(st.integers(0, MOST)), draw(st.integers(0, MOST))
    return ChargeableEventFed(
        external_id=draw(st.none() | st.just(world.new("EV"))),
        account=draw(namings(owner)),
        event_type=draw(field_values(attrs.fields(ChargeableEventFed).event_type.type)),
        event_date=draw(instants),
        charge=charge,
        tax=tax,
        charge_with_tax=charge + tax,
        currency=draw(currencies(world)),
        tax_rate=draw(st.integers(0, BASIS_POINTS)),
    )


@valid(CancelPaymentInAssignment)
def _cancel_payment_in_assignment(draw: Draw, world: World) -> CancelPaymentInAssignmentRequest:
    payment, document = draw(assignments(world))
    return CancelPaymentInAssignmentRequest(
        **_common(draw, world),
        account=_account_or_none(draw, world, document.account),
        **draw(names_of(payment)),
        **draw(names_of(document)),
        reason=REASON,
        notification_requested=draw(st.booleans()),
    )


@valid(CancelPaymentInIdentification)
def _cancel_payment_in_identification(draw: Draw, world: World) -> CancelPaymentInIdentificationRequest:
    payment = draw(payments(world, draw(payers(world))))
    return CancelPaymentInIdentificationRequest(
        **_common(draw, world),
        account=_account_or_none(draw, world, payment.account),
        **draw(names_of(payment)),
        reason=REASON,
    )


@valid(CancelPayment)
def _cancel_payment(draw: Draw, world: World) -> CancelPaymentRequest:
    """Of any type; identified or not."""
    payment = draw(payments(world, draw(st.none() | payers(world))))
    if payment.identified:
        payment = world.change(payment, payment_type=draw(st.sampled_from(PaymentType)))
    return CancelPaymentRequest(
        **_common(draw, world),
        account=_account_or_none(draw, world, payment.account),
        **draw(names_of(payment)),
        reason=REASON,
    )


@valid(CancelDocument)
def _cancel_document(draw: Draw, world: World) -> CancelDocumentRequest:
    kind = draw(st.sampled_from(["genericInvoice", "creditNote"]))
    document = draw(documents(world, draw(payers(world)), kind))
    return CancelDocumentRequest(
        **_common(draw, world),
        account=_account_or_none(draw, world, document.account),
        **draw(names_of(document)),
        reason=REASON,
    )


@valid(UpdatePayer)
def _update_payer(draw: Draw, world: World) -> UpdatePayerRequest:
    methods = st.none() | st.sampled_from(sorted(world.configuration.payment_methods))
    return UpdatePayerRequest(
        **_common(draw, world),
        account=draw(namings(draw(payers(world)))),
        payment_method=draw(st.just(UNSET) | methods),
        **draw(some_fields(UpdatePayerRequest, *_OTHER_FIELDS[UpdatePayerRequest])),
    )


@valid(ReadCollectionBalance)
def _read_collection_balance(draw: Draw, world: World) -> ReadCollectionBalanceRequest:
    name = draw(namings(draw(payers(world, tuple(AccountState)))))
    ago = dt.timedelta(days=draw(st.integers(0, 1000)))
    return ReadCollectionBalanceRequest(
        ref_id=name.ref_id,
        external_id=name.external_id,
        calculation_forced=draw(st.booleans()),
        detail_included=draw(st.booleans()),
        as_of=draw(st.none() | st.just(world.desk.clock() - ago)),
    )


@valid(ReadProcessRun)
def _read_process_run(draw: Draw, world: World) -> Any:
    finish_runs(world)
    run: ProcessRun = world.desk.start_run(dry_run=draw(st.booleans()))
    return run.ref_id
