"""What every consumer does: each message once, whatever happens; what cannot be dealt with is set aside and told."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from uuid import UUID, uuid4

import attrs
import pytest
import sqlalchemy as sa

from ocs_adapters.consumers import consumer
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.processor import PASSING, SURPRISES, NothingWorks, Processor
from ocs_adapters.consumers.received import NotUnderstood
from ocs_adapters.consumers.tables import ConsumerTables
from ocs_adapters.sql.drivers import Call
from ocs_core.errors import OcsError, PlatformUnavailable, StoreUnavailable
from ocs_core.memory import MemoryEventLog
from ocs_core.ports import Delivered, Gap, OutboxRow, Stream
from ocs_core.testkit.contracts.subject import at_once
from ocs_core.testkit.fakes import NOW
from tests.contract.stores import DATABASES

TABLES = ConsumerTables("notes", layout=1)
NOTES = TABLES.table("notes", sa.Column("note", sa.Text(), nullable=False))


class Bang(Exception):
    """Something that nobody expected."""


@attrs.frozen
class Cut:
    """A stream whose commits do not arrive."""

    stream: Stream

    def next(self, limit: int) -> Sequence[Delivered]:
        return self.stream.next(limit)

    def commit(self) -> None:
        raise PlatformUnavailable("gone")

    def gaps(self) -> Sequence[Gap]:
        return self.stream.gaps()


@attrs.define
class Scene:
    """A consumer that notes down every value, and what it may be made to suffer."""

    log: MemoryEventLog
    inbox: Inbox
    consumer: Consumer = attrs.field(init=False)
    fails_with: dict[bytes, list[Exception]] = attrs.field(factory=dict)
    together: list[int] = attrs.field(factory=list)
    """How many messages came in each transaction."""
    committed: Callable[[], None] = lambda: None

    def __attrs_post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """As after a crash: what was not committed comes again."""
        self.consumer = Consumer(
            stream=self.log.reader("notes"),
            processor=Processor(inbox=self.inbox, handle=self.note, committed=lambda: self.committed()),
        )

    def note(self, transaction, messages) -> None:
        self.together.append(len(messages))
        for message in messages:
            transaction.run([Call(NOTES.insert().values(note=sa.bindparam("note")), {"note": message.value.decode()})])
            if failures := self.fails_with.get(message.value):
                raise failures.pop(0) if len(failures) > 1 else failures[0]

    def publish(self, *values: bytes, **headers: str) -> list[UUID]:
        ids = [uuid4() for _ in values]
        self.log.publish(
            [
                OutboxRow(
                    position=0,
                    ref_id=ce_id,
                    topic="t",
                    key=uuid4(),
                    headers={"ce_id": str(ce_id), **headers},
                    value=value,
                )
                for ce_id, value in zip(ids, values, strict=True)
            ]
        )
        return ids

    @property
    def notes(self) -> list[str]:
        (rows,) = self.inbox.database.read(Call(sa.select(NOTES.c.note)))
        return [note for (note,) in rows]


@pytest.fixture
def scene_on():
    with ExitStack() as stack:

        def made(make) -> Scene:
            database = stack.enter_context(make())
            TABLES.prepare(database)
            return Scene(MemoryEventLog(), Inbox(database, TABLES, lambda: NOW))

        yield made


@DATABASES
def test_every_message_is_dealt_with_once_in_its_order(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish(b"a", b"b", b"c")
    assert scene.consumer.drain() == 3
    assert scene.notes == ["a", "b", "c"]


@DATABASES
def test_a_message_that_comes_again_is_known_by_its_ce_id(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish(b"a", b"b")
    scene.consumer.stream = Cut(scene.consumer.stream)
    with pytest.raises(PlatformUnavailable):
        scene.consumer.step()
    scene.restart()
    scene.publish(b"c")
    scene.consumer.drain()
    assert scene.notes == ["a", "b", "c"]


@DATABASES
def test_a_message_that_comes_twice_in_one_batch_is_dealt_with_once(make, scene_on) -> None:
    scene = scene_on(make)
    twice = str(uuid4())
    scene.publish(b"a", b"a", ce_id=twice)
    scene.consumer.drain()
    assert scene.notes == ["a"]


@DATABASES
def test_a_message_that_cannot_be_dealt_with_is_set_aside_and_the_others_are_dealt_with(make, scene_on) -> None:
    scene = scene_on(make)
    scene.fails_with[b"b"] = [Bang("no")]
    _, bad, _ = scene.publish(b"a", b"b", b"c")
    scene.consumer.drain()
    assert scene.notes == ["a", "c"], "nothing of the one that failed stays"
    (letter,) = scene.inbox.dead_letters()
    assert (letter.ref_id, letter.message.value) == (bad, b"b")
    assert letter.reason.startswith("Bang at tests/contract/test_consumers.py:")
    assert letter.set_aside_at == NOW


@DATABASES
def test_why_a_message_is_set_aside_is_one_sentence_with_nothing_of_what_was_in_hand(make, scene_on) -> None:
    scene = scene_on(make)
    secret = "postgresql://planted:password@db " * 1000
    scene.fails_with[b"a"] = [ValueError(secret)]
    scene.fails_with[b"b"] = [NotUnderstood("It is no payment. " * 1000)]
    scene.publish(b"a", b"b")
    scene.consumer.drain()
    ours, foreign = sorted(letter.reason for letter in scene.inbox.dead_letters())
    assert foreign.startswith("ValueError at tests/contract/test_consumers.py:")
    assert "planted" not in foreign
    assert ours.startswith("It is no payment.")
    assert len(ours) <= 500


@DATABASES
@pytest.mark.parametrize("headers", [{"ce_id": "?"}, {"ce_id": ""}])
def test_a_message_without_an_id_is_set_aside_once(make, scene_on, headers) -> None:
    scene = scene_on(make)
    scene.publish(b"a", **headers)
    scene.consumer.stream = Cut(scene.consumer.stream)
    with pytest.raises(PlatformUnavailable):
        scene.consumer.step()
    scene.restart()
    scene.consumer.drain()
    (letter,) = scene.inbox.dead_letters()
    assert letter.message.headers == headers


@DATABASES
def test_what_comes_twice_in_one_batch_keeps_its_first_place(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish(b"a", b"b")
    (first, *_) = scene.log.reader("look").next(1)
    scene.publish(b"a", ce_id=first.headers["ce_id"])
    scene.consumer.drain()
    assert scene.notes == ["a", "b"]


@DATABASES
def test_where_nothing_works_any_more_no_message_is_blamed(make, scene_on) -> None:
    """A table that is gone, a disk that may not be written to: it is not the messages' fault, and it passes."""
    scene = scene_on(make)
    values = [f"{n}".encode() for n in range(100)]
    scene.fails_with.update({value: [Bang("DE89370400440532013000")] for value in values})
    scene.publish(*values)
    for _ in range(3):
        with pytest.raises(NothingWorks, match="nothing works any more: Bang") as told:
            scene.consumer.step()
        assert "DE89370400440532013000" not in str(told.value), "what it says goes into the log"
    assert len(scene.inbox.dead_letters()) <= SURPRISES
    scene.fails_with.clear()
    scene.consumer.drain()
    for letter in scene.inbox.dead_letters():
        scene.consumer.processor.retry(letter.ref_id)
    assert sorted(scene.notes) == sorted(value.decode() for value in values)


