"""The store in memory: one lock, under which units of work run one after the other."""

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

import attrs

from ocs_core.configuring import Use, refusals, uses_to_look_up
from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentHistory, PaymentType
from ocs_core.entities.process import GoneThrough, ProcessRun, RunSlice, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import Conflict, RequestRejected
from ocs_core.ledger import Ledger
from ocs_core.memory.journal import Journal, MemoryTables
from ocs_core.memory.lookups import answer
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import E, Entity, Found, Lookup, PayerBalance, SlicePlan, SliceWanted

T = TypeVar("T")


@attrs.define
class MemoryStore(MemoryTables):
    """Keeps everything in dictionaries. Units of work run one after the other, so each sees a snapshot.

    `configuration` is set by whoever owns the store; `outbox` holds what was published, in the order of the commits, and
    `held` why some of it cannot leave.
    """

    lock: Any = attrs.field(factory=threading.RLock, repr=False)

    def configure(self, *entries: object) -> None:
        """Add entries to the configuration, or put them in the place of those with the same code. Raises `RequestRejected` with
        every reason not to; then nothing is changed."""
        with self.lock:
            before = self.configuration
            used = [use for use in uses_to_look_up(before, entries) if self.is_used(use)]
            if refused := refusals(before, entries, used):
                raise RequestRejected(*refused)
            self.configuration = before.with_entries(entries)

    def is_used(self, use: Use) -> bool:
        """Whether there is anything that goes by an entry of the configuration."""
        with self.lock:
            if use.kind == "account_types":
                return any(account.account_type == use.code for account in self.entities[Account].values())
            classes = (Account, Payment, Document, ChargeableEvent)
            return any(entity.currency == use.code for cls in classes for entity in self.entities[cls].values())

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
class MemoryUnitOfWork(Journal):
    """Writes at once, and remembers how to take it back."""

    def now(self) -> dt.datetime | None:
        return None

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        return Found(
            configuration=self.store.configuration,
            performed=self.store.performed.get(key) if key else None,
            answers={lookup: self.answer(lookup) for lookup in lookups},
        )

    def answer(self, lookup: Lookup[T]) -> T:
        """The answer to one look-up."""
        found: T = answer(lookup, self)
        return found

    def add(self, entity: E) -> E:
        if entity.ref_id in self.store.entities[type(entity)]:
            raise Conflict(f"{type(entity).__name__} {entity.ref_id}")
        self._take(_unique_values(entity), entity.ref_id)
        self._keep(entity)
        return entity

    def save(self, entity: E) -> E:
        stored = self.one(type(entity), entity.ref_id)
        if stored is None or stored.version != entity.version:
            raise Conflict(f"{type(entity).__name__} {entity.ref_id}")
        before, after = _unique_values(stored), _unique_values(entity)
        self._take([constraint for constraint in after if constraint not in before], entity.ref_id)
        for constraint in before:
            if constraint not in after:
                self.put(self.store.unique, constraint, None)
        for relation in _relations(stored):
            if relation not in _relations(entity):
                self.put(self.store.related[relation], entity.ref_id, None)
        saved = attrs.evolve(entity, version=entity.version + 1)
        self._keep(saved)
        return saved

    def publish(self, message: Message) -> None:
        if message.ref_id not in self.store.outbox:
            self.put(self.store.outbox, message.ref_id, message)

    def remember(self, performed: Performed) -> None:
        if performed.key in self.store.performed:
            raise Conflict("uq_requests")
        self.put(self.store.performed, performed.key, performed)

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
        return self.one(ProcessRun, ref_id)

    def _to_calculate(self, accounts: tuple[UUID, ...]) -> list[UUID]:
        states = self.store.entities[Account]
        return [
            ref
            for ref in (set(accounts) or self.store.entities[Payer])
            if ref in self.store.entities[Payer] and states[ref].state is not AccountState.DEACTIVATED
        ]

    def _take(self, constraints: list[tuple[str, str]], ref_id: UUID) -> None:
        for constraint in constraints:
            if constraint in self.store.unique:
                raise Conflict(constraint[0])
            self.put(self.store.unique, constraint, ref_id)

    def _keep(self, entity: Entity) -> None:
        self.put(self.store.entities[type(entity)], entity.ref_id, entity)
        for relation in _relations(entity):
            self.put(self.store.related[relation], entity.ref_id, entity)


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


def ledger_of(store: MemoryTables, account_ref_id: UUID) -> Ledger:
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


def slices_of(store: MemoryTables, run_ref_id: UUID) -> list[RunSlice]:
    """A run's slices by number."""
    return sorted(store.related[RunSlice, run_ref_id].values(), key=lambda part: part.number)
