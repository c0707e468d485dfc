"""What trusted proxies say of a request: whose it is, and at which address it was sent (RFC 7239, and what came before it)."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from ocs_http.links import BASE
from ocs_http.server.exchange import Application

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PAIR = re.compile(r'\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*')
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?", re.ASCII)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)


@attrs.frozen
class Proxies:
    """An ASGI application that tells another what the proxies in these networks know."""

    app: Application
    trusted: Sequence[Network]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["client"] and self.trusts(scope["client"][0]):
            self._tell(scope)
        await self.app(scope, receive, send)

    def trusts(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(
            address in network for network in self.trusted if network.version == address.version
        )

    def _tell(self, scope: dict[str, Any]) -> None:
        """The client nearest to us that is no trusted proxy; scheme and host as the first proxy saw them."""
        elements = _forwarded(_values(scope, b"forwarded"))
        hops = [element.get("for", "") for element in elements] or _values(scope, b"x-forwarded-for")
        scope["client"] = self._client(hops, scope["client"])
        said = elements[0] if elements else {}
        scheme = said.get("proto") or _first(scope, b"x-forwarded-proto")
        host = said.get("host") or _first(scope, b"x-forwarded-host") or _first(scope, b"host")
        prefix = "".join(value.rstrip("/") for value in _values(scope, b"x-forwarded-prefix"))
        if not _PREFIX.fullmatch(prefix):
            prefix = ""
        if scheme.lower() in {"http", "https"} and _HOST.fullmatch(host):
            scope["scheme"] = scheme.lower()
            scope[BASE] = f"{scheme.lower()}://{host}{prefix}"
        else:
            scope[BASE] = prefix

    def _client(self, hops: Sequence[str], peer: tuple[str, int]) -> tuple[str, int]:
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                break
            peer = (str(address), 0)
            if not self.trusts(peer[0]):
                break
        return peer


def behind(app: Application, networks: Iterable[str]) -> Application:
    """The application behind proxies of these networks; itself where there are none."""
    trusted = [ipaddress.ip_network(network) for network in networks]
    return Proxies(app, trusted) if trusted else app


def _values(scope: dict[str, Any], name: bytes) -> list[str]:
    joined = b",".join(value for key, value in scope["headers"] if key == name).decode("latin-1")
    return [value.strip() for value in joined.split(",")] if joined else []


def _first(scope: dict[str, Any], name: bytes) -> str:
    values = _values(scope, name)
    return values[0] if values else ""


def _forwarded(elements: Iterable[str]) -> list[dict[str, str]]:
    return [
        {name.lower(): quoted.replace("\\", "") or plain for name, quoted, plain in _PAIR.findall(element)}
        for element in elements
    ]


def _address(hop: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of `10.0.0.1:80`, `[::1]:80` or either without a port; an IPv4 address within IPv6 as such."""
    host = hop[1:].partition("]")[0] if hop.startswith("[") else hop.partition(":")[0] if hop.count(":") == 1 else hop
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
