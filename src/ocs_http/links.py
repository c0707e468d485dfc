"""The address that a client knows this server by."""

from collections.abc import Mapping
from typing import Any

BASE = "ocs.base"
"""Where a request's scope says how the addresses of this server begin for its client, as trusted proxies tell."""


def base_of(scope: Mapping[str, Any]) -> str:
    """What comes before the path in an address for the client; nothing where it is the one that was asked."""
    return str(scope.get(BASE, ""))
