"""The store in memory: one lock, and a journal that takes back what an abandoned unit of work wrote."""

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentName, PaymentType
from ocs_core.entities.process import GoneThrough, ProcessRun, RunSlice, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import Conflict
from ocs_core.ledger import Ledger
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Entity, Found, PayerBalance, SlicePlan, SliceWanted, Wanted


@attrs.define
class MemoryStore:
    """Keeps everything in dictionaries. Units of work run one after the other, so each sees a snapshot.

    `configuration` is set by whoever owns the store; `outbox` holds what was published, in the order of the commits, and
    `held` why some of it cannot leave.
    """

    configuration: Configuration = attrs.field(factory=Configuration)
    outbox: dict[UUID, Message] = attrs.field(factory=dict)
    held: dict[UUID, str] = attrs.field(factory=dict)
    entities: dict[type, dict[UUID, Any]] = attrs.field(factory=lambda: defaultdict(dict))
    unique: dict[Hashable, UUID] = attrs.field(factory=dict)
    related: dict[Hashable, dict[UUID, Any]] = attrs.field(factory=lambda: defaultdict(dict))
    performed: dict[RequestKey, Performed] = attrs.field(factory=dict)
    numbers: dict[str, int] = attrs.field(factory=dict)
    lock: Any = attrs.field(factory=threading.RLock, repr=False)

    def configure(self, *entries: object) -> None:
        """Add entries to the configuration, or put them in the place of those with the same code."""
        with self.lock:
            self.configuration = self.configuration.with_entries(entries)

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator["MemoryUnitOfWork"]:
        with self.lock:
            uow = MemoryUnitOfWork(self)
            try:
                yield uow
            except BaseException:
                uow.take_back()
                raise


