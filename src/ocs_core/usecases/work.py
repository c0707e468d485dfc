"""One command being performed: what it changes, what it announces, and the numbers that it draws at its end."""

import datetime as dt
import functools
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import ProcessRun
from ocs_core.messages import Message, Payload, Response, Step, key_of
from ocs_core.ports import E, Entity, Ids, RunWork, Series, UnitOfWork

V = TypeVar("V")


class Undrawn(str):
    """Stands in a field of an entity in the place of a number that is drawn when everything is decided."""

    series: Series

    @classmethod
    def of(cls, series: Series, place: int) -> "Undrawn":
        """The number at that place among those that a command draws."""
        undrawn = cls(f"{series.prefix}?{place}")
        undrawn.series = series
        return undrawn


@attrs.frozen
class Change:
    """An entity that was saved, as it was and as it is."""

    before: Entity
    after: Entity

    @property
    def fields(self) -> Mapping[str, tuple[Any, Any]]:
        """What is otherwise, field by field: what it was, and what it is. The version always is, and is not told."""
        both = {
            f.name: (getattr(self.before, f.name), getattr(self.after, f.name)) for f in attrs.fields(type(self.after))
        }
        return {name: (was, now) for name, (was, now) in both.items() if was != now and name != "version"}


@attrs.define
class Work:
    """One command being performed: its unit of work, its instant, and what it announces.

    What is announced goes out at its end (`finish`), in the order in which it was said.
    """

    uow: UnitOfWork
    now: dt.datetime
    ids: Ids
    configuration: Configuration
    step: str
    transaction_id: str
    user: str
    notifies: bool = True
    changes: list[Change] = attrs.field(factory=list, init=False)
    """What was saved, in that order, with what it was before."""
    _steps: list[Any] = attrs.field(factory=list, init=False)
    _messages: list[tuple[UUID, Payload, UUID, UUID]] = attrs.field(factory=list, init=False)
    """Of each its id, its payload, its key and its subject."""
    _undrawn: list[Undrawn] = attrs.field(factory=list, init=False)
    _added: list[Any] = attrs.field(factory=list, init=False)

    def number(self, series: Series) -> str:
        """A number of a series without gaps, for an entity that is added. It is drawn last of all, so that nobody waits for what
        this command still looks at; until then it is `Undrawn`."""
        self._undrawn.append(Undrawn.of(series, len(self._undrawn)))
        return self._undrawn[-1]

    def add(self, entity: E) -> E:
        """Keep a new entity: at once, or when the numbers that this command asked for are drawn."""
        if not self._undrawn:
            return self.uow.add(entity)
        self._added.append(entity)
        return entity

    def save(self, after: E, *, before: E) -> E:
        """Keep a changed entity; `before` is what it was when it was found, or saved last. Gives it back with its version raised.

        Raises `ValueError` where that is another one."""
        if (before.ref_id, before.version) != (after.ref_id, after.version):
            raise ValueError(
                f"{type(after).__name__} {after.ref_id} is saved as a change of another one: {before.ref_id}"
            )
        saved = self.uow.save(after)
        self.changes.append(Change(before, saved))
        return saved

    def publish(self, payload: Payload, *, subject: UUID | None = None, of: Payment | None = None) -> None:
        """Announce a business transaction: one message, and one step of the answer. What happened to a payment is `of` it."""
        self._send(payload, key_of(payload, of), subject or payload.ref_id)  # type: ignore[attr-defined]
        self.answer(payload)

    def notify(self, payload: Payload, *, subject: UUID) -> None:
        """Announce that a condition is met, where such is sent, unless this is to be done quietly."""
        if self.notifies and self.configuration.sends(payload.code):
            self._send(payload, key_of(payload), subject)

    def answer(self, payload: Payload | ProcessRun) -> None:
        """Put a step into the answer."""
        self._steps.append(payload)

    def finish(self) -> Response:
        """Draw what is undrawn, and keep and publish what waited for it; gives the answer. Nothing is decided any more."""
        numbered = _Numbered(self._drawn())
        for entity in self._added:
            self.uow.add(numbered(entity))
        for ref_id, payload, key, subject in self._messages:
            self.uow.publish(self._message(ref_id, numbered(payload), key, subject))
        return Response(
            tuple(Step(self.step, seqno, numbered(told)) for seqno, told in enumerate(self._steps, start=1))
        )

    def _drawn(self) -> Mapping[str, str]:
        """What stands in the place of each; series by series in the order of their names, in which all hold them."""
        numbers: dict[str, str] = {}
        for series in sorted({undrawn.series for undrawn in self._undrawn}, key=lambda series: series.name):
            places = [undrawn for undrawn in self._undrawn if undrawn.series == series]
            drawn = self.uow.draw(series, len(places))
            numbers |= zip(places, map(series.written, drawn), strict=True)
        return numbers

    def _send(self, payload: Payload, key: UUID, subject: UUID) -> None:
        self._messages.append((self.ids(), payload, key, subject))

    def _message(self, ref_id: UUID, payload: Payload, key: UUID, subject: UUID) -> Message:
        return Message(
            ref_id=ref_id,
            key=key,
            subject=subject,
            transaction_id=self.transaction_id,
            occurred_at=self.now,
            payload=payload,
            own_topic=self.configuration.topic_of(payload.code),
        )


def run_work(work: Work) -> RunWork:
    """The unit of work of a use-case about runs, whose store is a `RunStore`."""
    return cast(RunWork, work.uow)


@attrs.frozen
class _Numbered:
    """Values with numbers in the place of what was undrawn in their fields; the same value once, however often it is told."""

    _numbers: Mapping[str, str]
    _made: dict[int, Any] = attrs.field(factory=dict)

    def __call__(self, value: V) -> V:
        if not self._numbers:
            return value
        made: V | None = self._made.get(id(value))
        if made is None:
            made = self._made[id(value)] = self._with_numbers(value)
        return made

    def _with_numbers(self, value: V) -> V:
        cls: Any = type(value)
        fields = {name: getattr(value, name) for name in _names_of(cls)}
        drawn = {name: self._numbers[of] for name, of in fields.items() if type(of) is Undrawn}
        if not drawn:
            return value
        # A copy of what was checked when it was made, at a third of the cost of `attrs.evolve`.
        made: V = object.__new__(cls)
        for name, field in (fields | drawn).items():
            object.__setattr__(made, name, field)
        return made


@functools.cache
def _names_of(cls: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(cls))
