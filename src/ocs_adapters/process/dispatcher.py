"""Workers on any machine share the slices of a run: they are sent commands, one for each slice."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID, uuid4

import attrs
import msgspec
import structlog

from ocs_core.ports import Delivered, OutboxRow, Publisher

AHEAD = 2
"""So many commands wait in a queue at the most: whoever reads it finds the next one there, and who is slow gets no more."""
POLL_SECONDS = 0.25
"""How often the slices are looked at."""
LOST_SECONDS = 15.0
"""When no slice was done for so long, the commands that wait may be lost, and are sent again; after twice as long once more,
and so on. A worker that dies is missed after ten seconds, and its commands come to others by themselves."""

log = structlog.get_logger()


@attrs.frozen
class SliceCommand:
    """That a slice of a run is to be calculated. It may come twice, and late: the slice's row knows better."""

    run_ref_id: UUID
    number: int

    def row(self, topic: str, queue: int) -> OutboxRow:
        """The command as it is sent; its key says which queue it goes to."""
        value = msgspec.json.encode({"runRefId": self.run_ref_id, "slice": self.number})
        return OutboxRow(
            position=0,
            ref_id=uuid4(),
            topic=topic,
            key=UUID(int=queue),
            headers={"content-type": "application/json"},
            value=value,
        )

    @classmethod
    def of(cls, message: Delivered) -> "SliceCommand":
        """The command that was sent. Raises `ValueError` where the message is none."""
        sent = msgspec.json.decode(message.value, type=_Sent)
        return cls(sent.runRefId, sent.slice)


class _Sent(msgspec.Struct):
    runRefId: UUID
    slice: int


@attrs.frozen(kw_only=True)
class Dispatcher:
    """Has the slices of a run calculated elsewhere. The truth is in their rows: who is lost leaves nothing but a slice to send
    for again, be it a worker, a command, or the dispatcher itself; two dispatchers of one run do no harm.

    What was sent is no more than the workers need: so each queue gets as much as its reader does, and whoever joins finds
    something to do.
    """

    left: Callable[[UUID], Sequence[int]]
    """The numbers of the slices that are not done; none when the run is over."""
    publisher: Publisher
    queues: Callable[[], int]
    """How many queues there are, numbered from 0; the workers divide them among them."""
    topic: str

    def work(self, run_ref_id: UUID, stop: threading.Event, on_progress: Callable[[], None]) -> None:
        """Send commands until all slices of the run are done, or told to stop; tells of progress now and then.

        Raises `PlatformUnavailable` when they cannot be sent.
        """
        queues = [*range(self.queues())]
        waiting: dict[int, int] = {}  # the queue of each slice that was sent for
        patience, done_at = LOST_SECONDS, time.monotonic()
        try:
            while not stop.is_set() and (left := self.left(run_ref_id)):
                sent, waiting = len(waiting), {number: waiting[number] for number in left if number in waiting}
                now = time.monotonic()
                if len(waiting) < sent:
                    patience, done_at = LOST_SECONDS, now
                elif now - done_at > patience:
                    log.warning("no slice was done, sending for them again", run=str(run_ref_id), slices=len(waiting))
                    patience, done_at, waiting = 2 * patience, now, {}
                    queues = [*queues[1:], queues[0]]  # to others: whoever had them is perhaps not well
                unsent = (number for number in left if number not in waiting)
                waiting |= self._send(run_ref_id, zip(unsent, _free(queues, waiting), strict=False))
                on_progress()
                stop.wait(POLL_SECONDS)
        finally:
            self.publisher.close()

    def _send(self, run_ref_id: UUID, slices: Iterable[tuple[int, int]]) -> Mapping[int, int]:
        """Send for slices, each by a queue; gives those for which it succeeded."""
        rows = {number: SliceCommand(run_ref_id, number).row(self.topic, queue) for number, queue in slices}
        kept = {row.ref_id for row in self.publisher.publish([*rows.values()]).kept} if rows else set()
        return {number: row.key.int for number, row in rows.items() if row.ref_id in kept}


def _free(queues: Sequence[int], waiting: Mapping[int, int]) -> Sequence[int]:
    """The queues with room, each as often as it has; those with the least in them first."""
    held = Counter(waiting.values())
    return [queue for many in range(AHEAD) for queue in queues if held[queue] <= many]
