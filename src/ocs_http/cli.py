"""The commands that this package adds to `ocs`: serve and demo."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Annotated, Any, Protocol

import attrs
from cyclopts import App, Parameter

from ocs_adapters.bootstrap import Platform
from ocs_adapters.settings import Settings

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Port = Annotated[int, Parameter(metavar="PORT")]


class Commands(Protocol):
    """What the command line offers to those who join it."""

    @property
    def app(self) -> App: ...

    def knows(self, privileges: Callable[[], Collection[str]]) -> None: ...

    def settings(self) -> Settings: ...

    def opened(self, changed: Settings | None = None) -> AbstractContextManager[Platform]: ...

    def example(self) -> list[Any]: ...


def join(commands: Commands) -> None:
    """The entry point of the group `ocs.commands`."""
    commands.knows(privileges)

    @commands.app.command
    def serve(
        *,
        host: Annotated[str | None, Parameter(metavar="ADDRESS")] = None,
        port: Port | None = None,
    ) -> None:
        """Serve the HTTP API, run processes at their times and publish messages, until interrupted or terminated.

        The database must have the newest schema: ocs migrate brings it there. Callers need a key: ocs key add makes one.

        Args:
            host: The address to listen on; OCS_HTTP_HOST, else 127.0.0.1, if not given.
            port: The port to listen on; OCS_HTTP_PORT, else 8000, if not given. With 0, any that is free.
        """
        from ocs_http.apart import metrics_apart
        from ocs_http.app import create_app
        from ocs_http.server import listen, run

        given = commands.settings()
        settings = attrs.evolve(
            given, http_host=host or given.http_host, http_port=given.http_port if port is None else port
        )
        with (
            commands.opened(settings) as platform,
            listen(settings.http_host, settings.http_port) as listening,
            metrics_apart(platform.services),
        ):
            platform.services.start()
            print(f"Listening on {listening.url}; the API is described at {listening.url}/docs", flush=True)
            run(create_app(platform.services, background=False), listening, settings)

    @commands.app.command
    def demo(
        *,
        port: Port = 8000,
        once: Flag = False,
    ) -> None:
        """Try everything on a made-up ledger, in a database that is thrown away at the end.

        Prints commands to paste into a shell, one for each use-case, the server's address and a key, then each request as it
        comes.

        Args:
            port: The port to listen on, on 127.0.0.1.
            once: Perform the use-cases over HTTP on a free port, print each request, its answer and the messages that
                it published, and end.
        """
        from ocs_http.demo import once as perform_once
        from ocs_http.demo import serve as serve_demo

        if once:
            perform_once.main(commands.example())
        else:
            serve_demo.main(commands.example(), port)


def privileges() -> set[str]:
    """Every privilege that a route asks for."""
    from ocs_http.operations import OPERATIONS
    from ocs_http.searches import READS

    return {operation.privilege for operation in OPERATIONS} | {read.privilege for read in READS}
