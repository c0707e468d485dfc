"""A small, arranged company on a store in memory, and a valid request of every operation to start from."""

import datetime as dt
from typing import Any
from uuid import UUID

import attrs

from ocs_core.catalogue import operations, rules_applied
from ocs_core.entities.account import Account, AccountName, AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.messages import Message
from ocs_core.ports import E, Store
from ocs_core.testkit.examples import NOW, UNIT, Desk, configuration, named
from ocs_core.testkit.recording import rules_recorded
from ocs_core.usecases.feed_chargeable_events import (
    ChargeableEventFed,
)
from ocs_core.usecases.perform import Command, UseCase
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest
from ocs_core.usecases.read_open_balance import ReadOpenBalance, ReadOpenBalanceRequest
from ocs_core.usecases.read_process_run import ReadProcessRun
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest

NOBODY = AccountName(external_id="nobody")
NOTHING = UUID(int=0)
DAY = dt.timedelta(days=1)


def everything_in(store: MemoryStore) -> dict[str, Any]:
    """All that a store holds, to be compared with what it held before."""
    return {
        "entities": {cls: dict(entities) for cls, entities in store.entities.items() if entities},
        "unique": dict(store.unique),
        "related": {relation: dict(entities) for relation, entities in store.related.items() if entities},
        "outbox": list(store.outbox.items()),
        "performed": dict(store.performed),
        "numbers": dict(store.numbers),
    }


