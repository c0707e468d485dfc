"""What breakers change: whom a request names, and what it is about."""

from typing import Any

import attrs
from hypothesis import strategies as st

from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.ports import AccountNamed, ChargeableEventWithId, DocumentNamed, OwnerOf, PaymentNamed
from ocs_core.testkit.strategies.breaking.registry import Draw
from ocs_core.testkit.strategies.requests.things import payers
from ocs_core.testkit.strategies.values import uuids
from ocs_core.testkit.world import World
from ocs_core.usecases.cancel_payment import CancelPayment
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEvents
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance
from ocs_core.usecases.read_open_balance import ReadOpenBalance
from ocs_core.usecases.start_collection_run import StartCollectionRun


def by_items(request: Any) -> Any:
    """The same request, which names what it is about, and not a monetary transaction by its id."""
    by_id = hasattr(request, "monetary_transaction_ref_id")
    return attrs.evolve(request, monetary_transaction_ref_id=None) if by_id else request


def naming(draw: Draw, operation: type, request: Any, account: AccountName | None) -> Any:
    """The same request, with this in the place of the account that it names, or of one of them."""
    if operation is FeedChargeableEvents:
        return with_item(draw, request, account=account)
    if operation is StartCollectionRun:
        return attrs.evolve(request, accounts=(*(request.accounts or ()), account), failed_of=None)
    if operation in {ReadCollectionBalance, ReadOpenBalance}:
        account = account or AccountName()
        return attrs.evolve(request, ref_id=account.ref_id, external_id=account.external_id)
    return attrs.evolve(by_items(request), account=account)


def with_item(draw: Draw, request: Any, **changes: Any) -> Any:
    """The same feed, with something changed in one of its events."""
    at = draw(st.integers(0, len(request.events) - 1))
    items = [attrs.evolve(item, **changes) if n == at else item for n, item in enumerate(request.events)]
    return attrs.evolve(request, events=tuple(items))


def nobody(draw: Draw, world: World) -> AccountName:
    return draw(st.sampled_from([AccountName(ref_id=draw(uuids)), AccountName(external_id=world.new("nobody"))]))


def _payment_named(request: Any) -> PaymentNamed:
    ref_id = getattr(request, "payment_ref_id", None)
    return PaymentNamed(getattr(request, "payment", PaymentName(ref_id=ref_id) if ref_id else None))


def _document_named(request: Any) -> DocumentNamed:
    ref_id = getattr(request, "document_ref_id", None)
    return DocumentNamed(getattr(request, "document", DocumentName(ref_id=ref_id) if ref_id else None))


def payment_of(world: World, request: Any) -> Payment:
    payment = world.look_up(_payment_named(request))
    assert payment is not None
    return payment


def document_of(world: World, request: Any) -> Document:
    document = world.look_up(_document_named(request))
    assert document is not None
    return document


def account_of(world: World, request: Any) -> Account | None:
    """The account that a request names."""
    return world.look_up(AccountNamed(getattr(request, "account", None)))


def owner_of(world: World, request: Any) -> Account | None:
    """Whose account what a request is about is on: a document's, else a chargeable event's, else a payment's."""
    event, document = getattr(request, "chargeable_event_ref_id", None), _document_named(request)
    if document.name is not None:
        return world.look_up(OwnerOf(document))
    return world.look_up(OwnerOf(ChargeableEventWithId(event) if event else _payment_named(request)))


def renamed(request: Any, kind: str, **names: Any) -> Any:
    """The same request about another payment or document (`kind`), or about one by other names."""
    all_names = [n for n in (f"{kind}_ref_id", f"{kind}_no", f"external_{kind}_no") if hasattr(request, n)]
    return attrs.evolve(by_items(request), **dict.fromkeys(all_names) | names)


def owned(draw: Draw, world: World, operation: type, request: Any) -> Any:
    """The same request; a payment that is to be cancelled belongs to an account."""
    if operation is CancelPayment and not (payment := payment_of(world, request)).identified:
        world.change(payment, account=draw(payers(world)).ref)
    return request
