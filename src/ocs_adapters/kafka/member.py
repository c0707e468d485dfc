"""A member of a consumer group: one thread that does nothing but poll, since a client that is not polled goes astray."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs
import structlog
from kafka.errors import KafkaError
from kafka.structs import MemberState

from ocs_adapters.kafka.buffer import Buffer
from ocs_adapters.kafka.client import CONNECT_SECONDS, open_consumer
from ocs_adapters.kafka.connection import KafkaConnection
from ocs_adapters.kafka.positions import NotReadable, Resumption
from ocs_adapters.telling import told
from ocs_core.errors import PlatformUnavailable

POLL_SECONDS = 0.02
"""How long one poll waits for records: as long may a question wait for the thread."""
RECORDS_PER_POLL = 100
"""By so many records of whatever size a buffer may overflow."""
STUCK_SECONDS = 20.0
"""For how long a member may be without a place in its group, or get nothing although there is something."""
ABANDONED_SECONDS = 300.0
"""A member whose owner asked for nothing for so long leaves the group: whatever holds it up, others can go on."""
REST_SECONDS = 1.0
"""How long it rests before it connects again."""
LEAVE_SECONDS = 5.0
"""How long the broker may take to let it go."""
SESSION = {
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 1_000,
    "max_poll_interval_ms": 15_000,
    "metadata_max_age_ms": 60_000,
}
"""A member that is dead is missed after ten seconds, one that comes is told of within one, and new partitions in a minute.

