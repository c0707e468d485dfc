"""Whether the server lives, and whether it can serve: for whoever starts and stops it, and without a key."""

from typing import Any

import msgspec
from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from ocs_adapters.bootstrap import Services
from ocs_http.auth import PUBLIC
from ocs_http.errors import RETRY_AFTER, problem
from ocs_http.workers import Workers

LIVE = "/health/live"
READY = "/health/ready"
GET_AND_HEAD: list[Method] = ["GET", "HEAD"]  # balancers probe with either


def health_handlers(services: Services, workers: Workers) -> list[HTTPRouteHandler]:
    """The two routes."""

    @route(LIVE, name="IsLive", http_method=GET_AND_HEAD, opt=PUBLIC)
    async def is_live() -> Response[bytes]:
        return _status("live")

    @route(READY, name="IsReady", http_method=GET_AND_HEAD, opt=PUBLIC)
    async def is_ready() -> Response[bytes]:
        problems = await workers.run(services.problems)
        if problems:
            return problem(503, " ".join(f"{sentence}." for sentence in problems), headers=RETRY_AFTER)
        backlog = await workers.run(services.backlog)
        return _status("ready", outbox={"rows": backlog.rows, "held": backlog.held, "oldest": backlog.oldest})

    return [is_live, is_ready]


def _status(status: str, **more: Any) -> Response[Any]:
    return Response(msgspec.json.encode({"status": status, **more}), media_type="application/json")
