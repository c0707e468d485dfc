"""What a monitoring system scrapes: figures of the outbox and of the process, in Prometheus' format and without a key."""

from collections.abc import Iterator

import attrs
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ocs_adapters.bootstrap import Services
from ocs_adapters.settings import Settings
from ocs_http.auth import PUBLIC
from ocs_http.workers import Workers

METRICS = "/metrics"


@attrs.frozen(eq=False)
class OutboxCollector(Collector):
    """Asks how much waits at each scrape: no figure is older than that."""

    services: Services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        backlog = self.services.backlog()
        age = max((self.services.clock() - backlog.oldest).total_seconds(), 0.0) if backlog.oldest else 0.0
        yield GaugeMetricFamily("ocs_outbox_messages", "Messages in the outbox, those that are held too.", backlog.rows)
        yield GaugeMetricFamily("ocs_outbox_held_messages", "Messages that cannot be published.", backlog.held)
        yield GaugeMetricFamily("ocs_outbox_oldest_seconds", "How long the first that waits has waited.", age)


def has_metrics(settings: Settings) -> bool:
    """Whether they are shown at the API's own port."""
    return settings.http_metrics and settings.http_metrics_port is None


def metrics_handler(services: Services, workers: Workers) -> HTTPRouteHandler:
    """The route."""
    registry = CollectorRegistry()
    for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, OutboxCollector(services)):
        registry.register(collector)

    @get(METRICS, name="Metrics", opt=PUBLIC)
    async def metrics() -> Response[bytes]:
        return Response(await workers.run(lambda: generate_latest(registry)), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return metrics
