"""E-mail through a server of SMTP."""

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Self
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import attrs

from ocs_adapters.consumers.notifications import letters
from ocs_adapters.consumers.notifications.deliveries import Delivery, Outcome
from ocs_adapters.telling import told as explained
from ocs_core.errors import InvalidValue
from ocs_core.ports import Clock

TIMEOUT = 60.0
"""Seconds that a whole attempt may take: half as long as a claim holds."""
STEP_TIMEOUT = 10.0
"""Seconds that a server may be silent."""
REFUSED = 500
"""From here on a server's answers are final."""
PORTS = {"smtp": 25, "smtps": 465}


@attrs.frozen(kw_only=True)
class MailServer:
    """Where e-mails go. `smtps` is encrypted from the start; `smtp` is as soon as the server offers it (STARTTLS)."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = attrs.field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Of `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`. Raises `InvalidValue`, which does not tell the password."""
        try:
            parsed = urlsplit(url)
            scheme, host, port = parsed.scheme, parsed.hostname, parsed.port
        except ValueError:
            scheme, host, port = "", None, None
        if scheme not in PORTS or not host or parsed.path.strip("/") or parsed.query:
            raise InvalidValue("give smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT")
        return cls(
            scheme=scheme,
            host=host,
            port=port or PORTS[scheme],
            user=unquote(parsed.username) if parsed.username else None,
            password=unquote(parsed.password or ""),
        )

    @contextmanager
    def session(self, timeout: float) -> Iterator[smtplib.SMTP]:
        """A session, ready to send, that is cut off after so many seconds. Raises `OSError` or `smtplib.SMTPException`."""
        ends = time.monotonic() + timeout
        with (
            socket.create_connection((self.host, self.port), STEP_TIMEOUT) as line,
            _cut_off(line, ends),
            self._encrypted(line) if self.scheme == "smtps" else line as spoken,
        ):
            session = _Session(spoken, self.host, self.port)
            try:
                self._greet(session)
                yield session
            finally:
                _leave(session)

    def _encrypted(self, line: socket.socket) -> ssl.SSLSocket:
        return self._context().wrap_socket(line, server_hostname=self.host)

    def _greet(self, session: smtplib.SMTP) -> None:
        session.ehlo()
        if self.scheme == "smtp" and session.has_extn("starttls"):
            session.starttls(context=self._context())
            session.ehlo()
        elif self.scheme == "smtp" and self.user:
            raise smtplib.SMTPNotSupportedError("no STARTTLS is offered, and the password is not sent in the clear")
        if self.user:
            session.login(self.user, self.password)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.scheme == "smtp" and not self.user:
            # Without it the text would go in the clear: a certificate that nobody vouches for is no worse.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


class _Session(smtplib.SMTP):
    """Speaks on a connection that is there already."""

    def __init__(self, line: socket.socket, host: str, port: int) -> None:
        self._line = line
        super().__init__(host, port, timeout=STEP_TIMEOUT)

    def _get_socket(self, *_: object) -> socket.socket:
        return self._line


@attrs.frozen(kw_only=True)
class MailChannel:
    """The way to one e-mail address."""

    server: MailServer
    sender: str
    to: str
    zone: ZoneInfo
    clock: Clock
    timeout: float = TIMEOUT

    def letter(self, delivery: Delivery) -> EmailMessage:
        """The e-mail of a delivery; its Message-ID is the same when it comes again."""
        message, data = EmailMessage(), delivery.data
        message["From"], message["To"] = self.sender, self.to
        message["Subject"] = letters.subject(delivery.code, data)
        message["Date"] = format_datetime(self.clock())
        message["Message-ID"] = f"<{delivery.ref_id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letters.text(delivery.code, delivery.occurred_at, data, self.zone))
        return message

    def send(self, delivery: Delivery) -> Outcome:
        letter, ends = self.letter(delivery), time.monotonic() + self.timeout
        try:
            with self.server.session(self.timeout) as session:
                session.send_message(letter)
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, said),) = refused.recipients.values()
            return Outcome(status=code, told=said.decode(errors="replace"))
        except smtplib.SMTPResponseException as error:
            # Only what follows DATA is said of the message; before that, it is of who sends and who is sent to.
            is_refused = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= REFUSED
            said = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
            return Outcome(is_refused=is_refused, status=error.smtp_code, told=said.decode(errors="replace"))
        except (OSError, smtplib.SMTPException) as error:
            late = time.monotonic() >= ends
            return Outcome(told=f"It was not taken within {self.timeout:g} seconds." if late else explained(error))
        return Outcome(delivered=True, status=250)


@contextmanager
def _cut_off(line: socket.socket, ends: float) -> Iterator[None]:
    """smtplib bounds each time it listens, and a server that answers byte by byte takes for ever."""
    # However the connection is wrapped meanwhile, its duplicate ends it.
    with line.dup() as duplicate:

        def cut() -> None:
            with suppress(OSError):  # the server was faster
                duplicate.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(ends - time.monotonic(), cut)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _leave(session: smtplib.SMTP) -> None:
    """What the server has accepted stays accepted, however the goodbye goes."""
    try:
        session.quit()
    except (OSError, smtplib.SMTPException):
        session.close()
