"""The figures for a monitoring system at a port of their own, which whoever calls the API need not reach."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Litestar

from ocs_adapters.bootstrap import Services
from ocs_http.errors import EXCEPTION_HANDLERS
from ocs_http.metrics import METRICS, metrics_handler
from ocs_http.server import listen, running
from ocs_http.workers import Workers


@contextmanager
def metrics_apart(services: Services) -> Iterator[None]:
    """Serve them as long as the block lasts, where the settings give them a port. Raises `SystemExit` as `listen` does."""
    settings, workers = services.settings, Workers(threads=1, waiting=16)
    if not settings.http_metrics or settings.http_metrics_port is None:
        yield
        return
    app = Litestar(
        [metrics_handler(services, workers)],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    with listen(settings.http_host, settings.http_metrics_port) as listening, running(app, listening, settings):
        print(f"Metrics at {listening.url}{METRICS}", flush=True)
        yield
    workers.close()
