"""Broken outboxes and relays."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar
from uuid import UUID

import attrs

from ocs_core.errors import Conflict
from ocs_core.memory import MemoryOutbox, MemoryStore
from ocs_core.memory.store import MemoryUnitOfWork
from ocs_core.messages import Message
from ocs_core.ports import SHARES, Backlog, Outbox, OutboxRow, Publisher, Series
from ocs_core.testkit.broken.planted import planting
from ocs_core.testkit.contracts import OutboxSubject, outbox_contract, relay_contract
from ocs_core.testkit.examples import configuration

_VALUES = {"paymentAmount": "payment_amount", "paymentRef1": "payment_ref1"}


class PlainOutbox(MemoryOutbox):
    """What broken outboxes are made of: it writes what the laws look at."""

    Store: ClassVar[type[MemoryStore]] = MemoryStore

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, lambda payload: json.dumps(self.value_of(payload)).encode())

    def value_of(self, payload: Any) -> Any:
        return {name: getattr(payload, of, None) for name, of in _VALUES.items()}


def _held(outbox: type[PlainOutbox]) -> type:
    @contextmanager
    def make() -> Iterator[OutboxSubject]:
        store = outbox.Store(configuration())
        yield OutboxSubject(store, lambda: outbox(store), store.configure)

    return outbox_contract(make)


_breaks = planting(outbox_contract, _held, PlainOutbox)


@_breaks("test_to_look_forgets_nothing_and_another_reader_sees_the_same")
class ForgetsWhatItShows(PlainOutbox):
    """`DELETE … RETURNING`: what a relay had in hand when it crashed is gone."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        rows = super().waiting(limit, shares)
        super().done(rows)
        return rows


@_breaks("test_a_notification_goes_to_the_topic_that_it_had_when_it_was_published")
class KnowsTheTopicsOfFamiliesAlone(PlainOutbox):
    """Two topics are set up when the system is."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        topics = {message.ref_id: message.family.topic for message in self.store.outbox.values()}
        return [attrs.evolve(row, topic=topics[row.ref_id]) for row in super().waiting(limit, shares)]


@_breaks("test_a_notification_goes_to_the_topic_that_it_had_when_it_was_published")
class LooksForTheTopicWhenAMessageLeaves(PlainOutbox):
    """The configuration is at hand there, too, but it is another by then."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        now, waiting = self.store.configuration, self.store.outbox.items()
        topics = {ref: now.topic_of(message.payload.code) or message.family.topic for ref, message in waiting}
        return [attrs.evolve(row, topic=topics[row.ref_id]) for row in super().waiting(limit, shares)]


@_breaks("test_whatever_concerns_one_account_has_its_key")
class KeepsTheOrderPerEntity(PlainOutbox):
    """The subject of a message is taken for its key."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        subjects = {message.ref_id: message.subject for message in self.store.outbox.values()}
        return [attrs.evolve(row, key=subjects[row.ref_id]) for row in super().waiting(limit, shares)]


@_breaks("test_messages_of_one_unit_of_work_keep_their_order")
class OrdersByIds(PlainOutbox):
    """Ids of version 7 rise with time, and so does everything, nearly."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        return sorted(super().waiting(10_000, shares), key=lambda row: row.ref_id)[:limit]


@_breaks("test_done_forgets_exactly_those")
class ForgetsUpToTheLast(PlainOutbox):
    """Whatever stands before the last one that was published is taken for published."""

    def done(self, rows: Sequence[OutboxRow]) -> None:
        last = max((row.position for row in rows), default=0)
        super().done([row for row in self.waiting(10_000) if row.position <= last])


@_breaks("test_rows_unknown_by_now_are_no_error")
class ComplainsOfUnknownRows(PlainOutbox):
    """The slower of two relays stops, and moves nothing any more."""

    def done(self, rows: Sequence[OutboxRow]) -> None:
        if any(row.ref_id not in self.store.outbox for row in rows):
            raise Conflict("outbox")
        super().done(rows)


@_breaks("test_nothing_waits_before_the_commit")
class ShowsWhatIsBeingWritten(PlainOutbox):
    """The relay reads what is not committed."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        return MemoryOutbox(attrs.evolve(self.store, lock=nullcontext()), self.encode).waiting(limit, shares)


@_breaks("test_headers_key_and_value_are_exact")
class WritesAmountsAsFloats(PlainOutbox):
    """Money in units of the currency, with a point, as everybody writes it."""

    def value_of(self, payload: Any) -> Any:
        return super().value_of(payload) | {"paymentAmount": payload.payment_amount / 1}


@_breaks("test_the_oldest_come_first_and_a_limit_is_kept")
class TakesTheYoungestThatFit(PlainOutbox):
    """The limit is taken from the wrong end, and what waits longest waits for ever."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        return super().waiting(10_000, shares)[-limit:]


