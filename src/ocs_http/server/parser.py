"""HTTP/1 as h11 reads it, behind limits: bytes in, requests and pieces of bodies out."""

from collections.abc import Iterable, Iterator

import attrs
import h11

from ocs_http.server.limits import PIECE, Limits

Incoming = h11.Request | h11.Data | h11.EndOfMessage
_AUTHORITIES = (b"http://", b"https://")


class Refused(Exception):
    """What came is not taken, with the status and the sentence of the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@attrs.define
class Parser:
    """One connection's requests, one after the other.

    Everything waits here until the request before it is answered, and h11 gets it in pieces: a header is refused as soon
    as it is too long, however much came at once. A header counts its name, its value and four bytes.
    """

    limits: Limits
    conn: h11.Connection = attrs.field(init=False)
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list, init=False)
    """Those of the request in hand, with their names in lower case."""
    is_for_head: bool = attrs.field(default=False, init=False)
    """Whether the request in hand wants no body of an answer."""
    _is_in_body: bool = attrs.field(default=False, init=False)
    _waiting: bytearray = attrs.field(factory=bytearray, init=False)

    @conn.default
    def _make_connection(self) -> h11.Connection:
        return h11.Connection(h11.SERVER, self.limits.url_bytes + self.limits.header_bytes)

    def take(self, data: bytes) -> None:
        self._waiting += data

    @property
    def has_begun(self) -> bool:
        """Whether something of a next request is here."""
        return bool(self._waiting or self.conn.trailing_data[0])

    def events(self) -> Iterator[Incoming]:
        """What can be told by now. Raises `Refused`; nothing more can be read then."""
        while True:
            try:
                event = self.conn.next_event()
            except h11.RemoteProtocolError as error:
                raise self._refused(error) from None
            if event is h11.PAUSED:
                return
            if event is h11.NEED_DATA:
                if not self._waiting:
                    return
                self.conn.receive_data(bytes(self._waiting[:PIECE]))
                del self._waiting[:PIECE]
                continue
            if isinstance(event, h11.Request):
                self.is_for_head, self._is_in_body = event.method == b"HEAD", True
                self._check(event)
            elif isinstance(event, h11.EndOfMessage):
                self._is_in_body = False
            if isinstance(event, Incoming):
                yield event

    def _check(self, request: h11.Request) -> None:
        headers = self.headers = [(name.lower(), value) for name, value in request.headers.raw_items()]
        if len(request.target) > self.limits.url_bytes:
            raise self._url_too_long()
        if len(headers) > self.limits.header_count or _size(headers) > self.limits.header_bytes:
            raise self._headers_too_large()
        lengths = {name for name, _ in headers} & {b"content-length", b"transfer-encoding"}
        if len(lengths) == 2:
            raise Refused(400, "The request has a Content-Length and a Transfer-Encoding; give one of them.")
        if b"transfer-encoding" in lengths and request.http_version < b"1.1":
            raise Refused(400, "A Transfer-Encoding needs HTTP/1.1.")

    def _refused(self, error: h11.RemoteProtocolError) -> Refused:
        if error.error_status_hint == 431 and self._is_in_body:
            return Refused(400, "The line with a chunk's size, or what follows the last chunk, is too long.")
        if error.error_status_hint == 431:
            return self._headers_too_large() if b"\n" in self.conn.trailing_data[0] else self._url_too_long()
        if error.error_status_hint == 501:
            return Refused(501, "Give no Transfer-Encoding but chunked.")
        return Refused(400, "This is not a request of HTTP/1.1 as RFC 9112 describes it.")

    def _headers_too_large(self) -> Refused:
        limits = self.limits
        return Refused(
            431,
            f"The headers are too many or too long; {limits.header_count} of {limits.header_bytes} bytes are allowed.",
        )

    def _url_too_long(self) -> Refused:
        return Refused(414, f"The address is too long; {self.limits.url_bytes} bytes are allowed.")


def in_origin_form(target: bytes) -> bytes:
    """The path and query of a target, which may name the server, too (RFC 9112, 3.2.2)."""
    if target.lower().startswith(_AUTHORITIES):
        return b"/" + target.split(b"/", 3)[3] if target.count(b"/") > 2 else b"/"
    return target


def _size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