@attrs.define
class MemoryUnitOfWork:
    """Writes at once, and remembers how to take it back."""

    store: MemoryStore
    _journal: list[tuple[dict[Any, Any], Hashable, Any]] = attrs.field(factory=list)

    def now(self) -> dt.datetime | None:
        return None

    def find(self, wanted: Wanted) -> Found:
        store = self.store
        account = self.account(wanted.account)
        payment, document = self._payment(wanted.payment), self._document(wanted.document)
        settlement = self._one(Settlement, wanted.settlement)
        if settlement is not None:
            payment, document = (
                self._one(Payment, settlement.source_ref_id),
                self._one(Document, settlement.target_ref_id),
            )
        event = self._one(ChargeableEvent, wanted.chargeable_event)
        owned = settlement or (document if wanted.document else event if wanted.chargeable_event else payment)
        return Found(
            configuration=store.configuration,
            performed=store.performed.get(wanted.key) if wanted.key else None,
            account=account,
            payer=self._one(Payer, account.ref_id if account else None),
            parent=self.account(wanted.parent),
            payment=payment,
            document=document,
            settlements=self._live_settlements(wanted, payment, document) if wanted.settlements else (),
            settlements_after=self._settlements_after(wanted.settlements_after, payment, document),
            settlement=settlement,
            owner=self._one(Account, owned.account.ref_id if owned and owned.account else None),
            chargeable_event=event,
            adjustments=tuple(store.related[ChargeableEvent, event.ref_id].values()) if event else (),
            accounts={named: account for named in wanted.accounts if (account := self.account(named))},
            payers_of_accounts=self._payers_of(wanted.accounts) if wanted.payers_of_accounts else {},
            external_account_id_taken=("uq_accounts_external_id", wanted.external_account_id) in store.unique,
            external_payment_no_taken=("uq_payments_external_payment_no", wanted.external_payment_no) in store.unique,
            external_document_no_taken=("uq_documents_external_document_no", wanted.external_document_no)
            in store.unique,
            external_event_ids_taken=frozenset(
                e for e in wanted.external_event_ids if ("uq_chargeable_events_external_id", e) in store.unique
            ),
            number=self._draw(wanted.draw) if wanted.draw else None,
        )

    def add(self, entity: E) -> E:
        if entity.ref_id in self.store.entities[type(entity)]:
            raise Conflict(f"{type(entity).__name__} {entity.ref_id}")
        self._take(_unique_values(entity), entity.ref_id)
        self._keep(entity)
        return entity

    def save(self, entity: E) -> E:
        stored = self._one(type(entity), entity.ref_id)
        if stored is None or stored.version != entity.version:
            raise Conflict(f"{type(entity).__name__} {entity.ref_id}")
        before, after = _unique_values(stored), _unique_values(entity)
        self._take([constraint for constraint in after if constraint not in before], entity.ref_id)
        for constraint in before:
            if constraint not in after:
                self._put(self.store.unique, constraint, None)
        for relation in _relations(stored):
            if relation not in _relations(entity):
                self._put(self.store.related[relation], entity.ref_id, None)
        saved = attrs.evolve(entity, version=entity.version + 1)
        self._keep(saved)
        return saved

    def publish(self, message: Message) -> None:
        if message.ref_id not in self.store.outbox:
            self._put(self.store.outbox, message.ref_id, message)

    def remember(self, performed: Performed) -> None:
        if performed.key in self.store.performed:
            raise Conflict("uq_requests")
        self._put(self.store.performed, performed.key, performed)

    def ledgers(self, wanted: SliceWanted) -> Sequence[Ledger]:
        refs = sorted(
            ref
            for ref in self._to_calculate(wanted.accounts)
            if (wanted.after is None or ref > wanted.after) and (wanted.through is None or ref <= wanted.through)
        )
        return [ledger_of(self.store, ref) for ref in refs[: wanted.limit]]

    def keep_balances(
        self, found: Sequence[PayerBalance], as_of: dt.datetime, calculated_at: dt.datetime
    ) -> Sequence[Payer]:
        return [
            self.save(
                attrs.evolve(
                    self.store.entities[Payer][each.account.ref_id],
                    collection_balance=each.collection_balance,
                    oldest_due_date=each.oldest_due_date,
                    in_collection=each.in_collection,
                    collection_balance_as_of=as_of,
                    collection_balance_calculated_at=calculated_at,
                )
            )
            for each in found
        ]

    def gone_through(self, process: str, wanted: SliceWanted) -> Sequence[GoneThrough]:
        storing = [r for r in self.store.entities[ProcessRun].values() if r.process == process and not r.dry_run]
        return [
            GoneThrough(
                as_of=run.as_of,
                as_of_day=run.as_of_day,
                started_at=run.started_at,
                accounts=frozenset(run.accounts),
                after=before.through if before else None,
                through=part.position,
            )
            for run in storing
            if run.started_at > wanted.as_of and run.state is not RunState.RUNNING
            for before, part in pairwise([None, *self.slices(run.ref_id)])
            if part and part.position and not (before and part.position == before.through)
        ]

    def plan_slices(self, accounts: tuple[UUID, ...], size: int) -> SlicePlan:
        refs = sorted(self._to_calculate(accounts))
        return SlicePlan(len(refs), [refs[last] for last in range(size - 1, len(refs) - 1, size)])

    def take_slice(self, run_ref_id: UUID, number: int | None = None) -> RunSlice | None:
        left = (part for part in self.slices(run_ref_id) if not part.done)
        return next((part for part in left if number in {None, part.number}), None)

    def slices_left(self, run_ref_id: UUID) -> Sequence[int]:
        return [part.number for part in self.slices(run_ref_id) if not part.done]

    def slices(self, run_ref_id: UUID) -> Sequence[RunSlice]:
        return slices_of(self.store, run_ref_id)

    def runs(self, process: str) -> Sequence[ProcessRun]:
        runs = self.store.entities[ProcessRun].values()
        running = [r for r in runs if r.process == process and r.state is RunState.RUNNING]
        return sorted(running, key=lambda r: r.ref_id)

    def run(self, ref_id: UUID) -> ProcessRun | None:
        return self._one(ProcessRun, ref_id)

    def take_back(self) -> None:
        for table, key, before in reversed(self._journal):
            if before is None:
                table.pop(key, None)
            else:
                table[key] = before

    def account(self, named: AccountName | None) -> Account | None:
        if named is None or not named.is_given:
            return None
        ref_id = named.ref_id or self.store.unique.get(("uq_accounts_external_id", named.external_id))
        return self._one(Account, ref_id)

    def _payers_of(self, named: tuple[AccountName, ...]) -> dict[UUID, Payer]:
        accounts = [account.ref_id for each in named if (account := self.account(each))]
        return {ref: payer for ref in accounts if (payer := self._one(Payer, ref))}

    def _payment(self, named: PaymentName | None) -> Payment | None:
        if named is None:
            return None
        unique = self.store.unique
        by_number = unique.get(("uq_payments_payment_no", named.payment_no))
        by_external_no = unique.get(("uq_payments_external_payment_no", named.external_payment_no))
        payment = self._one(Payment, named.ref_id or by_number or by_external_no)
        return payment if payment and named.is_of(payment) else None

    def _document(self, named: DocumentName | None) -> Document | None:
        if named is None:
            return None
        unique = self.store.unique
        by_number = unique.get(("uq_documents_document_no", named.document_no))
        by_external_no = unique.get(("uq_documents_external_document_no", named.external_document_no))
        document = self._one(Document, named.ref_id or by_number or by_external_no)
        return document if document and named.is_of(document) else None

    def _live_settlements(
        self, wanted: Wanted, payment: Payment | None, document: Document | None
    ) -> tuple[Settlement, ...]:
        """Those that touch each item that was named; an item that is not there is touched by none."""
        named = ((wanted.payment, payment), (wanted.document, document))
        items = {item.ref_id if item else None for name, item in named if name}
        live = [s for item in items for s in self.store.related[Settlement, item].values() if not s.cancelled]
        between = {s.ref_id: s for s in live if items <= {s.source_ref_id, s.target_ref_id}}
        return tuple(s for _, s in sorted(between.items()))

    def _settlements_after(
        self, instant: dt.datetime | None, payment: Payment | None, document: Document | None
    ) -> tuple[Settlement, ...]:
        if instant is None:
            return ()
        items = [item.ref_id for item in (payment, document) if item]
        touching = {s.ref_id: s for item in items for s in self.store.related[Settlement, item].values()}
        return tuple(
            s
            for s in touching.values()
            if s.effective_at > instant or (s.cancelled_at is not None and s.cancelled_at > instant)
        )

    def _to_calculate(self, accounts: tuple[UUID, ...]) -> list[UUID]:
        states = self.store.entities[Account]
        return [
            ref
            for ref in (set(accounts) or self.store.entities[Payer])
            if ref in self.store.entities[Payer] and states[ref].state is not AccountState.DEACTIVATED
        ]

    def _one(self, cls: type[E], ref_id: UUID | None) -> E | None:
        return self.store.entities[cls].get(ref_id) if ref_id else None

    def _take(self, constraints: list[tuple[str, str]], ref_id: UUID) -> None:
        for constraint in constraints:
            if constraint in self.store.unique:
                raise Conflict(constraint[0])
            self._put(self.store.unique, constraint, ref_id)

    def _keep(self, entity: Entity) -> None:
        self._put(self.store.entities[type(entity)], entity.ref_id, entity)
        for relation in _relations(entity):
            self._put(self.store.related[relation], entity.ref_id, entity)

    def _draw(self, series: str) -> int:
        number = self.store.numbers.get(series, 0) + 1
        self._put(self.store.numbers, series, number)
        return number

    def _put(self, table: dict[Any, Any], key: Hashable, value: Any) -> None:
        self._journal.append((table, key, table.get(key)))
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def _unique_values(entity: Entity) -> list[tuple[str, str]]:
    match entity:
        case Account(external_id=str(external_id)):
            return [("uq_accounts_external_id", external_id)]
        case Payment(payment_type=PaymentType.IN, external_payment_no=str(external_no), payment_no=number):
            return [("uq_payments_payment_no", number), ("uq_payments_external_payment_no", external_no)]
        case Payment(payment_no=number):
            return [("uq_payments_payment_no", number)]
        case Document(external_document_no=str(external_no), document_no=number):
            return [("uq_documents_document_no", number), ("uq_documents_external_document_no", external_no)]
        case Document(document_no=number):
            return [("uq_documents_document_no", number)]
        case ChargeableEvent(external_id=str(external_id)):
            return [("uq_chargeable_events_external_id", external_id)]
        case ProcessRun(state=RunState.RUNNING, dry_run=False):
            return [("uq_process_runs_running", entity.process)]
        case _:
            return []


