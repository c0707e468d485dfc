"""Everything that goes wrong, as a problem of RFC 9457: `application/problem+json` with all failures."""

import uuid
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from ocs_adapters.serial.forms import MOST_FAILURES
from ocs_adapters.telling import told, traced
from ocs_core.errors import Conflict, RequestRejected, StoreTooSlow, StoreUnavailable, Violation
from ocs_http.auth import TWICE
from ocs_http.workers import Overloaded

PROBLEM = "application/problem+json"
REJECTED = "urn:ocs-rm:problem:request-validation-failed"
"""The `type` of a problem that tells failures of the request; any other is `about:blank`: its status says it all."""
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer with data: nobody keeps it on its way, and nobody takes it for anything else than it says."""
RETRY_AFTER = {"Retry-After": "1"}
LONGEST_BODY = "longest_body"
"""The `opt` of a route that takes a body: how long it may be, in bytes."""
LONGEST_PATH = 200
"""Of an address in the log."""

log = structlog.get_logger()

SENTENCES: Mapping[int, str] = {
    401: "Give the headers X-Ocs-Io-Application-Id and X-Ocs-Io-API-Key with a key that is valid for the application.",
    404: "There is nothing at this address; /openapi.json lists what there is.",
    405: "This address does not know the method; the header Allow says which it knows.",
    413: "The body is too long for this operation.",
    415: "Give the body as application/json, without a content encoding.",
    500: "Something went wrong; nothing was performed. The log of the server tells more under the same instance.",
}
BUSY = "The server has too much to do; nothing was performed. Repeat the same request a little later."
CONFLICT = "Others changed the same objects each time this was tried; nothing was performed. Repeat the same request."
TOO_SLOW = "The database ended a statement, which took too long; nothing was performed. Repeat the same request later."
UNAVAILABLE = "The store does not answer. Repeat the same request: that also settles whether it was performed."


def problem(
    status: int,
    detail: str | None = None,
    *,
    violations: Iterable[Violation] = (),
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """An answer with a problem as its body."""
    errors = [{name: _readable(text) for name, text in attrs.asdict(violation).items()} for violation in violations]
    body: dict[str, Any] = {
        "type": REJECTED if errors else "about:blank",
        "title": "Request validation failed" if errors else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or SENTENCES[status],
    }
    if instance is not None:
        body["instance"] = instance
    return Response(
        msgspec.json.encode(body | {"errors": errors}),
        status_code=status,
        media_type=PROBLEM,
        headers={**PRIVATE, **(headers or {})},
    )


def _readable(text: str) -> str:
    """Lone surrogates, of which the name of a field may consist, are escaped: no answer can be written with them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _rejected(_: Request[Any, Any, Any], error: RequestRejected) -> Response[bytes]:
    count = len(error.violations)
    detail = "The request has one failure." if count == 1 else f"The request has {count} failures."
    if count == MOST_FAILURES:
        detail = f"The request has too many failures to tell them all; these are the first {count}."
    return problem(400, detail, violations=error.violations)


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500:
        return _unexpected(request, error)
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        longest = request.scope["route_handler"].opt.get(LONGEST_BODY)
        return problem(413, f"The body is too long; {longest:,} bytes are allowed here." if longest else None)
    says_more = error.status_code not in SENTENCES or error.detail == TWICE
    return problem(error.status_code, error.detail if says_more else None, headers=error.headers)


def _busy(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    detail = {Overloaded: BUSY, Conflict: CONFLICT, StoreTooSlow: TOO_SLOW}.get(type(error), UNAVAILABLE)
    if not isinstance(error, Overloaded):
        log.warning("request not performed", error=told(error))
    return problem(503, detail, headers=RETRY_AFTER)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Whatever nobody thought of: told in the log only, under an id that the caller gets, too."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    path = request.scope["path"][:LONGEST_PATH]
    log.error("request failed", instance=instance, method=request.method, path=path, exception=traced(error))
    return problem(500, instance=instance)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    RequestRejected: _rejected,
    Conflict: _busy,
    StoreUnavailable: _busy,
    Overloaded: _busy,
    HTTPException: _http,
    Exception: _unexpected,
}