@_breaks("test_a_held_message_stops_its_own_key_alone_and_keeps_its_place")
class HoldsTheMessageAlone(PlainOutbox):
    """What follows a held message of the same key overtakes it."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        held, self.store.held = self.store.held, {}
        rows = [row for row in super().waiting(10_000, shares) if row.ref_id not in held]
        self.store.held = held
        return rows[:limit]


@_breaks("test_a_discarded_message_is_gone_and_its_key_goes_on")
class DiscardsWhatIsNotHeld(PlainOutbox):
    """A slip of the pen, and a message that was on its way is gone."""

    def discard(self, ref_ids: Collection[UUID]) -> int:
        for ref_id in ref_ids:
            self.store.held.pop(ref_id, None)
        return sum(self.store.outbox.pop(ref_id, None) is not None for ref_id in ref_ids)


@_breaks("test_a_message_that_is_done_is_held_no_more")
class HoldsWhatIsPublished(PlainOutbox):
    """What is held stays held, whatever became of it, and its key stands still for good."""

    def done(self, rows: Sequence[OutboxRow]) -> None:
        super().done([row for row in rows if row.ref_id not in self.store.held])


@_breaks("test_shares_split_the_keys_and_leave_none_out")
class SharesThePositions(PlainOutbox):
    """Every relay takes its part of the messages instead of its part of the keys."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        rows = super().waiting(10_000)
        return [row for row in rows if shares is None or row.position % SHARES in shares][:limit]


@_breaks("test_the_backlog_tells_how_much_waits_and_since_when")
class CountsWhatCanMove(PlainOutbox):
    """What stands still is not counted, and nobody sees it."""

    def backlog(self) -> Backlog:
        return attrs.evolve(super().backlog(), rows=len(self.waiting(10_000)))


@attrs.define
class _NumberedUnitOfWork(MemoryUnitOfWork):
    """Numbers its messages as they come, as a sequence of a database does."""

    numbered: list[tuple[int, Message]] = attrs.field(factory=list)

    def publish(self, message: Message) -> None:
        (number,) = self.draw(Series("outbox", "", gapless=False))
        self.numbered.append((number, message))


class _NumberingStore(MemoryStore):
    """Two work at once, and what each publishes is there when it commits."""

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[MemoryUnitOfWork]:
        uow = _NumberedUnitOfWork(self)
        yield uow
        for number, message in uow.numbered:
            self.outbox[message.ref_id] = message
            self.numbers[str(message.ref_id)] = number


@_breaks("test_a_message_that_is_committed_late_is_not_passed_over")
class GoesByTheHighestNumber(PlainOutbox):
    """What has a higher number than the last one that was published; who drew a lower one and committed later is lost."""

    Store = _NumberingStore

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence[OutboxRow]:
        published, numbers = self.store.numbers.get("published", 0), self.store.numbers
        rows = [attrs.evolve(row, position=numbers[str(row.ref_id)]) for row in super().waiting(10_000, shares)]
        return [row for row in rows if row.position > published][:limit]

    def done(self, rows: Sequence[OutboxRow]) -> None:
        self.store.numbers["published"] = max(row.position for row in rows)


Move = Callable[[], Any]


def carry(outbox: Outbox, publisher: Publisher, rows: Sequence[OutboxRow]) -> None:
    """From the outbox to the platform; what cannot go is held."""
    published = publisher.publish(rows)
    outbox.done(published.kept)
    outbox.hold(published.refused)


def steady_relay(outbox: Outbox, publisher: Publisher) -> Move:
    """What broken relays are made of."""

    def move() -> None:
        carry(outbox, publisher, outbox.waiting(1000))

    return move


_relay_breaks = planting(relay_contract, lambda relay: relay_contract(relay), steady_relay)


@_relay_breaks("test_what_the_platform_did_not_keep_stays_and_comes_again")
def marks_what_was_not_acknowledged(outbox: Outbox, publisher: Publisher) -> Move:
    """What was sent is taken for what was kept."""

    def move() -> None:
        rows = outbox.waiting(1000)
        publisher.publish(rows)
        outbox.done(rows)

    return move


@_relay_breaks("test_nothing_is_lost_or_out_of_order_after_a_crash_between_any_two_steps")
def forgets_before_it_publishes(outbox: Outbox, publisher: Publisher) -> Move:
    """At most once: nothing comes twice, and what was in hand at a crash never comes."""

    def move() -> None:
        rows = outbox.waiting(5)
        outbox.done(rows)
        publisher.publish(rows)

    return move


@_relay_breaks("test_everything_arrives_in_order_and_as_it_was")
def publishes_in_order_of_ids(outbox: Outbox, publisher: Publisher) -> Move:
    """Sorted, to be sure."""

    def move() -> None:
        carry(outbox, publisher, sorted(outbox.waiting(1000), key=lambda row: row.ref_id))

    return move


@_relay_breaks("test_what_the_platform_refuses_holds_its_key_alone_until_somebody_decides")
def knocks_for_ever(outbox: Outbox, publisher: Publisher) -> Move:
    """What is refused is tried again and again, and nobody is told."""

    def move() -> None:
        outbox.done(publisher.publish(outbox.waiting(1000)).kept)

    return move


@_relay_breaks("test_what_the_platform_did_not_keep_stays_and_comes_again")
def goes_on_past_a_refused_message(outbox: Outbox, publisher: Publisher) -> Move:
    """One by one: what follows a refused message of the same key overtakes it."""

    def move() -> None:
        for row in outbox.waiting(1000):
            carry(outbox, publisher, [row])

    return move
