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
from ocs_core.errors import OcsError
from ocs_core.ports import MOST_COUNTED, Backlog, Clock
from ocs_http.auth import PUBLIC
from ocs_http.errors import PRIVATE
from ocs_http.probe import NoAnswer, Probe
from ocs_http.workers import Workers

METRICS = "/metrics"
IN_OUTBOX = f"Messages in the outbox, those that are held too; counted up to {MOST_COUNTED:,}."


@attrs.define(eq=False)
class OutboxCollector(Collector):
    """How much waits, as it was asked at the scrape, or that nobody could say."""

    clock: Clock
    backlog: Backlog | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("ocs_database_up", "Whether the database answers.", self.backlog is not None)
        if (backlog := self.backlog) is None:
            return
        age = max((self.clock() - backlog.oldest).total_seconds(), 0.0) if backlog.oldest else 0.0
        yield GaugeMetricFamily(
            "ocs_outbox_messages",
            IN_OUTBOX,
            backlog.rows,
        )
        yield GaugeMetricFamily("ocs_outbox_held_messages", "Messages that cannot be published.", backlog.held)
        yield GaugeMetricFamily("ocs_outbox_oldest_seconds", "How long the first of them has been there.", age)


def has_metrics(settings: Settings) -> bool:
    """Whether they are shown at the API's own port."""
    return settings.http_metrics and settings.http_metrics_port is None


def metrics_handler(services: Services, workers: Workers) -> HTTPRouteHandler:
    """The route."""
    registry, outbox, probe = CollectorRegistry(), OutboxCollector(services.clock), Probe(workers, services.backlog)
    for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, outbox):
        registry.register(collector)

    @get(METRICS, name="Metrics", opt=PUBLIC)
    async def metrics() -> Response[bytes]:
        try:
            outbox.backlog = await probe.answer()
        except (NoAnswer, OcsError):
            outbox.backlog = None
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=PRIVATE)

    return metrics
