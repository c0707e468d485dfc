"""What a connection may cost before anybody knows whose it is."""

import attrs

from ocs_adapters.settings import Settings

PIECE = 16_384
"""Bytes that are looked at in one go, so that others have their turn."""
LINGERING_SECONDS = 2.0
"""How long what still comes is thrown away after an early answer: closing at once would destroy the answer."""
DRAINING_SECONDS = 1.0
"""How long an idle connection may still bring a request at the end of the server, and have it answered."""
SENDING_SECONDS = 30.0
LEAST_SENT = 16_384
"""A client has to take so many bytes of its answer in `SENDING_SECONDS`, or the rest."""


@attrs.frozen(kw_only=True)
class Limits:
    """Bytes, numbers and seconds. `connections` is of one process."""

    header_bytes: int = 32_768
    header_count: int = 100
    url_bytes: int = 8_192
    header_seconds: float = 20
    body_seconds: float = 60
    idle_seconds: float = 75
    connections: int = 1_000

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(**{field.name: getattr(settings, f"http_{field.name}") for field in attrs.fields(cls)})