def _relations(entity: Entity) -> list[tuple[type, UUID]]:
    match entity:
        case Payment() | Document() if entity.account:
            return [(type(entity), entity.account.ref_id)]
        case ChargeableEvent(original_ref_id=UUID() as original):
            return [(ChargeableEvent, original)]
        case Settlement():
            return [(Settlement, entity.source_ref_id), (Settlement, entity.target_ref_id)]
        case PaymentHistory():
            return [(PaymentHistory, entity.payment_ref_id)]
        case RunSlice():
            return [(RunSlice, entity.run_ref_id)]
        case _:
            return []


def ledger_of(store: MemoryStore, account_ref_id: UUID) -> Ledger:
    """Everything of one payer."""
    documents = tuple(store.related[Document, account_ref_id].values())
    payments = tuple(store.related[Payment, account_ref_id].values())
    settlements = {
        s.ref_id: s for item in (*documents, *payments) for s in store.related[Settlement, item.ref_id].values()
    }
    return Ledger(
        account=store.entities[Account][account_ref_id],
        payer=store.entities[Payer][account_ref_id],
        documents=documents,
        payments=payments,
        settlements=tuple(settlements.values()),
    )


def slices_of(store: MemoryStore, run_ref_id: UUID) -> list[RunSlice]:
    """A run's slices by number."""
    return sorted(store.related[RunSlice, run_ref_id].values(), key=lambda part: part.number)
