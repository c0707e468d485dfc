"""The application: the tables of operations and reads, made into routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.routes import HTTPRoute

from ocs_adapters.bootstrap import Services
from ocs_http.addresses import as_it_is_written
from ocs_http.auth import PUBLIC, Doorkeeper
from ocs_http.errors import EXCEPTION_HANDLERS
from ocs_http.handler import command_handler, read_handler
from ocs_http.health import health_handlers
from ocs_http.lanes import Lanes
from ocs_http.metrics import has_metrics, metrics_handler
from ocs_http.operations import OPERATIONS
from ocs_http.outcomes import Outcomes
from ocs_http.searches import READS
from ocs_http.viewer import viewer_handlers

LONGEST_BODY = 1_000
"""Bytes, where a body means nothing."""


def create_app(services: Services, *, background: bool = True, threads: int = 16, waiting: int = 256) -> Litestar:
    """The HTTP API over these services.

    `background`: the application starts the services' work in the background, and closes the services at its end;
    without it both are its owner's. At most `threads` commands are performed at once, and `waiting` more may wait.
    Reads, keys and probes have threads of their own: `Lanes`.
    """
    lanes, outcomes = Lanes.of(threads, waiting), Outcomes()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        if background:
            services.start()
        try:
            yield
        finally:
            lanes.close()
            if background:
                await asyncio.to_thread(services.close)

    app = Litestar(
        [
            *(command_handler(operation, services, lanes, outcomes) for operation in OPERATIONS),
            *(read_handler(read, services, lanes) for read in READS),
            *health_handlers(services, lanes.probes, outcomes),
            *([metrics_handler(services, lanes.probes)] if has_metrics(services.settings) else []),
            *viewer_handlers(),
        ],
        guards=[as_it_is_written, Doorkeeper(services.keys, lanes.keys).guard],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=LONGEST_BODY,
        openapi_config=None,  # its own document is whole; the framework would describe bytes
        logging_config=None,
        debug=False,
    )
    _anybody_may_ask_for_options(app)
    return app


def _anybody_may_ask_for_options(app: Litestar) -> None:
    """The framework answers OPTIONS by itself, with the methods that an address knows: no secret."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.http_methods == {"OPTIONS"}:
                    handler.opt.update(PUBLIC)
