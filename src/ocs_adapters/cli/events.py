"""`ocs events`: the log of published messages."""

import time
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from ocs_adapters.bootstrap import Platform
from ocs_adapters.cli.commands import Flag, Refused, opened, read_settings, until_terminated

IDLE_SECONDS = 0.3
Offset = Annotated[int, Parameter(metavar="OFFSET", validator=Number(gte=0, lte=2**63 - 1))]


def events(*, after: Offset = 0, follow: Flag = False) -> None:
    """Print the published messages as JSON lines, the oldest first, after moving what waits to be published.

    A line is {"offset": 1, "topic": "…", "key": "…", "headers": {…}, "value": {…}}.

    Args:
        after: Print only what is behind this offset.
        follow: Go on with what is published from now on, until interrupted.
    """
    servers = read_settings().kafka_servers
    if servers is not None:
        raise Refused(f"Messages go to Kafka at {servers}; read them there, with kcat for one.")
    if follow:
        until_terminated()
    with opened() as platform:
        try:
            after = _print_what_is_there(platform, after)
            while follow:
                time.sleep(IDLE_SECONDS)
                after = _print_what_is_there(platform, after)
        except KeyboardInterrupt:
            return


def _print_what_is_there(platform: Platform, after: int) -> int:
    platform.relay.drain()
    while page := platform.events.after(after):
        for event in page:
            line = {
                "offset": event.offset,
                "topic": event.topic,
                "key": event.key,
                "headers": event.headers,
                "value": event.value,
            }
            print(msgspec.json.encode(line).decode())
        after = page[-1].offset
    print(end="", flush=True)
    return after
