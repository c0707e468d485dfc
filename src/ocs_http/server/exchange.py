"""One request and its answer, as the application sees them: ASGI's `receive` and `send`."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Protocol

import h11
import structlog

MOST_WAITING = 65_536
"""Bytes of a body that wait for the application; the client has to wait with the rest."""
MOST_JOINED = 65_536
"""Bytes of an answer that are copied to be sent at once; a longer one may be the same for many, and is not copied."""

log = structlog.get_logger()
Message = dict[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""


class Wire(Protocol):
    """What an exchange needs of its connection."""

    writable: asyncio.Event
    is_ending: bool

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]: ...

    def write(self, data: bytes) -> None: ...

    def resume_reading(self) -> None: ...

    def answered(self) -> None: ...

    def abort(self) -> None: ...


class Exchange:
    """A request that came so far, and an answer that went so far, on a connection that may end at any time."""

    def __init__(self, wire: Wire, scope: Message, conn: h11.Connection) -> None:
        self._wire, self._scope, self._conn = wire, scope, conn
        self._body = bytearray()
        self._news = asyncio.Event()
        self._status, self._headers = 0, list[tuple[bytes, bytes]]()
        self.is_whole = False
        self.is_begun = False
        self.is_answered = False
        self.is_left = False

    async def perform(self, app: Application) -> None:
        """Let the application answer; whatever it does, the exchange is over afterwards."""
        try:
            await app(self._scope, self.receive, self.send)
        except Exception as error:
            log.error("request failed beyond its handler", exc_info=error)
        finally:
            if not (self.is_answered or self.is_left):
                self._wire.abort()

    def add(self, data: bytes) -> bool:
        """A piece of the body; gives whether more may come at once."""
        if not self.is_answered:
            self._body += data
            self._news.set()
        return len(self._body) < MOST_WAITING

    def complete(self) -> None:
        """The body is here as a whole."""
        self.is_whole = True
        self._news.set()

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_left = True
        self._news.set()

    async def receive(self) -> Message:
        if self._conn.they_are_waiting_for_100_continue and not self.is_left:
            self._wire.write(self._conn.send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue")))
        if not self._body:
            if not self.is_whole:
                self._wire.resume_reading()
            await self._news.wait()
        self._news.clear()
        if self.is_left or self.is_answered:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": not self.is_whole}

    async def send(self, message: Message) -> None:
        await self._wire.writable.wait()
        if self.is_left or self.is_answered:
            return
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._answer(message.get("body", b""), message.get("more_body", False))

    def _answer(self, body: bytes, more: bool) -> None:
        parts = [] if self.is_begun else self._begin()
        if body and self._scope["method"] != "HEAD":
            parts += self._conn.send_with_data_passthrough(h11.Data(data=body)) or ()
        if not more:
            parts += self._conn.send_with_data_passthrough(h11.EndOfMessage()) or ()
        if len(body) < MOST_JOINED:
            parts = [b"".join(parts)]
        for part in filter(None, parts):
            self._wire.write(part)
        if not more:
            self.is_answered = True
            self._news.set()
            self._wire.answered()

    def _begin(self) -> list[bytes]:
        """The head of the answer. One that is given before the whole body came is the connection's last."""
        self.is_begun = True
        headers = [*self._wire.default_headers, *self._headers]
        if not self.is_whole or self._wire.is_ending:
            headers.append((b"connection", b"close"))
        head = h11.Response(status_code=self._status, headers=headers, reason=phrase(self._status))
        return [self._conn.send(head)]


def phrase(status: int) -> bytes:
    return HTTPStatus(status).phrase.encode()
