"""The laws of the collection balance and of its trigger, for whoever calculates them another way, in SQL or elsewhere."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from ocs_core import collection
from ocs_core.collection import CollectionBalance, Reason
from ocs_core.entities.configuration import AccountType, CollectionSetting, CollectionThreshold, Configuration, zone
from ocs_core.entities.document import DueAmountType
from ocs_core.entities.payment import PaymentType
from ocs_core.errors import AmountOutOfRange
from ocs_core.ledger import Ledger
from ocs_core.money import MAX_AMOUNT
from ocs_core.testkit.contracts.values import a_document, a_payer, a_payment, a_settlement, an_account
from ocs_core.testkit.examples import UNIT, configuration
from ocs_core.testkit.fakes import NOW

ACCOUNT = an_account(1)
DAY, MOMENT = dt.timedelta(days=1), dt.timedelta(microseconds=1)
TODAY = NOW.date()
OVERDUE: dict[str, Any] = {"document_issued_date": TODAY - 60 * DAY, "document_due_date": TODAY - 30 * DAY}

Balance = Callable[[Ledger, Configuration, dt.datetime], CollectionBalance]


def collection_contract(
    *, collection_balance: Balance = collection.collection_balance, should_start: Any = collection.should_start
) -> type:
    """The laws of the collection balance and of its trigger."""

    class CollectionContract:
        def _of(self, *items: Any, as_of: dt.datetime = NOW, **more: Any) -> CollectionBalance:
            return collection_balance(_ledger(*items, **more), configuration(), as_of)

        def test_on_its_due_day_a_document_is_not_yet_due(self) -> None:
            """A payer who pays on the last day pays in time."""
            document = a_document(2, ACCOUNT, document_issued_date=TODAY - 14 * DAY, document_due_date=TODAY)
            assert self._of(document).balance == 0
            assert self._of(document, as_of=NOW + DAY).balance == 100 * UNIT

        def test_today_is_the_day_in_the_payers_zone(self) -> None:
            """The server stands anywhere; the payer's last day ends where the payer is."""
            document = a_document(2, ACCOUNT, document_issued_date=TODAY - 14 * DAY, document_due_date=TODAY)
            found = {}
            for where in ("Pacific/Kiritimati", "UTC", "Pacific/Niue"):
                configured = configuration(AccountType(code="payer", payment_responsible=True, zone=where))
                at = dt.datetime(2024, 5, 15, 5, 0, tzinfo=dt.UTC)
                found[where] = [
                    collection_balance(_ledger(document), configured, at + shift).balance // UNIT
                    for shift in (-DAY, dt.timedelta(hours=-6), dt.timedelta(), dt.timedelta(hours=7))
                ]
            assert found == {
                "Pacific/Kiritimati": [0, 100, 100, 100],
                "UTC": [0, 0, 100, 100],
                "Pacific/Niue": [0, 0, 0, 100],
            }

        def test_of_a_partly_paid_document_what_is_open_counts_once(self) -> None:
            """What was paid is not owed again, and the settlement does not take it off a second time."""
            payment = a_payment(2, ACCOUNT, 40 * UNIT, remaining_amount=0, payment_date_received=NOW - 5 * DAY)
            document = a_document(3, ACCOUNT, due_amount=60 * UNIT, **OVERDUE)
            paid = a_settlement(4, payment, document, 40 * UNIT, effective_at=NOW - DAY)
            assert self._of(document, payment, settlements=(paid,)).balance == 60 * UNIT

        def test_what_was_settled_later_was_open_before(self) -> None:
            """A balance of last week is what it was last week, from its first to its last instant."""
            payment = a_payment(2, ACCOUNT, 40 * UNIT, remaining_amount=0, payment_date_received=NOW + DAY)
            document = a_document(3, ACCOUNT, due_amount=60 * UNIT, **OVERDUE)
            paid = a_settlement(4, payment, document, 40 * UNIT, effective_at=NOW)
            assert self._of(document, payment, settlements=(paid,)).balance == 60 * UNIT
            assert self._of(document, payment, settlements=(paid,), as_of=NOW - MOMENT).balance == 100 * UNIT

        def test_a_cancelled_settlement_counts_until_it_was_cancelled(self) -> None:
            """A payment that was assigned by mistake pays nothing from the moment that is mended."""
            payment = a_payment(2, ACCOUNT, 40 * UNIT, payment_date_received=NOW + 5 * DAY)
            document = a_document(3, ACCOUNT, **OVERDUE)
            mended: dict[str, Any] = {"effective_at": NOW - 2 * DAY, "cancelled": True, "cancelled_at": NOW}
            taken_back = a_settlement(4, payment, document, 40 * UNIT, **mended)
            assert self._of(document, settlements=(taken_back,)).balance == 100 * UNIT
            assert self._of(document, settlements=(taken_back,), as_of=NOW - MOMENT).balance == 60 * UNIT
            assert self._of(document, settlements=(taken_back,), as_of=NOW - 3 * DAY).balance == 100 * UNIT

        def test_nothing_is_converted(self) -> None:
            """A hundred dollars are not a hundred euros: items in another currency are listed, and stay out."""
            dollars = a_document(2, ACCOUNT, currency="USD", **OVERDUE)
            paid_in_dollars = a_payment(3, ACCOUNT, currency="USD")
            found = self._of(dollars, paid_in_dollars)
            assert (found.balance, found.oldest_due_date) == (0, None)
            assert [line.reason for line in found.lines] == [Reason.OTHER_CURRENCY] * 2

        def test_what_the_provider_owes_counts_at_once_and_the_other_way(self) -> None:
            """A credit note lessens the debt on the day it is issued; it does not wait for a due day."""
            owed = a_document(2, ACCOUNT, **OVERDUE)
            liability: dict[str, Any] = {"document_type": "creditNote", "due_amount_type": DueAmountType.LIABILITY}
            credit = a_document(3, ACCOUNT, 30 * UNIT, **liability)
            later = a_document(4, ACCOUNT, 7 * UNIT, document_issued_date=TODAY + DAY, **liability)
            assert self._of(owed, credit, later).balance == 70 * UNIT

        def test_incoming_payments_count_from_the_instant_of_their_receipt(self) -> None:
            """Money that came is the payer's; a promise is not money."""
            received = a_payment(2, ACCOUNT, 40 * UNIT, payment_date_received=NOW)
            promised = a_payment(3, ACCOUNT, payment_type=PaymentType.PROMISE_TO_PAY)
            assert self._of(received, promised).balance == -40 * UNIT
            assert self._of(received, promised, as_of=NOW - MOMENT).balance == 0

        def test_money_sent_back_counts_against_the_payer_from_the_instant_it_was_sent(self) -> None:
            """Who was given back what he had paid too much has nothing left, and is not overpaid a second time."""
            out: dict[str, Any] = {"payment_type": PaymentType.OUT, "payment_date_received": None}
            received = a_payment(2, ACCOUNT, 50 * UNIT, payment_date_received=NOW - DAY)
            sent = a_payment(3, ACCOUNT, 50 * UNIT, payment_date_sent=NOW, **out)
            assert self._of(received, sent).balance == 0
            found = self._of(received, sent, as_of=NOW - MOMENT)
            assert (found.balance, found.lines[1].reason) == (-50 * UNIT, Reason.NOT_YET_SENT)
            covered = self._of(received, attrs.evolve(sent, remaining_amount=20 * UNIT))
            assert (covered.balance, covered.oldest_due_date) == (-30 * UNIT, None)

        def test_what_is_cancelled_counts_until_then(self) -> None:
            """An invoice that was wrong was owed until somebody said so."""
            gone: dict[str, Any] = {"cancelled": True, "cancelled_at": NOW}
            document = a_document(2, ACCOUNT, **OVERDUE, **gone)
            payment = a_payment(3, ACCOUNT, 40 * UNIT, payment_date_received=NOW - 9 * DAY, **gone)
            assert self._of(document, payment).balance == 0
            assert self._of(document, payment, as_of=NOW - MOMENT).balance == 60 * UNIT

        def test_a_deposit_is_no_debt(self) -> None:
            """Collection is about what its document types are relevant for, as configured."""
            found = self._of(a_document(2, ACCOUNT, document_type="deposit", **OVERDUE))
            assert (found.balance, [line.reason for line in found.lines]) == (0, [Reason.NOT_COLLECTION_RELEVANT])

        def test_the_oldest_due_day_is_of_a_document_that_counts(self) -> None:
            """Grace is counted from it: neither a paid nor a foreign document may start a collection."""
            old: dict[str, Any] = {"document_issued_date": TODAY - 90 * DAY, "document_due_date": TODAY - 80 * DAY}
            paid = a_document(2, ACCOUNT, due_amount=0, **old)
            foreign = a_document(3, ACCOUNT, currency="USD", **old)
            counting = a_document(4, ACCOUNT, **OVERDUE)
            younger = a_document(5, ACCOUNT, document_issued_date=TODAY - 20 * DAY, document_due_date=TODAY - DAY)
            assert self._of(younger, paid, foreign, counting).oldest_due_date == TODAY - 30 * DAY

        def test_the_lines_add_up_to_the_balance(self) -> None:
            """A clerk who explains a balance adds them up."""
            items = (
                a_document(2, ACCOUNT, **OVERDUE),
                a_document(3, ACCOUNT, currency="USD", **OVERDUE),
                a_payment(4, ACCOUNT, 7 * UNIT),
            )
            found = self._of(*items)
            assert sum(line.contribution for line in found.lines) == found.balance == 93 * UNIT
            assert [line.ref_id for line in found.lines] == [item.ref_id for item in items]

        def test_sums_are_exact_up_to_64_bits_and_refused_beyond(self) -> None:
            """A balance that is off by a millionth, or that wrapped around, is worse than none."""
            most = a_document(2, ACCOUNT, MAX_AMOUNT, **OVERDUE)
            one = a_document(3, ACCOUNT, 1, **OVERDUE)
            back = a_payment(4, ACCOUNT, 1)
            for amount in (2**53 + 1, MAX_AMOUNT - 1, MAX_AMOUNT):
                assert self._of(a_document(2, ACCOUNT, amount, **OVERDUE)).balance == amount
            assert self._of(most, one, back).balance == MAX_AMOUNT
            with pytest.raises(AmountOutOfRange):
                self._of(most, one)

        def test_collection_starts_above_the_threshold_and_not_at_it(self) -> None:
            """Who owes what is tolerated is left in peace."""
            configured = configuration(CollectionThreshold(code="EUR", threshold=5 * UNIT))
            asked = [
                should_start(balance, TODAY - DAY, configured, "EUR", NOW, zone("UTC"))
                for balance in (-UNIT, 0, 5 * UNIT, 5 * UNIT + 1)
            ]
            assert asked == [False, False, False, True]

        def test_collection_starts_when_the_days_of_grace_are_over(self) -> None:
            """With three days of grace it starts on the third day after the due day, not on the fourth; in the payer's zone."""
            configured = configuration(CollectionSetting(grace_days=3))
            due = TODAY - 3 * DAY
            asked = [
                should_start(UNIT, day, configured, "EUR", NOW, zone("UTC"))
                for day in (None, due + DAY, due, due - DAY)
            ]
            assert asked == [False, False, True, True]
            assert not should_start(UNIT, due, configured, "EUR", NOW, zone("Pacific/Niue"))

    return CollectionContract


def _ledger(*items: Any, **more: Any) -> Ledger:
    documents = tuple(item for item in items if item.code == "document")
    payments = tuple(item for item in items if item.code == "payment")
    return Ledger(account=ACCOUNT, payer=a_payer(ACCOUNT), documents=documents, payments=payments, **more)