@DATABASES
def test_a_database_that_lost_its_tables_costs_no_message(make, scene_on) -> None:
    scene = scene_on(make)
    scene.publish(b"a", b"b")
    with scene.inbox.database.engine.begin() as connection:
        NOTES.drop(connection)
    scene.publish(*[b"c"] * SURPRISES)
    with pytest.raises(PASSING):
        scene.consumer.drain()
    with scene.inbox.database.engine.begin() as connection:
        NOTES.create(connection)
    scene.consumer.drain()
    for letter in scene.inbox.dead_letters():
        scene.consumer.processor.retry(letter.ref_id)
    assert {"a", "b", "c"} == {*scene.notes}


@DATABASES
def test_a_failure_after_the_commit_is_nobodys_fault(make, scene_on) -> None:
    scene = scene_on(make)

    def fails() -> None:
        raise MemoryError

    scene.committed = fails
    scene.publish(b"a", b"b")
    scene.consumer.drain()
    assert scene.notes == ["a", "b"]
    assert scene.inbox.dead_letters() == []


@DATABASES
def test_a_message_that_no_database_can_hold_the_reason_of_is_set_aside(make, scene_on) -> None:
    scene = scene_on(make)
    scene.fails_with[b"a"] = [NotUnderstood("It follows a\0b.")]
    scene.publish(b"a", note="a\0b")
    scene.consumer.drain()
    (letter,) = scene.inbox.dead_letters()
    assert letter.message.headers["note"] == "a\0b"
    assert letter.reason == "It follows a\N{REPLACEMENT CHARACTER}b."


@DATABASES
def test_new_tables_are_read_for_under_a_name_of_their_own(make, scene_on) -> None:
    """So a database that is new, or was built anew, is told of everything, and takes nothing from another."""
    database = scene_on(make).inbox.database
    name = TABLES.prepare(database)
    assert TABLES.prepare(database) == name
    TABLES.drop(database)
    assert TABLES.prepare(database) != name


@DATABASES
def test_tables_are_made_by_several_at_once(make) -> None:
    with make() as database:
        names = at_once([lambda: TABLES.prepare(database)] * 4)
        assert len({*names}) == 1, names


