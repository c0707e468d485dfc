"""Real recipients of notifications, on this machine: a server of webhooks that behaves as it is told, a server of e-mail."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="


@attrs.frozen
class Answer:
    """What the server answers with; `before` is done first, `slowly` lets the body come byte by byte."""

    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    before: Callable[[], object] = lambda: None
    slowly: bool = False


@attrs.frozen
class Hook:
    """A webhook that came, with a signature that was right."""

    path: str
    headers: dict[str, str]
    body: Any

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@attrs.define
class Hooks:
    """A running server: what came, and what it is to answer, path by path, the last answer again and again."""

    url: str = ""
    came: list[Hook] = attrs.field(factory=list)
    answers: dict[str, list[Answer]] = attrs.field(factory=dict)
    closing: threading.Event = attrs.field(factory=threading.Event)

    def to(self, path: str) -> Sequence[Hook]:
        return [hook for hook in self.came if hook.path == path]

    def answer(self, path: str) -> Answer:
        planned = self.answers.get(path, [Answer()])
        return planned.pop(0) if len(planned) > 1 else planned[0]


@contextmanager
def hooks() -> Iterator[Hooks]:
    """A server of webhooks; whoever hangs in it is let go at the end."""
    seen = Hooks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            # Raises where the signature is wrong: nothing comes then, and there is no answer.
            seen.came.append(Hook(self.path, headers, Webhook(SECRET).verify(body, headers)))
            answer = seen.answer(self.path)
            answer.before()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            for byte in answer.body if answer.slowly else b"":
                if not seen.closing.wait(0.1):
                    self.wfile.write(bytes([byte]))
            self.wfile.write(b"" if answer.slowly else answer.body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, *_: object) -> None:
            """Whoever hung up is not missed."""

    server = Server(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield seen
    finally:
        seen.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@attrs.define
class Mails:
    """A running server of e-mail: what came, and what it answers."""

    url: str = ""
    came: list[Any] = attrs.field(factory=list)
    answers: list[str] = attrs.field(factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 Taken"
        if answer.startswith("250"):
            self.came.append(envelope)
        return answer


@contextmanager
def mails() -> Iterator[Mails]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # the controller cannot choose one itself
    seen = Mails(f"smtp://127.0.0.1:{port}")
    controller = Controller(seen, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield seen
    finally:
        controller.stop()
