"""An address has one spelling: what a proxy closes or counts by it is not reached by another."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler


def as_it_is_written(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard. Raises `NotFoundException` where the framework only took an address for this one: `//metrics`, `/metrics/`,
    `/%6detrics`."""
    raw: bytes | None = connection.scope.get("raw_path")
    if raw is None:
        return
    wanted = connection.scope["path_template"].encode().split(b"/")[1:]
    given = raw.partition(b"?")[0].split(b"/")[1:]
    fixed = zip(wanted, given[-len(wanted) :], strict=False)
    if (b"" in given and given != wanted) or any(one != other for one, other in fixed if not one.startswith(b"{")):
        raise NotFoundException
