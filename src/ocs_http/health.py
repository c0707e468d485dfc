"""Whether the server lives, and whether it can serve: for whoever starts and stops it, and without a key."""

from typing import Any

import msgspec
from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from ocs_adapters.bootstrap import Services
from ocs_http.auth import PUBLIC
from ocs_http.errors import PRIVATE, RETRY_AFTER, problem
from ocs_http.outcomes import Outcomes
from ocs_http.probe import SECONDS, NoAnswer, Probe
from ocs_http.workers import Workers

LIVE = "/health/live"
READY = "/health/ready"
GET_AND_HEAD: list[Method] = ["GET", "HEAD"]  # balancers probe with either
ALL_FAIL = "The latest commands were not performed: the database did not take them"
NO_ANSWER = f"The database does not answer within {SECONDS:g} seconds"


def health_handlers(services: Services, workers: Workers, outcomes: Outcomes) -> list[HTTPRouteHandler]:
    """The two routes."""

    def why_not() -> list[str]:
        problems = services.problems()
        if not problems and outcomes.failures:
            problems = services.problems_of_writing()
            if not problems:
                outcomes.forget()
        return problems or ([ALL_FAIL] if outcomes.all_fail else [])

    probe = Probe(workers, why_not)

    @route(LIVE, name="IsLive", http_method=GET_AND_HEAD, opt=PUBLIC)
    async def is_live() -> Response[bytes]:
        return _status("live")

    @route(READY, name="IsReady", http_method=GET_AND_HEAD, opt=PUBLIC)
    async def is_ready() -> Response[bytes]:
        try:
            problems = await probe.answer()
        except NoAnswer:
            problems = [NO_ANSWER]
        if problems:
            return problem(503, " ".join(f"{sentence}." for sentence in problems), headers=RETRY_AFTER)
        return _status("ready")

    return [is_live, is_ready]


def _status(status: str) -> Response[Any]:
    return Response(msgspec.json.encode({"status": status}), media_type="application/json", headers=PRIVATE)