@DATABASES
def test_a_batch_is_bounded_by_what_it_weighs(make, scene_on, monkeypatch) -> None:
    monkeypatch.setattr(consumer, "BATCH_BYTES", 10)
    monkeypatch.setattr(consumer, "BATCH", 1)
    scene = scene_on(make)
    scene.consumer.window = 5.0
    scene.publish(*[b"12345"] * 4)
    scene.consumer.drain()
    assert scene.together == [2, 2]


@DATABASES
def test_a_dead_letter_is_dealt_with_when_it_can_be(make, scene_on) -> None:
    scene = scene_on(make)
    scene.fails_with[b"a"] = [Bang("no")]
    (bad,) = scene.publish(b"a")
    scene.consumer.drain()
    with pytest.raises(OcsError, match=f"{bad} stays a dead letter: Bang"):
        scene.consumer.processor.retry(bad)
    scene.fails_with.clear()
    scene.consumer.processor.retry(bad)
    assert scene.notes == ["a"]
    assert scene.inbox.dead_letters() == []
    with pytest.raises(OcsError, match="no dead letter"):
        scene.consumer.processor.retry(bad)


@DATABASES
def test_a_dead_letter_is_discarded_once(make, scene_on) -> None:
    scene = scene_on(make)
    scene.fails_with[b"a"] = [Bang("no")]
    (bad,) = scene.publish(b"a")
    scene.consumer.drain()
    assert [scene.inbox.discard(bad), scene.inbox.discard(bad)] == [True, False]


@DATABASES
def test_a_database_that_does_not_answer_costs_no_message(make, scene_on) -> None:
    scene = scene_on(make)
    scene.fails_with[b"b"] = [StoreUnavailable("away"), StoreUnavailable("away"), Bang("no")]
    scene.publish(b"a", b"b", b"c")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            scene.consumer.step()
        assert scene.notes == []
    scene.fails_with.clear()
    scene.consumer.drain()
    assert scene.notes == ["a", "b", "c"]
    assert scene.inbox.dead_letters() == []


@DATABASES
def test_what_is_done_after_the_commit_is_done_after_the_commit(make, scene_on) -> None:
    scene = scene_on(make)
    seen: list[list[str]] = []
    scene.committed = lambda: seen.append(scene.notes)
    scene.publish(b"a")
    scene.consumer.drain()
    assert seen == [["a"]]


@DATABASES
def test_messages_of_a_window_go_into_one_transaction(make, scene_on) -> None:
    scene = scene_on(make)
    scene.consumer.window, scene.consumer.batch = 0.3, 4
    later = threading.Timer(0.1, lambda: scene.publish(b"b", b"c"))
    scene.publish(b"a")
    later.start()
    scene.consumer.step()
    later.join()
    assert scene.together == [3]


@DATABASES
def test_who_only_takes_what_is_there_waits_for_no_window_to_end(make, scene_on) -> None:
    scene = scene_on(make)
    scene.consumer.window = 3600
    scene.publish(b"a", b"b")
    assert scene.consumer.drain() == 2
    assert scene.together == [2]


@DATABASES
def test_a_batch_that_one_message_spoils_is_halved_until_it_stands_alone(make, scene_on) -> None:
    scene = scene_on(make)
    scene.fails_with[b"9"] = [Bang("no")]
    scene.publish(*(str(number).encode() for number in range(64)))
    scene.consumer.drain()
    assert scene.notes == [str(number) for number in range(64) if number != 9]
    assert len(scene.together) <= 1 + 2 * 6, "two halves for each time it is halved"


@DATABASES
def test_work_goes_on_until_it_is_told_to_stop(make, scene_on) -> None:
    scene, stop = scene_on(make), threading.Event()
    scene.fails_with[b"a"] = [PlatformUnavailable("away"), PlatformUnavailable("away")]
    worker = threading.Thread(target=scene.consumer.work, args=(stop,))
    worker.start()
    try:
        scene.publish(b"a", b"b")
        _until(lambda: scene.fails_with.clear() or scene.notes == ["a", "b"])
    finally:
        stop.set()
        worker.join(5)
    assert not worker.is_alive()


@DATABASES
def test_tables_of_another_layout_are_not_worked_on(make, scene_on) -> None:
    scene = scene_on(make)
    newer = ConsumerTables("notes", layout=2)
    with pytest.raises(OcsError, match=r"layout 1, this release needs 2.*ocs consume notes --from-beginning"):
        newer.prepare(scene.inbox.database)
    newer.drop(scene.inbox.database)
    assert not newer.are_in(scene.inbox.database)
    newer.prepare(scene.inbox.database)
    assert newer.are_in(scene.inbox.database)


def _until(reached) -> None:
    pause = threading.Event()
    for _ in range(200):
        if reached():
            return
        pause.wait(0.05)
    raise TimeoutError
