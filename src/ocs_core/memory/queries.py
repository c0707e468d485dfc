"""Searches in memory: the plainest reading of what each filter means."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import attrs

from ocs_core.configuring import Use
from ocs_core.entities.account import Account, AccountName, AccountRef, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration, first_instant
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import ProcessRun, RunFailure, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.lines import LinesPage, lines_page
from ocs_core.memory.journal import Journal
from ocs_core.memory.lookups.accounts import account_named
from ocs_core.memory.store import MemoryStore, ledger_of, slices_of
from ocs_core.queries import (
    AccountSearch,
    ChargeableEventSearch,
    DocumentSearch,
    Page,
    PaymentSearch,
    ProcessRunSearch,
    Search,
)

T = TypeVar("T", Account, Payment, Document, ChargeableEvent, ProcessRun)


@attrs.frozen
class MemoryQueries:
    """The reading side of a `MemoryStore`."""

    store: MemoryStore

    def accounts(self, search: AccountSearch) -> Page[Account]:
        def matches(account: Account) -> bool:
            return (
                _is_of(account.ref, search.account_ref_id, search.account_external_id)
                and search.external_id in {None, account.external_id}
                and search.account_type in {None, account.account_type}
                and search.customer in {None, account.customer}
                and search.state in {None, account.state}
            )

        return self._page(Account, search, matches)

    def payments(self, search: PaymentSearch) -> Page[Payment]:
        zone = self.store.configuration.zone
        date_from, date_to = first_instant(search.date_from, zone), first_instant(search.date_to, zone)

        def matches(payment: Payment) -> bool:
            received = payment.payment_date_received
            return (
                _is_of(payment.account, search.account_ref_id, search.account_external_id)
                and (date_from is None or (received is not None and received >= date_from))
                and (date_to is None or (received is not None and received < date_to))
                and (search.amount_from is None or payment.payment_amount >= search.amount_from)
                and (search.amount_to is None or payment.payment_amount <= search.amount_to)
                and search.payment_ref in {None, payment.payment_ref1, payment.payment_ref2, payment.payment_ref3}
                and search.payment_no in {None, payment.payment_no}
                and search.external_payment_no in {None, payment.external_payment_no}
                and search.payment_type in {None, payment.payment_type}
                and search.identified in {None, payment.identified}
                and search.cancelled in {None, payment.cancelled}
            )

        return self._page(Payment, search, matches)

    def documents(self, search: DocumentSearch) -> Page[Document]:
        def matches(document: Document) -> bool:
            return (
                _is_of(document.account, search.account_ref_id, search.account_external_id)
                and (search.date_from is None or document.document_issued_date >= search.date_from)
                and (search.date_to is None or document.document_issued_date < search.date_to)
                and (search.amount_from is None or document.total_amount_net >= search.amount_from)
                and (search.amount_to is None or document.total_amount_net <= search.amount_to)
                and search.payment_ref in {None, document.payment_ref1, document.payment_ref2, document.payment_ref3}
                and search.document_no in {None, document.document_no}
                and search.external_document_no in {None, document.external_document_no}
                and search.document_type in {None, document.document_type}
                and search.state in {None, document.state}
            )

        return self._page(Document, search, matches)

    def chargeable_events(self, search: ChargeableEventSearch) -> Page[ChargeableEvent]:
        zone = self.store.configuration.zone
        date_from, date_to = first_instant(search.date_from, zone), first_instant(search.date_to, zone)

        def matches(event: ChargeableEvent) -> bool:
            return (
                _is_of(event.account, search.account_ref_id, search.account_external_id)
                and (date_from is None or event.event_date >= date_from)
                and (date_to is None or event.event_date < date_to)
                and (search.amount_from is None or event.charge_with_tax >= search.amount_from)
                and (search.amount_to is None or event.charge_with_tax <= search.amount_to)
                and search.ref_id in {None, event.ref_id}
                and search.event_type in {None, event.event_type}
                and search.invoiced in {None, event.invoiced_document_ref_id is not None}
                and search.original_ref_id in {None, event.original_ref_id}
            )

        return self._page(ChargeableEvent, search, matches)

    def configuration(self) -> Configuration:
        return self.store.configuration

    def is_used(self, use: Use) -> bool:
        return self.store.is_used(use)

    def account(self, named: AccountName) -> Account | None:
        with self.store.lock:
            return account_named(named, Journal(self.store))

    def payer(self, account_ref_id: UUID) -> Payer | None:
        with self.store.lock:
            return self.store.entities[Payer].get(account_ref_id)

    def ledger(self, account_ref_id: UUID) -> Ledger | None:
        with self.store.lock:
            return ledger_of(self.store, account_ref_id) if account_ref_id in self.store.entities[Payer] else None

    def settlements(self, document_ref_id: UUID) -> Sequence[Settlement]:
        with self.store.lock:
            touching: list[Settlement] = list(self.store.related[Settlement, document_ref_id].values())
        return sorted((s for s in touching if not s.cancelled), key=lambda s: s.ref_id)

    def lines(self, account_ref_id: UUID, limit: int | None, cursor: UUID | None) -> LinesPage | None:
        with self.store.lock:
            is_payer = account_ref_id in self.store.entities[Payer]
            return lines_page(ledger_of(self.store, account_ref_id), limit, cursor) if is_payer else None

    def runs(self, search: ProcessRunSearch) -> Page[ProcessRun]:
        with self.store.lock:
            page = self._page(ProcessRun, search, lambda run: True)
            return Page(tuple(run.progressed(slices_of(self.store, run.ref_id)) for run in page.items), page.next)

    def run(self, ref_id: UUID) -> ProcessRun | None:
        with self.store.lock:
            run = self.store.entities[ProcessRun].get(ref_id)
            return run and run.progressed(slices_of(self.store, ref_id))

    def running(self) -> Sequence[ProcessRun]:
        with self.store.lock:
            running = [r for r in self.store.entities[ProcessRun].values() if r.state is RunState.RUNNING]
            return [r.progressed(slices_of(self.store, r.ref_id)) for r in running]

    def failures(self, run_ref_id: UUID) -> Sequence[RunFailure]:
        with self.store.lock:
            run = self.store.entities[ProcessRun].get(run_ref_id)
            return run.failed_in(slices_of(self.store, run_ref_id)) if run else ()

    def _page(self, cls: type[T], search: Search, matches: Callable[[T], bool]) -> Page[T]:
        with self.store.lock:
            entities: list[T] = list(self.store.entities[cls].values())
        found = [e for e in entities if (search.cursor is None or e.ref_id < search.cursor) and matches(e)]
        found.sort(key=lambda e: e.ref_id, reverse=True)
        return Page.of(found[: search.limit + 1], search.limit)


def _is_of(account: AccountRef | None, ref_id: UUID | None, external_id: str | None) -> bool:
    wanted_nothing = ref_id is None and external_id is None
    if account is None:
        return wanted_nothing
    return ref_id in {None, account.ref_id} and external_id in {None, account.external_id}
