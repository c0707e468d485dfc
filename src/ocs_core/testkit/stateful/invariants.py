"""What holds after every step, whatever was done."""

from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis.stateful import invariant

from ocs_core.collection import settlements_by_item
from ocs_core.entities.account import Account, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment, PaymentHistory
from ocs_core.entities.settlement import Settlement
from ocs_core.messages import DocumentPayments, PaymentDocuments
from ocs_core.testkit.contracts.store.past import used_too_often
from ocs_core.testkit.contracts.subject import published_in, same_messages
from ocs_core.testkit.stateful.beside import Beside

ANNOUNCED = (Account, Payer, Payment, PaymentHistory, Document, ChargeableEvent)
"""Entities of which every version is a business transaction of its own; a settlement travels in two links."""


class Invariants(Beside):
    """Looked at after each step, on the reference; the store under test was seen to be the same."""

    @invariant()
    def the_same_was_published(self) -> None:
        same_messages(self.subject.published(), published_in(self.reference))

    @invariant()
    def money_is_conserved(self) -> None:
        """Paid is assigned plus remaining; due is the total less what was settled."""
        settled: Counter[UUID] = Counter()
        for settlement in self.reference.entities[Settlement].values():
            if not settlement.cancelled:
                settled[settlement.source_ref_id] += settlement.amount
                settled[settlement.target_ref_id] += settlement.amount
        for payment in self.reference.entities[Payment].values():
            assert payment.payment_amount == settled[payment.ref_id] + payment.remaining_amount
        for document in self.reference.entities[Document].values():
            assert document.due_amount == document.total_amount_net - settled[document.ref_id]

    @invariant()
    def as_of_every_instant_no_more_is_used_than_there_was(self) -> None:
        touching = settlements_by_item(self.reference.entities[Settlement].values())
        for cls in (Payment, Document):
            for item in self.reference.entities[cls].values():
                assert used_too_often(item, touching.get(item.ref_id, ())) == [], "used twice in the past"

    @invariant()
    def a_payment_never_changes_its_account_silently(self) -> None:
        """From one account to another it goes through none, and each step is in its history."""
        for payment in self.reference.entities[Payment].values():
            before = self.accounts_of_payments.get(payment.ref_id)
            assert before is None or payment.account in {None, before}
            self.accounts_of_payments[payment.ref_id] = payment.account
            told = [h.operation_code for h in self._history(payment.ref_id)]
            changes = [code for code in told if code.endswith("IDENTIFIED")]
            assert payment.identified == bool(changes and not changes[-1].endswith("UNIDENTIFIED"))

    def _history(self, payment_ref_id: UUID) -> list[PaymentHistory]:
        return list(self.reference.related[PaymentHistory, payment_ref_id].values())

    @invariant()
    def nothing_leaves_deactivated(self) -> None:
        accounts = self.reference.entities[Account]
        assert all(accounts[ref].state is AccountState.DEACTIVATED for ref in self.gone)
        self.gone |= {a.ref_id for a in accounts.values() if a.state is AccountState.DEACTIVATED}

    @invariant()
    def every_version_is_announced_once_and_the_messages_rebuild_the_entities(self) -> None:
        payloads = [message.payload for message in self.reference.outbox.values()]
        for cls in ANNOUNCED:
            told = [payload for payload in payloads if type(payload) is cls]
            stored: dict[UUID, Any] = dict(self.reference.entities[cls])
            versions = Counter((entity.ref_id, entity.version) for entity in told)
            assert versions == Counter((e.ref_id, v) for e in stored.values() for v in range(1, e.version + 1))
            assert {e.ref_id: e for e in told} == stored
        links = [p.monetary_transaction for p in payloads if isinstance(p, PaymentDocuments | DocumentPayments)]
        assert {settlement.ref_id: settlement for settlement in links} == dict(self.reference.entities[Settlement])
        assert all(times == 2 for times in Counter((s.ref_id, s.version) for s in links).values())