One that lives but does not join again is waited for `max_poll_interval_ms`. Who waits must not take itself to be stuck
before that, and join anew: it would be waited for in its turn.
"""

BEGIN = {"auto_offset_reset": "none"}
"""Where a partition is read on from is ours to say."""

log: Any = structlog.get_logger()
T = TypeVar("T")


class Stuck(KafkaError):  # type: ignore[misc]
    """The client does not come to terms with its group; another one will."""


class Abandoned(KafkaError):  # type: ignore[misc]
    """Nobody asks for what we fetch."""


class TopicMissing(KafkaError):  # type: ignore[misc]
    """The broker knows of no such topic, and a reader that waits for it would wait for ever."""


@attrs.define
class Member:
    """Fetches into a buffer in the background, within bounds, and answers questions about the client on its own thread.

    Whatever goes wrong with a client, it is closed and another one goes on from what was committed.
    """

    connection: KafkaConnection
    topics: Sequence[str]
    group: str
    options: Mapping[str, Any]
    buffer: Buffer
    resumption: Resumption
    problem: Exception | None = attrs.field(default=None, init=False)
    """What the last client ended with; None once the next one has its place in the group. What cannot be read stays: to have
    a place is no sign that it can."""
    is_behind: bool = attrs.field(default=False, init=False)
    """Whether something is known to be there that did not come yet."""
    asked_at: float = attrs.field(factory=time.monotonic, init=False)
    """When its owner last asked for something."""
    _questions: deque[tuple[Callable[[Any], Any], "Future[Any]"]] = attrs.field(factory=deque, init=False)
    _leaving: threading.Event = attrs.field(factory=threading.Event, init=False)
    _thread: threading.Thread | None = attrs.field(default=None, init=False)

    @property
    def is_refused(self) -> bool:
        """Whether it is us that the problem lies with, and waiting does not help."""
        return isinstance(self.problem, KafkaError) and not self.problem.retriable

    def raise_unread(self) -> None:
        """Raises `PlatformUnavailable` where what is there cannot be read by us."""
        if isinstance(self.problem, NotReadable):
            raise PlatformUnavailable(f"Kafka cannot be read: {self.problem!r}") from self.problem

    def ask(self, work: Callable[[Any], T], seconds: float) -> T:
        """What `work` gives for the client, once it has its place in the group.

        Raises `PlatformUnavailable` for an error of the client, or when so many seconds do not do.
        """
        self.asked_at = time.monotonic()
        self._start()
        answer: Future[T] = Future()
        self._questions.append((work, answer))
        try:
            return answer.result(seconds)
        except (KafkaError, TimeoutError) as error:
            answer.cancel()
            cause = self.problem or error
            raise PlatformUnavailable(f"Kafka cannot be read: {cause!r}") from cause

    def leave(self) -> None:
        """Leave the group at once."""
        self._leaving.set()
        if self._thread is not None:
            self._thread.join(2 * LEAVE_SECONDS)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"kafka-{self.group}", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while not self._leaving.is_set():
            if self._is_abandoned():
                self._leaving.wait(POLL_SECONDS)
                continue
            try:
                with self._client() as consumer:
                    self._serve(consumer)
            except Exception as error:
                self.problem = error.with_traceback(None)  # which would keep the client
                log.warning("Kafka's consumer begins anew", group=self.group, error=told(error))
                if self.is_refused:
                    self._answer(None)
                self._leaving.wait(REST_SECONDS)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        consumer = open_consumer(self.connection, {"group_id": self.group, **SESSION, **BEGIN, **self.options})
        try:
            yield consumer
        finally:
            self.buffer.forget()
            self.is_behind = False
            consumer.close(autocommit=False, timeout_ms=int(LEAVE_SECONDS * 1000))

    def _serve(self, consumer: Any) -> None:
        consumer.subscribe(self.topics, listener=self.buffer)
        self._wait_for_topics(consumer)
        sound_at = time.monotonic()
        while not self._leaving.is_set():
            if consumer.group_metadata().state == MemberState.REBALANCING:
                # Where the client joins again for new partitions, it forgets so when a poll ends before the join does:
                # it would stay with its old ones, and be a member that fetches nothing else for ever.
                consumer._coordinator.request_rejoin()
            polled = self.resumption.poll(consumer, timeout_ms=int(POLL_SECONDS * 1000), max_records=RECORDS_PER_POLL)
            for partition, records in polled.items():
                self.buffer.put(partition, records)
                self.is_behind = False
            self._hold_back(consumer)
            if self._has_place(consumer):
                if polled or not isinstance(self.problem, NotReadable):
                    self.problem = None
                self._answer(consumer)
                if not self.is_behind:
                    sound_at = time.monotonic()
            if self._is_abandoned():
                raise Abandoned(f"nothing was asked for in {ABANDONED_SECONDS:.0f} seconds")
            if time.monotonic() - sound_at > STUCK_SECONDS:
                raise Stuck(f"{consumer.group_metadata().state}, behind: {self.is_behind}")

    def _is_abandoned(self) -> bool:
        return time.monotonic() - self.asked_at > ABANDONED_SECONDS

    def _wait_for_topics(self, consumer: Any) -> None:
        """Who joins without knowing the partitions is elected to share them out, and gives nobody any."""
        ends = time.monotonic() + CONNECT_SECONDS
        while unknown := [topic for topic in self.topics if not consumer._cluster.partitions_for_topic(topic)]:
            # An answer that was under way when the topics were named lacks them, and counts as the one asked for.
            consumer._cluster.request_update()
            if self._leaving.wait(POLL_SECONDS) or time.monotonic() > ends:
                raise TopicMissing(f"there is no topic {' and no topic '.join(unknown)}")

    def _hold_back(self, consumer: Any) -> None:
        if self.buffer.is_full:
            consumer.pause(*consumer.assignment())
        elif self.buffer.has_room and (paused := consumer.paused()):
            consumer.resume(*paused)

    def _has_place(self, consumer: Any) -> bool:
        return bool(
            consumer.group_metadata().state == MemberState.STABLE and consumer.assignment() == {*self.buffer.owned}
        )

    def _answer(self, consumer: Any | None) -> None:
        while self._questions:
            work, answer = self._questions.popleft()
            if answer.set_running_or_notify_cancel():
                try:
                    if consumer is None:
                        raise TimeoutError
                    answer.set_result(work(consumer))
                except Exception as error:
                    answer.set_exception(error)
