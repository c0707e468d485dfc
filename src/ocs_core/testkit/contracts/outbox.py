"""The laws of an `Outbox`: what is committed waits, in order per key, until it is done."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_core.entities.configuration import NotificationSetting
from ocs_core.messages import CollectionBalanceCalculated, Message, PaymentReceived
from ocs_core.money import MAX_AMOUNT
from ocs_core.ports import SHARES, Backlog, HeldRow, Outbox, OutboxRow, Store, share_of
from ocs_core.testkit.contracts.subject import TEXT_THAT_HURTS, at_once, beside, only
from ocs_core.testkit.contracts.values import a_message, id_of
from ocs_core.testkit.examples import UNIT, Desk

ONE, OTHER = id_of(1), id_of(2)


@attrs.frozen
class OutboxSubject:
    """A store to write into, and the relay's side of its outbox: `reader()` gives another reader each time.

    `configure` puts entries into the configuration of the store, in the place of those with the same code.
    """

    store: Store
    reader: Callable[[], Outbox]
    configure: Callable[[object], None]


def outbox_contract(make: Callable[[], AbstractContextManager[OutboxSubject]]) -> type:
    """The laws of an `Outbox`: what is committed waits, in order per key, until it is done."""

    class OutboxContract:
        @pytest.fixture
        def subject(self) -> Any:
            with make() as subject:
                yield subject

        def test_messages_wait_in_the_order_of_their_commits_per_key(self, subject: OutboxSubject) -> None:
            """A payment that is told after its own assignment is a payment that a consumer does not know."""
            keys = [id_of(n) for n in range(1, 5)]

            def write(key: UUID) -> None:
                for number in range(1, 11):
                    publish(subject.store, a_message(key.int % 10 * 1000 + 11 - number, key))

            at_once([lambda k=k: write(k) for k in keys])  # type: ignore[misc]
            waiting = subject.reader().waiting(1000)
            for key in keys:
                numbers = [row.ref_id.int & 0xFFFF for row in waiting if row.key == key]
                assert numbers == [key.int % 10 * 1000 + n for n in range(10, 0, -1)]
            assert [row.position for row in waiting] == sorted({row.position for row in waiting})

        def test_messages_of_one_unit_of_work_keep_their_order(self, subject: OutboxSubject) -> None:
            """A command announces a payment, then its history: whatever their ids, whatever their number."""
            messages = [a_message(number, ONE) for number in range(60, 10, -1)]
            publish(subject.store, *messages)
            assert _ids(subject.reader().waiting(100)) == [m.ref_id for m in messages]

        @pytest.mark.parametrize("amount", [1, 2**53 + 1, MAX_AMOUNT])
        def test_headers_key_and_value_are_exact(self, subject: OutboxSubject, amount: int) -> None:
            """What leaves the system is all that others know of it."""
            message = a_message(7, ONE, amount=amount, ref=TEXT_THAT_HURTS)
            publish(subject.store, message)
            row = only(subject.reader().waiting(10), "messages that wait")
            assert (row.ref_id, row.key, dict(row.headers)) == (message.ref_id, message.key, message.headers)
            value = json.loads(row.value)
            assert (value["paymentAmount"], value["paymentRef1"]) == (amount, TEXT_THAT_HURTS)
            assert isinstance(value["paymentAmount"], int)

        def test_a_notification_goes_to_the_topic_that_it_had_when_it_was_published(
            self, subject: OutboxSubject
        ) -> None:
            """From a command and from a run; a recipient that is given another topic finds there what happens from then on."""
            notified = (PaymentReceived.code, CollectionBalanceCalculated.code)
            desk = Desk(subject.store)
            account = desk.account("A-1")
            for topic in (None, "theirs", "another", None):
                for code in notified:
                    subject.configure(NotificationSetting(code=code, topic=topic))
                desk.payment(account=account)
                desk.clock.advance(minutes=1)
                desk.collect()
            rows = subject.reader().waiting(1000)
            for code in notified:
                went = [row.topic for row in rows if row.headers.get("X-Ocs-Io-notification-code") == code]
                assert went == ["ocs.rm.notifications", "theirs", "another", "ocs.rm.notifications"], code
            entities = [row for row in rows if "X-Ocs-Io-message-code" in row.headers]
            assert {row.topic for row in entities} == {"ocs.rm.business-transactions"}

        def test_whatever_concerns_one_account_has_its_key(self, subject: OutboxSubject) -> None:
            """Messages keep their order per key: a payment must not be told before the account that it belongs to."""
            desk = Desk(subject.store)
            account = desk.account("A-1")
            payment = desk.payment(amount=3 * UNIT)
            document = desk.document(account=account, amount=5 * UNIT)
            desk.assign(payment, document, UNIT)
            desk.cancel_assignment(payment, document)
            desk.collect()
            keys = [(row.headers["ce_type"].rpartition(".")[2], row.key) for row in subject.reader().waiting(1000)]
            unidentified = [key for _, key in keys if key != account.ref_id]
            assert unidentified == [payment.ref_id, payment.ref_id], keys
            assert len(keys) > 12

        def test_nothing_waits_before_the_commit(self, subject: OutboxSubject) -> None:
            """A message that is out cannot be taken back when the transaction is."""
            reader = subject.reader()
            with subject.store.begin() as uow:
                uow.publish(a_message(7, ONE))
                look = beside(lambda: _ids(reader.waiting(10)))
                assert not look.result_soon(), "messages that wait before the commit"
            look.result()
            assert _ids(reader.waiting(10)) == [id_of(7)]

        def test_nothing_waits_of_what_was_abandoned(self, subject: OutboxSubject) -> None:
            """What did not happen is not told."""
            with suppress(ZeroDivisionError), subject.store.begin() as uow:
                uow.publish(a_message(7, ONE))
                raise ZeroDivisionError
            assert _ids(subject.reader().waiting(10)) == []

        def test_a_message_that_is_committed_late_is_not_passed_over(self, subject: OutboxSubject) -> None:
            """Messages become visible in the order of the commits: who goes by the highest number he saw loses one."""
            reader = subject.reader()
            with subject.store.begin() as slow:
                slow.publish(a_message(7, ONE))
                fast = beside(lambda: publish(subject.store, a_message(8, OTHER)))
                fast.result_soon()
                look = beside(lambda: reader.waiting(10))
                early = look.result_soon() or []
                if early:
                    reader.done(early)
            fast.result()
            look.result()
            assert {*_ids(early), *_ids(reader.waiting(10))} == {id_of(7), id_of(8)}

        def test_the_oldest_come_first_and_a_limit_is_kept(self, subject: OutboxSubject) -> None:
            """A relay moves what it can carry, and what waits longest goes first."""
            _publish_each(subject.store, *(a_message(n, ONE) for n in range(10, 15)))
            assert _ids(subject.reader().waiting(2)) == [id_of(10), id_of(11)]

        def test_to_look_forgets_nothing_and_another_reader_sees_the_same(self, subject: OutboxSubject) -> None:
            """A relay that looked and then crashed has published nothing: the next one must find it all."""
            _publish_each(subject.store, *(a_message(n, ONE) for n in range(10, 15)))
            reader = subject.reader()
            first = list(reader.waiting(10))
            assert (list(reader.waiting(10)), list(subject.reader().waiting(10))) == (first, first)
            assert len(first) == 5

        def test_done_forgets_exactly_those(self, subject: OutboxSubject) -> None:
            """What the platform did not keep stays, even where something younger was kept."""
            _publish_each(subject.store, *(a_message(n, ONE) for n in range(10, 15)))
            rows = subject.reader().waiting(10)
            subject.reader().done([rows[1], rows[3]])
            assert _ids(subject.reader().waiting(10)) == [id_of(10), id_of(12), id_of(14)]

        def test_rows_unknown_by_now_are_no_error(self, subject: OutboxSubject) -> None:
            """Two relays moved the same message: the slower one has nothing to complain about, and nothing more to do."""
            _publish_each(subject.store, *(a_message(n, ONE) for n in range(10, 13)))
            rows = subject.reader().waiting(10)
            subject.reader().done(rows[:1])
            subject.reader().done(rows[:2])
            subject.reader().done([])
            assert _ids(subject.reader().waiting(10)) == [id_of(12)]

        def test_a_message_published_again_while_it_waits_waits_once(self, subject: OutboxSubject) -> None:
            """A run that is repeated makes the same ids, so that nothing is told twice."""
            _publish_each(subject.store, a_message(7, ONE), a_message(8, ONE), a_message(7, ONE))
            assert _ids(subject.reader().waiting(10)) == [id_of(7), id_of(8)]

        def test_a_held_message_stops_its_own_key_alone_and_keeps_its_place(self, subject: OutboxSubject) -> None:
            """What cannot be published waits for a person; what follows it must not overtake it, and others not wait."""
            _publish_each(subject.store, *(a_message(n, ONE if n % 2 else OTHER) for n in range(10, 16)))
            reader = subject.reader()
            poison = reader.waiting(10)[1]
            unknown = attrs.evolve(poison, position=10**9, ref_id=id_of(99))
            reader.hold([HeldRow(unknown, "nobody knows it any more"), HeldRow(poison, "it is too large")])
            reader.hold([])
            assert _ids(subject.reader().waiting(10)) == [id_of(10), id_of(12), id_of(14)]
            assert [(h.row, h.reason) for h in subject.reader().held()] == [(poison, "it is too large")]
            assert subject.reader().release([poison.ref_id, id_of(99), id_of(10)]) == 1
            assert _ids(reader.waiting(10)) == [id_of(n) for n in range(10, 16)]
            assert list(reader.held()) == []

        def test_a_discarded_message_is_gone_and_its_key_goes_on(self, subject: OutboxSubject) -> None:
            """Somebody decided that it is not to be told; only what is held can be decided on."""
            _publish_each(subject.store, *(a_message(n, ONE) for n in range(10, 13)))
            reader = subject.reader()
            assert not reader.discard([id_of(10)])
            assert reader.release([id_of(10)]) == 0
            reader.hold([HeldRow(reader.waiting(1)[0], "it is too large")])
            assert reader.discard([id_of(10)])
            assert not reader.discard([id_of(10)])
            assert _ids(reader.waiting(10)) == [id_of(11), id_of(12)]

        def test_all_that_is_held_may_wait_again_at_once(self, subject: OutboxSubject) -> None:
            """A topic was too small for many messages, and is mended."""
            _publish_each(subject.store, *(a_message(10 + n, id_of(n)) for n in range(1, 6)))
            reader = subject.reader()
            rows = reader.waiting(10)
            reader.hold([HeldRow(row, "it is too large") for row in rows[:4]])
            assert reader.release([rows[0].ref_id, rows[2].ref_id]) == 2
            assert [held.row for held in reader.held()] == [rows[1], rows[3]]
            assert (reader.release(), reader.release()) == (2, 0)
            assert list(reader.waiting(10)) == list(rows)

        def test_a_message_that_is_done_is_held_no_more(self, subject: OutboxSubject) -> None:
            """One relay found that it cannot be published, and another had it published: it is published."""
            _publish_each(subject.store, *(a_message(n, ONE) for n in range(10, 13)))
            reader = subject.reader()
            first = reader.waiting(1)
            reader.hold([HeldRow(first[0], "it is too large")])
            subject.reader().done(first)
            assert list(reader.held()) == []
            assert _ids(reader.waiting(10)) == [id_of(11), id_of(12)]

        def test_shares_split_the_keys_and_leave_none_out(self, subject: OutboxSubject) -> None:
            """Relays work side by side, each on keys of its own, so that no message overtakes another of its key."""
            keys = [id_of(n) for n in range(1, 40)]
            _publish_each(subject.store, *(a_message(100 + n, key) for n, key in enumerate(keys + keys[::-1])))
            reader = subject.reader()
            halves = [reader.waiting(100, range(first, SHARES, 2)) for first in (0, 1)]
            assert [{share_of(row.key) % 2 for row in half} for half in halves] == [{0}, {1}]
            assert sorted(row.position for half in halves for row in half) == [r.position for r in reader.waiting(100)]
            assert list(reader.waiting(100, ())) == []

        def test_the_backlog_tells_how_much_waits_and_since_when(self, subject: OutboxSubject) -> None:
            """A platform that is away is seen by the size and age of what waits."""
            reader = subject.reader()
            assert reader.backlog() == Backlog()
            messages = [a_message(n, ONE) for n in range(10, 13)]
            _publish_each(subject.store, *messages)
            assert reader.backlog() == Backlog(rows=3, oldest=messages[0].occurred_at)
            reader.hold([HeldRow(reader.waiting(1)[0], "it is too large")])
            assert reader.backlog() == Backlog(rows=3, held=1, oldest=messages[0].occurred_at)

    return OutboxContract


def publish(store: Store, *messages: Message) -> None:
    """Publish these in one unit of work."""
    with store.begin() as uow:
        for message in messages:
            uow.publish(message)


def _publish_each(store: Store, *messages: Message) -> None:
    for message in messages:
        publish(store, message)


def _ids(rows: Sequence[OutboxRow]) -> list[UUID]:
    return [row.ref_id for row in rows]
