"""`ocs demo`: the HTTP API on a made-up ledger."""

from typing import Annotated

from cyclopts import Parameter

from ocs_adapters.cli.commands import Flag, example
from ocs_http.demo import once as perform_once
from ocs_http.demo import serve as serve_demo


def demo(*, port: Annotated[int, Parameter(metavar="PORT")] = 8000, once: Flag = False) -> None:
    """Try everything on a made-up ledger, in a database that is thrown away at the end.

    Prints commands to paste into a shell, one for each use-case, the server's address and a key, then each request as it
    comes.

    Args:
        port: The port to listen on, on 127.0.0.1.
        once: Perform the use-cases over HTTP on a free port, print each request, its answer and the messages that
            it published, and end.
    """
    if once:
        perform_once.main(example())
    else:
        serve_demo.main(example(), port)
