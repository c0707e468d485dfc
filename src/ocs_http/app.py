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
from ocs_http.metrics import has_metrics, metrics_handler
from ocs_http.operations import OPERATIONS
from ocs_http.searches import READS
from ocs_http.viewer import viewer_handlers
from ocs_http.workers import Workers

LONGEST_BODY = 10_000_000
"""Bytes."""
READING_THREADS = 4


def create_app(services: Services, *, background: bool = True, threads: int = 16, waiting: int = 256) -> Litestar:
    """The HTTP API over these services.

    `background`: the application starts the services' work in the background, and closes the services at its end;
    without it both are its owner's. At most `threads` commands are performed at once, and `waiting` more may wait.
    Reads have threads of their own: commands that wait for each other's locks must not hold them up.
    """
    commands, reads = Workers(threads, waiting), Workers(READING_THREADS, waiting)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        if background:
            services.start()
        try:
            yield
        finally:
            commands.close()
            reads.close()
            if background:
                await asyncio.to_thread(services.close)

    app = Litestar(
        [
            *(command_handler(operation, services, commands) for operation in OPERATIONS),
            *(read_handler(read, services, reads) for read in READS),
            *health_handlers(services, reads),
            *([metrics_handler(services, reads)] if has_metrics(services.settings) else []),
            *viewer_handlers(),
        ],
        guards=[as_it_is_written, Doorkeeper(services.keys, reads).guard],
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
