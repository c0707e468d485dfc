"""The way out: from the outbox through a publisher to those who read the stream."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

import attrs

from ocs_core.frozen import frozen_mappings

SHARES = 64
"""Into so many shares the keys are split, so that several relays can work side by side."""


MOST_COUNTED = 10_000
"""How far what waits is counted: who asks every few seconds must not make a database count millions."""


def share_of(key: UUID) -> int:
    """The share that a key belongs to, for ever: 0 to `SHARES` - 1."""
    return key.int % SHARES


class Outbox(Protocol):
    """Messages that are committed and not yet published."""

    def waiting(self, limit: int, shares: Collection[int] | None = None) -> Sequence["OutboxRow"]:
        """The oldest messages that wait, at most `limit`; per key in the order of their commits.

        Of these shares of the keys only; None: of all. Keys with a message that is held do not wait: they stand still.
        """

    def done(self, rows: Sequence["OutboxRow"]) -> None:
        """Forget messages that were published. A row unknown by now is no error: another relay was faster."""

    def hold(self, refused: Sequence["HeldRow"]) -> None:
        """Set messages aside that cannot be published; those of their keys stand still until somebody decides. One unknown by
        now is no error."""

    def held(self) -> Sequence["HeldRow"]:
        """The messages that were set aside, the oldest first."""

    def release(self, ref_ids: Collection[UUID] | None = None) -> int:
        """Let held messages wait again, in their old places: these, or all. Gives how many it were; others are not held."""

    def discard(self, ref_ids: Collection[UUID]) -> int:
        """Forget held messages, unpublished. Gives how many it were; others are not held."""

    def backlog(self) -> "Backlog":
        """How much waits, and since when."""


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class OutboxRow:
    """A message as bytes, ready to travel. `position` is where it stands in the outbox."""

    position: int
    ref_id: UUID
    topic: str
    key: UUID
    headers: Mapping[str, str]
    value: bytes


@attrs.frozen
class HeldRow:
    """A message that the platform refused, and why."""

    row: OutboxRow
    reason: str


@attrs.frozen(kw_only=True)
class Backlog:
    """How much waits in an outbox. `rows` counts everything in it, `held` those set aside, each up to `MOST_COUNTED`;
    `oldest` is the `ce_time` of the first, whether it waits, is held or stands still, and None where nothing is there."""

    rows: int = 0
    held: int = 0
    oldest: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Published:
    """What became of messages: those that are safely kept, and those that the platform refuses whenever they come.

    What is in neither is to come again. None is kept behind one of its own key that is not.
    """

    kept: Sequence[OutboxRow] = ()
    refused: Sequence[HeldRow] = ()


class Publisher(Protocol):
    """The streaming platform, as a relay sees it."""

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        """Publish in the order given; tells what became of them. Publishing the same message again is allowed.

        Raises `PlatformUnavailable` when the platform does not answer: nothing is known of any of them then.
        """

    def close(self) -> None:
        """Let go of the platform; what it did not say it kept comes again."""


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class Delivered:
    """A message as those who read the streaming platform are given it; `headers["ce_id"]` tells it from every other."""

    topic: str
    key: UUID
    headers: Mapping[str, str]
    value: bytes


@attrs.frozen(kw_only=True)
class Gap:
    """Messages that a reader was never given, and that the platform forgot meanwhile.

    It was to go on at offset `expected` of a topic's `partition`; the oldest that is left is at `begins`. Where that is not
    behind `expected`, there is less than it had read already: the topic was made anew, or lost its end.
    """

    topic: str
    partition: int
    expected: int
    begins: int

    @property
    def is_made_anew(self) -> bool:
        return self.begins <= self.expected


class Stream(Protocol):
    """What was published, as one reader sees it: the streaming platform from its other side.

    A reader has a name; the platform keeps how far each name has come, and one that is new begins at the oldest message.
    One reader works under a name at a time, or several that share the keys among them.
    """

    def next(self, limit: int) -> Sequence[Delivered]:
        """The messages behind those this reader was given, at most `limit`, per key in the order of their publication;
        none where there is nothing new yet.

        Raises `PlatformUnavailable` when the platform does not answer.
        """

    def commit(self) -> None:
        """All that this reader was given is dealt with: the next one of its name goes on behind it, and not before.

        Where the platform gave a part of it to another reader meanwhile, that part comes again there: no error.
        """

    def rewind(self) -> None:
        """Begin again at the oldest message there is, as if the name were new."""

    def gaps(self) -> Sequence[Gap]:
        """What was forgotten before this reader was given it, as far as it was met since this was last asked. A reader of a
        new name has none: it begins at the oldest message there is."""

    def close(self) -> None:
        """Leave, so that others of the name go on at once. What was not committed comes again."""
