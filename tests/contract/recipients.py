"""Real recipients of notifications, on this machine: a server of webhooks that behaves as it is told, a server of e-mail."""

import datetime as dt
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
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
    raw: bytes

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
            seen.came.append(Hook(self.path, headers, Webhook(SECRET).verify(body, headers), body))
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


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"me", b"p@ss"), handled=False)


@contextmanager
def certificate() -> Iterator[tuple[Path, ssl.SSLContext]]:
    """A certificate of this machine that nobody vouches for, and a server's context with it."""
    with tempfile.TemporaryDirectory() as folder:
        key, own = Path(folder) / "key.pem", Path(folder) / "own.pem"
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
            .not_valid_after(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(private, hashes.SHA256())
        )
        own.write_bytes(made.public_bytes(Encoding.PEM))
        key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own, key)
        yield own, context


@contextmanager
def mails(certified: ssl.SSLContext | None = None, *, encrypted_at_once: bool = False) -> Iterator[Mails]:
    """A server of e-mail. With a certificate it offers STARTTLS, or is encrypted from the start, and asks for a password."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # the controller cannot choose one itself
    seen = Mails(f"smtp{'s' if encrypted_at_once else ''}://127.0.0.1:{port}")
    options: dict[str, Any] = {"ssl_context" if encrypted_at_once else "tls_context": certified} if certified else {}
    options["auth_require_tls"] = not encrypted_at_once  # the controller knows only of encryption that began later
    controller = Controller(seen, hostname="127.0.0.1", port=port, authenticator=_authenticate, **options)
    controller.start()
    try:
        yield seen
    finally:
        controller.stop()
