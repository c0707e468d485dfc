"""A connection: bytes to requests, requests to the application, answers back, and an end for whoever takes too long."""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import h11
import structlog
import uvicorn
from uvicorn.server import ServerState

from ocs_http.errors import problem
from ocs_http.server.exchange import Exchange, phrase
from ocs_http.server.limits import DRAINING_SECONDS, LEAST_SENT, LINGERING_SECONDS, SENDING_SECONDS, Limits
from ocs_http.server.parser import Parser, Refused, in_origin_form
from ocs_http.server.room import Room

LATE = {
    "head": Refused(408, "The headers did not arrive in time."),
    "body": Refused(408, "The body did not arrive in time; nothing was performed."),
}
FULL = Refused(
    503, "The server has too many connections; nothing was performed. Repeat the same request a little later."
)

log = structlog.get_logger()


def protocol(limits: Limits) -> Callable[..., asyncio.Protocol]:
    """What makes the connections of one server: uvicorn's `http`."""
    room = Room(limits.connections)

    def made(
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        return Connection(config, server_state, app_state, limits, room)

    return made


class Connection(asyncio.Protocol):
    """One client's connection. It waits for a `head`, for a `body`, or for nothing while the application works."""

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], limits: Limits, room: Room
    ) -> None:
        self._app, self._server, self._app_state = config.loaded_app, server_state, app_state
        self._limits, self._room = limits, room
        self._parser = Parser(limits)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._client: tuple[str, int] | None = None
        self._exchange: Exchange | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._waits_for = ""
        self._is_over = False
        self._is_half_closed = False
        self.is_ending = False
        self.writable = asyncio.Event()
        self.writable.set()

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._server.default_headers

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._client = (peer[0], peer[1]) if isinstance(peer, tuple) else None
        if not self._room.makes_room(len(self._server.connections)):
            self._is_over = True
            self._transport.write(self._told(FULL))
            self._transport.close()
            return
        self._server.connections.add(self)  # type: ignore[arg-type]
        self._room.is_here(self)
        self._wait_for("head", self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        self._server.connections.discard(self)
        self._room.works(self)
        self._wait_for("")
        self._watch(None)
        if self._exchange is not None:
            self._exchange.leave()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        self._parser.take(data)
        if self._is_busy:
            self._transport.pause_reading()  # the next request waits for its turn, and what follows it at the client's
        else:
            self._proceed()

    def eof_received(self) -> bool:
        """A client may have said all, and still wait for answers."""
        self._is_half_closed = True
        return self._exchange is not None and self._exchange.is_whole and not self._is_over

    def pause_writing(self) -> None:
        self.writable.clear()
        self._room.rests(self)
        self._watch(self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self.writable.set()
        self._watch(None)
        if self._exchange is not None:
            self._room.works(self)
        self._go_on()

    # What the server tells

    def shutdown(self) -> None:
        """End in order: a request in hand is answered, and so is one that comes in the next moment."""
        self.is_ending = True
        if self._exchange is None and not self._is_over:
            self._loop.call_later(DRAINING_SECONDS, self._end_if_idle)

    # What an exchange tells

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        self._transport.abort()

    def answered(self) -> None:
        """The answer is on its way: the next request, or the end."""
        self._server.total_requests += 1
        exchange, self._exchange = self._exchange, None
        conn = self._parser.conn
        if conn.our_state is h11.MUST_CLOSE or self.is_ending:
            if exchange is not None and exchange.is_whole:
                self._close()
            else:
                self._linger()
            return
        conn.start_next_cycle()
        self._room.rests(self)
        self._wait_for("idle", self._limits.idle_seconds)
        self._go_on()

    # Room

    def give_way(self) -> None:
        if self._is_over or self._transport.get_write_buffer_size():
            self.abort()
        else:
            self._close()
        self._room.works(self)
        self._server.connections.discard(self)

    # Requests

    @property
    def _is_busy(self) -> bool:
        """With a request, or with an answer that the client has not taken."""
        return not self.writable.is_set() or (self._exchange is not None and self._exchange.is_whole)

    def _go_on(self) -> None:
        """With what came meanwhile, or else with what is to come."""
        if self._is_over or self._is_busy:
            return
        if self._parser.has_begun:
            self._proceed()
        if self._is_half_closed and self._exchange is None:
            self._close()
        elif not (self._is_over or self._is_busy):
            self.resume_reading()

    def _proceed(self) -> None:
        try:
            for event in self._parser.events():
                if isinstance(event, h11.Request):
                    self._begin(event)
                elif self._exchange is None:
                    continue
                elif isinstance(event, h11.Data):
                    if not self._exchange.add(event.data):
                        self._transport.pause_reading()
                else:
                    self._exchange.complete()
        except Refused as refused:
            self._refuse(refused)
            return
        if self._exchange is not None:
            if self._exchange.is_whole:
                self._wait_for("")
            elif self._waits_for != "body":
                self._wait_for("body", self._limits.body_seconds)
        elif self._waits_for == "idle" and self._parser.has_begun:
            self._wait_for("head", self._limits.header_seconds)

    def _begin(self, request: h11.Request) -> None:
        self._room.works(self)
        self._exchange = Exchange(self, self._scope(request), self._parser.conn)
        task = self._loop.create_task(self._exchange.perform(self._app))
        task.add_done_callback(self._server.tasks.discard)
        self._server.tasks.add(task)

    def _scope(self, request: h11.Request) -> dict[str, Any]:
        target, _, query = in_origin_form(request.target).partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "server": self._transport.get_extra_info("sockname")[:2],
            "client": self._client,
            "scheme": "http",
            "method": request.method.decode("ascii"),
            "root_path": "",
            "path": unquote(target.decode("ascii")),
            "raw_path": target,
            "query_string": query,
            "headers": self._parser.headers,
            "state": self._app_state.copy(),
        }

    # Time

    def _wait_for(self, what: str, seconds: float | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = what
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        if self._waits_for in LATE and (self._exchange is not None or self._parser.has_begun):
            self._refuse(LATE[self._waits_for])
        elif self._waits_for == "lingering":
            self._transport.abort()
        else:
            self._close()

    def _watch(self, waiting: int | None) -> None:
        """See to it that a client takes its answer: so many bytes wait for it now, None when it need not be watched."""
        if self._sending is not None:
            self._sending.cancel()
        self._sending = None if waiting is None else self._loop.call_later(SENDING_SECONDS, self._take_stock, waiting)

    def _take_stock(self, before: int) -> None:
        waiting = self._transport.get_write_buffer_size()
        if waiting > before - LEAST_SENT and waiting:
            self._transport.abort()
        else:
            self._watch(waiting or None)

    # The end

    def _refuse(self, refused: Refused) -> None:
        """Say why, where that can be said yet, and hang up."""
        log.warning(
            "request refused", address=self._client and self._client[0], status=refused.status, why=str(refused)
        )
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.leave()
            if exchange.is_begun:
                self.abort()
                return
        self._transport.write(self._told(refused))
        self._linger()

    def _told(self, refused: Refused) -> bytes:
        answer, conn = problem(refused.status, str(refused)), self._parser.conn
        content = answer.content
        headers = [
            *self.default_headers,
            (b"content-type", str(answer.media_type).encode()),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        head = conn.send(h11.Response(status_code=refused.status, headers=headers, reason=phrase(refused.status)))
        return head if self._parser.is_for_head else head + content

    def _linger(self) -> None:
        """Close after a moment in which the client can read the answer; what it still sends is thrown away."""
        self._is_over = True
        self._room.is_here(self)
        self._wait_for("lingering", LINGERING_SECONDS)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.resume_reading()

    def _close(self) -> None:
        """Close as soon as the client has taken what waits for it."""
        self._is_over = True
        self._room.works(self)
        self._wait_for("")
        self._transport.close()
        if waiting := self._transport.get_write_buffer_size():
            self._watch(waiting)

    def _end_if_idle(self) -> None:
        if self._exchange is None and not self._is_over:
            self._close()
