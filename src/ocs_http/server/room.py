"""Who of many connections has to give way when there is no room for another."""

import asyncio
from typing import Protocol

import attrs
import structlog

log = structlog.get_logger()


class Idler(Protocol):
    """A connection that need not be kept: nothing of it is in hand, or its client does not take the answer."""

    def give_way(self) -> None: ...


@attrs.define
class Room:
    """The connections of one process that need not be kept: those that never brought a request, and those that rest.

    Where there is no room the oldest of the former gives way, then the oldest of the latter: silent and slow ones keep
    nobody out.
    """

    connections: int
    _strangers: dict[Idler, None] = attrs.field(factory=dict, init=False)
    _resting: dict[Idler, None] = attrs.field(factory=dict, init=False)
    _given_way: int = attrs.field(default=0, init=False)

    def makes_room(self, taken: int) -> bool:
        """Whether another connection may come in where so many are."""
        if taken < self.connections:
            return True
        idle = self._strangers or self._resting
        if not idle:
            return False
        self._tell()
        next(iter(idle)).give_way()
        return True

    def is_here(self, connection: Idler) -> None:
        self._strangers[connection] = None

    def rests(self, connection: Idler) -> None:
        self._resting[connection] = None

    def works(self, connection: Idler) -> None:
        """It has a request in hand, or has gone."""
        self._strangers.pop(connection, None)
        self._resting.pop(connection, None)

    def _tell(self) -> None:
        """Once a second, however many they are."""
        if self._given_way == 0:
            asyncio.get_running_loop().call_later(1.0, self._told)
        self._given_way += 1

    def _told(self) -> None:
        log.warning("idle connections gave way to others", closed=self._given_way, allowed=self.connections)
        self._given_way = 0