class Scene:
    """Two payers, a technical account below the first, a deactivated one, and one of everything on the first payer: among it an
    invoice to which a payment is assigned, and a dry run that is going on."""

    def __init__(self) -> None:
        self.store = MemoryStore(configuration())
        self.desk = Desk(self.store)
        self.clock = self.desk.clock
        self.payer = self.desk.account("A-1")
        self.other = self.desk.account("A-2")
        self.technical = self.desk.account("T-1", account_type="technical", parent=named(self.payer))
        self.deactivated = self.desk.account("A-3")
        self.become(self.deactivated, AccountState.DEACTIVATED)
        self.unidentified = self.desk.payment()
        self.identified = self.desk.payment(account=self.payer)
        self.document = self.desk.document(account=self.payer)
        self.event = self.desk.event(account=self.payer)
        self.assigned = self.desk.payment(account=self.payer)
        self.invoice = self.desk.document(account=self.payer)
        self.desk.assign(self.assigned, self.invoice, 5 * UNIT)
        self.run = self.desk.start_run(dry_run=True)
        self.seen = set(self.store.outbox)

    def queries(self) -> MemoryQueries:
        return MemoryQueries(self.store)

    def become(self, account: Account, state: AccountState) -> None:
        self.desk.perform(
            UpdateAccountState,
            UpdateAccountStateRequest(request_id=self.desk.request_id(), account=named(account), state=state),
        )

    def now_is(self, entity: E) -> E:
        """The entity as it is stored now."""
        return self.store.entities[type(entity)][entity.ref_id]

    def change(self, entity: E, **changes: Any) -> E:
        """Change an entity past the use-cases, where none does it yet."""
        with self.store.begin() as uow:
            return uow.save(attrs.evolve(self.now_is(entity), **changes))

    def settlement(self, **changes: Any) -> Settlement:
        """The assignment that there is, with something changed."""
        (settlement,) = self.store.entities[Settlement].values()
        return self.change(settlement, **changes)

    def keep(self, entity: E) -> E:
        """Keep an entity past the use-cases, where they would never let it be."""
        with self.store.begin() as uow:
            return uow.add(entity)

    def configure(self, **changes: Any) -> None:
        """`configure(currencies={})`"""
        self.store.configuration = attrs.evolve(self.store.configuration, **changes)

    def unconfigure(self, kind: str, code: str) -> None:
        entries = getattr(self.store.configuration, kind)
        self.configure(**{kind: {c: entry for c, entry in entries.items() if c != code}})

    def published(self) -> list[Message]:
        """What was published since this was asked last, or since the scene was set."""
        new = [message for ref_id, message in self.store.outbox.items() if ref_id not in self.seen]
        self.seen = set(self.store.outbox)
        return new

    def perform(self, operation: str, request: Any, store: Store | None = None) -> Any:
        """Any operation, command or read, by its name; on another store than the scene's if one is given. It applies the rules
        that it says it does, and answers with what it says."""
        with rules_recorded() as applied:
            try:
                answer = self._perform(operation, request, store or self.store)
            finally:
                assert applied <= rules_applied(operations()[operation])
        if operation in COMMANDS:
            assert {type(step.object) for step in answer.steps} <= {*COMMANDS[operation].answers}
        return answer

    def _perform(self, operation: str, request: Any, store: Store) -> Any:
        match operation:
            case "ReadCollectionBalance":
                return ReadCollectionBalance(self.queries(), clock=self.clock)(request)
            case "ReadOpenBalance":
                return ReadOpenBalance(self.queries(), clock=self.clock)(request)
            case "ReadProcessRun":
                return ReadProcessRun(self.queries())(request)
        return COMMANDS[operation](store, clock=self.clock, ids=self.desk.ids)(request)

    def request(self, operation: str, **changes: Any) -> Any:
        """A valid request of that operation, with some fields changed."""
        if operation == "ReadProcessRun":
            return changes["ref_id"]
        cls, fields = request_of(operation), self._fields()[operation]
        own_id = {"request_id": self.desk.request_id()} if issubclass(cls, Command) else {}
        return cls(**own_id | fields | changes)

    def fed(self, **changes: Any) -> ChargeableEventFed:
        """One valid event of the feed."""
        fields = {
            "account": named(self.payer),
            "event_type": "call",
            "event_date": NOW,
            "charge": 100,
            "tax": 21,
            "charge_with_tax": 121,
            "currency": "EUR",
            "tax_rate": 2100,
        }
        return ChargeableEventFed(**fields | changes)

    def _fields(self) -> dict[str, dict[str, Any]]:
        account = named(self.payer)
        return {
            "RegisterPayment": {
                "account": account,
                "payment_amount": 20 * UNIT,
                "currency": "EUR",
                "payment_method": "cash",
                "payment_date_received": NOW,
            },
            "AdjustChargeableEvent": {
                "chargeable_event_ref_id": self.event.ref_id,
                "charge_type": ChargeType.CREDIT,
                "charge_adjustment": 1 * UNIT,
                "currency": "EUR",
                "tax_included": False,
            },
            "UpdateInvoicingFlag": {"account": account, "invoicing_excluded": True},
            "UpdateDueDateOffset": {"account": account, "due_date_offset": 30},
            "UpdatePayer": {"account": account, "payment_method": "cash"},
            "CalculateCollectionBalance": {},
            "CreateAccount": {"account_type": "payer", "currency": "EUR"},
            "UpdateAccountState": {"account": account, "state": AccountState.SUSPENDED},
            "CreateAnyDocument": {
                "account": account,
                "document_type": "genericInvoice",
                "currency": "EUR",
                "amount": 10 * UNIT,
                "tax_included": True,
            },
            "IdentifyPaymentIn": {"account": account, "payment_ref_id": self.unidentified.ref_id},
            "AssignPaymentInToDocument": {
                "payment_ref_id": self.identified.ref_id,
                "document_ref_id": self.document.ref_id,
                "amount": 5 * UNIT,
                "currency": "EUR",
            },
            "CancelPaymentInAssignment": {
                "payment_ref_id": self.assigned.ref_id,
                "document_ref_id": self.invoice.ref_id,
                "reason": "mistake",
            },
            "CancelPaymentInIdentification": {"payment_ref_id": self.identified.ref_id, "reason": "mistake"},
            "CancelPayment": {"payment_ref_id": self.identified.ref_id, "reason": "mistake"},
            "CancelDocument": {"document_ref_id": self.document.ref_id, "reason": "mistake"},
            "FeedChargeableEvents": {"events": (self.fed(),)},
            "CancelProcessRun": {"ref_id": self.run.ref_id},
            "ReadCollectionBalance": {"ref_id": self.payer.ref_id},
            "ReadOpenBalance": {"ref_id": self.payer.ref_id},
        }

    def outgoing(self, **changes: Any) -> Payment:
        """An outgoing payment, kept past the use-cases, so that it may be unidentified."""
        return self.keep(
            attrs.evolve(
                self.unidentified,
                ref_id=(ref_id := self.desk.ids()),
                payment_no=f"OUT-{ref_id}",
                payment_type=PaymentType.OUT,
                payment_date_sent=NOW,
                payment_date_received=None,
                **changes,
            )
        )

    def dollars(self, cls: type[Document] | type[Payment]) -> Any:
        """A document or a payment of the payer in US dollars."""
        make = self.desk.document if cls is Document else self.desk.payment
        return make(account=self.payer, currency="USD")

    def orphan_event(self) -> ChargeableEvent:
        """An event on a technical account for which nobody pays, kept past the use-cases."""
        orphan = self.desk.account("T-2", account_type="technical")
        return self.keep(attrs.evolve(self.event, ref_id=self.desk.ids(), account=orphan.ref))


COMMANDS = {name: cls for name, cls in operations().items() if issubclass(cls, UseCase)}


def request_of(operation: str) -> type:
    """The class of its requests."""
    reads = {"ReadCollectionBalance": ReadCollectionBalanceRequest, "ReadOpenBalance": ReadOpenBalanceRequest}
    return reads.get(operation) or COMMANDS[operation].request
