"""`ocs serve`: the HTTP API."""

from typing import Annotated

import attrs
from cyclopts import Parameter

from ocs_adapters.cli.commands import opened, read_settings
from ocs_http.apart import metrics_apart
from ocs_http.app import create_app
from ocs_http.server import listen, run


def serve(
    *,
    host: Annotated[str | None, Parameter(metavar="ADDRESS")] = None,
    port: Annotated[int | None, Parameter(metavar="PORT")] = None,
) -> None:
    """Serve the HTTP API, run processes at their times and publish messages, until interrupted or terminated.

    The database must have the newest schema: ocs migrate brings it there. Callers need a key: ocs key add makes one.

    Args:
        host: The address to listen on; OCS_HTTP_HOST, else 127.0.0.1, if not given.
        port: The port to listen on; OCS_HTTP_PORT, else 8000, if not given. With 0, any that is free.
    """
    given = read_settings()
    settings = attrs.evolve(
        given, http_host=host or given.http_host, http_port=given.http_port if port is None else port
    )
    with (
        opened(settings) as platform,
        listen(settings.http_host, settings.http_port) as listening,
        metrics_apart(platform.services),
    ):
        platform.services.start()
        print(f"Listening on {listening.url}; the API is described at {listening.url}/docs", flush=True)
        run(create_app(platform.services, background=False), listening, settings)
