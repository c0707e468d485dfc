"""One handler for every command and one for every read: form, then the use-case, in a thread."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from litestar import Request, post, route
from litestar.exceptions import ClientException, HTTPException, InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from ocs_adapters.bootstrap import Services
from ocs_adapters.serial import decode_request, encode, encode_answer, expanded, parse_json
from ocs_core.errors import RequestRejected, StoreBusy, StoreUnavailable
from ocs_core.messages import format_instant
from ocs_core.queries import Page
from ocs_core.usecases.perform import Caller, digest_of
from ocs_core.usecases.read_collection_balance import CollectionBalanceView
from ocs_core.usecases.read_open_balance import OpenBalanceView
from ocs_http.auth import needs
from ocs_http.errors import LONGEST_BODY, PRIVATE
from ocs_http.lanes import Lanes
from ocs_http.links import base_of
from ocs_http.operations import Operation
from ocs_http.outcomes import Outcomes
from ocs_http.parameters import Expand, by_parameter, decode_read, next_page, parse_query
from ocs_http.searches import Read

JSON = "application/json"
REPLAYED = {"Idempotent-Replayed": "true"}


def command_handler(operation: Operation, services: Services, lanes: Lanes, outcomes: Outcomes) -> HTTPRouteHandler:
    """The route of a command."""
    workers = lanes.long_commands if operation.is_long else lanes.commands
    use_case = services.use_case(operation.use_case)

    def perform(body: bytes, caller: Caller) -> ASGIResponse:
        value = parse_json(body)
        request = decode_request(operation.request, value)
        answer = use_case(request, caller=caller, digest=digest_of(value))
        if operation.starts_run:
            services.runner.wake()
        return _json(encode_answer(answer), REPLAYED if answer.replayed else None)

    async def handle(request: Request[Caller, Any, Any]) -> ASGIResponse:
        _refuse_other_than_json(request.scope["headers"])
        try:
            answer = await workers.run(perform, await _body(request), request.scope["user"])
        except StoreUnavailable as error:
            if not isinstance(error, StoreBusy):
                outcomes.failed()
            raise
        outcomes.performed()
        return answer

    return post(
        operation.path,
        name=operation.name,
        status_code=200,
        opt=needs(operation.privilege) | {LONGEST_BODY: operation.longest_body},
        request_max_body_size=operation.longest_body,
    )(handle)


def read_handler(read: Read, services: Services, lanes: Lanes) -> HTTPRouteHandler:
    """The route of a read, for GET and HEAD."""
    workers = lanes.balances if read.is_of_everything else lanes.reads
    answer = read.answer(services)

    def look_up(query: bytes, in_path: Mapping[str, str], base: str) -> ASGIResponse:
        given = parse_query(query, in_path)
        request, shown = decode_read(read.request, given)
        try:
            found = answer(request)
        except RequestRejected as rejected:
            raise by_parameter(rejected, given) from None
        follows = _asks_for_the_next_page(found)
        body = encode(found)
        if shown.expand is Expand.CODES:
            body = expanded(body, services.queries.configuration())
        return _json(body, {"Link": next_page(base + read.path, {**given, **follows})} if follows else None)

    async def handle(request: Request[Caller, Any, Any]) -> ASGIResponse:
        return await workers.run(
            look_up, request.scope["query_string"], request.scope["path_params"], base_of(request.scope)
        )

    return route(read.route, name=read.name, http_method=["GET", "HEAD"], opt=needs(read.privilege))(handle)


def _asks_for_the_next_page(found: Any) -> Mapping[str, str]:
    """The parameters that lead on: from where, and of a balance as of when, so that its pages agree. Nothing at the end."""
    match found:
        case Page(next=UUID() as cursor):
            return {"cursor": str(cursor)}
        case CollectionBalanceView(next=UUID() as cursor, as_of=dt.datetime() as as_of):
            return {"cursor": str(cursor), "asOf": format_instant(as_of)}
        case OpenBalanceView(next=UUID() as cursor, as_of=as_of):
            return {"cursor": str(cursor), "asOf": format_instant(as_of)}
    return {}


def _json(body: bytes, headers: dict[str, str] | None) -> ASGIResponse:
    return ASGIResponse(body=body, media_type=JSON, headers={**PRIVATE, **(headers or {})})


async def _body(request: Request[Any, Any, Any]) -> bytes:
    try:
        return await request.body()
    except InternalServerException:
        raise ClientException("The body did not arrive as a whole.") from None


def _refuse_other_than_json(headers: Iterable[tuple[bytes, bytes]]) -> None:
    media_type = b""
    for name, value in headers:
        if name == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise HTTPException(status_code=415)
    if media_type != JSON.encode():
        raise HTTPException(status_code=415)
