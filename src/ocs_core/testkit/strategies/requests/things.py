"""What requests refer to: accounts, payments, documents and assignments in a world, and the fields that name them."""

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from ocs_core.entities.account import Account, AccountName, AccountRef, AccountState
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName, PaymentType
from ocs_core.ports import DocumentNamed, PaymentNamed
from ocs_core.testkit.examples import named
from ocs_core.testkit.strategies.requests.registry import Draw
from ocs_core.testkit.strategies.values import payable_amounts, some_fields
from ocs_core.testkit.world import World
from ocs_core.usecases.perform import Command

MOST = 10**13
"""Ten million, in millionths: no two sums of a world come near the end of 64 bits."""
REASON = "mistake"
USABLE = (AccountState.ACTIVE, AccountState.INACTIVE, AccountState.SUSPENDED)


def namings(account: Account) -> st.SearchStrategy[AccountName]:
    """The account by either id, or by both."""
    by_ref_id = AccountName(ref_id=account.ref_id)
    if account.external_id is None:
        return st.just(by_ref_id)
    return st.sampled_from([by_ref_id, AccountName(external_id=account.external_id), named(account)])


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
        payment, document = _as_they_are(world, payment, document)
        most = min(payment.remaining_amount, document.due_amount)
        if most:
            world.desk.assign(payment, document, draw(amounts_in(world, document.currency, most)))
    return _as_they_are(world, payment, document)


def _as_they_are(world: World, payment: Payment, document: Document) -> tuple[Payment, Document]:
    """Both, as they are by now."""
    paying = world.look_up(PaymentNamed(PaymentName(ref_id=payment.ref_id)))
    paid = world.look_up(DocumentNamed(DocumentName(ref_id=document.ref_id)))
    assert paying is not None
    assert paid is not None
    return paying, paid


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


def account_or_none(draw: Draw, world: World, owner: AccountRef | None) -> AccountName | None:
    return draw(st.none() | namings(world.account_of(owner.ref_id))) if owner else None


def common_fields(draw: Draw, world: World) -> dict[str, Any]:
    return {"request_id": world.desk.request_id(), **draw(some_fields(Command, "user", "transaction_id"))}


def finish_runs(world: World) -> None:
    """Take every run that is going on to its end."""
    for run in world.queries.running():
        world.desk.finish(run.ref_id)
