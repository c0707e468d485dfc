"""Who calls, and whether it may: every route is denied unless it says otherwise through its `opt`."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import structlog
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from ocs_core.access import ApiKey, ApiKeys
from ocs_core.usecases.perform import Caller
from ocs_http.workers import Workers

API_KEY = "X-Ocs-Io-API-Key"
APPLICATION_ID = "X-Ocs-Io-Application-Id"
CHALLENGE = {"WWW-Authenticate": f'ApiKey realm="ocs-rm", header="{API_KEY}"'}
TWICE = "Give each of the headers X-Ocs-Io-Application-Id and X-Ocs-Io-API-Key once."
PUBLIC = {"public": True}
"""The `opt` of a route that anybody may call."""

_API_KEY, _APPLICATION_ID = API_KEY.lower().encode(), APPLICATION_ID.lower().encode()
_LIKE_A_KEY = re.compile(r"[A-Za-z0-9_+/=-]{40,}")
"""What nobody calls an application: headers that were mixed up."""
_REMEMBERED_SECONDS = 3.0
_MOST_REMEMBERED = 1000


log = structlog.get_logger()


def needs(privilege: str) -> dict[str, Any]:
    """The `opt` of a route that needs a privilege."""
    return {"privilege": privilege}


@attrs.define
class Doorkeeper:
    """Lets a request in when its key is one of its application's and has the route's privilege.

    The keys of an application that has any are remembered for seconds, so that a request costs no look-up; for as long
    a revoked key still opens, and a new one of the same application may not.
    """

    keys: ApiKeys
    workers: Workers
    _remembered: dict[str, tuple[float, Sequence[ApiKey]]] = attrs.field(factory=dict, init=False)

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises `NotAuthorizedException` without a valid key, `PermissionDeniedException` where it does not reach."""
        if handler.opt.get("public") is True:
            return
        try:
            key = await self._key(connection.scope["headers"])
        except NotAuthorizedException:
            _tell_of_refusal(connection.scope)
            raise
        privilege = handler.opt.get("privilege")
        if privilege is None:
            raise PermissionDeniedException("This address is not open to anybody.")
        if not key.allows(privilege):
            raise PermissionDeniedException(f"The key does not have the privilege {privilege}.")
        connection.scope["user"] = Caller(key.application)

    async def _key(self, headers: Iterable[tuple[bytes, bytes]]) -> ApiKey:
        sent = [(name, value) for name, value in headers if name in {_API_KEY, _APPLICATION_ID}]
        given = dict(sent)
        if len(given) < len(sent):  # those on the way may have looked at the other one
            raise NotAuthorizedException(TWICE, headers=CHALLENGE)
        application = given.get(_APPLICATION_ID, b"").decode("utf-8", "replace")
        presented = given.get(_API_KEY, b"").decode("latin-1")
        if application.isprintable() and 1 <= len(application) <= 255:
            for key in await self._keys_of(application):
                if key.opens_with(presented):
                    return key
        raise NotAuthorizedException(headers=CHALLENGE)

    async def _keys_of(self, application: str) -> Sequence[ApiKey]:
        until, keys = self._remembered.get(application, (0.0, ()))
        if time.monotonic() < until:
            return keys
        keys = await self.workers.run(self.keys.of, application)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        if keys:
            self._remembered[application] = (time.monotonic() + _REMEMBERED_SECONDS, keys)
        return keys


def _tell_of_refusal(scope: Mapping[str, Any]) -> None:
    """One line for whoever watches for guessed keys; what was presented as a key is in none."""
    headers, client = dict(scope["headers"]), scope.get("client")
    application = headers.get(_APPLICATION_ID, b"").decode("utf-8", "replace")
    if not application.isprintable() or _LIKE_A_KEY.search(application) or len(application) > 255:
        application = "unreadable"
    log.warning(
        "credentials refused",
        address=client[0] if client else None,
        application=application or None,
        key="given" if _API_KEY in headers else "missing",
        path=scope["raw_path"].decode("latin-1")[:255],
    )
